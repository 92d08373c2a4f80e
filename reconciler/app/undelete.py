"""`undelete`: bring back what was removed, under the same uid, with all it is made of (R-PRU-5).

What was removed stays for a while as a tombstone: its row, its last declaration, and the home of an agent. Bringing it
back is a plan like any other: the tombstone counts as its row, so an agent is started again on its home and identity.
A tombstone is one until the action settles; an undelete that is ended half-way is said again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from reconciler import __version__
from reconciler.app import compose, kind_names
from reconciler.app.apply import carry_out
from reconciler.app.desired import Desired, is_starter
from reconciler.app.plan import PlanResult
from reconciler.app.request import Confirm, Emit, RunFlags, Shown
from reconciler.app.rollback import CannotRestore, with_contents
from reconciler.app.session import Flags, Session, open_session, opened
from reconciler.engine import plan as planning
from reconciler.engine.client import compare
from reconciler.engine.handler import Books
from reconciler.engine.observe import from_bundle, observe, record_of
from reconciler.model.action import Code, Plan, Reason
from reconciler.model.errors import ReconcilerError, UsageFault
from reconciler.model.json import JsonMap
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader
from reconciler.ports.catalog import InventoryRow, Tombstone


class NotDeleted(ReconcilerError):
    """Something is to be brought back that was not removed here, or is gone for good."""

    code = "undelete.not_found"


class Buried(NamedTuple):
    """What could be brought back; `owner` is a tombstone as well, which brings it along."""

    tombstone: Tombstone
    expired: bool
    owner: Ref | None

    def to_json(self) -> JsonMap:
        """The keys of `houmao undelete -o json`."""
        row = self.tombstone.row
        return {
            "ref": str(row.ref),
            "uid": row.uid,
            "applySet": row.apply_set,
            "until": self.tombstone.until,
            "expired": self.expired,
            "owner": str(self.owner) if self.owner else None,
            "home": row.live.get("home") or None,
        }


class Graves(NamedTuple):
    """Everything that was removed and is not collected yet, and the time."""

    items: tuple[Buried, ...]
    now: datetime


def graves(flags: Flags) -> Graves:
    """What `undelete` could bring back; derived rows come with their owner and are left out."""
    session = open_session(flags)
    now = session.reader.clock.now_utc()
    every = session.reader.catalog.tombstones()
    refs = {stone.row.uid: stone.row.ref for stone in every}
    items = tuple(
        Buried(stone, expired(stone, now), refs.get(stone.row.owner or Uid("")))
        for stone in every
        if stone.row.live.get("derived") != "1"
    )
    return Graves(items, now)


def expired(stone: Tombstone, now: datetime) -> bool:
    """Whether `houmao gc` may collect it; until it does, it can still be brought back."""
    return datetime.fromisoformat(stone.until) <= now


def undelete(
    flags: Flags, words: Sequence[str], how: RunFlags, *, confirm: Confirm, shown: Shown, emit: Emit
) -> Report:
    """Bring back what the words name. Raises NotDeleted, UsageFault, CannotRestore naming what is missing."""
    with opened(flags) as session:
        refs = _named(session, words)
        revival = _Revival(session.reader, refs)
        made = revival.planned(session, session.reader)
        emit("plan", {"planDigest": made.plan.digest(), "actions": len(made.plan.actions)})
        desired = Desired(session, revival.declared, revival.rows[refs[0]].apply_set, "", None, by_hand=True)
        return carry_out(
            session,
            made,
            lambda reader: revival.planned(session, reader),
            desired,
            how,
            confirm=confirm,
            shown=shown,
            emit=emit,
        )


def preview(flags: Flags, words: Sequence[str], *, client: bool = False) -> PlanResult:
    """What `undelete` would do; nothing is written. `client` goes by what is recorded, and observes nothing."""
    with opened(flags) as session:
        revival = _Revival(session.reader, _named(session, words))
        plan = (revival.compared if client else revival.planned_at)(session)
        unknown = sum(1 for notice in plan.notices if notice.code in (Code.UNKNOWN, Code.AMBIGUOUS))
        return PlanResult(plan, (), unknown, plan.declared, session.settings.overlay.root, session.overlay_exists)


def _named(session: Session, words: Sequence[str]) -> tuple[Ref, ...]:
    found = kind_names.named(words, session.handlers).refs
    if not found:
        raise UsageFault(
            "undelete needs to know what", hint="write kind/name, such as instance/alice", code="usage.names"
        )
    return found


class _Revival:
    """The tombstones that come back together, and what they were declared to be."""

    def __init__(self, reader: Reader, refs: Sequence[Ref]) -> None:
        known = compose.recorded(reader)
        stones: dict[Ref, Tombstone] = {}
        for stone in reader.catalog.tombstones():
            stones.setdefault(stone.row.ref, stone)
        for ref in refs:
            _may_come(ref, known.rows, stones)
        bodies = reader.catalog.bundles({stone.row.digest for stone in stones.values()})
        self.now = reader.clock.now_utc()
        self.by = reader.environ.get("USER") or "unknown"
        self.rows: dict[Ref, InventoryRow] = {}
        self.declared: dict[Ref, Resource] = {}
        lost: list[str] = []
        todo = list(refs)
        while todo:
            ref = todo.pop()
            if ref in self.rows or (ref in known.rows and ref not in refs) or is_starter(ref):
                continue
            found = stones.get(ref)
            body = bodies.get(found.row.digest) if found else None
            if found is None or body is None:
                lost.append(f"{ref}, which it refers to" if found is None else f"the declaration of {ref}")
                continue
            self.rows[ref] = found.row
            resource = from_bundle(ref, found.row, body)
            self.declared[ref] = resource
            todo += [edge.to for edge in resource.edges]
            todo += self._family(found, resource, stones, known.rows)
        owners = {row.uid: ref for ref, row in (*known.rows.items(), *self.rows.items())}
        for ref, resource in self.declared.items():
            resource.owner = owners.get(self.rows[ref].owner or Uid(""))
        lost += with_contents(self.declared, known.last, reader)
        if lost:
            raise CannotRestore(
                f"{refs[0]} cannot be brought back, this is gone: {'; '.join(lost)}",
                hint="nothing was changed; apply what declares it instead",
                ref=str(refs[0]),
            )

    def _family(
        self, found: Tombstone, resource: Resource, stones: Mapping[Ref, Tombstone], there: Mapping[Ref, InventoryRow]
    ) -> list[Ref]:
        """An owner that went with it, and the children that it has: derived rows, the members of a set."""
        owner = next((ref for ref, stone in stones.items() if stone.row.uid == found.row.owner), None)
        count = resource.spec.get("replicas")
        members = {f"{resource.ref.name}-{number}" for number in range(count if isinstance(count, int) else 0)}
        children = [
            ref
            for ref, stone in stones.items()
            if stone.row.owner == found.row.uid
            and ref not in there
            and (stone.row.live.get("derived") == "1" or ref.name in members)
        ]
        return [*([owner] if owner is not None else []), *children]

    def compared(self, session: Session) -> Plan:
        """What is recorded against what was removed: all of it is created, live state is not looked at."""
        snapshot = record_of(self.declared, "", session.reader)
        return compare(self.declared, snapshot, session.handlers, self._options(session.reader))

    def planned_at(self, session: Session) -> Plan:
        """The plan as it is now."""
        return self.planned(session, session.reader).plan

    def planned(self, session: Session, reader: Reader) -> planning.Planned:
        """The plan, as if what was removed were still recorded."""
        snapshot = observe(self.declared, "", session.handlers, reader, revived=self.rows.values())
        there = {row.ref for row in reader.catalog.inventory()}
        # Its removal ended it: whatever the row said of it before, it is stopped.
        rows = {
            ref: row if ref in there or "state" not in row.live else row._replace(live={**row.live, "state": "stopped"})
            for ref, row in snapshot.inventory.items()
        }
        made = snapshot._replace(inventory=rows)
        return planning.make(self.declared, made, session.handlers, self._options(reader))

    def _options(self, reader: Reader) -> planning.Options:
        said = Reason(Code.REQUESTED, f"it was removed, and {self.by} asked for it back")
        # What is back already, from an earlier attempt or in this very run, has no more to be said of it.
        gone = self.rows.keys() - {row.ref for row in reader.catalog.inventory()}
        return planning.Options(
            apply_set="",
            source_root="",
            now=reader.clock.now_utc(),
            engine_version=__version__,
            overlay_id=reader.overlay_id,
            scope=frozenset(self.declared),
            books={ref: Books(reasons=(said,)) for ref in gone if not self.declared[ref].derived},
        )


def _may_come(ref: Ref, there: Mapping[Ref, InventoryRow], stones: Mapping[Ref, Tombstone]) -> None:
    if ref in there:
        raise UsageFault(
            f"there is a {ref} now", hint=f"`houmao describe {ref}` shows it; rename or delete it first", ref=str(ref)
        )
    if ref not in stones:
        raise NotDeleted(
            f"{ref} was not removed here, or is gone for good",
            hint="`houmao undelete` lists what can be brought back",
            ref=str(ref),
        )
    row = stones[ref].row
    if row.live.get("derived") == "1":
        raise UsageFault(f"{ref} comes with what derives it", hint="undelete its owner", code="usage.derived")
