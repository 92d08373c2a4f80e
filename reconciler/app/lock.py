"""One writer per overlay: the kernel lock, the lease row, the fencing token (R §19).

The lock is held for the run's life; the token is taken when the first action starts, and rises by one each time. Every
step asks `guard` first: a writer that was stopped and replaced changes nothing any more.
"""

from collections.abc import Callable

from reconciler.model.errors import Interrupted, LockHeld, TokenLost
from reconciler.model.json import JsonMap
from reconciler.ports.bundle import Ports
from reconciler.ports.catalog import Lease
from reconciler.ports.files import Lock, LockHolder
from reconciler.ports.process import ProcessFacts

POLL_S = 0.1


class Writer:
    """A held lock, and the token once one was needed."""

    def __init__(self, lock: Lock, purpose: str) -> None:
        self._lock = lock
        self._purpose = purpose
        self._token: int | None = None

    def token(self, ports: Ports) -> int:
        """This writer's number; the lease row is written with it the first time."""
        if self._token is None:
            pid = own_pid()
            facts = ports.process.facts([pid]).get(pid)
            self._token = ports.catalog.acquire(
                Lease(
                    token=0,
                    owner=ports.environ.get("USER") or "unknown",
                    pid=pid,
                    start_ticks=facts.start_ticks if isinstance(facts, ProcessFacts) else 0,
                    boot_id=ports.process.boot_id(),
                    purpose=self._purpose,
                    since=ports.clock.now_utc().isoformat(),
                )
            )
        return self._token

    def guard(self, ports: Ports) -> None:
        """Raise TokenLost when a newer writer took over, or the lock file is no longer the one that is locked."""
        lease = ports.catalog.lease()
        if lease is None or lease.token != self._token or ports.files.lock_replaced(self._lock):
            raise TokenLost(
                "another writer took over this overlay; nothing more is changed here",
                hint="look at `houmao lock status`",
            )

    def release(self) -> None:
        """Free the lock."""
        self._lock.release()


def take(
    ports: Ports,
    *,
    purpose: str,
    wait_s: float,
    emit: Callable[[str, JsonMap], None],
    stopping: Callable[[], int | None] = lambda: None,
) -> Writer:
    """Take the overlay's lock, waiting `wait_s` at most; raises LockHeld naming holder, purpose, age and state.

    Raises Interrupted when `stopping` answers a signal while it waits.
    """
    deadline = ports.clock.monotonic() + wait_s
    told = False
    while True:
        found = ports.files.lock(ports.places.lock)
        if not isinstance(found, LockHolder):
            return Writer(found, purpose)
        told_to_stop = stopping()
        if told_to_stop is not None:
            raise Interrupted(told_to_stop)
        if ports.clock.monotonic() >= deadline:
            raise LockHeld(describe(found, ports), hint=remedy(found))
        if not told:
            emit("lock", {"waiting_for": found.pid, "seconds": wait_s})
            told = True
        ports.clock.sleep(POLL_S)


def describe(holder: LockHolder, ports: Ports) -> str:
    """One sentence about who holds the lock."""
    lease = ports.catalog.lease()
    words = [f"the overlay is locked by process {holder.pid}"]
    if lease is not None and lease.pid == holder.pid and lease.start_ticks == holder.start_ticks:
        words.append(f"for {lease.purpose!r} since {lease.since[:19]}")
    words.append(f"(state {state_word(holder.state)}: {holder.command or 'its command line is not readable'})")
    return " ".join(words)


def state_word(state: str) -> str:
    """What a letter of the process table means."""
    known = {"R": "running", "S": "sleeping", "D": "waiting for the disk", "T": "stopped", "t": "traced", "Z": "ended"}
    return f"{known.get(state, 'unknown')} ({state})"


def remedy(holder: LockHolder) -> str:
    """What to do about it: a stopped holder is continued or killed, never taken over."""
    if holder.state in ("T", "t"):
        return f"stopped (T): kill -CONT {holder.pid} or kill it"
    return "wait for it, or raise --lock-timeout"


def own_pid() -> int:
    """This process."""
    from os import getpid

    return getpid()
