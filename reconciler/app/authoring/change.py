"""The half of an edit that acts: documents go to the one use case behind imperative verbs, removals to the engine.

The same compiler, planner and runner as `apply` (R-IMP-1). Nothing is pruned, nothing else of the set is looked at.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from reconciler.app import apply as apply_
from reconciler.app import change as change_
from reconciler.app.ask import Ask, Said, Way
from reconciler.app.authoring.recorded import Recorded
from reconciler.app.desired import Desired, options
from reconciler.app.request import Confirm, Emit, PlanFlags, RunFlags, Shown
from reconciler.app.session import Flags, Session, opened
from reconciler.engine import plan as planning
from reconciler.engine import prune
from reconciler.engine.observe import observe
from reconciler.model.errors import GuardRefused, OverlayError
from reconciler.model.json import JsonMap
from reconciler.model.names import IMPERATIVE as SET
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref
from reconciler.model.resource import ContentSource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader


class Talk(NamedTuple):
    """Who is told of a plan, and asked about it; `run` says how it runs, `dry` that it does not."""

    run: RunFlags
    confirm: Confirm
    shown: Shown
    emit: Emit
    tell: Callable[[Said], None] = lambda said: None
    warn: Callable[[str], None] = lambda text: None
    dry: bool = False
    verb: str = "set"
    way: Way = Way()


class OverlayMissing(OverlayError):
    """A command that changes state, where there is no overlay."""

    code = "overlay_missing"


def refuse_without_overlay(session: Session) -> None:
    """Only `apply` and `watch` make one by themselves (project-and-build §1.4)."""
    if not session.overlay_exists:
        found = session.settings.overlay
        raise OverlayMissing(f"there is no overlay: {found.detail}", hint="`houmao project init` makes one here")


def declare(
    flags: Flags,
    documents: Sequence[JsonMap],
    talk: Talk,
    *,
    staged: Mapping[Ref, ContentSource] | None = None,
    transient: Mapping[Ref, Mapping[str, str]] | None = None,
) -> Report:
    """Plan and run what the documents say, with all that follows from it.

    Raises DeclarationError with the flags that are wrong, GuardRefused for what a manifest declares (R-IMP-2), and all
    that `apply` raises.
    """
    # Every path was made absolute where it was written, so the root of them all is the root.
    ask = Ask(
        talk.verb, documents=tuple(documents), base="/", contents=staged or {}, transient=transient or {}, way=talk.way
    )
    if talk.dry:
        said, found = change_.preview(flags, ask)
        talk.tell(said)
        talk.shown(found.plan)
        return Report(found.plan)
    return change_.change(flags, ask, talk.run, tell=talk.tell, confirm=talk.confirm, shown=talk.shown, emit=talk.emit)


def remove(flags: Flags, refs: Collection[Ref], talk: Talk, *, cascade: bool = False) -> Report:
    """Remove what is named; what uses it goes too with `cascade`, else it is a refusal that lists them (exit 6)."""
    with opened(flags) as session:
        refuse_without_overlay(session)
        recorded = Recorded(session)
        for ref in refs:
            recorded.row(ref)
            recorded.refuse_foreign(ref, "removed")
        refuse_used(recorded, refs, cascade=cascade)
        desired = Desired(session, {}, SET, "", None, by_hand=True)
        asked = prune.Asked(delete=frozenset(refs), cascade="yes" if cascade else "no")

        def plan(reader: Reader) -> planning.Planned:
            snapshot = observe({}, SET, session.handlers, reader)
            return planning.make(
                {}, snapshot, session.handlers, options(desired, PlanFlags(), reader)._replace(removal=asked)
            )

        first = plan(session.reader)
        talk.tell(Said("patch", tuple(f"{action.ref}: {action.verb}" for action in first.plan.running)))
        talk.emit("plan", {"planDigest": first.plan.digest(), "actions": len(first.plan.actions)})
        if first.plan.empty or talk.dry:
            talk.shown(first.plan)
            return Report(first.plan)
        return apply_.carry_out(
            session, first, plan, desired, talk.run, confirm=talk.confirm, shown=talk.shown, emit=talk.emit
        )


def refuse_used(recorded: Recorded, refs: Collection[Ref], *, cascade: bool) -> None:
    """Dependents keep a resource; those that a manifest declares keep it also with `cascade`, however far off."""
    users = recorded.every_user(refs)
    held = [user for user in users if recorded.rows[user].apply_set != SET]
    if not users or (cascade and not held):
        return
    ref = min(refs)
    shown = held if cascade else sorted({user for ref in refs for user in recorded.users(ref)}) or list(users)
    listed = ", ".join(map(str, shown[:10])) + (f" and {len(shown) - 10} more" if shown[10:] else "")
    raise GuardRefused(
        f"{ref} is used by {listed}",
        hint=(
            f"a manifest declares {held[0]}: take it out there first"
            if held
            else "--cascade removes them too; or let them use something else first"
        ),
        code="guard.dependents",
        ref=str(ref),
    )
