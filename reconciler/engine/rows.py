"""The inventory rows that settle with an action: its own, and those of the rows it derives (R-OWN-3, R-OWN-8a)."""

from reconciler.engine.handler import Case, Context
from reconciler.engine.lookup import View
from reconciler.engine.observe import to_bundle
from reconciler.engine.orders import Orders
from reconciler.model.action import Action, Verb
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import Resource
from reconciler.ports.catalog import InventoryRow, Transaction
from reconciler.ports.clock import Clock

DERIVED = {"derived": "1"}
"""Kept with the row and not with the spec: a declared resource may say the same as a derived one."""


class Rows:
    """What one run writes into the inventory. `uids` grows as actions start, so that members find their owner."""

    def __init__(self, view: View, clock: Clock, orders: Orders) -> None:
        self._view = view
        self._clock = clock
        self._orders = orders
        self.uids: dict[Ref, Uid] = {row.ref: row.uid for row in view.snapshot.inventory.values()}

    def root_of(self, ref: Ref) -> str:
        """The source root that declares `ref`; a child comes from its owner's."""
        found = self._orders.root_of.get(ref)
        resource = self._view.declared.get(ref)
        if found is None and resource is not None and resource.owner is not None:
            found = self._orders.root_of.get(resource.owner)
        return found or self._orders.source_root

    def name_children(self, want: Resource, context: Context) -> None:
        """Give each derived row its uid: by (owner uid, kind), so that a changed name keeps it (R-MOD-14a)."""
        known = {row.ref.kind: row.uid for row in self._known(context)}
        for child in sorted(self._view.children(want.ref), key=lambda one: one.ref):
            if child.derived:
                context.child_uids[child.ref] = known.get(child.ref.kind) or self._clock.new_uid()

    def write(self, tx: Transaction, action: Action, context: Context, case: Case) -> None:
        """Put or drop the row of an action that settles, and its derived rows with it."""
        want = case.want
        known = self._known(context)
        if action.verb in (Verb.REMOVE, Verb.FORGET) or want is None:
            for row in known:
                tx.drop_inventory(row.uid)
            tx.drop_inventory(context.uid)
            return
        owner = self.uids.get(want.owner) if want.owner else None
        tx.put_bundle(want.digest, to_bundle(want))
        tx.put_inventory(self._row(want, case.row, context.uid, owner, context.live))
        self._children(tx, want, context, known)

    def _children(self, tx: Transaction, want: Resource, context: Context, known: list[InventoryRow]) -> None:
        """Put what is derived now, drop what is not any more."""
        by_kind = {row.ref.kind: row for row in known}
        children = [child for child in self._view.children(want.ref) if child.derived]
        for child in sorted(children, key=lambda one: one.ref):
            before = by_kind.pop(child.ref.kind, None)
            tx.put_bundle(child.digest, to_bundle(child))
            tx.put_inventory(self._row(child, before, context.child_uids[child.ref], context.uid, DERIVED))
        for row in by_kind.values():
            tx.drop_inventory(row.uid)

    def _known(self, context: Context) -> list[InventoryRow]:
        rows = self._view.snapshot.inventory.values()
        return [row for row in rows if row.owner == context.uid and self._derived(row)]

    def _derived(self, row: InventoryRow) -> bool:
        found = self._view.get(row.ref)
        return found is None or found.derived

    def _row(
        self, want: Resource, before: InventoryRow | None, uid: Uid, owner: Uid | None, live: dict[str, str]
    ) -> InventoryRow:
        lifecycle = want.spec.get("lifecycle")
        flags = lifecycle if isinstance(lifecycle, dict) else {}
        ignored = flags.get("ignoreChanges")
        layout = live.get("layout_version", "")
        return InventoryRow(
            uid=uid,
            ref=want.ref,
            apply_set=self._orders.apply_set,
            owner=owner,
            source_root=self.root_of(want.ref),
            position=str(want.position) if want.position else "",
            digest=want.digest,
            generation=1 if before is None else before.generation + (before.digest != want.digest),
            labels=want.labels,
            annotations=want.annotations,
            prevent_destroy=flags.get("preventDestroy") is True,
            ignore_changes=tuple(str(path) for path in ignored) if isinstance(ignored, list) else (),
            launch_digest=live.get("launch_digest", ""),
            layout_version=int(layout) if layout.isdigit() else 0,
            live=live,
        )
