"""`--metrics WHERE`: a file that is replaced as often as there is something new, or a socket that is asked."""

from typing import cast

from reconciler.app import wiring
from reconciler.app.metrics import Meters
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import JsonMap
from reconciler.ports.bundle import Ports
from reconciler.ports.wakers import Wakers, Woken

MODE = 0o644
"""Of the file: a collector of another user reads it."""


class Metering:
    """Counts what it is told. A file is written at the start, whenever a watch goes to sleep, and at the end."""

    __slots__ = ("_file", "_files", "_socket", "meters")

    def __init__(self, where: str) -> None:
        self.meters = Meters(wiring.clock())
        self._files = wiring.local_files()
        self._file: str | None = None
        self._socket: wiring.Closing | None = None
        if where.startswith("unix:") or _is_address(where):
            self._socket = wiring.metrics_socket(where, self.meters.text)
        else:
            self._file = where
            self._replace(where)  # one that cannot be written is told before anything is done

    def event(self, kind: str, fields: JsonMap) -> None:
        """One event of the run."""
        self.meters.event(kind, fields)

    def ended(self, code: int) -> None:
        """The end: the file holds the last of it, the socket is closed."""
        self.meters.event("summary", {"exit_code": code})
        self.write()
        if self._socket is not None:
            self._socket.close()

    def write(self) -> None:
        """Replace the file, where there is one."""
        if self._file is None:
            return
        try:
            self._replace(self._file)
        except ReconcilerError as error:
            # What is counted is no reason to stop what is done.
            self.meters.event("diagnostic", {"code": error.code})

    def _replace(self, path: str) -> None:
        self._files.write(path, self.meters.text().encode(), mode=MODE)

    def over(self, make: "MakeWakers") -> "MakeWakers":
        """The same wakers, whose waking and resting is counted."""
        return lambda ports: cast(Wakers, _Counted(make(ports), self))


class _Counted:
    """Wakers that are listened to."""

    def __init__(self, wakers: Wakers, metering: Metering) -> None:
        self._wakers = wakers
        self._metering = metering

    def __getattr__(self, name: str) -> object:
        return getattr(self._wakers, name)

    def wait(self, seconds: float | None) -> tuple[Woken, ...]:
        """As the port says. One that does not sleep is a glance between two steps of one look."""
        if seconds == 0:
            return self._wakers.wait(0)
        self._metering.meters.resting()
        self._metering.write()
        woken = self._wakers.wait(seconds)
        self._metering.meters.woken(woken)
        return woken


def _is_address(where: str) -> bool:
    host, colon, port = where.rpartition(":")
    return bool(colon) and port.isdecimal() and "/" not in host


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    MakeWakers = Callable[[Ports], Wakers]
