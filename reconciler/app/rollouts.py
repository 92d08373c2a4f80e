"""Rollouts as a run and a watch meet them: what is kept of them in the catalog, and what is held back for them."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from reconciler.engine import rollout
from reconciler.engine.handler import Handlers
from reconciler.engine.plan import Planned, held_back
from reconciler.engine.rolling import Rolling, current, judged, of_seen
from reconciler.engine.rollout import Chosen, Group, Member, State
from reconciler.model.action import Action, Code, Reason, Verb
from reconciler.model.json import JsonMap, canonical, parse_map
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports, Reader
from reconciler.ports.catalog import CatalogReader

KEY = "rollouts"
"""Under which all of it is kept: it says things about runs and nothing about what is declared, so it raises no
revision."""
AGAIN = timedelta(seconds=1)
"""How soon members that were started are looked at again."""


class Watched(NamedTuple):
    """A plan with what is not its turn held back, and when to look again."""

    planned: Planned
    active: bool
    """A change is not over yet: the fleet does not stand."""
    wakes: datetime | None
    """When one of the waits is over by itself, or somebody may have become Ready: nothing tells of that."""
    states: Mapping[str, State]
    failed: Mapping[str, str]
    """Of which the change has just failed, and why."""
    rollback: tuple[Ref, ...]
    """Those of them whose strategy says to go back."""


def read(catalog: CatalogReader) -> dict[str, State]:
    """Of each set of which anything is kept."""
    text = catalog.meta(KEY)
    try:
        found = parse_map(text) if text else {}
    except ValueError:
        return {}
    return {name: State.of(body) for name, body in found.items()}


def write(ports: Ports, token: int, states: Mapping[str, State]) -> None:
    """Keep them, where they differ from what is kept."""
    body: JsonMap = {name: state.to_json() for name, state in sorted(states.items()) if state != State()}
    if canonical(body) == (ports.catalog.meta(KEY) or "{}"):
        return
    with ports.catalog.transaction(token) as tx:
        tx.put_meta(KEY, canonical(body))


def chosen(text: str, selector: str) -> Chosen:
    """`Rolling,maxUnavailable=2` for what a selector matches; raises ValueError with what is wrong with it."""
    from reconciler.app.selector import parse_selector
    from reconciler.kinds.instance_set.schema import SCHEMA

    kind, *pairs = text.split(",")
    given: JsonMap = {"type": kind.strip()}
    for pair in pairs:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not name or "." in name:
            raise ValueError(f"--strategy takes TYPE and FIELD=VALUE, not {pair!r}")
        given[name] = int(value) if value.isdigit() else value
    if "onFailure" in given or "analysis" in given:
        raise ValueError("--strategy has no onFailure and no analysis: a selection has no revisions of its own")
    body: JsonMap = {"template": {"specialistRef": "any"}, "strategy": given}
    faults = SCHEMA.validate(body)
    if faults:
        raise ValueError(f"--strategy: {faults[0].message}")
    made = SCHEMA.canonical(body)["strategy"]
    assert isinstance(made, dict)
    selects = parse_selector(selector)
    return Chosen(f"-l {selector}", made, lambda resource: selects(resource.labels))


def of_run(
    planned: Planned,
    handlers: Handlers,
    ports: Ports,
    token: int,
    tell: Callable[[str, JsonMap], None],
    *,
    chosen: Chosen | None = None,
    judged: bool = False,
) -> Rolling | None:
    """What a run has to ask before it disturbs a member; None where nothing of the plan is of a set."""
    found = rollout.groups(planned, chosen=chosen)
    if not found:
        return None
    kept = read(ports.catalog)
    fleeting = {group.name for group in found if chosen is not None and group.name == chosen.name}

    def keep(states: Mapping[str, State]) -> None:
        write(ports, token, {name: state for name, state in states.items() if name not in fleeting})

    from reconciler.app.watch.busy import busy

    return Rolling(found, kept, handlers, ports, busy=busy, keep=keep, tell=tell, judged=judged)


def paused(planned: Planned, catalog: CatalogReader) -> Planned:
    """The same plan with the members of paused sets held back: who paused it is nobody that an apply may overrule."""
    found = rollout.groups(planned)
    stopped = {name: state for name, state in read(catalog).items() if state.paused} if found else {}
    if not stopped:
        return planned
    waits: dict[Ref, str] = {}
    for group in found:
        state = stopped.get(group.name)
        if state is not None:
            text = f"the rollout of {group.name} is paused ({state.paused}); `houmao rollout resume` goes on with it"
            waits.update(dict.fromkeys(group.moving, text))
    return _waiting(planned, {ref: rollout.waiting(text) for ref, text in waits.items()})


def watched(planned: Planned, handlers: Handlers, ports: Ports, reader: Reader) -> Watched:
    """One look of a watch: what may be disturbed now stays in the plan, the others wait for their turn."""
    kept = read(reader.catalog)
    names = [name for name, state in kept.items() if state.target]
    states, back = dict(kept), list[Ref]()
    waits: dict[Ref, Reason] = {}
    failed: dict[str, str] = {}
    active, wakes = False, None
    for group in rollout.groups(planned, names):
        before = current(kept.get(group.name, State()), group.target)
        members = _members(group, planned, handlers, reader)
        verdict = judged(group, members, before, ports)
        states[group.name] = State(paused=verdict.state.paused) if verdict.over else verdict.state
        waits.update(verdict.waits)
        goes_on = not (verdict.over or verdict.state.failed or verdict.state.paused)
        active = active or goes_on
        soon = None
        if goes_on and (verdict.start or not all(member.ready for member in members)):
            soon = reader.clock.now_utc() + AGAIN
        wakes = min((each for each in (wakes, soon, verdict.wakes) if each is not None), default=None)
        if verdict.state.failed and not before.failed:
            failed[group.name] = verdict.state.failed
            back += [Ref.parse(group.name)] if group.strategy.rollback else []
    return Watched(_waiting(planned, waits), active, wakes, states, failed, tuple(back))


def _members(group: Group, planned: Planned, handlers: Handlers, reader: Reader) -> list[Member]:
    held = {action.ref: action.reasons[0] for action in planned.plan.actions if action.verb is Verb.WAIT}
    ready = of_seen(group.cases, handlers, reader)
    found = []
    for case in group.cases:
        why = held.get(case.ref)
        busy = why.text.partition(";")[0] if why is not None and why.code is Code.AGENT_BUSY else ""
        failed = why.text.partition(";")[0] if why is not None and why.code is Code.BACK_OFF else ""
        found.append(Member(case.ref, case.ref in group.moving, ready.get(case.ref, False), busy, failed=failed))
    return found


def _waiting(planned: Planned, waits: Mapping[Ref, Reason]) -> Planned:
    if not waits:
        return planned
    actions: list[Action] = []
    for action in planned.plan.actions:
        reason = waits.get(action.ref) if action.runs else None
        if reason is not None:
            action = action._replace(verb=Verb.WAIT, held=action.verb, reasons=(reason, *action.reasons))
        actions.append(action)
    return planned._replace(plan=planned.plan._replace(actions=tuple(held_back(actions))))
