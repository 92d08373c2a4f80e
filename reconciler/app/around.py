"""What goes around a run only where somebody declares it: gates, and the hooks of agents.

Most runs have neither, and load neither.
"""

from collections.abc import Iterable, Mapping

from reconciler.app.desired import Desired
from reconciler.app.hooks import HookFailed, Hooks
from reconciler.app.request import Emit, RunFlags
from reconciler.engine.gating import DEFERRED, Gating, gate_of
from reconciler.engine.orders import Around, as_they_are
from reconciler.engine.plan import Planned
from reconciler.model.names import META_POST_READY, META_WAITING
from reconciler.model.outcome import Outcome, Report
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource, at_path
from reconciler.ports.bundle import Ports, Reader
from reconciler.ports.catalog import CatalogReader


def left_over(planned: Planned, reader: Reader) -> bool:
    """Whether a plan that has nothing to do finds something of an earlier run: a wait that is over, a hook owed."""
    return _waited(planned, reader.catalog) or _owing(planned, reader.catalog)


def gating(planned: Planned, desired: Desired, ports: Ports, token: int, how: RunFlags, emit: Emit) -> Gating | None:
    """The gates of this run: of what is declared, not of what somebody asks of one agent, nor of a watch's look."""
    if how.judged or not desired.whole:
        return None
    if not how.respect_busy and not any(gate_of(planned.cases[one.ref]).declared for one in planned.plan.running):
        return None
    from reconciler.app import gates

    return gates.of_run(planned, desired, ports, token, how, emit, ports.clock.now_utc())


def gates_ended(
    gating: Gating | None,
    outcomes: tuple[Outcome, ...],
    planned: Planned,
    desired: Desired,
    ports: Ports,
    token: int,
    how: RunFlags,
) -> None:
    """Keep who is left waiting; a watch keeps it itself, and one verb says nothing of the waits of others."""
    if how.judged or not desired.whole or (gating is None and not _waited(planned, ports.catalog)):
        return
    from reconciler.app import gates

    gates.ended(gating, outcomes, planned, ports, token)


def deferred(outcomes: Iterable[Outcome]) -> bool:
    """Whether a closed gate left something to a later run: what is declared does not run in time (R-CLI-5)."""
    return any(outcome.reason == DEFERRED for outcome in outcomes)


def hooked(planned: Planned, desired: Desired, ports: Ports, run: str, told: Hooks, emit: Emit) -> Around:
    """What puts the hooks of agents into the steps of a run."""
    view = planned.view
    mine = (planned.cases[action.ref].want or view.get(action.ref) for action in planned.plan.running)
    rows: Mapping[Ref, object] = view.snapshot.inventory
    if not any(each is not None and _has_hooks(each) for each in mine) and not any(
        ref.kind == "Project" for ref in (*view.declared, *rows)
    ):
        return as_they_are
    from reconciler.app.agent_hooks import AgentHooks

    return AgentHooks(planned, desired, ports, run, told, emit).steps


def finish(
    planned: Planned, desired: Desired, report: Report, ports: Ports, token: int, how: RunFlags, emit: Emit
) -> tuple[Report, HookFailed | None]:
    """Of an apply: run the hooks that are owed to agents once they are Ready; and the first failure that counts."""
    if not _owing(planned, ports.catalog):
        return report, None
    from reconciler.app import agent_hooks

    return agent_hooks.finish(planned, desired, report, ports, token, how, emit)


def looked(desired: Desired, ports: Ports, token: int, emit: Emit) -> bool:
    """Of a watch: the same for those who are Ready now; whether somebody is left."""
    if ports.catalog.meta(META_POST_READY) in (None, "", "{}"):
        return False
    from reconciler.app import agent_hooks

    return bool(agent_hooks.look(desired, ports, token, emit)[0])


def _waited(planned: Planned, catalog: CatalogReader) -> bool:
    if catalog.meta(META_WAITING) in (None, "", "{}"):
        return False
    from reconciler.app import waiting

    return any(ref in planned.cases for ref in waiting.read(catalog))


def _owing(planned: Planned, catalog: CatalogReader) -> bool:
    if catalog.meta(META_POST_READY) in (None, "", "{}"):
        return False
    from reconciler.app import agent_hooks

    return any(ref in planned.cases for ref in agent_hooks.read(catalog))


def _has_hooks(resource: Resource) -> bool:
    return resource.ref.kind == "Instance" and at_path(resource.spec, "hooks") is not None
