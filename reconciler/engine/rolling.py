"""The rollouts of one run: looks at the members whenever somebody may go next, and keeps what a later run must know.

The runner asks two questions of an action: may it start now, and will it never. Everything that is decided is decided
by `rollout.judge`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from reconciler.engine import rollout
from reconciler.engine.gating import DEFERRED, IDLE, Busy, Gating, gate_of
from reconciler.engine.handler import Case, Conditions, Handlers, Target
from reconciler.engine.observe import look_at
from reconciler.engine.rollout import Group, Member, State, Verdict
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import JsonMap
from reconciler.model.outcome import Outcome, Result
from reconciler.model.ref import Ref
from reconciler.ports.bundle import Ports, Reader

LOOK_S = 0.1
"""Between two looks where nothing has ended meanwhile."""
Keep = Callable[[Mapping[str, State]], None]
Tell = Callable[[str, JsonMap], None]


class Rolling:
    """What one run changes as strategies say. `states` are those kept; those of `groups` are written back by `keep`.

    `judged`: the plan has only those left whose turn it is, as a watch's; nobody is waited for.
    """

    def __init__(
        self,
        groups: Sequence[Group],
        states: Mapping[str, State],
        handlers: Handlers,
        ports: Ports,
        *,
        busy: Busy,
        keep: Keep,
        tell: Tell,
        judged: bool = False,
    ) -> None:
        self._groups = () if judged else groups
        self._handlers = handlers
        self._ports = ports
        self._busy = busy
        self._keep = keep
        self._tell = tell
        self.gating: Gating | None = None
        """The gates of the run, where it has any."""
        self._told: dict[Ref, str] = {}
        self._failures: set[str] = set()
        self._start: frozenset[Ref] = frozenset()
        self._never: dict[Ref, str] = {}
        self._looked: tuple[float, int] | None = None
        self.states = dict(states)
        for group in groups:
            # What failed before is asked for again by the run itself.
            self.states[group.name] = current(states.get(group.name, State()), group.target)._replace(failed="")
        self._kept = dict(states)
        self._of = {ref: group for group in groups for ref in group.moving}

    def together(self, ref: Ref) -> str:
        """The group whose members are all ended before any of them is started; empty where that is not so."""
        group = self._of.get(ref)
        return group.name if group is not None and group.strategy.type == "Recreate" else ""

    def look(self, outcomes: Mapping[Ref, Outcome], under_way: Iterable[Ref]) -> None:
        """Judge anew, where time has passed or somebody's change has ended."""
        if not self._groups:
            return
        now = self._ports.clock.monotonic()
        if self._looked is not None and self._looked[1] == len(outcomes) and now - self._looked[0] < LOOK_S:
            return
        self._looked = (now, len(outcomes))
        flying = frozenset(under_way)
        start: set[Ref] = set()
        for group in self._groups:
            if self._left_together(group):
                continue
            verdict = self._judge(group, outcomes, flying)
            start |= verdict.start
            self._say(group, verdict)
        self._start = frozenset(start)
        self._put()

    def admits(self, ref: Ref) -> bool:
        """Whether it may start now; what belongs to no rollout always may."""
        return not self._groups or ref not in self._of or ref in self._start

    def never(self, ref: Ref) -> str:
        """Why it will not start in this run any more."""
        return self._never.get(ref, "")

    @property
    def failed(self) -> tuple[Group, ...]:
        """Those that have failed."""
        return tuple(group for group in self._groups if self.states[group.name].failed)

    def _judge(self, group: Group, outcomes: Mapping[Ref, Outcome], flying: frozenset[Ref]) -> Verdict:
        reader = self._ports.reader()
        left = tuple(case for case in group.cases if case.ref in group.moving and case.ref not in outcomes)
        busy = self._doing(left, reader, waits=group.strategy.declared) if left else {}
        ready = ready_now([case for case in group.cases if case.ref not in flying], self._handlers, reader)
        members = [
            Member(
                case.ref,
                case.ref in group.moving and case.ref not in outcomes,
                ready.get(case.ref, False),
                busy.get(case.ref, ""),
                case.ref in flying,
                _failure(outcomes.get(case.ref)),
            )
            for case in group.cases
        ]
        verdict = judged(group, members, self.states[group.name], self._ports)
        self.states[group.name] = State(paused=verdict.state.paused) if verdict.over else verdict.state
        return verdict

    def _left_together(self, group: Group) -> bool:
        """Of those that change all at once, one that is left to a later run leaves the others to it."""
        left = self.gating.deferred.keys() & group.moving if self.gating is not None else frozenset()
        if not left or group.strategy.type != "Recreate" or self._start & group.moving:
            return False
        self._never.update(dict.fromkeys(group.moving, DEFERRED))
        return True

    def _doing(self, left: Sequence[Case], reader: Reader, *, waits: bool) -> Mapping[Ref, str]:
        """Who of them is left to finish what it does: by its own gate where it has one in this run."""
        gates = self.gating
        held = {case.ref: why for case in left if gates is not None and (why := gates.holds(case.ref))}
        ours = [case for case in left if gates is None or not gates.governs(case.ref)] if waits else []
        found = {ref: why.partition(";")[0] for ref, why in held.items()}
        return {**found, **self._busy(tuple(case for case in ours if gate_of(case).when == IDLE), reader)}

    def _say(self, group: Group, verdict: Verdict) -> None:
        """Each wait once, as long as it is the same one; and that it has failed."""
        failed = verdict.state.failed
        if failed and group.name not in self._failures:
            self._failures.add(group.name)
            self._tell("condition", failure(group.name, failed))
        for ref, reason in verdict.waits.items():
            if verdict.state.failed or verdict.state.paused:
                self._never[ref] = rollout.FAILED if verdict.state.failed else rollout.PAUSED
            if self._told.get(ref) != reason.text:
                self._told[ref] = reason.text
                fields: JsonMap = {"ref": str(ref), "code": reason.code.value, "text": reason.text}
                self._tell("wait", {**fields, "rollout": group.name})

    def _put(self) -> None:
        now = {name: state for name, state in self.states.items() if state != State()}
        if now != self._kept:
            self._kept = now
            self._keep(now)


def current(state: State, target: str) -> State:
    """The state for what is rolled out now: of another target nothing counts any more but that it is paused."""
    return state if state.target == target else State(target=target, paused=state.paused)


def judged(group: Group, members: Sequence[Member], state: State, ports: Ports) -> Verdict:
    """The verdict, with the answer of the analysis where it is asked for."""
    verdict = rollout.judge(group.strategy, members, state, ports.clock.now_utc())
    if not verdict.analyse:
        return verdict
    fault = _analysed(group, ports)
    found = verdict.state._replace(passed=True) if not fault else verdict.state._replace(failed=fault)
    return rollout.judge(group.strategy, members, found, ports.clock.now_utc())


def _analysed(group: Group, ports: Ports) -> str:
    """Run the command; why the first members are not well, or nothing."""
    strategy = group.strategy
    try:
        ended = ports.process.run(strategy.analysis, timeout_s=strategy.analysis_s, cwd=ports.places.project)
    except ReconcilerError as error:
        return f"its analysis gave no answer: {error.message}"
    return "" if ended.code == 0 else f"its analysis ended with status {ended.code}"


def ready_now(cases: Sequence[Case], handlers: Handlers, reader: Reader) -> dict[Ref, bool]:
    """Who of them is Ready, asked of the world (R-STA-4): one look for all."""
    rows = {row.ref: row for row in reader.catalog.inventory()} if cases else {}
    targets = [
        Target(case.ref, row.uid if (row := rows.get(case.ref)) else case.uid, case.want, row, case.intent, case.was)
        for case in cases
    ]
    seen = look_at(targets, handlers, reader)
    fresh = [
        case._replace(seen=seen[case.ref], row=target.row, uid=target.uid)
        for case, target in zip(cases, targets, strict=True)
    ]
    return of_seen(fresh, handlers, reader)


def of_seen(cases: Sequence[Case], handlers: Handlers, reader: Reader) -> dict[Ref, bool]:
    """Who of them is Ready by what was just seen; a kind that cannot be Ready always is."""
    found: dict[Ref, bool] = {}
    for kind in sorted({case.ref.kind for case in cases}):
        asked = [case for case in cases if case.ref.kind == kind]
        handler = handlers[kind]
        if not hasattr(handler, "ready"):
            found.update({case.ref: True for case in asked})
            continue
        conditions: Conditions = handler  # type: ignore[assignment]
        found.update({ref: state.status is True for ref, state in conditions.ready(asked, reader).items()})
    return found


def failure(name: str, text: str) -> JsonMap:
    """That a rollout has failed, as it is told."""
    return {"ref": name, "type": "Progressing", "status": False, "reason": rollout.FAILED, "text": text}


def rolled_back(name: str, revision: int) -> JsonMap:
    """That its set goes back, as it is told."""
    text = f"back to revision {revision}"
    return {"ref": name, "type": "Progressing", "status": False, "reason": "RolledBack", "text": text}


def _failure(outcome: Outcome | None) -> str:
    if outcome is None or outcome.result is not Result.FAILED:
        return ""
    return outcome.fault.message if outcome.fault else outcome.reason or "it failed"
