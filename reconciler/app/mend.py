"""`doctor --fix`: what a finding can have repaired is planned, shown, run and journalled like anything else (R-LOG-3).

What was last applied is planned again for the resources that findings name. Where a payload or the view for other
programs was edited, nothing is out of step for the engine: such a resource gets an update with the finding as its
reason. Payloads come back from what is kept; where nothing has the bytes, the finding stays with its repair. Besides,
under the lock: what a killed run left under our own temporary names is removed, what others can read is closed to them,
and sessions that are provably of this overlay, and that it does not know, are ended once that is confirmed.
"""

from collections.abc import Callable, Mapping

from reconciler import __version__
from reconciler.app import compose, doctor, holding
from reconciler.app.apply import carry_out
from reconciler.app.desired import Desired
from reconciler.app.doctor import Diagnosis, Finding
from reconciler.app.lock import take
from reconciler.app.plan import PlanResult
from reconciler.app.request import Confirm, Emit, RunFlags, Shown
from reconciler.app.session import Flags, Session, opened
from reconciler.app.stray import Stray, end
from reconciler.engine import kept
from reconciler.engine import plan as planning
from reconciler.engine.observe import observe
from reconciler.kinds import content
from reconciler.model import names
from reconciler.model.action import Action, Code, Disruption, Reason, Verb
from reconciler.model.json import JsonMap
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref
from reconciler.model.resource import ContentSource, Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader

Tell = Callable[[str], None]
BY_HAND = frozenset({"projection.edited", "content.missing", "content.edited"})
"""Findings that the engine does not see: it trusts what it wrote."""


def fix(
    flags: Flags, how: RunFlags, *, tell: Tell, confirm: Confirm, shown: Shown, emit: Emit
) -> tuple[Report, Diagnosis]:
    """Repair what can be; the report of the run, and what is left."""
    with opened(flags) as session:
        chores = Chores.of(doctor.examined(session))
        made = _planned(session, session.reader)
        for line in chores.lines():
            tell(line)
        if made.plan.empty:
            shown(made.plan)
            report = Report(made.plan)
        else:
            desired = Desired(session, compose.recorded(session.reader).last, names.IMPERATIVE, "", None, by_hand=True)
            report = carry_out(
                session,
                made,
                lambda reader: _planned(session, reader),
                desired._replace(declared={a.ref: desired.declared[a.ref] for a in made.plan.running}),
                how,
                confirm=confirm,
                shown=shown,
                emit=emit,
            )
        if chores.strays and not (how.yes or confirm(made.plan)):
            tell("sessions are left as they are: --yes confirms their end without asking")
            chores = chores._replace(strays=())
        if any(chores):
            _do(session, chores, how, tell, emit)
    return report, doctor.doctor(flags)


def preview(flags: Flags) -> tuple[PlanResult, tuple[str, ...]]:
    """What `fix` would plan, and what it would do besides; nothing is written."""
    with opened(flags) as session:
        plan = _planned(session, session.reader).plan
        chores = Chores.of(doctor.examined(session))
        root = session.settings.overlay.root
        return PlanResult(plan, (), 0, plan.declared, root, session.overlay_exists), chores.lines()


class Chores(NamedTuple):
    """What no resource's plan does: it is of none. Each can be done again after a crash, for it is found again."""

    left_over: tuple[str, ...]
    open_to_others: tuple[str, ...]
    strays: tuple[Stray, ...]

    @classmethod
    def of(cls, found: Diagnosis) -> "Chores":
        """Those that findings ask for."""
        return cls(
            tuple(each.left_over for each in found.findings if each.left_over),
            tuple(each.open_to_others for each in found.findings if each.open_to_others),
            tuple(each.stray for each in found.findings if each.stray is not None),
        )

    def lines(self) -> tuple[str, ...]:
        """Each in words."""
        return (
            *(f"remove {path}: a run that was killed left it behind" for path in self.left_over),
            *(f"close {path} to others" for path in self.open_to_others),
            *(f"end tmux session {each.name}: it is of this overlay, which does not know it" for each in self.strays),
        )


def _do(session: Session, wanted: Chores, how: RunFlags, tell: Tell, emit: Emit) -> None:
    """Under the lock, and looked for again there: whoever was writing has ended. Nothing but what was shown."""
    ports = session.world.ports(session.settings)
    try:
        writer = take(ports, purpose="doctor --fix", wait_s=how.lock_timeout_s or 0.0, emit=emit)
        try:
            token = writer.token(ports)
            chores = Chores.of(doctor.examined(session._replace(reader=ports.reader())))
            for path in chores.left_over:
                writer.guard(ports)
                ports.files.remove(path)
            for path in chores.open_to_others:
                writer.guard(ports)
                ports.files.make_private(path)
            writer.guard(ports)
            for stray, why in end(ports, token, [each for each in chores.strays if each in wanted.strays]):
                about: JsonMap = {"ref": f"Session/{stray.name}", "verb": Verb.REMOVE.value}
                emit("action_end", {**about, "outcome": "failed" if why else "settled", "reason": why or None})
                if why:
                    tell(f"tmux session {stray.name} was not ended: {why}")
        finally:
            writer.release()
    finally:
        ports.catalog.close()


def _planned(session: Session, reader: Reader) -> planning.Planned:
    """What is recorded, planned again where findings say so."""
    findings = [each for each in doctor.examined(session._replace(reader=reader)).findings if each.refs]
    known = compose.recorded(reader)
    owners = {row.uid: ref for ref, row in known.rows.items()}
    said: dict[Ref, list[Finding]] = {}
    scope: set[Ref] = set()
    for finding in findings:
        for ref in finding.refs:
            row = known.rows.get(ref)
            if row is None or ref not in known.last:
                continue
            named = owners.get(row.owner, ref) if row.owner and row.live.get("derived") == "1" else ref
            scope.add(named)
            if finding.code in BY_HAND:
                said.setdefault(named, []).append(finding)
    lost = {ref for ref in said if not _with_contents(ref, known.last, reader)}
    declared, held = holding.laid_over(known.last, reader)
    snapshot = observe(declared, "", session.handlers, reader)
    options = planning.Options(
        apply_set=names.IMPERATIVE,
        source_root="",
        now=reader.clock.now_utc(),
        engine_version=__version__,
        overlay_id=reader.overlay_id,
        scope=frozenset(scope),
    )
    made = planning.make(declared, snapshot, session.handlers, options, held)
    planned = {action.ref for action in made.plan.actions}
    more = [
        _update(ref, made, found)
        for ref, found in sorted(said.items())
        if ref not in planned and ref not in lost and ref in made.cases
    ]
    return made._replace(plan=made.plan._replace(actions=(*more, *made.plan.actions)))


def _update(ref: Ref, made: planning.Planned, found: list[Finding]) -> Action:
    """Write again what belongs to a definition: content, view and rows, as its kind's update does."""
    case = made.cases[ref]
    reasons = tuple(Reason(Code.DRIFTED, finding.message) for finding in found)
    pre: JsonMap = {"generation": case.row.generation, "digest": case.row.digest} if case.row else {}
    return Action(Verb.UPDATE, ref, case.uid, reasons, disruption=Disruption.RECORD, pre=pre)


def _with_contents(ref: Ref, last: Mapping[Ref, Resource], reader: Reader) -> bool:
    """Give the payloads of a definition and of its derived rows a source where they are not as applied."""
    store = reader.places.content
    for resource in [last[ref], *(each for each in last.values() if each.owner == ref and each.derived)]:
        sources: list[ContentSource] = []
        for slot in content.slots(resource):
            path = f"{store}/{slot.relative_path}"
            stamp = reader.files.stamp(path)
            if stamp is not None:
                now = reader.files.tree_digest(path) if slot.tree else reader.files.digest(path)
                if now.digest == slot.digest:
                    continue
            aside = kept.source(reader.files, store, slot.digest)
            if aside is None:
                return False
            sources.append(aside)
        resource.contents = tuple(sources)
    return True
