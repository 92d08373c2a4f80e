"""The protocol of sd_notify(3): a datagram of assignments to the socket that the service manager named."""

import os
import socket

SEND_S = 1.0
"""A manager that does not read for so long misses a message; the watch does not wait for it."""


class Notifier:
    """`ports.supervisor.Supervisor` of one socket."""

    def __init__(self, address: str, watchdog_s: float | None = None) -> None:
        # An address that begins with @ is a name without a file.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self.watchdog_s = watchdog_s

    def tell(self, **what: str) -> None:
        """Send one message."""
        text = "\n".join(f"{key}={' '.join(value.split())}" for key, value in what.items())
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(SEND_S)
                sender.sendto(text.encode(errors="replace"), self._address)
        except OSError:
            pass


def from_environment() -> Notifier | None:
    """Whoever named a socket to this process; the variables are taken away, for they are no business of a child."""
    address = os.environ.pop("NOTIFY_SOCKET", "")
    limit, meant = os.environ.pop("WATCHDOG_USEC", ""), os.environ.pop("WATCHDOG_PID", "")
    if not address.startswith(("/", "@")) or len(address) < 2:
        return None
    ours = not meant or meant == str(os.getpid())
    return Notifier(address, int(limit) / 1e6 if limit.isdecimal() and int(limit) and ours else None)
