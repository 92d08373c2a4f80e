"""Look once at everything a plan needs, and hand it on as a value.

Receives the declared set and the reading half of the ports; hands on a Snapshot. Planning is then pure.
"""

from collections.abc import Iterable, Mapping, Sequence

from reconciler.engine.handler import Handlers, Seen, Target, Unknown
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import Edge, Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader
from reconciler.ports.catalog import Intent, InventoryRow


class Snapshot(NamedTuple):
    """What is recorded and what is seen, taken together.

    `last` holds last-applied specs only where they can matter: the declaration differs from them, or is gone.
    """

    inventory: Mapping[Ref, InventoryRow]
    last: Mapping[Ref, Resource]
    intents: Mapping[Ref, Intent]
    seen: Mapping[Ref, Seen]
    revision: int
    renamed: Mapping[Ref, Ref] = {}
    """New name to old one, of what is recorded under the old one and declared under the new one (R-MOD-11)."""


def observe(
    declared: Mapping[Ref, Resource],
    apply_set: str,
    handlers: Handlers,
    reader: Reader,
    *,
    also: Iterable[Ref] = (),
    moves: Sequence[tuple[Ref, Ref]] = (),
    revived: Iterable[InventoryRow] = (),
) -> Snapshot:
    """Read catalog, registry, tmux and processes once for the declared set, all that `apply_set` owns, and `also`.

    `revived` are rows of what was removed, taken for rows of what is there where nothing has their name.
    """
    recorded = record_of(declared, apply_set, reader, also=also, moves=moves, revived=revived)
    inventory = recorded.inventory
    refs = sorted(
        declared.keys()
        | {ref for ref in also if ref in inventory}
        | {ref for ref, row in inventory.items() if row.apply_set == apply_set}
        | recorded.intents.keys()
        | (recorded.last.keys() & inventory.keys())
    )
    targets = [
        _target(ref, declared, inventory, recorded.intents)._replace(was=recorded.renamed.get(ref)) for ref in refs
    ]
    return recorded._replace(seen=look_at(targets, handlers, reader))


def record_of(
    declared: Mapping[Ref, Resource],
    apply_set: str,
    reader: Reader,
    *,
    also: Iterable[Ref] = (),
    moves: Sequence[tuple[Ref, Ref]] = (),
    revived: Iterable[InventoryRow] = (),
) -> Snapshot:
    """What the catalog has recorded; nothing is seen yet."""
    inventory = {row.ref: row for row in (*revived, *reader.catalog.inventory())}
    intents = {intent.ref: intent for intent in reader.catalog.intents()}
    renamed = _renamed(inventory, declared, apply_set, moves)
    for new, old in renamed.items():
        inventory[new] = inventory.pop(old)._replace(ref=new)
        if old in intents:
            intents[new] = intents.pop(old)
    for ref, intent in intents.items():
        if ref not in declared and ref not in inventory:
            inventory[ref] = _row_of(intent, apply_set)
    last = _last_applied(declared, inventory, apply_set, reader, frozenset(also))
    return Snapshot(inventory, last, intents, {}, reader.catalog.revision(), renamed)


def _renamed(
    inventory: Mapping[Ref, InventoryRow],
    declared: Mapping[Ref, Resource],
    apply_set: str,
    moves: Sequence[tuple[Ref, Ref]],
) -> dict[Ref, Ref]:
    """Which moves there is something to do for; the members of a set go with it."""
    found: dict[Ref, Ref] = {}
    for old, new in moves:
        row = inventory.get(old)
        if row is None or row.apply_set != apply_set or new in inventory or new not in declared:
            continue
        found[new] = old
        for ref, member in inventory.items():
            ordinal = ref.name.removeprefix(f"{old.name}-")
            renamed = Ref(ref.kind, f"{new.name}-{ordinal}")
            if member.owner == row.uid and ref.kind == "Instance" and ordinal.isdigit() and renamed not in inventory:
                found[renamed] = ref
    return found


def _row_of(intent: Intent, apply_set: str) -> InventoryRow:
    """A first create that never settled and that nobody declares any more: a candidate like an owned resource (I2)."""
    live = {key: value for key, value in intent.handle.items() if isinstance(value, str)}
    return InventoryRow(
        intent.uid, intent.ref, apply_set, None, live.get("source_root", ""), None, "", 0, {}, {}, live=live
    )


def look_at(targets: Iterable[Target], handlers: Handlers, reader: Reader) -> dict[Ref, Seen]:
    """Ask each kind's handler once for all its targets; a kind nobody handles, or a handler that fails, is Unknown."""
    by_kind: dict[str, list[Target]] = {}
    for target in targets:
        by_kind.setdefault(target.ref.kind, []).append(target)
    seen: dict[Ref, Seen] = {}
    for kind in sorted(by_kind):
        handler = handlers.get(kind)
        if handler is None:
            seen.update({t.ref: Unknown(f"NoHandler: nothing here knows kind {kind}") for t in by_kind[kind]})
            continue
        found = handler.observe(by_kind[kind], reader)
        for target in by_kind[kind]:
            seen[target.ref] = found.get(target.ref, Unknown("its kind gave no answer"))
    return seen


def _target(
    ref: Ref,
    declared: Mapping[Ref, Resource],
    inventory: Mapping[Ref, InventoryRow],
    intents: Mapping[Ref, Intent],
) -> Target:
    row, intent = inventory.get(ref), intents.get(ref)
    uid: Uid | None = row.uid if row else intent.uid if intent else None
    return Target(ref, uid, declared.get(ref), row, intent)


def _last_applied(
    declared: Mapping[Ref, Resource],
    inventory: Mapping[Ref, InventoryRow],
    apply_set: str,
    reader: Reader,
    also: frozenset[Ref],
) -> dict[Ref, Resource]:
    """Last-applied resources that differ from their declaration, lost it or whose owner has one, or are reached from
    outside the set.
    """
    owners = {row.uid for ref, row in inventory.items() if ref in declared}
    wanted = {
        ref
        for ref, row in inventory.items()
        if (ref in declared and declared[ref].digest != row.digest)
        or (ref not in declared and (row.apply_set == apply_set or row.owner in owners or ref in also))
    }
    found: dict[Ref, Resource] = {}
    edges = {edge.to for resource in declared.values() for edge in resource.edges if edge.to not in declared}
    while wanted or edges:
        wanted |= {ref for ref in edges if ref in inventory and ref not in found}
        edges = set()
        bundles = reader.catalog.bundles({inventory[ref].digest for ref in wanted})
        for ref in wanted:
            body = bundles.get(inventory[ref].digest)
            if body is not None:
                found[ref] = from_bundle(ref, inventory[ref], body)
                edges |= {edge.to for edge in found[ref].edges if edge.to not in declared and edge.to not in found}
        edges = {ref for ref in edges if ref in inventory}
        wanted = set()
    return found


def to_bundle(resource: Resource) -> JsonMap:
    """What is stored of a resource under its digest: the canonical spec and its references."""
    edges: list[Json] = [[edge.path, str(edge.to), edge.condition, edge.timeout_ms] for edge in resource.edges]
    return {"spec": resource.spec, "edges": edges}


def from_bundle(ref: Ref, row: InventoryRow, body: JsonMap) -> Resource:
    """The resource as it was last applied."""
    spec = body.get("spec")
    return Resource(
        ref,
        spec if isinstance(spec, dict) else {},
        row.digest,
        labels=row.labels,
        annotations=row.annotations,
        edges=edges_of(body),
        derived=row.live.get("derived") == "1",
    )


def edges_of(body: JsonMap) -> tuple[Edge, ...]:
    """The references that are stored with a resource."""
    edges = body.get("edges")
    return tuple(
        Edge(str(edge[0]), Ref.parse(str(edge[1])), str(edge[2]), edge[3] if isinstance(edge[3], int) else None)
        for edge in (edges if isinstance(edges, list) else [])
        if isinstance(edge, list)
    )
