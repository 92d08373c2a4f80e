"""The one use case behind every imperative verb (R-IMP-1): a patch to desired state, or an action asked for once.

A verb says what shall be different; this compares it with what was last applied, plans the difference with the same
engine as `apply`, and runs it: shown, confirmed, locked, journalled and reported like any other. What follows from a
change (a specialist's agents) is planned with it, nothing else is touched, and nothing is ever pruned.
"""

from collections.abc import Callable, Mapping

from reconciler import __version__
from reconciler.app import rollouts, write_back
from reconciler.app.apply import carry_out
from reconciler.app.ask import Ask, Said, Way
from reconciler.app.desired import Desired
from reconciler.app.intent import Intention, intend
from reconciler.app.plan import PlanResult
from reconciler.app.request import Confirm, Emit, RunFlags, Shown
from reconciler.app.session import Flags, Session, opened
from reconciler.engine import plan as planning
from reconciler.engine.client import compare
from reconciler.engine.handler import Held
from reconciler.engine.observe import observe, record_of
from reconciler.model import names
from reconciler.model.action import Code
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader

__all__ = ["Ask", "Said", "Way", "change", "preview"]

Tell = Callable[[Said], None]


class Made(NamedTuple):
    """An intention and its plan."""

    wanted: Intention
    planned: planning.Planned


def change(flags: Flags, ask: Ask, how: RunFlags, *, tell: Tell, confirm: Confirm, shown: Shown, emit: Emit) -> Report:
    """Carry out what a verb asks. `tell` gets what kind of thing that is, before the plan is shown.

    Raises NotRecorded for a ref that is not there, GuardRefused (exit 6) for a field that a manifest manages and no way
    past it, DeclarationError where the result would not be valid, CannotEdit where a file cannot be edited.
    """
    with opened(flags) as session:
        fixed = ask.at(session.reader.clock.now_utc())
        first = made(session, fixed, session.reader)
        # What is new now is there once it was made.
        fixed = fixed._replace(fresh=False)
        if fixed.release is not None:
            fixed = fixed._replace(release=fixed.release._replace(ended=frozenset(first.wanted.released)))
        edited = write_back.prepare(session.reader, first.wanted.writes, ask.files)
        tell(first.wanted.said)
        emit("plan", {"planDigest": first.planned.plan.digest(), "actions": len(first.planned.plan.actions)})
        if first.planned.plan.empty:
            edited.write()
            shown(first.planned.plan)
            return Report(first.planned.plan)
        if fixed.restore is not None:
            from reconciler.app import rollout_undo, standing

            pin = rollout_undo.mark_of(session.reader, fixed.restore)
            how = how._replace(before=standing.marked(fixed.restore.ref, pin))
        desired = Desired(
            session, first.wanted.declared, names.IMPERATIVE, "", None, by_hand=True, transient=ask.transient
        )
        return carry_out(
            session,
            first.planned,
            lambda reader: made(session, fixed, reader).planned,
            desired,
            how,
            confirm=confirm,
            shown=shown,
            emit=emit,
            first_of_all=edited.write,
        )


def preview(flags: Flags, ask: Ask, *, client: bool = False) -> tuple[Said, PlanResult]:
    """What `change` would do; nothing is written. `client` compares with the last apply, and observes nothing."""
    with opened(flags) as session:
        fixed = ask.at(session.reader.clock.now_utc())
        if client:
            wanted = intend(session, fixed, session.reader)
            snapshot = record_of(wanted.declared, names.IMPERATIVE, session.reader)
            plan = compare(wanted.declared, snapshot, session.handlers, _options(wanted, session.reader), _held(wanted))
        else:
            wanted, planned = made(session, fixed, session.reader)
            plan = planned.plan
        write_back.prepare(session.reader, wanted.writes, ask.files)
        unknown = sum(1 for notice in plan.notices if notice.code in (Code.UNKNOWN, Code.AMBIGUOUS))
        overlay = session.settings.overlay.root
        return wanted.said, PlanResult(plan, (), unknown, plan.declared, overlay, session.overlay_exists)


def made(session: Session, ask: Ask, reader: Reader) -> Made:
    """Intend and plan anew: before anybody is asked, under the lock, and once all is done."""
    wanted = intend(session, ask, reader)
    # No apply set is looked at as a whole: nobody's absence from it means anything to a verb.
    snapshot = observe(wanted.declared, "", session.handlers, reader, also=wanted.owned)
    options = _options(wanted, reader)
    planned = planning.make(wanted.declared, snapshot, session.handlers, options, _held(wanted))
    return Made(wanted, planned if ask.again else rollouts.paused(planned, reader.catalog))


def _held(wanted: Intention) -> Mapping[Ref, tuple[Held, ...]]:
    return wanted.held


def _options(wanted: Intention, reader: Reader) -> planning.Options:
    return planning.Options(
        apply_set=names.IMPERATIVE,
        source_root="",
        now=reader.clock.now_utc(),
        engine_version=__version__,
        overlay_id=reader.overlay_id,
        scope=wanted.scope,
        follows=wanted.follows,
        books=wanted.books,
        asked=wanted.asked,
        absent=wanted.absent,
        released=wanted.released,
    )
