"""A watch that tells its service manager how it is (sd_notify): ready, what it does, that it lives, that it ends.

It listens to what the watch says and does anyway: its events, its sleep, and whether it was asked to stop.
"""

from collections.abc import Callable

from reconciler.app.request import Emit
from reconciler.model.json import JsonMap
from reconciler.ports.bundle import Ports
from reconciler.ports.supervisor import Supervisor
from reconciler.ports.wakers import Followed, Wakers, Woken

BEATS = 3
"""How often it says that it lives, within the time it may be silent."""


class Supervised:
    """Everything one watch tells. `run_s` is how long one look may run actions."""

    def __init__(self, supervisor: Supervisor, run_s: float) -> None:
        self._supervisor = supervisor
        self._run_s = run_s
        self._ready = False
        self._stopping = False
        self._patient = False
        self._status = ""

    # What it listens to

    def emit(self, emit: Emit) -> Emit:
        """The same events, heard."""

        def heard(kind: str, fields: JsonMap) -> None:
            emit(kind, fields)
            self._heard(kind, fields)

        return heard

    def stopping(self, stopping: Callable[[], int | None]) -> Callable[[], int | None]:
        """The same question; the first signal is told on."""

        def asked() -> int | None:
            found = stopping()
            if found is not None and not self._stopping:
                self._stopping = True
                self._supervisor.tell(STOPPING="1", STATUS="ends as asked; agents go on")
            return found

        return asked

    def wakers(self, make: Callable[[Ports], Wakers]) -> Callable[[Ports], Wakers]:
        """The same wakers, which wake often enough to say that the watch lives."""
        return make if self._supervisor.watchdog_s is None else lambda ports: _Beating(make(ports), self)

    # What it tells

    def beat(self) -> float:
        """Say that the loop goes round; how long it may sleep until the next time."""
        limit = self._supervisor.watchdog_s or 0.0
        if self._patient:
            self._patient = False
            self._supervisor.tell(WATCHDOG_USEC=_usec(limit))
        self._supervisor.tell(WATCHDOG="1")
        return limit / BEATS

    def _heard(self, kind: str, fields: JsonMap) -> None:
        if kind == "lock" and fields.get("held"):
            self._say("reads the source")
        elif kind == "source" and fields.get("event") in ("SourceInvalid", "SourceUnavailable"):
            # It keeps up what was good before and follows the source: that is all it can be ready for.
            self._say("the source cannot be used; what was declared before stays in force", ready=True)
        elif kind == "diagnostic" and "again_s" in fields:
            self._say(f"could not look, and tries again: {fields.get('code')}", ready=True)
        elif kind == "observe":
            self._say(f"keeps {fields.get('resources')} resources as declared", ready=True)
        elif kind == "plan":
            limit = self._supervisor.watchdog_s
            if limit is not None and not self._patient:
                # Actions may take as long as they were given; the loop does not go round meanwhile.
                self._patient = True
                self._supervisor.tell(WATCHDOG_USEC=_usec(limit + self._run_s), WATCHDOG="1")
            self._say(f"runs {fields.get('actions')} actions")

    def _say(self, status: str, *, ready: bool = False) -> None:
        news = {"STATUS": status} if status != self._status else {}
        if ready and not self._ready:
            self._ready = True
            news = {"READY": "1", "STATUS": status}
        self._status = status
        if news and not self._stopping:
            self._supervisor.tell(**news)


class _Beating:
    """Wakers that come back with nothing whenever it is time to say that the watch lives; the port allows that."""

    def __init__(self, wakers: Wakers, supervised: Supervised) -> None:
        self._wakers = wakers
        self._supervised = supervised

    def follow(self, what: Followed) -> None:
        self._wakers.follow(what)

    def wait(self, seconds: float | None) -> tuple[Woken, ...]:
        most = self._supervised.beat()
        return self._wakers.wait(most if seconds is None else min(seconds, most))

    def rest(self) -> None:
        self._wakers.rest()

    def close(self) -> None:
        self._wakers.close()


def _usec(seconds: float) -> str:
    return str(int(seconds * 1e6))
