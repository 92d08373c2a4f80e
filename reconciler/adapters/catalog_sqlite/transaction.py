"""Writes of one transaction; all or nothing. Definitions, inventory, journal, attempts, history, lease."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

from reconciler.adapters.catalog_sqlite import facts
from reconciler.adapters.catalog_sqlite.connection import Connection, Value
from reconciler.adapters.catalog_sqlite.definition_writer import DefinitionWriter
from reconciler.model.errors import OverlayError
from reconciler.model.json import Json, JsonMap, canonical, digest
from reconciler.model.ref import Ref, Uid
from reconciler.ports.catalog import (
    Absence,
    Attempt,
    Definition,
    Intent,
    InventoryRow,
    Lease,
    NewEvent,
    Override,
    RequestRow,
    RunRow,
)

EVENTS_EACH = 50
"""How many events of one resource are kept, newest first."""
_UNUSED_BUNDLES = (
    "DELETE FROM bundle WHERE NOT EXISTS (SELECT 1 FROM resource WHERE last_applied_ref = bundle.digest)"
    " AND NOT EXISTS (SELECT 1 FROM resource WHERE canonical_ref = bundle.digest)"
    " AND NOT EXISTS (SELECT 1 FROM run WHERE bundle_ref = bundle.digest)"
    " AND NOT EXISTS (SELECT 1 FROM bundle_part WHERE part = bundle.digest)"
)


class SqliteTransaction:
    """What the port's Transaction says, on an open connection.

    `freed`: paths below `content/` that nothing refers to any more, filled when the transaction commits; the caller
    removes the files afterwards, for until then the old rows may come back.
    """

    def __init__(self, connection: Connection, now: Callable[[], str]) -> None:
        self._connection = connection
        self._definitions = DefinitionWriter(connection, now)
        self._sets: dict[str, tuple[int, str]] = {}
        self._history_changed = False
        self.freed: list[str] = []

    def put_definition(self, definition: Definition, *, auth_ref: str = "") -> None:
        """Insert or replace; `auth_ref` is the bundle id of a new credential (32 hex), minted here when empty.

        Raises OverlayError: `catalog.dangling` for a reference the catalog does not have, `catalog.name_taken`.
        """
        self._definitions.put(definition, auth_ref)

    def drop_definition(self, ref: Ref) -> None:
        """Delete with its payload rows; unknown is no error. Raises OverlayError `catalog.referenced`, naming who.

        A specialist takes the role and recipe it derived along, unless somebody else uses them.
        """
        self._definitions.drop(ref)

    def put_inventory(self, row: InventoryRow) -> None:
        """Insert or replace by uid. The bundle that `digest` names must be there at commit; an empty one names none."""
        lifecycle: JsonMap = {}
        if row.prevent_destroy:
            lifecycle["preventDestroy"] = True
        if row.ignore_changes:
            lifecycle["ignoreChanges"] = list(row.ignore_changes)
        self._upsert(
            "resource",
            ("uid",),
            {
                "uid": row.uid,
                "set_id": self._set_id(row.apply_set, row.source_root),
                "owner_uid": row.owner,
                "kind": row.ref.kind,
                "name": row.ref.name,
                "source_root_id": row.source_root,
                "position": str(row.position) if row.position is not None else "",
                "digest": row.digest,
                "generation": row.generation,
                "labels": canonical(dict(row.labels)),
                "annotations": canonical(dict(row.annotations)),
                "lifecycle": canonical(lifecycle),
                "launch_digest": row.launch_digest,
                "layout_version": row.layout_version,
                "live": canonical(dict(row.live)),
                "last_applied_ref": row.digest or None,
                "tombstone_until": None,
            },
        )

    def drop_inventory(self, uid: Uid) -> None:
        """Forget a resource and what was recorded about it; unknown is no error."""
        self._connection.run("DELETE FROM resource WHERE uid = ?", (uid,))

    def bury(self, uid: Uid, until: str) -> None:
        """Keep the row as a tombstone; unknown is no error."""
        self._connection.run("UPDATE resource SET tombstone_until = ? WHERE uid = ?", (until, uid))
        for table in ("field_owner", "condition", "observation"):
            self._connection.run(f"DELETE FROM {table} WHERE uid = ?", (uid,))

    def drop_runs(self, ids: Iterable[str]) -> None:
        """Forget runs and their settled journal rows; documents that nobody else names go with the transaction."""
        listed = (canonical(sorted(set(ids))),)
        self._connection.run("DELETE FROM run WHERE id IN (SELECT value FROM json_each(?))", listed)
        self._connection.run(
            "DELETE FROM journal WHERE state = 'settled' AND run IN (SELECT value FROM json_each(?))", listed
        )
        self._history_changed = True

    def put_bundle(self, digest: str, body: JsonMap) -> None:
        """Keep a document under its digest; one that is there stays."""
        self._connection.run("INSERT OR IGNORE INTO bundle (digest, bytes) VALUES (?, ?)", (digest, canonical(body)))

    def intend(self, intent: Intent) -> None:
        """Open a journal row, durable with this transaction's commit and before the first side effect (R-EXE-1)."""
        self._connection.run(
            "INSERT INTO journal (run, action, uid, verb, token, state, handle, at)"
            " VALUES (?, ?, ?, ?, ?, 'intent', ?, ?)",
            (
                intent.run,
                str(intent.ref),
                intent.uid,
                intent.verb,
                intent.token,
                canonical(intent.handle),
                intent.at,
            ),
        )

    def note(self, run: str, uid: Uid, handle: JsonMap) -> None:
        """Add to the handles of the open intent; raises OverlayError `catalog.no_intent` when there is none."""
        found = self._connection.row(
            "SELECT id, handle FROM journal WHERE run = ? AND uid = ? AND state <> 'settled' ORDER BY id DESC LIMIT 1",
            (run, uid),
        )
        if found is None:
            raise OverlayError(
                f"run {run} has no open intent for {uid}: its handles cannot be recorded",
                code="catalog.no_intent",
                hint="apply again: what was started is found by its marks",
            )
        known = facts.from_text(found[1])
        whole = {**known, **handle} if isinstance(known, dict) else handle
        self._connection.run(
            "UPDATE journal SET state = 'acted', handle = ? WHERE id = ?", (canonical(whole), found[0])
        )

    def settle(self, run: str, uid: Uid, outcome: str, at: str) -> None:
        """Close the open intents of `uid`, whichever run opened them."""
        del run  # an earlier run's intent is answered by what this one found and did
        self._connection.run(
            "UPDATE journal SET state = 'settled', outcome = ?, settled_at = ? WHERE uid = ? AND state <> 'settled'",
            (outcome, at, uid),
        )

    def put_override(self, override: Override) -> None:
        """Insert or replace; the path has one manager, the operator."""
        self._upsert(
            "field_owner",
            ("uid", "path"),
            {
                "uid": override.uid,
                "path": override.path,
                "manager": f"override:{override.by}",
                "expires_at": override.until,
                "value": canonical(override.value),
                "declared": canonical(override.declared),
            },
        )

    def drop_override(self, uid: Uid, path: str) -> None:
        """Forget what an operator said of one path; unknown is no error."""
        self._connection.run("DELETE FROM field_owner WHERE uid = ? AND path = ?", (uid, path))

    def put_absence(self, absence: Absence) -> None:
        """Insert or replace by ref; like an override, it has the operator for its manager."""
        self._upsert(
            "absence",
            ("kind", "name"),
            {
                "kind": absence.ref.kind,
                "name": absence.ref.name,
                "manager": f"override:{absence.by}",
                "expires_at": absence.until,
            },
        )

    def drop_absence(self, ref: Ref) -> None:
        """It may be there again; unknown is no error."""
        self._connection.run("DELETE FROM absence WHERE kind = ? AND name = ?", (ref.kind, ref.name))

    def put_request(self, request: RequestRow) -> None:
        """Insert or replace by id."""
        self._upsert(
            "request",
            ("id",),
            {
                "id": request.id,
                "verb": request.verb,
                "uid": request.uid,
                "args": canonical(request.args),
                "actor": request.actor,
                "state": request.state,
            },
        )

    def put_attempt(self, attempt: Attempt) -> None:
        """Insert or replace the retry state of one resource."""
        self._upsert(
            "attempt",
            ("uid",),
            {
                "uid": attempt.uid,
                "class": attempt.error_class,
                "count": attempt.tries,
                "next_at": attempt.next_at,
                "input_digest": attempt.input_digest,
                "code": attempt.code,
                "error": attempt.message,
            },
        )

    def drop_attempt(self, uid: Uid) -> None:
        """Forget the retry state; unknown is no error."""
        self._connection.run("DELETE FROM attempt WHERE uid = ?", (uid,))

    def put_run(self, run: RunRow, bundle: JsonMap, actions: Sequence[JsonMap] = ()) -> None:
        """Insert or replace by id; `bundle` is the declared set by digest, kept once under its own digest.

        Documents that the set names and the catalog has are kept as long as the run: write it again at the end.
        """
        whole = digest(bundle)
        self.put_bundle(whole, bundle)
        self._connection.run(
            "INSERT OR IGNORE INTO bundle_part (whole, part)"
            " SELECT ?, digest FROM bundle WHERE digest IN (SELECT value FROM json_each(?)) AND digest <> ?",
            (whole, canonical(sorted(set(_digests(bundle)))), whole),
        )
        set_id = self._set_id(run.apply_set, None)
        self._upsert(
            "run",
            ("id",),
            {
                "id": run.id,
                "set_id": set_id,
                "revision": run.revision,
                "source_revision": run.source_revision,
                "plan_digest": run.plan_digest,
                "actor": run.actor,
                "outcome": run.outcome,
                "started": run.started,
                "ended": run.ended,
                "bundle_ref": whole,
                "command": run.command,
                "actions": canonical(list(actions)),
            },
        )
        self._connection.run(
            "UPDATE apply_set SET revision = ? WHERE id = ? AND revision < ?", (run.revision, set_id, run.revision)
        )
        self._history_changed = True

    def put_meta(self, key: str, value: str) -> None:
        """A note about the catalog, such as `gate`; does not raise the revision, which is no note and is refused."""
        if key == "revision":
            raise OverlayError("the revision is raised by triggers alone", code="catalog.constraint")
        self._upsert("meta", ("key",), {"key": key, "value": value})

    def put_events(self, events: Sequence[NewEvent], forget_before: str) -> None:
        """Two statements, however many: count or add, and forget what is old or too much."""
        if not events:
            return
        told: list[Json] = [list(event) for event in events]
        self._connection.run(
            "INSERT INTO event (uid, reason, template, first, last)"
            " SELECT resource.uid, json_extract(told.value, '$[1]'), json_extract(told.value, '$[2]'),"
            " json_extract(told.value, '$[3]'), json_extract(told.value, '$[3]')"
            " FROM json_each(?) AS told JOIN resource ON resource.uid = json_extract(told.value, '$[0]') WHERE true"
            " ON CONFLICT (uid, reason, template) DO UPDATE SET count = count + 1, last = excluded.last",
            (canonical(told),),
        )
        self._connection.run(
            "DELETE FROM event WHERE id IN (SELECT id FROM ("
            "SELECT id, last, row_number() OVER (PARTITION BY uid ORDER BY last DESC, id DESC) AS place"
            " FROM event WHERE uid IN (SELECT value FROM json_each(?))) WHERE place > ? OR last < ?)",
            (canonical(sorted({event.uid for event in events})), EVENTS_EACH, forget_before),
        )

    def put_lease(self, lease: Lease) -> None:
        """Replace the lease row, its token included."""
        self._upsert("lease", ("slot",), {"slot": 1, **lease_values(lease)})

    def finish(self) -> None:
        """What goes with the last user: payload rows and, when history changed, documents nobody names."""
        self.freed[:] = self._definitions.sweep()
        if self._history_changed:
            # What a set named goes with it: its documents are nobody's only once it is gone.
            while self._connection.run(_UNUSED_BUNDLES).rowcount:
                pass

    def _set_id(self, name: str, source_root: str | None) -> int:
        """The apply set's id; made when new. None leaves its source root as it is."""
        known = self._sets.get(name)
        if known is None:
            found = self._connection.row("SELECT id, source_root_id FROM apply_set WHERE name = ?", (name,))
            if found is None:
                cursor = self._connection.run(
                    "INSERT INTO apply_set (name, source_root_id) VALUES (?, ?)", (name, source_root or "")
                )
                found = (cursor.lastrowid, source_root or "")
            known = self._sets[name] = (int(found[0]), str(found[1]))
        if source_root is not None and source_root != known[1]:
            self._connection.run("UPDATE apply_set SET source_root_id = ? WHERE id = ?", (source_root, known[0]))
            known = self._sets[name] = (known[0], source_root)
        return known[0]

    def _upsert(self, table: str, keys: tuple[str, ...], values: dict[str, Value]) -> None:
        self._connection.run(upsert_sql(table, keys, tuple(values)), tuple(values.values()))


@cache
def upsert_sql(table: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> str:
    """Insert, or update where a value differs: writing what is there changes no row and raises no revision."""
    others = [column for column in columns if column not in keys]
    changes = ", ".join(f'"{column}" = excluded."{column}"' for column in others)
    differs = " OR ".join(f'"{table}"."{column}" IS NOT excluded."{column}"' for column in others)
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join("?" * len(columns))
    return (
        f'INSERT INTO "{table}" ({names}) VALUES ({marks})'
        f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes} WHERE {differs}"
    )


def lease_values(lease: Lease) -> dict[str, Value]:
    """A lease as columns."""
    return {
        "token": lease.token,
        "owner": lease.owner,
        "pid": lease.pid,
        "start_ticks": lease.start_ticks,
        "boot_id": lease.boot_id,
        "purpose": lease.purpose,
        "since": lease.since,
    }


def _digests(value: Json) -> Iterator[str]:
    """Every text in a JSON value that may be a digest."""
    if isinstance(value, str):
        if value.startswith("sha256:"):
            yield value
    elif isinstance(value, dict):
        for below in value.values():
            yield from _digests(below)
    elif isinstance(value, list):
        for below in value:
            yield from _digests(below)
