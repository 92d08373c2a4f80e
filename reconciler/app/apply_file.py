"""Use case: run a plan that was saved, exactly, or nothing of it (R-PLN-2)."""

import posixpath
from typing import TYPE_CHECKING, cast

from reconciler.app import holding, plan_file
from reconciler.app.apply import carry_out
from reconciler.app.desired import Desired, load, options
from reconciler.app.plan_file import PlanFile
from reconciler.app.request import Confirm, Emit, RunFlags, Shown, Source
from reconciler.app.session import Flags, opened
from reconciler.engine import plan as planning
from reconciler.engine import reviewed
from reconciler.engine.observe import observe
from reconciler.model.action import Verb
from reconciler.model.errors import ConflictError, PlanFileError
from reconciler.model.json import Json, JsonMap
from reconciler.model.outcome import Report
from reconciler.ports.bundle import Reader

if TYPE_CHECKING:
    from reconciler.ports.process import Process


class PlanStale(ConflictError):
    """Something a plan touches is not what it was; every such thing is named."""

    code = "plan.stale"

    def __init__(self, path: str, stale: tuple[reviewed.Stale, ...]) -> None:
        count = len(stale)
        what = "1 resource is" if count == 1 else f"{count} resources are"
        super().__init__(
            f"{what} not what {path} was made for; nothing was executed",
            hint=plan_file.AGAIN,
            ref=str(stale[0].ref),
        )
        self.stale = stale

    def causes(self) -> list[Json]:
        """One line for each."""
        return [str(one) for one in self.stale]

    def to_json(self) -> JsonMap:
        """The usual members, and `stale` with what was expected and found."""
        return {**super().to_json(), "stale": [one.to_json() for one in self.stale]}


class _Reviewed:
    """A plan that was read, made again each time it is asked for: held to the letter until it begins to run."""

    __slots__ = ("_begun", "_desired", "_found", "_path")

    def __init__(self, path: str, found: PlanFile, desired: Desired) -> None:
        self._path, self._found, self._desired = path, found, desired
        self._begun = False

    def begin(self) -> None:
        """From now on it is only asked what is left."""
        self._begun = True

    def planned(self, reader: Reader) -> planning.Planned:
        """What of it there is to do, as it was reviewed; raises PlanStale."""
        now = self._now(reader)
        checked = reviewed.check(self._found.plan, self._found.stamps, now)
        if self._begun:
            ours = {action.ref for action in self._found.plan.running}
            rest = tuple(action for action in now.plan.actions if action.ref in ours)
            return now._replace(plan=now.plan._replace(actions=rest))
        if checked.stale:
            raise PlanStale(self._path, checked.stale)
        left = {action.ref: action for action in checked.left}
        actions = tuple(
            left.get(action.ref, action)
            for action in self._found.plan.actions
            if action.ref in left or (not action.runs and action.verb is not Verb.NOOP)
        )
        return now._replace(plan=self._found.plan._replace(actions=actions))

    def _now(self, reader: Reader) -> planning.Planned:
        desired, session = self._desired, self._desired.session
        declared, held = holding.laid_over(desired.declared, reader, desired.moves)
        snapshot = observe(declared, desired.apply_set, session.handlers, reader, moves=desired.moves)
        removed = frozenset(action.ref for action in self._found.plan.running if action.ref not in declared)
        wished = options(desired, self._found.wanted, reader)
        # That many were reviewed: what else came or went since has no say in it.
        most = max(len(removed), wished.removal.limit or 0)
        wished = wished._replace(removal=wished.removal._replace(only=removed, limit=most))
        return planning.make(declared, snapshot, session.handlers, wished, held)


def apply_file(
    flags: Flags,
    path: str,
    source: Source | None,
    how: RunFlags,
    *,
    confirm: Confirm,
    shown: Shown,
    emit: Emit,
    signers: str = "",
) -> Report:
    """Run the plan in `path`; `source` is where its declarations are now, if not where they were.

    With `signers`, an allowed-signers file, only one that somebody in it has signed.
    """
    with opened(flags) as session:
        if signers:
            from reconciler.app import plan_signature

            cwd = session.settings.cwd
            # Looking is all that a reader promises, and checking a signature changes nothing.
            process = cast("Process", session.reader.process)
            where = (posixpath.join(cwd, path), posixpath.join(cwd, signers))
            emit("source", {"event": "PlanSigned", "by": plan_signature.verify(*where, process, session.reader.files)})
        found = plan_file.read(path, session.reader.files)
        overlay = session.settings.overlay.root
        here = plan_file.place(session.reader.files, found.plan.overlay_id, overlay)
        now = session.reader.clock.now_utc()
        plan_file.admit(path, found, overlay_id=session.reader.overlay_id, here=here, now=now)
        emit("plan", {"planDigest": found.plan.digest(), "actions": len(found.plan.actions)})
        if not found.plan.running:
            shown(found.plan)
            return Report(found.plan)
        desired = load(session, source or _recorded(path, found), found.wanted)._replace(gated=None)
        reviewed_plan = _Reviewed(path, found, desired)
        made = reviewed_plan.planned(session.reader)
        if not made.plan.running:
            return Report(made.plan, already_applied=True)
        return carry_out(
            desired.session,
            made,
            reviewed_plan.planned,
            desired,
            how._replace(yes=True),  # the plan was read: that is what the file is for
            confirm=confirm,
            shown=shown,
            emit=emit,
            first_of_all=reviewed_plan.begin,
        )


def _recorded(path: str, found: PlanFile) -> Source:
    """The declarations it was made of; their content is fetched from there by digest."""
    if "-" in found.source.paths:
        raise PlanFileError(
            f"{path} was made of declarations on standard input",
            hint=f"name them: houmao apply {path} -f FILE",
            code="plan.no_source",
        )
    return found.source


def show(path: str) -> tuple[PlanFile, bool]:
    """The plan in a file, and whether its time is over; nothing else is looked at."""
    from reconciler.app import wiring

    found = plan_file.read(path, wiring.local_files())
    return found, found.expired(wiring.clock().now_utc())
