"""The inventory rows that settle with an action: its own, and those of the rows it derives (R-OWN-3, R-OWN-8a)."""

from datetime import timedelta

from reconciler.engine.handler import Asked, Case, Context
from reconciler.engine.lookup import View
from reconciler.engine.observe import to_bundle
from reconciler.engine.orders import Orders
from reconciler.model.action import Action, Verb
from reconciler.model.json import JsonMap
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import Position, Resource, at_path
from reconciler.ports.catalog import Absence, InventoryRow, Override, RequestRow, Transaction
from reconciler.ports.clock import Clock

RETAIN_MS = 7 * 24 * 3_600_000
"""How long what was removed can be brought back, where it does not say."""
DERIVED = {"derived": "1"}
"""Kept with the row and not with the spec: a declared resource may say the same as a derived one."""


def request_key(request: str, uid: Uid) -> str:
    """One request may be for many resources: each has a row."""
    return f"{request}/{uid}"


class Rows:
    """What one run writes into the inventory. `uids` grows as actions start, so that members find their owner.

    `absent` are refs that were held absent when the run began: what is there again is held no more.
    """

    def __init__(self, view: View, clock: Clock, orders: Orders, absent: frozenset[Ref] = frozenset()) -> None:
        self._view = view
        self._absent = absent
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
            until = (self._clock.now_utc() + timedelta(milliseconds=self._retained_ms(action.ref))).isoformat()
            for row in known:
                tx.bury(row.uid, until)
            tx.bury(context.uid, until)
            absent = case.books.absent
            if absent is not None:
                tx.put_absence(Absence(case.ref, absent.by, absent.until.isoformat()))
            elif action.verb is Verb.FORGET:
                tx.drop_absence(case.ref)
            return
        owner = self.uids.get(want.owner) if want.owner else None
        tx.put_bundle(want.digest, to_bundle(want))
        tx.put_inventory(self._row(want, case.row, context.uid, owner, context.live))
        self._children(tx, want, context, known)
        self._books(tx, context, case)
        if want.ref in self._absent:
            tx.drop_absence(want.ref)

    def _retained_ms(self, ref: Ref) -> int:
        """How long it can be brought back (R-PRU-5)."""
        last = self._view.get(ref)
        found = at_path(last.spec, "lifecycle.retain") if last is not None else None
        return found if isinstance(found, int) else RETAIN_MS

    def _books(self, tx: Transaction, context: Context, case: Case) -> None:
        """Overrides that come and go with this action, and the request it answers."""
        for path in case.books.drop:
            tx.drop_override(context.uid, path)
        for held in case.books.put:
            tx.put_override(
                Override(context.uid, held.path, held.value, held.by, held.until.isoformat(), held.declared)
            )
        if case.asked is not None:
            tx.put_request(self.request(case.asked, context, "done"))

    def request(self, asked: Asked, context: Context, state: str) -> RequestRow:
        """The row of a request as it stands: who asked, and the token under which it was first begun."""
        args: JsonMap = {"token": context.token if asked.token is None else asked.token}
        return RequestRow(request_key(asked.id, context.uid), "relaunch", context.uid, args, asked.by, state)

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

    def _position(self, want: Resource) -> Position | None:
        """With the whole path of its file: the next run may begin elsewhere."""
        position = want.position
        if position is None or position.file.startswith(("/", "<")) or not self._orders.base:
            return position
        return position._replace(file=f"{self._orders.base}/{position.file}")

    def _known(self, context: Context) -> list[InventoryRow]:
        rows = self._view.snapshot.inventory.values()
        return [row for row in rows if row.owner == context.uid and row.live.get("derived") == "1"]

    def _row(
        self, want: Resource, before: InventoryRow | None, uid: Uid, owner: Uid | None, live: dict[str, str]
    ) -> InventoryRow:
        lifecycle = want.spec.get("lifecycle")
        flags = lifecycle if isinstance(lifecycle, dict) else {}
        ignored = flags.get("ignoreChanges")
        layout = live.get("layout_version", "")
        if self._orders.keep_sets and before is None and want.owner is not None:
            # A child by a verb on its owner is its owner's set's.
            owners = self._view.snapshot.inventory.get(want.owner)
            before = owners._replace(digest="", generation=0) if owners is not None else None
        kept = self._orders.keep_sets
        return InventoryRow(
            uid=uid,
            ref=want.ref,
            apply_set=before.apply_set if kept and before else self._orders.apply_set,
            owner=owner,
            source_root=before.source_root if kept and before else self.root_of(want.ref),
            position=before.position if kept and before else self._position(want),
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
