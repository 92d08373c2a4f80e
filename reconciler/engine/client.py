"""A plan from declared and last applied alone: what `--dry-run=client` shows. Nothing is observed (R-CLI-3)."""

from collections.abc import Mapping

from reconciler.engine import absence, diff, holding, order
from reconciler.engine.handler import Handlers, Held
from reconciler.engine.observe import Snapshot
from reconciler.engine.plan import Options
from reconciler.model.action import Action, Code, Disruption, Notice, Plan, Reason, Verb
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource


def compare(
    declared: Mapping[Ref, Resource],
    snapshot: Snapshot,
    handlers: Handlers,
    options: Options,
    held: Mapping[Ref, tuple[Held, ...]] | None = None,
) -> Plan:
    """`create` what was never applied, `update` what differs from its last application; live state counts as unseen."""
    actions: list[Action] = [action for action, _ in absence.released(options.released, options.now)]
    left_out = absence.in_force(declared, snapshot.inventory, options.absent, options.now)
    for ref, resource in declared.items():
        if resource.derived or (options.scope is not None and ref not in options.scope) or ref in left_out:
            continue
        row = snapshot.inventory.get(ref)
        needs = tuple(sorted({edge.to for edge in resource.edges}))
        if row is None:
            reason = Reason(Code.NEW, "declared, never applied here", (str(ref),), (resource.position,))
            actions.append(Action(Verb.CREATE, ref, None, (reason,), needs, disruption=Disruption.RECORD))
        elif ref in snapshot.renamed and row.digest == resource.digest:
            reason = Reason(Code.RENAMED, f"it was {snapshot.renamed[ref]}", (str(ref),), (resource.position,))
            actions.append(Action(Verb.RENAME, ref, row.uid, (reason,), needs, disruption=Disruption.RECORD))
        elif row.digest != resource.digest:
            last = snapshot.last.get(ref)
            found = diff.changes(
                resource, last.spec if last else None, None, handlers[ref.kind].schema.shape, complete=False
            )
            reason = Reason(
                Code.SPEC_CHANGED,
                f"{len(found)} {'path differs' if len(found) == 1 else 'paths differ'} from what was last applied",
                tuple(f"{ref}.{change.label}" for change in found),
                tuple(change.position for change in found),
            )
            actions.append(
                Action(Verb.UPDATE, ref, row.uid, (reason,), needs, disruption=Disruption.RECORD, changes=found)
            )
    notices = tuple(
        Notice(Code.ORPHANED, ref, "owned by this apply set, no longer declared")
        for ref, row in sorted(snapshot.inventory.items())
        if row.apply_set == options.apply_set and ref not in declared and not row.owner and options.scope is None
    )
    notices += tuple(
        Notice(Code.HELD, ref, holding.sentence(one))
        for ref, found in (held or {}).items()
        for one in holding.split(found, options.now).active
    )
    notices += tuple(absence.notices(left_out, declared))
    in_plan = {action.ref for action in actions}
    linked = [a._replace(needs=tuple(need for need in a.needs if need in in_plan)) for a in actions]
    return Plan(
        overlay_id=options.overlay_id,
        apply_set=options.apply_set,
        source_revision=options.source_revision,
        inputs_digest=options.inputs_digest,
        engine_version=options.engine_version,
        actions=order.in_dependency_order(linked),
        notices=notices,
        declared=sum(1 for resource in declared.values() if not resource.derived),
    )
