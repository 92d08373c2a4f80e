"""Everything a handler may ask about other resources while it plans: one immutable view over a snapshot."""

from collections.abc import Callable, Mapping

from reconciler.engine import order
from reconciler.engine.handler import Seen
from reconciler.engine.observe import Snapshot
from reconciler.model.change import FieldChange
from reconciler.model.json import digest
from reconciler.model.ref import Ref
from reconciler.model.resource import ContentSource, Resource
from reconciler.ports.catalog import InventoryRow


class View:
    """The Lookup of one plan: declared first, else last applied (R-CAN-1a)."""

    __slots__ = ("_changes", "_children", "_closures", "_contents", "_edges", "_memo", "declared", "snapshot")

    def __init__(
        self, declared: Mapping[Ref, Resource], snapshot: Snapshot, changes: Mapping[Ref, tuple[FieldChange, ...]]
    ) -> None:
        self.declared = declared
        self.snapshot = snapshot
        self._changes = changes
        self._closures: dict[Ref, tuple[Resource, ...]] = {}
        self._memo: dict[tuple[str, ...], object] = {}
        self._children: dict[Ref, list[Resource]] | None = None
        self._contents: dict[str, ContentSource] | None = None
        self._edges = {ref: tuple(edge.to for edge in found.edges) for ref, found in snapshot.last.items()}
        self._edges.update({ref: tuple(edge.to for edge in found.edges) for ref, found in declared.items()})

    def get(self, ref: Ref) -> Resource | None:
        """The resource as declared, else as last applied."""
        return self.declared.get(ref) or self.snapshot.last.get(ref)

    def closure(self, ref: Ref) -> tuple[Resource, ...]:
        """`ref` and all it reaches, sorted; computed once per ref."""
        found = self._closures.get(ref)
        if found is None:
            found = tuple(
                resource for reached in order.reached(ref, self._edges) if (resource := self.get(reached)) is not None
            )
            self._closures[ref] = found
        return found

    def input_digest(self, ref: Ref) -> str:
        """Of all that `ref` is made of: where it is another one, what failed for good may be tried again (R-RET-2)."""
        return digest([[str(found.ref), found.digest] for found in self.closure(ref)])

    def changes(self, ref: Ref) -> tuple[FieldChange, ...]:
        """What differs for `ref`."""
        return self._changes.get(ref, ())

    def seen(self, ref: Ref) -> Seen | None:
        """What was observed of `ref`."""
        return self.snapshot.seen.get(ref)

    def row(self, ref: Ref) -> InventoryRow | None:
        """What is recorded of `ref`."""
        return self.snapshot.inventory.get(ref)

    def content(self, digest: str) -> ContentSource | None:
        """Where the bytes behind a digest of a declared spec can be read."""
        if self._contents is None:
            self._contents = {
                content.digest: content for resource in self.declared.values() for content in resource.contents
            }
        return self._contents.get(digest)

    def children(self, ref: Ref) -> tuple[Resource, ...]:
        """Declared resources that `ref` owns."""
        if self._children is None:
            self._children = {}
            for resource in self.declared.values():
                if resource.owner is not None:
                    self._children.setdefault(resource.owner, []).append(resource)
        return tuple(self._children.get(ref, ()))

    def owned(self, ref: Ref) -> tuple[Resource, ...]:
        """Derived resources that `ref` is recorded to own, as last applied."""
        row = self.snapshot.inventory.get(ref)
        if row is None:
            return ()
        found = (self.get(one.ref) for one in self.snapshot.inventory.values() if one.owner == row.uid)
        return tuple(resource for resource in found if resource is not None and resource.derived)

    def memo(self, key: tuple[str, ...], make: Callable[[], object]) -> object:
        """A value derived once per plan."""
        if key not in self._memo:
            self._memo[key] = make()
        return self._memo[key]
