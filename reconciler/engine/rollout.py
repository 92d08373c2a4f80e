"""How a change reaches the members of a set: who may be disturbed now, who waits and for what (R §15). Pure.

A rollout is nobody's list of steps. Each look says anew, from what the members are, who may go next: so it is the same
whether one run carries it through, a watch does so look by look, or a third goes on where another was killed. What
cannot be seen from the members is kept as `State`: since when the first of a Canary are Ready, when somebody last
became Ready, and that it was paused or has failed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from reconciler.engine.handler import Case, Present
from reconciler.engine.lookup import View
from reconciler.engine.plan import DRIFT, Planned
from reconciler.model.action import Action, Code, Reason, Verb
from reconciler.model.json import Json, JsonMap, digest
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource, at_path
from reconciler.model.tuples import NamedTuple

DEFAULT_UNAVAILABLE = "25%"
DEADLINE_MS = 600_000
ANALYSIS_MS = 60_000
ROLLED = (Verb.RELAUNCH, Verb.REPLACE)
_HELD = frozenset({Code.AGENT_BUSY, Code.BACK_OFF, Code.ROLLOUT})
"""What a watch holds a member back for: its turn has not come, and it is part of the rollout all the same."""
FAILED, PAUSED = "RolloutFailed", "RolloutPaused"
"""Why what is left of a rollout is not started in this run."""


class Strategy(NamedTuple):
    """How, with every part of the members counted out."""

    type: str = "OnIdle"
    unavailable: int = 1
    """How many may be not Ready at a time."""
    first: int = 0
    """Of a Canary: how many go first."""
    pause: timedelta = timedelta(0)
    analysis: tuple[str, ...] = ()
    analysis_s: float = ANALYSIS_MS / 1000
    rollback: bool = False
    deadline: timedelta = timedelta(milliseconds=DEADLINE_MS)
    declared: bool = False


class Member(NamedTuple):
    """One member as it is at this moment."""

    ref: Ref
    outdated: bool = False
    """Its process shall be ended and another one started."""
    ready: bool = True
    busy: str = ""
    """What it is in the middle of."""
    under_way: bool = False
    failed: str = ""


class State(NamedTuple):
    """What is kept of a rollout between two looks, and over the end of a program."""

    target: str = ""
    """Digest of what the members shall be."""
    moved: str = ""
    """When one last became Ready, or nothing was waited for."""
    done: int = 0
    steady: str = ""
    """Since when the first of a Canary are all Ready."""
    passed: bool = False
    """The first of a Canary are well: nothing keeps the others back."""
    failed: str = ""
    paused: str = ""
    """By whom, and when."""

    def to_json(self) -> JsonMap:
        """What is not empty."""
        every: JsonMap = {
            "target": self.target,
            "moved": self.moved,
            "done": self.done,
            "steady": self.steady,
            "passed": self.passed,
            "failed": self.failed,
            "paused": self.paused,
        }
        return {name: value for name, value in every.items() if value}

    @classmethod
    def of(cls, found: Json) -> "State":
        """As it was kept; what is not understood counts as nothing."""
        if not isinstance(found, dict):
            return cls()
        target, moved, steady, failed, paused = (
            str(found.get(key) or "") for key in ("target", "moved", "steady", "failed", "paused")
        )
        return cls(target, moved, _whole(found.get("done"), 0), steady, found.get("passed") is True, failed, paused)


class Verdict(NamedTuple):
    """Who may go, why the others wait, and what to keep."""

    start: frozenset[Ref]
    waits: Mapping[Ref, Reason]
    state: State
    analyse: bool = False
    """Ask the analysis, and judge again with its answer."""
    wakes: datetime | None = None
    """When one of the waits is over by itself."""
    over: bool = False
    """All members are as they shall be, and Ready."""


class Group(NamedTuple):
    """The members that change together: of one set, or those one run selects."""

    name: str
    strategy: Strategy
    cases: tuple[Case, ...]
    """Those that shall run, by ordinal."""
    moving: frozenset[Ref]
    """Those whose process an action of the plan ends."""
    target: str


class Chosen(NamedTuple):
    """A strategy of one run, for whatever that run selects (R-ROL-1)."""

    name: str
    strategy: JsonMap
    selects: Callable[[Resource], bool]


def strategy_of(declared: Json, members: int) -> Strategy:
    """What is declared, or what holds where nothing is; `members` is what percentages are of."""
    spec = declared if isinstance(declared, dict) else {}
    command = at_path(spec, "analysis.exec")
    return Strategy(
        type=str(spec.get("type") or "OnIdle"),
        unavailable=_count(spec.get("maxUnavailable") or DEFAULT_UNAVAILABLE, members),
        first=_count(spec.get("partition") or 1, members) if spec.get("type") == "Canary" else 0,
        pause=timedelta(milliseconds=_whole(spec.get("pauseAfter"), 0)),
        analysis=tuple(str(word) for word in command) if isinstance(command, list) else (),
        analysis_s=_whole(at_path(spec, "analysis.timeout"), ANALYSIS_MS) / 1000,
        rollback=spec.get("onFailure") == "Rollback",
        deadline=timedelta(milliseconds=_whole(spec.get("progressDeadline"), DEADLINE_MS)),
        declared=isinstance(declared, dict),
    )


def _count(value: Json, members: int) -> int:
    """A number, or so many percent of the members, rounded down; never none."""
    if isinstance(value, str):
        return max(1, members * int(value.removesuffix("%")) // 100)
    return max(1, _whole(value, 1))


def _whole(value: Json, otherwise: int) -> int:
    return value if isinstance(value, int) else otherwise


# --- who belongs together ---------------------------------------------------------------------------------------------


def groups(planned: Planned, kept: Iterable[str] = (), chosen: Chosen | None = None) -> tuple[Group, ...]:
    """The rollouts of a plan: of each set with a member that it disturbs, and of those named in `kept`.

    The strategy of one run goes before those of the sets.
    """
    moving = {action.ref for action in planned.plan.actions if disturbs(action, planned.cases.get(action.ref))}
    found: list[Group] = []
    taken: frozenset[Ref] = frozenset()
    if chosen is not None:
        resources = [
            one for one in planned.view.declared.values() if one.ref.kind == "Instance" and chosen.selects(one)
        ]
        taken = frozenset(one.ref for one in resources)
        group = _group(chosen.name, chosen.strategy, resources, moving, planned)
        found += [group] if group.moving else []
    owners: set[Ref] = {Ref.parse(text) for text in kept}
    for ref in moving - taken:
        want = planned.cases[ref].want
        if want is not None and want.owner is not None:
            owners.add(want.owner)
    for owner in sorted(owners):
        resource = planned.view.declared.get(owner)
        if resource is not None:
            members = [child for child in planned.view.children(owner) if not child.derived and child.ref not in taken]
            found.append(_group(str(owner), resource.spec.get("strategy"), members, moving, planned))
    return tuple(found)


def _group(name: str, declared: Json, members: Iterable[Resource], moving: set[Ref], planned: Planned) -> Group:
    running = {member.ref for member in members if member.spec.get("state") == "Running"} & planned.cases.keys()
    cases = tuple(planned.cases[ref] for ref in sorted(running, key=by_ordinal))
    return Group(
        name,
        strategy_of(declared, len(cases)),
        cases,
        frozenset(case.ref for case in cases if case.ref in moving),
        target_of([case.ref for case in cases], planned.view, planned.cases),
    )


def target_of(members: Sequence[Ref], view: View, cases: Mapping[Ref, Case]) -> str:
    """Of all that the members are made of, and of a restart that was asked for: another one is another rollout."""
    asked = sorted(
        {case.asked.id for ref in members if (case := cases.get(ref)) is not None and case.asked is not None}
    )
    return digest([[view.input_digest(ref) for ref in members], asked])


def by_ordinal(ref: Ref) -> tuple[str, int, str]:
    """`crew-2` before `crew-10`."""
    stem, _, ordinal = ref.name.rpartition("-")
    return (stem, int(ordinal), ref.name) if ordinal.isdigit() else (ref.name, -1, ref.name)


def disturbs(action: Action, case: Case | None) -> bool:
    """Whether a change ends a process that is well: repairs go at once, and so does what one agent was told to do."""
    verb = action.held if action.verb is Verb.WAIT else action.verb
    if verb not in ROLLED or case is None or case.want is None or not _lives(case):
        return False
    if action.verb is Verb.WAIT and action.reasons[0].code not in _HELD:
        return False
    codes = {reason.code for reason in action.reasons} - _HELD
    if case.asked is not None and not case.asked.rolling and codes <= {Code.REQUESTED}:
        return False
    return not codes <= DRIFT


def _lives(case: Case) -> bool:
    if not isinstance(case.seen, Present):
        return False
    return all(
        (part := case.seen.parts.get(name)) is not None and part.present is True for name in ("session", "process")
    )


# --- who may go -------------------------------------------------------------------------------------------------------


def judge(strategy: Strategy, members: Sequence[Member], state: State, now: datetime) -> Verdict:
    """Say it for this moment; `members` by ordinal."""
    state = _progress(strategy, members, state, now)
    left = [member for member in members if member.outdated and not member.under_way]
    if state.paused:
        return _all_wait(
            left, state, f"its rollout is paused ({state.paused}); `houmao rollout resume` goes on with it"
        )
    if state.failed:
        text = f"its rollout has failed: {state.failed}; it goes on when what is declared changes, or by `houmao apply`"
        return _all_wait(left, state, text)
    if not left and all(member.ready and not member.under_way for member in members):
        return Verdict(frozenset(), {}, state, over=True)
    first, analyse, wakes = frozenset(member.ref for member in members[: strategy.first]), False, None
    if strategy.first and not state.passed:
        state, analyse, wakes = _canary(strategy, members, state, now)
    held_back = strategy.first > 0 and not state.passed
    waits: dict[Ref, Reason] = {}
    start: set[Ref] = set()
    if strategy.type == "Recreate":
        busy = [member for member in left if member.busy]
        for member in left:
            if busy:
                waits[member.ref] = waiting(f"all of them change at once, and {busy[0].ref} is busy: {busy[0].busy}")
            else:
                start.add(member.ref)
        return Verdict(frozenset(start), waits, state, wakes=wakes)
    room = strategy.unavailable - sum(1 for member in members if member.under_way or not member.ready)
    # Who is not Ready costs nobody anything, and its change may be what it needs.
    for member in sorted(left, key=lambda one: one.ready):
        if held_back and member.ref not in first:
            waits[member.ref] = waiting(_canary_text(strategy, state))
        elif not member.ready:
            start.add(member.ref)
        elif room <= 0:
            waits[member.ref] = waiting(f"{strategy.unavailable} of its set may be not Ready at a time")
        elif member.busy:
            waits[member.ref] = waiting(f"{member.busy}; it is disturbed when it is done")
            if strategy.type != "OnIdle":
                room -= 1  # its turn is kept for it
        else:
            start.add(member.ref)
            room -= 1
    return Verdict(frozenset(start), waits, state, analyse, wakes)


def _progress(strategy: Strategy, members: Sequence[Member], state: State, now: datetime) -> State:
    """Whether somebody became Ready since, and whether that is overdue."""
    if state.failed:
        return state
    broken = next((member for member in members if member.failed), None)
    if broken is not None:
        return state._replace(failed=f"{broken.ref}: {broken.failed}")
    done = sum(1 for member in members if member.ready and not member.outdated and not member.under_way)
    waited_for = [member for member in members if not member.ready and not member.outdated and not member.under_way]
    if not state.moved or done > state.done or not waited_for or state.paused:
        return state._replace(moved=now.isoformat(), done=done)
    if now - datetime.fromisoformat(state.moved) >= strategy.deadline:
        names = ", ".join(str(member.ref) for member in waited_for[:3])
        return state._replace(failed=f"{names} did not become Ready within {_span(strategy.deadline)}", done=done)
    return state._replace(done=done)


def _canary(
    strategy: Strategy, members: Sequence[Member], state: State, now: datetime
) -> tuple[State, bool, datetime | None]:
    """Whether the first are well: changed, Ready for long enough, and well by the analysis."""
    first = members[: strategy.first]
    if any(member.outdated or member.under_way or not member.ready for member in first):
        return state._replace(steady=""), False, None
    state = state if state.steady else state._replace(steady=now.isoformat())
    until = datetime.fromisoformat(state.steady) + strategy.pause
    if now < until:
        return state, False, until
    if strategy.analysis:
        return state, True, None
    return state._replace(passed=True), False, None


def _canary_text(strategy: Strategy, state: State) -> str:
    what = "the first of its set are" if strategy.first > 1 else "the first of its set is"
    if state.steady and strategy.pause:
        return f"{what} Ready since {state.steady[:19]}Z, and must be so for {_span(strategy.pause)}"
    return f"{strategy.first} of its set go first, and must be Ready"


def _all_wait(left: Iterable[Member], state: State, text: str) -> Verdict:
    return Verdict(frozenset(), {member.ref: waiting(text) for member in left}, state)


def waiting(text: str) -> Reason:
    return Reason(Code.ROLLOUT, text)


def _span(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    return f"{seconds // 60}m" if seconds >= 60 and seconds % 60 == 0 else f"{time.total_seconds():g}s"
