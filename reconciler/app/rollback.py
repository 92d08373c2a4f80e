"""Go back to a revision: what it declared is planned and run like any other declaration (R-HIS-2).

Its bundle is the declared set, so every guard holds and what follows is the next revision. Bytes that are not in the
content store any more are taken from what is kept; what is gone is named, and then nothing is done. Credentials are
never kept: each stays what it is now. What was rolled away from is skipped by a watch until its source says something
else, and applied again by whoever applies it.
"""

from collections.abc import Mapping

from reconciler.app import apply as applying
from reconciler.app import compose, history, holding, revisions, standing
from reconciler.app.desired import Desired, options
from reconciler.app.plan import PlanResult
from reconciler.app.request import Confirm, Emit, PlanFlags, RunFlags, Shown
from reconciler.app.revisions import Revision
from reconciler.app.session import Flags, Session, opened
from reconciler.engine.client import compare
from reconciler.engine.observe import record_of
from reconciler.kinds.auth_profile.bundle import is_own
from reconciler.model.action import Code
from reconciler.model.errors import ReconcilerError, UsageFault
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.ports.bundle import Reader
from reconciler.ports.catalog import CatalogReader


class CannotRestore(ReconcilerError):
    """What a revision or a deleted resource was made of is not there any more."""

    code = "history.incomplete"


def rollback(
    flags: Flags,
    which: str | None,
    wanted: PlanFlags,
    how: RunFlags,
    *,
    confirm: Confirm,
    shown: Shown,
    emit: Emit,
) -> Report:
    """Bring back revision `which` of a set, or the last good one before the newest.

    Raises RevisionNotFound, CannotRestore naming what is missing, GuardRefused.
    """
    with opened(flags) as session:
        revision, newest = _target(session.reader.catalog, which, wanted.applyset)
        desired = restored(session, session.reader, revision)
        flagged = wanted._replace(applyset=None)
        made = applying.plan_of(desired, flagged, session.reader)
        emit("plan", {"planDigest": made.plan.digest(), "actions": len(made.plan.actions)})
        stands = standing.bundle(desired)
        if made.plan.empty and newest.run.bundle == stands:
            shown(made.plan)
            return Report(made.plan)
        # Also where nothing has to be done for it, as when all of the newest one failed: a watch has to know.
        pin = _pin(session.reader, revision, newest, stands)
        return applying.carry_out(
            session,
            made,
            lambda reader: applying.plan_of(restored(session, reader, revision), flagged, reader),
            desired,
            how._replace(before=standing.marked(Ref(standing.WHOLE, desired.apply_set), pin)),
            confirm=confirm,
            shown=shown,
            emit=emit,
            always=True,
        )


def _pin(reader: Reader, revision: Revision, newest: Revision, stands: str) -> standing.Pin | None:
    """What a watch skips: what its source says, which is the newest revision but where that was gone back to itself."""
    scope = Ref(standing.WHOLE, newest.run.apply_set)
    before = standing.read(reader.catalog).get(scope)
    said = newest.run.bundle
    if before is not None and before.instead.get(scope) == said:
        said = before.skipped[scope]
    if said == stands:
        return None
    by = reader.environ.get("USER") or "unknown"
    at = reader.clock.now_utc().isoformat(timespec="seconds")
    return standing.Pin(revision.run.revision, by, at, {scope: said}, {scope: stands})


def preview(flags: Flags, which: str | None, wanted: PlanFlags, *, client: bool = False) -> PlanResult:
    """What `rollback` would do; nothing is written. `client` compares with the last apply, and observes nothing."""
    with opened(flags) as session:
        revision, _ = _target(session.reader.catalog, which, wanted.applyset)
        desired = restored(session, session.reader, revision)
        wanted = wanted._replace(applyset=None)
        if client:
            declared, held = holding.laid_over(desired.declared, session.reader)
            snapshot = record_of(declared, desired.apply_set, session.reader)
            plan = compare(declared, snapshot, session.handlers, options(desired, wanted, session.reader), held)
        else:
            plan = applying.plan_of(desired, wanted, session.reader).plan
        unknown = sum(1 for notice in plan.notices if notice.code in (Code.UNKNOWN, Code.AMBIGUOUS))
        return PlanResult(plan, (), unknown, plan.declared, session.settings.overlay.root, session.overlay_exists)


def _target(catalog: CatalogReader, which: str | None, apply_set: str | None) -> tuple[Revision, Revision]:
    """The revision that is meant, and the newest of its set."""
    if which is not None:
        found = history.find(catalog, which, apply_set)
        if not found.whole:
            raise UsageFault(
                f"revision {found.run.revision} of {found.run.apply_set} declared no set: {_why(found)}",
                hint="`houmao history` shows which are restorable",
                code="usage.names",
            )
        return found, next(revisions.whole(catalog, found.run.apply_set), found)
    sets = {run.apply_set for run in catalog.runs(history.EVERY) if apply_set in (None, run.apply_set)}
    newest = {name: last for name in sorted(sets) if (last := next(revisions.whole(catalog, name), None)) is not None}
    if len(newest) > 1:
        raise UsageFault(
            f"there are several apply sets: {', '.join(newest)}", hint="say which with --applyset", code="usage.names"
        )
    for name, before in newest.items():
        for each in revisions.whole(catalog, name):
            if each.settled and each.run.revision < before.run.revision and each.run.bundle != before.run.bundle:
                return each, before
    raise history.RevisionNotFound(
        "there is no earlier good revision to go back to", hint="`houmao history` lists the revisions"
    )


def _why(revision: Revision) -> str:
    return f"it was `houmao {revision.run.command}`" if revision.run.command else "an earlier release recorded it"


# --- the declared set of a revision -----------------------------------------------------------------------------------


def restored(session: Session, reader: Reader, revision: Revision) -> Desired:
    """What a revision declared, with the bytes of it. Raises CannotRestore."""
    found = revisions.resources(reader.catalog, revision)
    lost = [str(ref) for ref in sorted(revision.entries.keys() - found.keys())]
    now = compose.recorded(reader).last
    declared = {ref: _as_now(resource, now) for ref, resource in found.items()}
    lost += with_contents(declared, now, reader)
    if lost:
        raise CannotRestore(
            f"revision {revision.run.revision} of {revision.run.apply_set} cannot be restored, "
            f"what it was made of is gone: {'; '.join(lost)}",
            hint="nothing was changed; apply the source it came from instead",
        )
    run = revision.run
    return Desired(
        session,
        declared,
        run.apply_set,
        revision.source_root,
        None,
        by_hand=True,
        restored=True,
        restored_from=run.source_revision,
    )


def _as_now(resource: Resource, now: Mapping[Ref, Resource]) -> Resource:
    """A credential as it is: its bytes of then are kept nowhere. The rest as it was, declared where it is now."""
    current = now.get(resource.ref)
    if current is None:
        return resource
    if resource.ref.kind == "AuthProfile":
        return current
    resource.position = current.position
    return resource


def with_contents(declared: Mapping[Ref, Resource], now: Mapping[Ref, Resource], reader: Reader) -> list[str]:
    """Give each resource the sources of its bytes; answers what cannot be found."""
    lost: list[str] = []
    for ref, resource in sorted(declared.items()):
        if ref.kind == "AuthProfile" and is_own(resource) and ref not in now:
            lost.append(f"the bytes of {ref}, which are kept nowhere")
        lost += standing.with_contents(resource, (), reader)
    return lost
