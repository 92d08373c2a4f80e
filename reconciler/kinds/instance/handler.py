"""The four members of the kind Instance, and its readiness."""

from collections.abc import Mapping, Sequence

from reconciler.engine.handler import Case, KindSchema, Lookup, Part, Present, ReadyState, Seen, Step, Target, Unknown
from reconciler.kinds.instance import observe, plan
from reconciler.kinds.lazy import schema_of
from reconciler.model.action import Action
from reconciler.model.ref import Ref
from reconciler.ports.bundle import Reader
from reconciler.ports.tmux import Screen, Unanswered

_schema = schema_of("instance")
NONE = Part(False, {})


class InstanceKind:
    """One desired running agent."""

    kind = "Instance"

    @property
    def schema(self) -> KindSchema:
        """Imported when first asked for."""
        return _schema()

    def observe(self, targets: Sequence[Target], ports: Reader) -> Mapping[Ref, Seen]:
        """One listing, one scan, the recorded pids."""
        return observe.observe(targets, ports)

    def plan(self, case: Case, look: Lookup) -> Sequence[Action]:
        """The table of cases."""
        return plan.plan_instance(case, look)

    def steps(self, action: Action, case: Case, look: Lookup) -> Sequence[Step]:
        """The visible writes of one action."""
        from reconciler.kinds.instance import steps  # with all that builds homes: 4 ms that a look or a plan saves

        return steps.steps_for(action, case, look)

    def ready(self, cases: Sequence[Case], ports: Reader) -> Mapping[Ref, ReadyState]:
        """Every declared probe holds now: `session`, `process`, `gateway`, `prompt` (the screen is ready for input)."""
        known = {case.ref: _without_screen(case) for case in cases}
        looking = {case.ref: pane for case in cases if known[case.ref] is None and (pane := _pane(case))}
        screens = ports.tmux.captures(sorted(set(looking.values()))) if looking else {}
        return {
            case.ref: known[case.ref] or _prompt(case, screens.get(looking.get(case.ref, "")), ports) for case in cases
        }


def _without_screen(case: Case) -> ReadyState | None:
    """What can be said without reading its screen; None when the screen decides."""
    probes, seen = _probes(case), case.seen
    if isinstance(seen, Unknown):
        return ReadyState(None, "Unobserved", seen.why)
    if not isinstance(seen, Present):
        return ReadyState(False, "NotRunning", "it does not run")
    for name in ("session", "process", "gateway"):
        if name in probes and not seen.parts.get(name, NONE).present:
            return ReadyState(False, f"{name.capitalize()}NotThere", seen.parts.get(name, NONE).why)
    if "prompt" not in probes or not case.row:
        return ReadyState(True, "ProbesPass", f"{', '.join(sorted(probes))} hold")
    if case.row.live.get("backend", "").endswith("_headless"):
        return ReadyState(True, "ProbesPass", "headless: ready for a turn")
    return None


def _probes(case: Case) -> frozenset[str]:
    declared = case.want.spec.get("readiness") if case.want else None
    return (
        frozenset(str(probe) for probe in declared) if isinstance(declared, list) else frozenset({"process", "prompt"})
    )


def _pane(case: Case) -> str:
    pane = case.seen.parts["session"].facts.get("pane") if isinstance(case.seen, Present) else None
    return pane if isinstance(pane, str) else ""


def _prompt(case: Case, screen: Screen | Unanswered | None, ports: Reader) -> ReadyState:
    provider = ports.providers.get(case.row.live.get("provider", "")) if case.row else None
    if provider is None or screen is None:
        return ReadyState(None, "Unknown", "its screen cannot be read")
    if isinstance(screen, Unanswered):
        return ReadyState(None, "Unknown", screen.why)
    from reconciler.ports.reading import ScreenState  # only a look at a screen needs the words for one

    state = provider.reading(screen).state
    if state is ScreenState.IDLE or state is ScreenState.BUSY:
        return ReadyState(True, "PromptSeen", f"its screen is {state.value}")
    return ReadyState(False, f"Screen{state.value.capitalize()}", f"its screen is {state.value}")


handler = InstanceKind()
