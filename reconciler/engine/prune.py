"""What an apply set owns and no longer declares: notices, or removals behind guards (R §14). Pure.

Nothing here deletes: it decides which refs get a Case without a want. Every refusal names the flag that lifts it.
"""

from collections.abc import Mapping

from reconciler.engine import order
from reconciler.engine.handler import Handlers, Unknown
from reconciler.engine.lookup import View
from reconciler.engine.observe import Snapshot
from reconciler.model.action import Action, Code, Notice, Reason, Verb
from reconciler.model.errors import GuardRefused
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.catalog import InventoryRow

LIMIT_COUNT = 3
LIMIT_SHARE = 0.2


class Asked(NamedTuple):
    """The operator's flags about removal."""

    prune: bool = False
    limit: int | None = None
    allow_empty: bool = False
    allow_source_change: bool = False
    allow_kinds: frozenset[str] = frozenset()
    allow_set_mismatch: str | None = None
    """Set when `--applyset` differs from the manifest's Project name: that name."""
    mismatch_ok: bool = False
    outside_selector: tuple[Ref, ...] = ()
    outside_ok: bool = False
    force_destroy: frozenset[Ref] = frozenset()
    delete: frozenset[Ref] | None = None
    """Of `houmao delete`: exactly these refs, with the guards of an explicit request."""
    cascade: str = "no"
    """Of `houmao delete`: `no`, `yes` or `orphan`."""
    rewritten: str = ""
    """Why the source does not build on what was applied last; removals then wait for a word (R-WAT-5)."""
    only: frozenset[Ref] | None = None
    """Of a plan that was saved: with `prune`, no candidate beside these."""


class Decided(NamedTuple):
    """Refs to remove with the reason, rows that explain, notices, and the guards that flags lifted."""

    remove: Mapping[Ref, Reason]
    rows: tuple[Action, ...] = ()
    notices: tuple[Notice, ...] = ()
    acknowledged: tuple[str, ...] = ()


def decide(
    declared: Mapping[Ref, Resource],
    snapshot: Snapshot,
    handlers: Handlers,
    view: View,
    asked: Asked,
    source_root: str,
    apply_set: str,
    *,
    scope: frozenset[Ref] | None = None,
) -> Decided:
    """Who is a candidate, and whether anything may happen to it. In a `scope` only children of what is in it are."""
    owned = {ref: row for ref, row in snapshot.inventory.items() if row.apply_set == apply_set}
    if asked.delete is not None:
        return _deletion(owned, snapshot, view, asked)
    owners: dict[str, Ref] = {row.uid: row.ref for row in snapshot.inventory.values()}
    if scope is not None:
        owned = {ref: row for ref, row in snapshot.inventory.items() if owners.get(row.owner or "") in scope}
    gone = {ref: row for ref, row in owned.items() if ref not in declared}
    shrunk, candidates = _split(gone, declared, owners, view)
    if asked.only is not None:
        candidates = {ref: row for ref, row in candidates.items() if ref in asked.only or _is_derived(row, owners)}
    rows, children = _shrunk(shrunk, owners)
    if scope is not None:
        return Decided(children, rows)
    foreign = {ref: row for ref, row in candidates.items() if not _same_root(row.source_root, source_root)}
    if not asked.prune:
        counted = {ref: row for ref, row in candidates.items() if not _is_derived(row, owners)}
        return Decided(
            children, rows, tuple(_orphan(ref, row, ref in foreign, asked.rewritten) for ref, row in counted.items())
        )
    unknown = _undecidable(candidates, snapshot, handlers, view)
    candidates = {ref: row for ref, row in candidates.items() if ref not in unknown}
    counted = {ref: row for ref, row in candidates.items() if not _is_derived(row, owners)}
    acknowledged = _guards(counted, foreign, owned, declared, owners, view, asked)
    notices = tuple(Notice(Code.UNKNOWN, ref, f"not pruned: {why}") for ref, why in sorted(unknown.items()))
    remove = {ref: Reason(Code.NOT_DECLARED, "owned by this apply set, no longer declared") for ref in sorted(counted)}
    return Decided({**children, **remove}, rows, notices, acknowledged)


def limit_of(owned: int) -> int:
    """How many removals need no `--prune-limit`."""
    return max(LIMIT_COUNT, int(owned * LIMIT_SHARE))


def _split(
    gone: Mapping[Ref, InventoryRow], declared: Mapping[Ref, Resource], owners: Mapping[str, Ref], view: View
) -> tuple[dict[Ref, InventoryRow], dict[Ref, InventoryRow]]:
    """Children whose owner is still declared are the owner's business (R-OWN-8); the rest are candidates."""
    shrunk: dict[Ref, InventoryRow] = {}
    candidates: dict[Ref, InventoryRow] = {}
    for ref in sorted(gone):
        row = gone[ref]
        owner = owners.get(row.owner) if row.owner else None
        if owner is not None and owner in declared:
            if not _is_derived(row, owners):
                shrunk[ref] = row
        else:
            candidates[ref] = row
    return shrunk, candidates


def _shrunk(
    shrunk: Mapping[Ref, InventoryRow], owners: Mapping[str, Ref]
) -> tuple[tuple[Action, ...], dict[Ref, Reason]]:
    """Removal of children their owner no longer generates; `preventDestroy` still holds."""
    rows: list[Action] = []
    remove: dict[Ref, Reason] = {}
    for ref, row in shrunk.items():
        why = Reason(Code.OWNER_SHRANK, f"{owners[row.owner or '']} no longer generates it")
        if row.prevent_destroy:
            guard = Reason(
                Code.PREVENT_DESTROY, f"preventDestroy is set; `houmao delete --force-destroy {ref}` lifts it"
            )
            rows.append(Action(Verb.BLOCKED, ref, row.uid, (guard, why), held=Verb.REMOVE))
        else:
            remove[ref] = why
    return tuple(rows), remove


def _is_derived(row: InventoryRow, owners: Mapping[str, Ref]) -> bool:
    return row.owner in owners and row.live.get("derived") == "1"


def _same_root(recorded: str, current: str) -> bool:
    """Several roots are joined by newlines; a row belongs when its root is one of those named now (R-PRU-10)."""
    return recorded == current or recorded in current.split("\n")


def _orphan(ref: Ref, row: InventoryRow, foreign: bool, rewritten: str) -> Notice:
    where = f" (applied from another source root: {row.source_root})" if foreign else ""
    where += f" (suspended: {rewritten})" if rewritten else ""
    return Notice(Code.ORPHANED, ref, f"owned by set {row.apply_set!r}, no longer declared; --prune removes it{where}")


def _undecidable(
    candidates: Mapping[Ref, InventoryRow], snapshot: Snapshot, handlers: Handlers, view: View
) -> dict[Ref, str]:
    """Candidates that cannot be seen, or that something unseen still refers to (R-PRU-9, R-PRU-11)."""
    blocked: dict[Ref, str] = {}
    for ref in candidates:
        seen = snapshot.seen.get(ref)
        if isinstance(seen, Unknown):
            blocked[ref] = seen.why
    stack = [ref for ref in snapshot.inventory if ref.kind not in handlers or ref in blocked]
    visited = set(stack)
    while stack:
        user = stack.pop()
        resource = view.get(user)
        for edge in resource.edges if resource else ():
            if edge.to not in visited:
                visited.add(edge.to)
                stack.append(edge.to)
                if edge.to in candidates and edge.to not in blocked:
                    blocked[edge.to] = f"{user} refers to it and cannot be observed"
    return blocked


def _guards(
    counted: Mapping[Ref, InventoryRow],
    foreign: Mapping[Ref, InventoryRow],
    owned: Mapping[Ref, InventoryRow],
    declared: Mapping[Ref, Resource],
    owners: Mapping[str, Ref],
    view: View,
    asked: Asked,
) -> tuple[str, ...]:
    """R-PRU-3: each guard is its own refusal, with its own flag; the first that holds is raised."""
    lifted: list[str] = []

    def guard(holds: bool, code: str, flag_given: bool, message: str, hint: str) -> None:
        if not holds:
            return
        if not flag_given:
            raise GuardRefused(message, hint=hint, code=code)
        lifted.append(code)

    count = len(counted)
    if not count:
        return ()
    outside = {ref for ref in counted if ref in foreign}
    guard(
        bool(outside),
        "guard.source_root",
        asked.allow_source_change,
        f"{len(outside)} of {count} removal candidates were applied from another source root, {_names(outside)}",
        "--allow-source-change lets this source root take them over",
    )
    guard(
        bool(asked.rewritten),
        "guard.source_rewritten",
        asked.allow_source_change,
        f"{count} removal{' waits' if count == 1 else 's wait'}: {asked.rewritten}",
        "--allow-source-change accepts the new history; without --prune all else is applied",
    )
    guard(
        not declared,
        "guard.empty",
        asked.allow_empty,
        f"nothing is declared any more, and the apply set still holds {count} resources",
        "--allow-empty accepts an empty declaration; --prune-limit is asked for as well",
    )
    guard(
        asked.allow_set_mismatch is not None,
        "guard.set_name",
        asked.mismatch_ok,
        f"--applyset differs from the declared Project name {asked.allow_set_mismatch!r}",
        "--allow-set-mismatch accepts it",
    )
    selected_out = set(asked.outside_selector) & counted.keys()
    guard(
        bool(selected_out),
        "guard.selector",
        asked.outside_ok,
        f"the selector leaves out {_names(selected_out)}, which --prune would remove",
        "drop the selector, or --allow-prune-outside-selector",
    )
    protected = {ref for ref, row in counted.items() if row.prevent_destroy and ref not in asked.force_destroy}
    guard(
        bool(protected),
        "guard.prevent_destroy",
        False,
        f"preventDestroy protects {_names(protected)}",
        f"apply it with preventDestroy: false, or `houmao delete --force-destroy {min(protected, default='')}`",
    )
    kinds = {ref.kind for ref in counted}
    vanished = sorted(kind for kind in kinds if not any(ref.kind == kind for ref in declared))
    guard(
        bool(vanished) and bool(declared),
        "guard.kind_vanished",
        set(vanished) <= asked.allow_kinds,
        f"every {', every '.join(vanished)} of the apply set would be removed",
        f"--allow-kind-removal={','.join(vanished)} accepts it",
    )
    total = sum(1 for ref, row in owned.items() if not _is_derived(row, owners))
    allowed = limit_of(total)
    guard(
        count > allowed,
        "guard.prune_limit",
        asked.limit is not None and asked.limit >= count,
        f"{count} of {total} resources would be removed; {allowed} is the limit without asking",
        f"--prune-limit={count} accepts exactly that many",
    )
    return tuple(lifted)


def _deletion(owned: Mapping[Ref, InventoryRow], snapshot: Snapshot, view: View, asked: Asked) -> Decided:
    """`houmao delete`: the refs named, their children, and with --cascade whatever uses them."""
    chosen = set(asked.delete or ())
    edges = {ref: tuple(edge.to for edge in found.edges) for ref, found in view.snapshot.last.items()}
    users = order.reversed_edges(edges)
    by_uid = {row.uid: ref for ref, row in snapshot.inventory.items()}
    for ref, row in snapshot.inventory.items():
        if row.owner and by_uid.get(row.owner) in chosen:
            chosen.add(ref)
    if asked.cascade == "yes":
        stack = list(chosen)
        while stack:
            for user in users.get(stack.pop(), ()):
                if user in snapshot.inventory and user not in chosen:
                    chosen.add(user)
                    stack.append(user)
    live = {
        ref: [user for user in users.get(ref, ()) if user not in chosen and user in snapshot.inventory]
        for ref in sorted(chosen)
    }
    in_use = {ref: who for ref, who in live.items() if who}
    if in_use and asked.cascade != "orphan":
        ref, who = next(iter(in_use.items()))
        raise GuardRefused(
            f"{ref} is used by {_names(set(who))}",
            hint="--cascade deletes them too; --cascade=orphan keeps them without it",
            code="guard.dependents",
            ref=str(ref),
        )
    protected = {
        ref for ref in chosen if ref in owned and owned[ref].prevent_destroy and ref not in asked.force_destroy
    }
    if protected:
        raise GuardRefused(
            f"preventDestroy protects {_names(protected)}",
            hint=f"--force-destroy {min(protected)} lifts it for that resource",
            code="guard.prevent_destroy",
            ref=str(min(protected)),
        )
    owners: dict[str, Ref] = {row.uid: row.ref for row in snapshot.inventory.values()}
    reason = Reason(Code.DELETE_ASKED, "deletion was asked for")
    remove = {
        ref: reason
        for ref in sorted(chosen)
        if ref in snapshot.inventory and not _is_derived(snapshot.inventory[ref], owners)
    }
    blind = {ref: seen.why for ref in remove if isinstance(seen := snapshot.seen.get(ref), Unknown)}
    notices = tuple(Notice(Code.UNKNOWN, ref, f"not deleted: {why}") for ref, why in blind.items())
    absent = tuple(
        Notice(Code.ALREADY_GONE, ref, "is in no apply set")
        for ref in sorted(asked.delete or ())
        if ref not in snapshot.inventory
    )
    return Decided({ref: why for ref, why in remove.items() if ref not in blind}, (), notices + absent)


def removal_needs(removed: Mapping[Ref, Reason], view: View) -> dict[Ref, tuple[Ref, ...]]:
    """Deletion order is the reverse of creation (R-GRA-1): a used thing goes after its users."""
    users: dict[Ref, set[Ref]] = {ref: set() for ref in removed}
    by_uid = {row.uid: ref for ref, row in view.snapshot.inventory.items()}
    for ref in removed:
        resource = view.get(ref)
        targets = {edge.to for edge in resource.edges} if resource else set()
        row = view.row(ref)
        if row is not None and row.owner in by_uid:
            targets.add(by_uid[row.owner])
        for target in targets:
            found = view.snapshot.inventory.get(target)
            if found is not None and found.owner in by_uid and by_uid[found.owner] in users:
                users[by_uid[found.owner]].add(ref)
            if target in users:
                users[target].add(ref)
    return {ref: tuple(sorted(who - {ref})) for ref, who in users.items()}


def _names(refs: set[Ref] | Mapping[Ref, object]) -> str:
    listed = sorted(refs)
    text = ", ".join(str(ref) for ref in listed[:5])
    return text if len(listed) <= 5 else f"{text} and {len(listed) - 5} more"
