"""Make the plan: one Case per ref, its handler's actions, removals, order. Pure (tenet 1, R-ACT-3).

Receives the declared set, a Snapshot and options, all values; hands on a Plan and the View and Cases it was made from,
which the runner needs again.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from reconciler.engine import absence, diff, holding, order, prune
from reconciler.engine.handler import Asked, Books, Case, Handlers, Held, HeldAbsent, Present, Step, Unknown
from reconciler.engine.lookup import View
from reconciler.engine.observe import Snapshot
from reconciler.model import names
from reconciler.model.action import Action, Code, Disruption, Notice, Plan, Reason, Verb
from reconciler.model.change import Classification, FieldChange
from reconciler.model.errors import GuardRefused
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource, at_path
from reconciler.model.tuples import NamedTuple

DRIFT = frozenset(
    {
        Code.MISSING,
        Code.SESSION_MISSING,
        Code.PROVIDER_EXITED,
        Code.REBOOTED,
        Code.SURVIVOR,
        Code.RECORD_MISSING,
        Code.RECORD_EDITED,
        Code.RECORD_CORRUPT,
        Code.HOME_MISSING,
        Code.DRIFTED,
    }
)
"""Reasons that are nobody's intention: what a resource with drift policy `ignore` is left alone with (R-DRF-1)."""


class Options(NamedTuple):
    """Everything that steers a plan beyond D, L and O; all of it printed or recorded."""

    apply_set: str
    source_root: str
    now: datetime
    engine_version: str
    overlay_id: str
    source_revision: str = ""
    inputs_digest: str = ""
    removal: prune.Asked = prune.Asked()
    force_conflicts: bool = False
    selects: Callable[[Resource], bool] | None = None
    targets: frozenset[Ref] = frozenset()
    exclude: frozenset[Ref] = frozenset()
    scope: frozenset[Ref] | None = None
    """Of an imperative verb: plan these refs alone, as if nothing else were declared or missing."""
    follows: frozenset[Ref] = frozenset()
    """Of an imperative verb: what uses `scope`, planned too for what follows from the verb, and for nothing else."""
    books: Mapping[Ref, Books] = {}
    """Of an imperative verb: what settles beside the rows."""
    asked: Mapping[Ref, Asked] = {}
    """Actions asked for, not declared."""
    absent: Mapping[Ref, HeldAbsent] = {}
    """What was deleted although it is declared, until when; also where that time is over."""
    released: Mapping[Ref, HeldAbsent] = {}
    """Of an imperative verb: what is held absent no more."""


NOTHING_HELD = holding.Holding()
NO_BOOKS = Books()


class Planned(NamedTuple):
    """A plan with the cases and the view behind it."""

    plan: Plan
    cases: Mapping[Ref, Case]
    view: View


def make(
    declared: Mapping[Ref, Resource],
    snapshot: Snapshot,
    handlers: Handlers,
    options: Options,
    held: Mapping[Ref, tuple[Held, ...]] | None = None,
) -> Planned:
    """Plan `declared` against `snapshot`; raises GuardRefused (exit 6) before anything could run."""
    if options.scope is None:
        refuse_foreign(declared, snapshot, options.apply_set)
    changes = {
        ref: found for ref, resource in declared.items() if (found := _changes(ref, resource, snapshot, handlers))
    }
    view = View(declared, snapshot, changes)
    removals = prune.decide(
        declared,
        snapshot,
        handlers,
        view,
        options.removal,
        options.source_root,
        options.apply_set,
        scope=options.scope,
    )
    cases: dict[Ref, Case] = {}
    derived = _derived(declared, changes)
    holdings = {ref: holding.split(found, options.now) for ref, found in (held or {}).items()}
    left_out = absence.in_force(declared, snapshot.inventory, options.absent, options.now)
    for ref in sorted(declared.keys() | removals.remove.keys()):
        resource = declared.get(ref)
        if (resource is not None and resource.derived) or _out_of_scope(ref, removals, options) or ref in left_out:
            continue
        row, intent = snapshot.inventory.get(ref), snapshot.intents.get(ref)
        cases[ref] = Case(
            ref=ref,
            uid=row.uid if row else intent.uid if intent else None,
            want=resource,
            row=row,
            seen=snapshot.seen.get(ref, Unknown("it was not observed")),
            changes=changes.get(ref, ()),
            intent=intent,
            held=holdings.get(ref, NOTHING_HELD).active,
            now=options.now,
            removal=removals.remove.get(ref),
            derived=derived.get(ref, ()),
            lapsed=holdings.get(ref, NOTHING_HELD).lapsed,
            books=holding.books_of(
                holdings.get(ref, NOTHING_HELD),
                options.books.get(ref, NO_BOOKS),
                options.apply_set if options.scope is None else row.apply_set if row else options.apply_set,
                row.apply_set if row else None,
            ),
            asked=options.asked.get(ref),
            was=snapshot.renamed.get(ref),
        )
    actions: list[Action] = []
    notices = [*removals.notices, *holding.notices(holdings, cases), *absence.notices(left_out, declared)]
    for ref, case in cases.items():
        if isinstance(case.seen, Unknown):
            code = Code.AMBIGUOUS if case.seen.ambiguous else Code.UNKNOWN
            notices.append(Notice(code, ref, f"left alone: {case.seen.why}"))
            continue
        decided = decide(case, view, handlers, force_conflicts=options.force_conflicts)
        if ref in options.follows and case.intent is None and all(_is_drift(action) for action in decided):
            continue
        back = absence.lapsed(ref, case.row, options.absent, options.now)
        decided = [a._replace(reasons=(*a.reasons, *back)) for a in decided] if back else decided
        actions += [_with_needs(action, case, view) for action in decided]
    reverse = prune.removal_needs(removals.remove, view)
    actions = [a._replace(needs=reverse.get(a.ref, ())) if a.ref in removals.remove else a for a in actions]
    actions += removals.rows
    if left_out:
        actions = absence.waiting(actions, left_out, {ref: needs_of(ref, view) for ref in declared})
    for action, case in absence.released(options.released, options.now):
        actions.append(action)
        cases[action.ref] = case
    actions = _targeted(_linked(actions, view), view, options, removals.remove.keys())
    ordered = order.in_dependency_order(held_back(actions))
    plan = Plan(
        overlay_id=options.overlay_id,
        apply_set=options.apply_set,
        source_revision=options.source_revision,
        inputs_digest=options.inputs_digest,
        engine_version=options.engine_version,
        actions=ordered,
        notices=tuple(sorted(notices, key=lambda notice: (notice.ref, notice.code))),
        guards=removals.acknowledged,
        declared=sum(1 for resource in declared.values() if not resource.derived),
        created_at=options.now.isoformat(timespec="seconds").replace("+00:00", "Z"),
    )
    return Planned(plan, cases, view)


def decide(case: Case, view: View, handlers: Handlers, *, force_conflicts: bool = False) -> Sequence[Action]:
    """The handler's actions for one case, behind the two questions the engine answers for every kind."""
    if case.want is None and case.removal is None:
        return ()  # neither declared nor to be removed: what is done about it is not its kind's business
    conflicts = [c for c in case.changes if c.classification.value == "RemovedOverDrift"]
    if conflicts and not force_conflicts:
        paths = ", ".join(change.label for change in conflicts)
        reason = Reason(
            Code.CONFLICT,
            f"{paths} left the declaration, but somebody changed it since; --force-conflicts resets it",
            tuple(f"{case.ref}.{change.label}" for change in conflicts),
            tuple(change.position for change in conflicts),
        )
        return (Action(Verb.BLOCKED, case.ref, case.uid, (reason,), held=Verb.UPDATE, changes=case.changes),)
    actions = handlers[case.ref.kind].plan(case, view)
    if at_path(case.want.spec if case.want else None, "drift.policy") == "ignore":
        actions = [action for action in actions if not all(reason.code in DRIFT for reason in action.reasons)]
    if case.was is not None:
        actions = _renaming(actions, case, case.was)
    return holding.with_books(actions, case)


def _renaming(actions: Sequence[Action], case: Case, was: Ref) -> Sequence[Action]:
    """What is renamed keeps its uid: a record's change becomes the rename, a heavier action brings it along."""
    position = case.want.position if case.want else None
    reason = Reason(Code.RENAMED, f"it was {was}; uid, history and session stay", (str(case.ref),), (position,))
    if not actions:
        return (Action(Verb.RENAME, case.ref, case.uid, (reason,), disruption=Disruption.RECORD),)
    first, *rest = actions
    verb = Verb.RENAME if first.verb is Verb.UPDATE else first.verb
    return (first._replace(verb=verb, reasons=(reason, *first.reasons)), *rest)


def steps_of(action: Action, case: Case, view: View, handlers: Handlers) -> Sequence[Step]:
    """The visible writes of an action: its kind's, or none where only the books are kept."""
    if holding.keeps_books_only(action) or (action.verb is Verb.FORGET and case.row is None):
        return ()
    return handlers[action.ref.kind].steps(action, case, view)


def _is_drift(action: Action) -> bool:
    """Nobody's intention: not what follows from a verb on something else."""
    return all(reason.code in DRIFT for reason in action.reasons)


def _out_of_scope(ref: Ref, removals: prune.Decided, options: Options) -> bool:
    if options.scope is None or ref in removals.remove:
        return False
    return ref not in options.scope and ref not in options.follows


def refuse_foreign(declared: Mapping[Ref, Resource], snapshot: Snapshot, apply_set: str) -> None:
    """Two sets naming one resource is refused (R-OWN-2); what was made by hand may be declared (R-IMP-6)."""
    foreign = [
        (ref, snapshot.inventory[ref].apply_set)
        for ref in sorted(declared)
        if ref in snapshot.inventory and snapshot.inventory[ref].apply_set not in (apply_set, names.IMPERATIVE)
    ]
    if not foreign:
        return
    listed = ", ".join(f"{ref} (set {owner!r})" for ref, owner in foreign[:10])
    more = f" and {len(foreign) - 10} more" if len(foreign) > 10 else ""
    raise GuardRefused(
        f"{listed}{more} belong{'s' if len(foreign) == 1 else ''} to another apply set than {apply_set!r}",
        hint=f"apply with --applyset={foreign[0][1]}, or remove the declaration here",
        code="ownership.conflict",
        ref=str(foreign[0][0]),
        position=declared[foreign[0][0]].position,
    )


def _changes(ref: Ref, resource: Resource, snapshot: Snapshot, handlers: Handlers) -> tuple[FieldChange, ...]:
    """Quick equality first: most resources of most plans end there."""
    row, seen = snapshot.inventory.get(ref), snapshot.seen.get(ref)
    same = row is not None and row.digest == resource.digest
    facts = seen.facts if isinstance(seen, Present) else None
    if row is None and facts is None:
        return ()  # nothing to compare with: that it is new is the handler's one reason
    if same and (not isinstance(seen, Present) or not seen.complete or facts == resource.spec):
        return ()
    last = resource.spec if same else snapshot.last[ref].spec if ref in snapshot.last else None
    found = diff.changes(
        resource,
        last,
        facts,
        handlers[ref.kind].schema.shape,
        complete=isinstance(seen, Present) and seen.complete,
        ignore=row.ignore_changes if row else (),
    )
    ignored = at_path(resource.spec, "drift.ignore")
    if not isinstance(ignored, list) or not ignored:
        return found
    return tuple(c for c in found if c.classification is not Classification.DRIFTED or c.path not in ignored)


def _derived(
    declared: Mapping[Ref, Resource], changes: Mapping[Ref, tuple[FieldChange, ...]]
) -> dict[Ref, tuple[tuple[Ref, tuple[FieldChange, ...]], ...]]:
    """Changed derived rows by their owner."""
    found: dict[Ref, list[tuple[Ref, tuple[FieldChange, ...]]]] = {}
    for ref in sorted(changes):
        resource = declared[ref]
        if resource.derived and resource.owner is not None:
            found.setdefault(resource.owner, []).append((ref, changes[ref]))
    return {owner: tuple(rows) for owner, rows in found.items()}


def _with_needs(action: Action, case: Case, view: View) -> Action:
    """Edges of the declaration as needs of the action; a reference to a derived row is a need of its owner."""
    if case.want is None:
        return action
    waits = [edge for edge in case.want.edges if edge.condition == "Ready"]
    limits = [edge.timeout_ms for edge in waits if edge.timeout_ms is not None]
    return action._replace(
        needs=tuple(sorted({*action.needs, *needs_of(case.ref, view)})),
        ready=tuple(sorted({_acting(edge.to, view) for edge in waits})),
        ready_timeout_ms=min(limits, default=None),
    )


def _targeted(actions: list[Action], view: View, options: Options, removed: Collection[Ref]) -> list[Action]:
    """Restrict actions to what was asked for; dependents of what was left out wait (R-ACT-8)."""
    if options.selects is None and not options.targets and not options.exclude:
        return actions

    def chosen(ref: Ref) -> bool:
        if options.removal.outside_ok and ref in removed:
            return ref not in options.exclude
        if ref in options.exclude or (options.targets and ref not in options.targets):
            return False
        resource = view.get(ref)
        return options.selects is None or (resource is not None and options.selects(resource))

    left_out = {action.ref for action in actions if action.runs and not chosen(action.ref)}
    kept: list[Action] = []
    for action in actions:
        if action.ref in left_out or not chosen(action.ref):
            continue
        missing = [need for need in action.needs if need in left_out]
        if missing and action.runs:
            names = ", ".join(str(need) for need in missing)
            reason = Reason(Code.NOT_TARGETED, f"needs {names}, which this run leaves out")
            action = action._replace(verb=Verb.WAIT, held=action.verb, reasons=(reason, *action.reasons))
        kept.append(action)
    return kept


def _planned_needs(
    needs: tuple[Ref, ...], in_plan: set[Ref], view: View, found: dict[Ref, frozenset[Ref]]
) -> frozenset[Ref]:
    """The nearest refs with an action below `needs`: a need in sync hands on its own needs. No recursion (R-GRA-7)."""
    stack = [need for need in needs if need not in in_plan and need not in found]
    while stack:
        ref = stack[-1]
        below = [need for need in needs_of(ref, view) if need not in in_plan]
        missing = [need for need in below if need not in found and need != ref]
        if missing:
            stack += missing
            continue
        direct = frozenset(need for need in needs_of(ref, view) if need in in_plan)
        found[ref] = direct.union(*(found[need] for need in below if need != ref))
        stack.pop()
    planned = frozenset(need for need in needs if need in in_plan)
    return planned.union(*(found[need] for need in needs if need not in in_plan))


def needs_of(ref: Ref, view: View) -> tuple[Ref, ...]:
    """What a resource is made of: its references and its owner; a derived row counts as its owner."""
    resource = view.get(ref)
    if resource is None:
        return ()
    needs = {_acting(edge.to, view) for edge in resource.edges}
    if resource.owner is not None:
        needs.add(resource.owner)
    return tuple(sorted(needs - {ref}))


def _acting(ref: Ref, view: View) -> Ref:
    """Who acts for a ref: a derived row is written by its owner's action (R-OWN-8a)."""
    found = view.declared.get(ref)
    return found.owner if found is not None and found.derived and found.owner is not None else ref


def _linked(actions: list[Action], view: View) -> list[Action]:
    """Needs that have an action of their own, also through resources that have none."""
    in_plan = {action.ref for action in actions}
    found: dict[Ref, frozenset[Ref]] = {}
    return [
        action._replace(needs=tuple(sorted(_planned_needs(action.needs, in_plan, view, found) - {action.ref})))
        for action in actions
    ]


def held_back(actions: list[Action]) -> list[Action]:
    """What needs a blocked or waiting row waits too; an end of something never does (R-GRA-5)."""
    in_plan = {action.ref for action in actions}
    kept = [action._replace(needs=tuple(need for need in action.needs if need in in_plan)) for action in actions]
    held = {action.ref for action in kept if action.verb in (Verb.BLOCKED, Verb.WAIT)}
    if not held:
        return kept
    result: list[Action] = []
    for action in order.in_dependency_order(kept):
        blocker = next((need for need in action.needs if need in held), None)
        if action.runs and blocker is not None and action.verb not in (Verb.STOP, Verb.REMOVE, Verb.FORGET):
            reason = Reason(Code.DEPENDENCY, f"waits for {blocker}, which is held back")
            action = action._replace(verb=Verb.WAIT, held=action.verb, reasons=(reason, *action.reasons))
            held.add(action.ref)
        result.append(action)
    return result
