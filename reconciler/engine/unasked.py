"""What a watch does unasked, of all that a plan says could be done. Pure.

A plan is the same for everybody. A watch holds some of it back: what failed a moment ago, drift that is only to be
reported, somebody else's doing, and what would disturb an agent in the middle of its turn. What is held back is a
`wait` row with its reason, or a notice; nothing is forgotten and nothing is added.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from reconciler.engine import gating
from reconciler.engine import heals as heals_
from reconciler.engine.differs import difference
from reconciler.engine.gating import Wait
from reconciler.engine.handler import Case
from reconciler.engine.plan import DRIFT, Planned, held_back
from reconciler.model.action import Action, Code, Notice, Reason, Verb
from reconciler.model.errors import ErrorClass
from reconciler.model.json import Json
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import at_path
from reconciler.model.tuples import NamedTuple
from reconciler.ports.catalog import Attempt

RETRY_LIMIT = 5
NO_HEALS = heals_.Heals()


class Rules(NamedTuple):
    """What holds back, at `now`."""

    now: datetime
    rows: str = "report"
    """What drift of definitions leads to, where they do not say (R-DRF-1)."""
    heals: heals_.Heals = NO_HEALS
    attempts: Mapping[Uid, Attempt] = {}
    busy: Mapping[Ref, str] = {}
    """Agents in the middle of something, and what is known of it."""
    since: Mapping[Ref, datetime] = {}
    """Since when the gate is closed for whom."""
    suspended: Mapping[Ref, str] = {}
    """What nothing is to be done about, and what is said of it."""
    all_suspended: str = ""
    """The same where nothing is to be done about anything."""
    closed: str = ""
    """Why the calendar forbids to disturb anybody now."""
    opens: datetime | None = None
    """When it allows that again."""


class Unasked(NamedTuple):
    """The plan that a watch runs, and what it waits for."""

    planned: Planned
    wakes: datetime | None
    """When one of the waits is over by itself."""
    waits: Mapping[Ref, Wait]
    """Whose gate is closed, and since when."""
    reported: tuple[Notice, ...]
    """Drift that is left alone."""
    known: bool = False
    """Whether drift is left alone of which nothing is said: it is not as declared all the same."""


class _Hold(NamedTuple):
    reason: Reason
    until: datetime | None = None
    gate: Wait | None = None
    report: bool = False
    silent: bool = False


def disturbed(planned: Planned) -> tuple[Case, ...]:
    """Whose live process an action of the plan would end although its gate waits for it to be idle."""
    found = []
    for action in planned.plan.running:
        case = planned.cases[action.ref]
        if gating.ends_a_process(action, case) and gating.gate_of(case).when == gating.IDLE:
            found.append(case)
    return tuple(found)


def hold_back(planned: Planned, rules: Rules) -> Unasked:
    """The same plan with what a watch does not do now held back."""
    actions: list[Action] = []
    reported: list[Notice] = []
    waits: dict[Ref, Wait] = {}
    wakes: list[datetime] = []
    known_drift = False
    for action in planned.plan.actions:
        hold = _hold(action, planned, rules) if action.runs else None
        if hold is None:
            actions.append(action)
            continue
        if hold.until is not None:
            wakes.append(hold.until)
        if hold.gate is not None:
            waits[action.ref] = hold.gate
        if hold.silent:
            known_drift = True
            continue
        if hold.report:
            reported.append(Notice(hold.reason.code, action.ref, hold.reason.text))
            continue
        actions.append(action._replace(verb=Verb.WAIT, held=action.verb, reasons=(hold.reason, *action.reasons)))
    notices = sorted([*planned.plan.notices, *reported], key=lambda notice: (notice.ref, notice.code))
    plan = planned.plan._replace(actions=tuple(held_back(actions)), notices=tuple(notices))
    return Unasked(planned._replace(plan=plan), min(wakes, default=None), waits, tuple(reported), known_drift)


def repairs(action: Action) -> bool:
    """Whether an action only puts right what nobody meant."""
    return bool(action.reasons) and all(reason.code in DRIFT for reason in action.reasons)


def policy_of(action: Action, case: Case, rows: str) -> str:
    """`heal`, `report` or `ignore`: of an instance as it says, of a definition as the project says."""
    declared = at_path(case.want.spec if case.want else None, "drift.policy")
    if isinstance(declared, str):
        return declared
    return "heal" if action.ref.kind == "Instance" else rows


def _hold(action: Action, planned: Planned, rules: Rules) -> _Hold | None:
    """Why an action is held back, or None. The first that applies is said."""
    case = planned.cases[action.ref]
    suspended = _suspended(action, case, rules)
    if suspended is not None:
        return suspended
    backing_off = _back_off(case, planned, rules)
    if backing_off is not None:
        return backing_off
    if repairs(action):
        drift = _drift(action, case, rules)
        if drift is not None:
            return drift
    return _gated(action, case, rules)


def _suspended(action: Action, case: Case, rules: Rules) -> _Hold | None:
    """Somebody said to leave it alone: the set, it itself, or what it is a member of."""
    owner = case.want.owner if case.want else None
    words = rules.suspended.get(action.ref) or (rules.suspended.get(owner, "") if owner else "")
    words = words or rules.all_suspended
    return _Hold(Reason(Code.SUSPENDED, words)) if words else None


def _back_off(case: Case, planned: Planned, rules: Rules) -> _Hold | None:
    """It failed, and nothing it is made of has changed since (R-RET-1, R-RET-2)."""
    attempt = rules.attempts.get(case.uid) if case.uid else None
    if attempt is None or attempt.input_digest != planned.view.input_digest(case.ref):
        return None
    limit = at_path(case.want.spec if case.want else None, "retry.limit")
    limit = limit if isinstance(limit, int) else RETRY_LIMIT
    if attempt.error_class == ErrorClass.TERMINAL.value or 0 <= limit < attempt.tries:
        how = f"failed {attempt.tries} time{'s' if attempt.tries > 1 else ''} ({attempt.code}: {attempt.message})"
        return _Hold(Reason(Code.BACK_OFF, f"{how}; it is tried again when its inputs change, or by `houmao retry`"))
    until = datetime.fromisoformat(attempt.next_at)
    if until <= rules.now:
        return None
    text = f"failed ({attempt.code}: {attempt.message}); tried again at {gating.clock(until)}"
    return _Hold(Reason(Code.BACK_OFF, text), until)


def _drift(action: Action, case: Case, rules: Rules) -> _Hold | None:
    what = "; ".join(reason.text for reason in action.reasons)
    spec = case.want.spec if case.want else None
    if known(action, spec):
        return _Hold(Reason(Code.DRIFTED, f"known drift, left as it is: {what}"), silent=True)
    if policy_of(action, case, rules.rows) != "heal":
        return _Hold(Reason(Code.DRIFTED, f"left as it is by its drift policy: {what}"), report=True)
    guard = heals_.guard_of(spec)
    verdict = rules.heals.verdict(action, case.uid or Uid(""), rules.now, guard)
    if verdict.fight:
        text = f"put right {verdict.fight} times in {_long(guard.within)}, somebody else undoes it: {what}"
        return _Hold(Reason(Code.DRIFT_FIGHT, text), verdict.until, report=True)
    if verdict.until is not None:
        text = f"it keeps ending; started again at {gating.clock(verdict.until)}"
        if not verdict.exits:
            text = f"it was put right less than {_long(guard.interval)} ago; again at {gating.clock(verdict.until)}"
        return _Hold(Reason(Code.BACK_OFF, text), verdict.until)
    return None


def known(action: Action, spec: Json) -> bool:
    """Whether the spec says that this difference is known: nobody is alarmed by it."""
    baseline = at_path(spec, "drift.baseline")
    if not isinstance(baseline, list) or not baseline:
        return False
    return difference(action).key in baseline


def _gated(action: Action, case: Case, rules: Rules) -> _Hold | None:
    """Outside of its hours nobody is disturbed; and an agent in the middle of a turn is left to finish it."""
    if not gating.ends_a_process(action, case):
        return None
    gate, since = gating.gate_of(case), rules.since.get(action.ref, rules.now)
    found: Wait | None = None
    if rules.closed and gate.when == gating.WINDOW:
        found = gating.for_window(gate, rules.closed, rules.opens, since, rules.now)
    elif rules.closed:
        found = Wait(Reason(Code.WINDOW_CLOSED, rules.closed), rules.now, rules.opens, counts=False)
    elif gate.when == gating.IDLE and (doing := rules.busy.get(action.ref)) is not None:
        found = gating.for_idle(gate, doing, since, rules.now)
    return _Hold(found.reason, found.until, gate=found) if found is not None else None


def _long(time: timedelta) -> str:
    if time == heals_.WITHIN:
        return "ten minutes"
    seconds = int(time.total_seconds())
    for unit, size in (("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"
