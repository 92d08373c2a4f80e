"""Agents that are looked at again at a pace of their own, although nothing woke the watch (`drift.resync`).

Only those whose time has come are looked at, and the fleet is planned again where one of them stands otherwise than it
did when it was planned last. Whenever all are planned, all have been looked at.
"""

from collections.abc import Mapping

from reconciler.engine.handler import Case, Handlers, Target
from reconciler.engine.observe import look_at
from reconciler.model.ref import Ref
from reconciler.model.resource import at_path
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports


class _Pace(NamedTuple):
    case: Case
    period_s: float
    due: float


class Resyncs:
    """Who is due when, on the monotonic clock, and how each stood when it was planned last."""

    __slots__ = ("_paces", "_ports")

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._paces: dict[Ref, _Pace] = {}

    def looked(self, cases: Mapping[Ref, Case]) -> None:
        """All of these were just looked at."""
        now = self._ports.clock.monotonic()
        self._paces = {}
        for ref, case in cases.items():
            period = at_path(case.want.spec if case.want else None, "drift.resync")
            if isinstance(period, int):
                self._paces[ref] = _Pace(case, period / 1000, now + period / 1000)

    def due_in_s(self) -> float | None:
        """Seconds until the next one is due; None where nobody has a pace of its own."""
        if not self._paces:
            return None
        return max(0.0, min(pace.due for pace in self._paces.values()) - self._ports.clock.monotonic())

    def moved(self, handlers: Handlers) -> bool:
        """Look at those that are due; whether one of them stands otherwise than before."""
        now = self._ports.clock.monotonic()
        due = {ref: pace for ref, pace in self._paces.items() if pace.due <= now}
        for ref, pace in due.items():
            self._paces[ref] = pace._replace(due=now + pace.period_s)
        targets = [
            Target(ref, case.uid, case.want, case.row, case.intent, case.was)
            for ref, (case, _, _) in sorted(due.items())
        ]
        seen = look_at(targets, handlers, self._ports.reader()) if targets else {}
        return any(seen[ref] != due[ref].case.seen for ref in due)
