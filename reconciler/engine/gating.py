"""When an agent that runs may be disturbed: its own gate, and how one run waits at it (R-WAT-8).

The gate is a declaration; whether it is closed is a fact of the moment, asked of the world while something waits. A
watch holds the action back and looks again (`unasked`); a run of an apply waits for it as long as it may, and defers
what it may not wait for any longer.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta

from reconciler.engine.handler import Case, Handlers, Present, Target, Unknown
from reconciler.engine.observe import look_at
from reconciler.model.action import Action, Code, Disruption, Reason, Verb
from reconciler.model.json import JsonMap
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports, Reader

IDLE, IMMEDIATE, WINDOW = "Idle", "Immediate", "Window"
MAX_WAIT = timedelta(minutes=10)
LOOK_S = 0.5
"""Between two looks at the screens of agents that are waited for."""
DEFERRED = "Deferred"
"""Why an action is not started in this run: its gate is closed for longer than the run waits."""

Busy = Callable[[tuple[Case, ...], Reader], Mapping[Ref, str]]
Calendar = Callable[[datetime], tuple[str, datetime | None]]


class Gate(NamedTuple):
    """What one agent says of its disturbance; with nothing said, what a watch does."""

    when: str = IDLE
    longest: timedelta = MAX_WAIT
    force: bool = False
    """Disturb it when the longest wait is over, instead of waiting on."""
    declared: bool = False


class Wait(NamedTuple):
    """Somebody is not disturbed yet: why, since when, and until when where that is known."""

    reason: Reason
    since: datetime
    until: datetime | None = None
    """When it is over by itself, or for a window when that opens."""
    counts: bool = True
    """The longest wait of its gate counts from then; outside of hours that hold for everybody it does not."""


def gate_of(case: Case) -> Gate:
    """As declared; of what is not declared any more, what holds where nothing is said."""
    found = case.want.spec.get("disruption") if case.want else None
    spec = found if isinstance(found, dict) else {}
    when, longest, late = spec.get("when"), spec.get("maxWait"), spec.get("onTimeout")
    return Gate(
        when if isinstance(when, str) else IDLE,
        timedelta(milliseconds=longest) if isinstance(longest, int) else MAX_WAIT,
        late == "Force",
        any(value is not None for value in (when, longest, late)),
    )


def ends_a_process(action: Action, case: Case) -> bool:
    """Whether it ends a program that runs, or a turn that is a program of its own."""
    if case.row is not None and case.row.live.get("backend", "").endswith("_headless"):
        # A turn is a process of its own: it may run although the session that is to be made again is gone.
        return action.disruption.weight >= Disruption.RESTART.weight or action.verb in (Verb.CREATE, Verb.RELAUNCH)
    if action.disruption.weight < Disruption.RESTART.weight or not isinstance(case.seen, Present):
        return False
    parts: Iterable[str] = ("session", "process")
    return all((part := case.seen.parts.get(name)) is not None and part.present is True for name in parts)


def for_idle(gate: Gate, doing: str, since: datetime, now: datetime) -> Wait | None:
    """The wait for an agent that is in the middle of `doing`; None where it is forced by now."""
    until = since + gate.longest
    if now < until:
        latest = f", at {clock(until)} at the latest" if gate.force else ""
        return _busy(f"{doing}; it is disturbed when it is done{latest}", since, until if gate.force else None)
    if gate.force:
        return None
    at_once = "" if gate.declared else ", and `houmao apply` does not wait"
    return _busy(f"{doing}; it is disturbed when it is done; it waits since {clock(since)}{at_once}", since, None)


def for_window(gate: Gate, closed: str, opens: datetime | None, since: datetime, now: datetime) -> Wait | None:
    """The wait for an agent that is disturbed in windows; None where the longest wait forces it outside of one."""
    until = since + gate.longest
    if not gate.force:
        return Wait(Reason(Code.WINDOW_CLOSED, closed), since, opens)
    if now >= until:
        return None
    sooner = until if opens is None else min(opens, until)
    text = closed if sooner == opens else f"{closed}; it is disturbed at {clock(until)} all the same"
    return Wait(Reason(Code.WINDOW_CLOSED, text), since, sooner)


def clock(moment: datetime) -> str:
    """A moment as it is said."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _busy(text: str, since: datetime, until: datetime | None) -> Wait:
    return Wait(Reason(Code.AGENT_BUSY, text), since, until)


class Terms(NamedTuple):
    """How a run waits."""

    calendar: Calendar
    """Why nobody may be disturbed by the calendar at a moment, empty where somebody may; and when that is over."""
    since: Mapping[Ref, datetime] = {}
    """Since when somebody is waited for, of an earlier run or a watch."""
    until: datetime | None = None
    """When the run ends; None where it does not wait at all."""


class Gating:
    """The gates of one run: who may be disturbed now, who waits and why, and who is left to a later run."""

    def __init__(
        self,
        gated: Iterable[tuple[Action, Case]],
        handlers: Handlers,
        ports: Ports,
        terms: Terms,
        *,
        busy: Busy,
        keep: Callable[[Mapping[Ref, Wait]], None],
        tell: Callable[[str, JsonMap], None],
    ) -> None:
        self._gated = {case.ref: (action, case) for action, case in gated}
        self._gates = {ref: gate_of(case) for ref, (_, case) in self._gated.items()}
        self._handlers = handlers
        self._ports = ports
        self._terms = terms
        self._busy = busy
        self._keep = keep
        self._tell = tell
        self._since = dict(terms.since)
        self._told: dict[Ref, str] = {}
        self._looked: float | None = None
        self._began = ports.clock.now_utc()
        self.waits: dict[Ref, Wait] = {}
        """Those that wait, and those that are left to a later run."""
        self.deferred: dict[Ref, str] = {}
        """Why each of them is not started in this run any more."""

    def look(self, pending: Iterable[Action]) -> None:
        """Ask anew, of those that are not under way yet; where time has passed."""
        now_s = self._ports.clock.monotonic()
        if self._looked is not None and now_s - self._looked < LOOK_S:
            return
        self._looked = now_s
        refs = {action.ref for action in pending} & self._gated.keys() - self.deferred.keys()
        if not refs:
            return
        reader, now = self._ports.reader(), self._ports.clock.now_utc()
        left = self._disturbed(refs, reader)
        idle = tuple(case for case in left if self._gates[case.ref].when == IDLE)
        doing = self._busy(idle, reader) if idle else {}
        closed, opens = "", None
        if len(idle) < len(left):
            closed, opens = self._terms.calendar(now)
        waits: dict[Ref, Wait] = {}
        for case in left:
            gate, since = self._gates[case.ref], self._since.get(case.ref, now)
            found = None
            if gate.when == WINDOW:
                found = for_window(gate, closed, opens, since, now) if closed else None
            elif case.ref in doing:
                found = for_idle(gate, doing[case.ref], since, now)
            if found is None:
                continue
            self._since[case.ref] = since
            waits[case.ref] = found
            if self._too_long(gate, found, now):
                self.deferred[case.ref] = found.reason.text
        self.waits = {**{ref: wait for ref, wait in self.waits.items() if ref in self.deferred}, **waits}
        self._say()
        self._keep(self.waits)

    def _disturbed(self, refs: Collection[Ref], reader: Reader) -> list[Case]:
        """Those whose program would be ended: who has ended by itself meanwhile is not waited for."""
        cases = [case for ref, (_, case) in self._gated.items() if ref in refs]
        targets = [Target(case.ref, case.uid, case.want, case.row, case.intent, case.was) for case in cases]
        seen = look_at(targets, self._handlers, reader)
        fresh = [case if isinstance(seen[case.ref], Unknown) else case._replace(seen=seen[case.ref]) for case in cases]
        return [case for case in fresh if ends_a_process(self._gated[case.ref][0], case)]

    def holds(self, ref: Ref) -> str:
        """Why it is not disturbed now; empty where it may be."""
        found = self.waits.get(ref)
        return found.reason.text if found is not None else ""

    def governs(self, ref: Ref) -> bool:
        """Whether it is this gate that says when somebody is disturbed."""
        return ref in self._gated

    def _too_long(self, gate: Gate, wait: Wait, now: datetime) -> bool:
        """Whether it is certain that this run does not wait so long, or that nobody shall."""
        if self._terms.until is None:
            return True
        last = self._terms.until if gate.force else min(self._terms.until, self._began + gate.longest)
        over = wait.until if gate.when == WINDOW else None
        if gate.when == WINDOW and (over is None or over > last):
            return True
        return now >= last

    def _say(self) -> None:
        """Each wait once, as long as it is the same one."""
        for ref, wait in self.waits.items():
            if self._told.get(ref) != wait.reason.text:
                self._told[ref] = wait.reason.text
                self._tell("wait", {"ref": str(ref), "code": wait.reason.code.value, "text": wait.reason.text})
