"""Use cases that change something: apply and delete. Plan, take the lock, plan again under it, run, look once more."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from reconciler.app import (
    around,
    events,
    gate_record,
    holding,
    revisions,
    rollouts,
    staged,
    standing,
    still_declared,
    wiring,
)
from reconciler.app import overlay as overlay_
from reconciler.app import settings as settings_
from reconciler.app.desired import Desired, load, options, refs_of
from reconciler.app.hooks import Hooks
from reconciler.app.lock import Writer, take
from reconciler.app.ready import waited
from reconciler.app.request import Confirm, Emit, PlanFlags, RunFlags, Shown, Source
from reconciler.app.selector import parse_selector
from reconciler.app.session import Flags, Session, opened
from reconciler.engine import absence, prune
from reconciler.engine import plan as planning
from reconciler.engine.handler import Books, HeldAbsent
from reconciler.engine.observe import observe, to_bundle
from reconciler.engine.orders import Orders
from reconciler.engine.run import Runner
from reconciler.model.action import Code, Plan, Reason
from reconciler.model.errors import ConflictError, GuardRefused, UsageFault
from reconciler.model.json import JsonMap
from reconciler.model.outcome import Outcome, Report, Result
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import at_path
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports, Reader
from reconciler.ports.catalog import RunRow


def apply(
    flags: Flags,
    source: Source,
    wanted: PlanFlags,
    how: RunFlags,
    *,
    confirm: Confirm,
    shown: Shown,
    emit: Emit,
) -> Report:
    """Make what runs match what is declared; an empty plan writes nothing at all (R-ACT-4)."""
    with opened(flags) as session:
        desired = load(session, source, wanted)
        session = desired.session
        made = plan_of(desired, wanted, session.reader)
        emit("plan", {"planDigest": made.plan.digest(), "actions": len(made.plan.actions)})
        if made.plan.empty and not around.left_over(made, session.reader):
            shown(made.plan)
            return waited(Report(made.plan), desired, session.reader, how)
        return carry_out(
            desired.session,
            made,
            lambda reader: plan_of(desired, wanted, reader),
            desired,
            how,
            confirm=confirm,
            shown=shown,
            emit=emit,
        )


def delete(
    flags: Flags,
    refs: tuple[str, ...],
    source: Source | None,
    *,
    cascade: str,
    force_destroy: tuple[str, ...],
    selector: str,
    override_s: float | None = None,
    how: RunFlags,
    confirm: Confirm,
    shown: Shown,
    emit: Emit,
) -> Report:
    """Remove exactly what is named, with its children; dependents only with `cascade` (R-PRU-7).

    What a file still declares is refused, unless that file is the `source`; with `override_s` it is deleted and stays
    absent for so long (R-IMP-4).
    """
    with opened(flags) as session:
        by_source = _of_source(session, source)
        chosen = _chosen(session, refs, selector) | by_source
        rows = {row.ref: row for row in session.reader.catalog.inventory()}
        sets = {rows[ref].apply_set for ref in chosen if ref in rows} or {"default"}
        apply_set = sorted(sets)[0]
        if len(sets) > 1:
            raise UsageFault(
                f"what is named belongs to several apply sets: {', '.join(sorted(sets))}",
                hint="delete them one set at a time",
            )
        destroy = frozenset(refs_of(session, force_destroy))
        desired = Desired(session, {}, apply_set, "", None)
        base = options(desired, PlanFlags(), session.reader)._replace(
            removal=prune.Asked(delete=frozenset(chosen), cascade=cascade, force_destroy=destroy)
        )

        def again(reader: Reader) -> planning.Planned:
            snapshot = observe({}, apply_set, session.handlers, reader)
            return planning.make({}, snapshot, session.handlers, base)

        made = again(session.reader)
        if made.plan.empty:
            shown(made.plan)
            return Report(made.plan)
        if override_s is None:
            still_declared.refuse(made.plan.actions, rows, session.reader.files, named_by_source=by_source)
        else:
            declared = still_declared.among(made.plan.actions, rows, session.reader.files)
            base = base._replace(books=_held_absent(declared, session.reader, override_s))
            made = again(session.reader)
        return carry_out(session, made, again, desired, how, confirm=confirm, shown=shown, emit=emit)


def _held_absent(refs: Iterable[Ref], reader: Reader, ttl_s: float) -> dict[Ref, Books]:
    """What settles with each removal of something declared: who wants it away, and until when."""
    held = HeldAbsent(reader.environ.get("USER") or "unknown", reader.clock.now_utc() + timedelta(seconds=ttl_s))
    reason = Reason(Code.HELD, f"{absence.sentence(held)}, although it is declared")
    return {ref: Books(absent=held, reasons=(reason,)) for ref in refs}


def plan_of(desired: Desired, wanted: PlanFlags, reader: Reader) -> planning.Planned:
    """Observe and plan what is declared."""
    declared, held = holding.laid_over(desired.declared, reader, desired.moves)
    snapshot = observe(declared, desired.apply_set, desired.session.handlers, reader, moves=desired.moves)
    made = planning.make(declared, snapshot, desired.session.handlers, options(desired, wanted, reader), held)
    return rollouts.paused(made, reader.catalog)


def carry_out(
    session: Session,
    first: planning.Planned,
    again: Callable[[Reader], planning.Planned],
    desired: Desired,
    how: RunFlags,
    *,
    confirm: Confirm,
    shown: Shown,
    emit: Emit,
    first_of_all: Callable[[], None] = lambda: None,
    always: bool = False,
) -> Report:
    """Confirm, take the lock, plan again under it, run, and look once more (R-EXE-12, R-EXE-13).

    `first_of_all` is done under the lock, before anything runs; with `always` a run of nothing is a revision as well.
    """
    asked = needs_confirmation(first.plan)
    if asked and not how.yes:
        shown(first.plan)
        if not confirm(first.plan):
            raise GuardRefused(
                "not confirmed: the plan ends conversations or loses data",
                hint="--yes confirms it without asking",
                code="guard.not_confirmed",
            )
    created = None
    if session.overlay_unmade:
        overlay_.create(session.settings, session.world)
        created = session.settings.overlay.root
        emit("source", {"event": "OverlayCreated", "overlay": created})
        settings = session.settings._replace(overlay=session.settings.overlay._replace(exists=True))
        session = session._replace(settings=settings)
    ports = session.world.ports(session.settings)
    writer = take(ports, purpose="apply", wait_s=_lock_wait(how), emit=emit, stopping=how.stopping)
    try:
        second = again(ports.reader())
        if asked and not how.yes:
            _refuse_moved(first.plan, second.plan)
        else:
            shown(second.plan)
        first_of_all()
        staged.sweep(ports.reader(), wiring.local_files())
        report = run_plan(second, session, desired, ports, writer, how, emit, always=always)
        if report.exit_code == 1 and not how.judged:
            from reconciler.app import rollout_back

            report = rollout_back.after(report, second, session, ports, writer, how, emit)
        gated = desired.gated
        prepared = gate_record.prepare(ports, *gated, desired.declared, desired.apply_set) if gated else None
        after = again(ports.reader())
        report = report._replace(remaining=after.plan.running, created_overlay=created)
        failed = None
        if not writer.borrowed:  # a watch that lent it looks for them itself
            report, failed = around.finish(second, desired, report, ports, writer.token(ports), how, emit)
        steady = not after.plan.actions and not after.plan.notices
        if gated is not None and steady and not around.left_over(second, ports.reader()):
            gate_record.keep(ports, prepared)
        if failed is not None:
            raise failed
        if writer.borrowed:
            writer.release()  # who lent it goes on while this one waits for agents to be Ready
        return waited(report, desired, ports.reader(), how)
    finally:
        writer.release()
        ports.catalog.close()


def needs_confirmation(found: Plan) -> bool:
    """Only what loses a conversation or data is asked about (R-CLI-6)."""
    return any(action.runs and action.disruption.weight >= 3 for action in found.actions)


def _refuse_moved(first: Plan, second: Plan) -> None:
    """What was shown is what runs, or a subset of it."""
    shown = {action.key() for action in first.actions}
    extra = [action for action in second.actions if action.key() not in shown]
    if extra:
        raise ConflictError(
            f"the world moved since the plan was shown: {extra[0]}"
            + (f" and {len(extra) - 1} more" if extra[1:] else ""),
            hint="look at the new plan with `houmao plan`, then apply again; nothing was executed",
        )


def run_plan(
    planned: planning.Planned,
    session: Session,
    desired: Desired,
    ports: Ports,
    writer: Writer,
    how: RunFlags,
    emit: Emit,
    *,
    always: bool = False,
) -> Report:
    """Run a plan under the lock that `writer` holds, and record the run."""
    if not planned.plan.running:
        around.gates_ended(None, (), planned, desired, ports, writer.token(ports), how)
    if not planned.plan.running and not always:
        return Report(planned.plan)
    token = writer.token(ports)
    run_id = f"r-{ports.clock.new_uid()}"
    started = ports.clock.now_utc().isoformat()
    how.before(ports, token)
    if not planned.plan.running:
        bare = Kept(how.command, {}, ())
        revision = _record_run(planned, desired, ports, token, run_id, started, (), bare)
        return Report(planned.plan, (), run_id, revision)
    stopped_by: list[int] = []

    def stopping() -> bool:
        signal = how.stopping()
        if signal is not None and not stopped_by:
            stopped_by.append(signal)
        return signal is not None

    emit("run_start", {"run": run_id, "token": token})
    hooks = Hooks(desired, planned, ports, run_id, emit)
    gating = around.gating(planned, desired, ports, token, how, emit)
    rolling = rollouts.of_run(planned, session.handlers, ports, token, emit, chosen=how.chosen, judged=how.judged)
    if rolling is not None:
        rolling.gating = gating
    runner = Runner(
        planned,
        session.handlers,
        ports,
        Orders(
            run=run_id,
            token=token,
            guard=lambda: writer.guard(ports),
            parallelism=how.parallelism,
            fail_fast=how.fail_fast,
            deadline=ports.clock.monotonic() + how.timeout_s,
            stopping=stopping,
            emit=emit,
            probe=how.probe,
            source_root=desired.source_root,
            root_of=desired.compiled.root_of if desired.compiled else {},
            apply_set=desired.apply_set,
            base=desired.fetched.base if desired.fetched else session.settings.cwd,
            keep_sets=desired.by_hand,
            tries=how.tries,
            tried=how.tried,
            transient=desired.transient,
            launches=_limit(desired, "limits.launchConcurrency"),
            launch_rate=_rate(desired),
            rolling=rolling,
            gating=gating,
            around=around.hooked(planned, desired, ports, run_id, hooks, emit),
        ),
    )
    hooks.before()
    outcomes = runner.run()
    around.gates_ended(gating, outcomes, planned, desired, ports, token, how)
    hooks.after(outcomes)
    kept = Kept(how.command, runner.rows.uids, tuple(hooks.told))
    revision = _record_run(planned, desired, ports, token, run_id, started, outcomes, kept)
    if not how.judged:
        standing.applied(desired, ports, token)
    standing.removed(outcomes, ports, token)
    hooks.refuse()
    return Report(
        planned.plan,
        outcomes,
        run_id,
        revision,
        timed_out=runner.timed_out or (how.wait is not False and around.deferred(outcomes)),
        interrupted=stopped_by[0] if stopped_by else None,
    )


class Kept(NamedTuple):
    """What is kept of a run beside its outcomes: the command, uids of what it made, and hooks."""

    command: str
    uids: Mapping[Ref, Uid]
    also: tuple[JsonMap, ...]


def _limit(desired: Desired, path: str) -> int | None:
    project = desired.compiled.project if desired.compiled else None
    found = at_path(project.spec, path) if project else None
    return found if isinstance(found, int) else None


def _rate(desired: Desired) -> tuple[float, int] | None:
    project = desired.compiled.project if desired.compiled else None
    per_second = at_path(project.spec, "limits.launchRate.perSecond") if project else None
    if not isinstance(per_second, int | float):
        return None
    return float(per_second), _limit(desired, "limits.launchRate.burst") or 1


def _record_run(
    planned: planning.Planned,
    desired: Desired,
    ports: Ports,
    token: int,
    run_id: str,
    started: str,
    outcomes: tuple[Outcome, ...],
    kept: Kept,
) -> int:
    """The history row, the bundle of what was declared, and the socket and stamps that the no-op gate reads."""
    revision = revisions.next_of(ports.catalog, desired.apply_set)
    failed = any(outcome.result is not Result.SETTLED for outcome in outcomes)
    unsettled = {outcome.action.ref for outcome in outcomes if outcome.result is not Result.SETTLED}
    row = RunRow(
        id=run_id,
        apply_set=desired.apply_set,
        revision=revision,
        source_revision=desired.revision,
        plan_digest=planned.plan.digest(),
        actor=ports.environ.get("USER") or "unknown",
        outcome="failed" if failed else "settled",
        started=started,
        ended=ports.clock.now_utc().isoformat(),
        command=kept.command,
    )
    with ports.catalog.transaction(token) as tx:
        for ref, resource in sorted(desired.declared.items()):
            case = planned.cases.get(ref)
            held = case is not None and case.want is not None and case.want.digest != resource.digest
            if ref in unsettled or held:
                # What settled was recorded as it is held; history keeps what was declared.
                tx.put_bundle(resource.digest, to_bundle(resource))
        tx.put_run(row, revisions.bundle_of(desired), [*map(revisions.told, outcomes), *kept.also])
        now = ports.clock.now_utc()
        happened = [each for outcome in outcomes for each in events.of(outcome, kept.uids.get(outcome.action.ref), now)]
        events.write(tx, happened, now)
        if desired.compiled is not None and desired.compiled.project is not None:
            socket = desired.compiled.project.spec.get("tmuxSocket")
            tx.put_meta("tmux_socket", socket if isinstance(socket, str) else "")
    return revision


def _of_source(session: Session, source: Source | None) -> frozenset[Ref]:
    if source is None:
        return frozenset()
    declared = load(session, source, PlanFlags()).declared
    return frozenset(ref for ref, resource in declared.items() if not resource.derived and resource.owner is None)


def _chosen(session: Session, refs: tuple[str, ...], selector: str) -> set[Ref]:
    chosen = set(refs_of(session, refs))
    if selector:
        selects = parse_selector(selector)
        chosen |= {row.ref for row in session.reader.catalog.inventory() if selects(row.labels)}
    return chosen


def _lock_wait(how: RunFlags) -> float:
    if how.lock_timeout_s is not None:
        return how.lock_timeout_s
    return 0.0 if settings_.in_ci() else 30.0
