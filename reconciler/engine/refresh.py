"""What is seen, held against what is recorded, whatever is declared (R-PLN-7). Pure; plans nothing.

A plan compares with what is wanted. This compares with what was so when an action last settled: what an apply would
find changed behind its back, also where it would leave it alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from reconciler.engine import diff
from reconciler.engine.handler import Absent, Handlers, Present, Seen, Unknown
from reconciler.engine.observe import Snapshot
from reconciler.model.change import Missing, Side
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.catalog import InventoryRow


class Changed(NamedTuple):
    """One thing that is not as recorded. `part` is a part of an instance, a path of a spec, or `resource`."""

    ref: Ref
    part: str
    recorded: Json
    """None where it was recorded as not being there."""
    seen: Json
    why: str = ""

    def to_json(self) -> JsonMap:
        """`{ref, part, recorded, seen, why}`."""
        return {
            "ref": str(self.ref),
            "part": self.part,
            "recorded": self.recorded,
            "seen": self.seen,
            "why": self.why or None,
        }


class Refreshed(NamedTuple):
    """All that changed, what could not be seen, and how many records were looked after."""

    changed: tuple[Changed, ...]
    unknown: tuple[tuple[Ref, str], ...]
    recorded: int


PartsOf = Callable[[InventoryRow, Seen], Iterable[tuple[str, Json, Json, str]]]
"""Of a kind that is observed in parts: what is recorded and seen of each part that differs."""


def compare(
    declared: Mapping[Ref, Resource], snapshot: Snapshot, handlers: Handlers, parts: Mapping[str, PartsOf]
) -> Refreshed:
    """Every recorded resource that was looked at."""
    changed: list[Changed] = []
    unknown: list[tuple[Ref, str]] = []
    count = 0
    for ref in sorted(snapshot.inventory.keys() & snapshot.seen.keys()):
        row, seen = snapshot.inventory[ref], snapshot.seen[ref]
        if not row.digest:
            continue  # a first create that never settled: there is no record to compare with
        count += 1
        if isinstance(seen, Unknown):
            unknown.append((ref, seen.why))
        elif ref.kind in parts:
            changed += [Changed(ref, *found) for found in parts[ref.kind](row, seen)]
        elif isinstance(seen, Absent):
            changed.append(Changed(ref, "resource", "there", None, seen.evidence))
        else:
            changed += _fields(ref, row, seen, declared.get(ref), snapshot, handlers)
    return Refreshed(tuple(changed), tuple(unknown), count)


def _fields(
    ref: Ref, row: InventoryRow, seen: Present, want: Resource | None, snapshot: Snapshot, handlers: Handlers
) -> Iterator[Changed]:
    """Paths of the canonical spec whose value is another than was last applied."""
    last = want if want is not None and want.digest == row.digest else snapshot.last.get(ref)
    handler = handlers.get(ref.kind)
    if last is None or handler is None:
        return
    shape = handler.schema.shape
    for change in diff.changes(last, last.spec, seen.facts, shape, complete=seen.complete):
        yield Changed(ref, change.label, _shown(change.last, change.masked), _shown(change.observed, change.masked))


def _shown(side: Side, masked: bool) -> Json:
    if isinstance(side, Missing):
        return None
    return "(sensitive)" if masked else side
