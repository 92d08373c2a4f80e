"""`onFailure: Rollback` of a run that carries a change through: back to the revision before, under the same lock."""

from reconciler.app import rollout_undo, rollouts, standing
from reconciler.app.apply import run_plan
from reconciler.app.ask import Ask, Restore
from reconciler.app.change import made
from reconciler.app.desired import Desired
from reconciler.app.lock import Writer
from reconciler.app.request import Emit, RunFlags
from reconciler.app.session import Session
from reconciler.engine.plan import Planned
from reconciler.engine.rolling import rolled_back
from reconciler.model import names
from reconciler.model.outcome import Report, Result
from reconciler.model.ref import Ref
from reconciler.model.resource import at_path
from reconciler.ports.bundle import Ports


def after(
    report: Report, planned: Planned, session: Session, ports: Ports, writer: Writer, how: RunFlags, emit: Emit
) -> Report:
    """The report with what going back did, of each set that failed and says so; one that was taken back is left."""
    pinned = standing.read(ports.catalog)
    for name, state in rollouts.read(ports.catalog).items():
        ref = Ref.parse(name)
        resource = planned.view.declared.get(ref)
        wants = at_path(resource.spec if resource is not None else None, "strategy.onFailure") == "Rollback"
        members = {child.ref for child in planned.view.children(ref)}
        here = any(each.action.ref in members and each.result is not Result.SETTLED for each in report.outcomes)
        if not state.failed or not wants or not here or ref in pinned:
            continue
        pin = rollout_undo.mark_of(ports.reader(), Restore(ref))
        if pin is None:
            emit("diagnostic", {"code": "resource.no_revision", "message": f"{ref} has no revision to go back to"})
            continue
        emit("condition", rolled_back(name, pin.revision))
        ask = Ask("rollout undo", restore=Restore(ref, pin.revision)).at(ports.clock.now_utc())
        found = made(session, ask, ports.reader())
        desired = Desired(session, found.wanted.declared, names.IMPERATIVE, "", None, by_hand=True)
        marked = how._replace(before=standing.marked(ref, pin), chosen=None)
        back = run_plan(found.planned, session, desired, ports, writer, marked, emit)
        report = report._replace(outcomes=(*report.outcomes, *back.outcomes), revision=back.revision)
    return report
