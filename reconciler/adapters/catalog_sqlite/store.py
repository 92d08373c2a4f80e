"""The catalog port on SQLite: a reader that cannot write, and the writer.

Reads are one query per table whatever the number of rows; a write happens in `transaction` alone, under the lease's
token. Both count their statements.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, cast

from reconciler.adapters.catalog_sqlite.connection import (
    READ_TIMEOUT_MS,
    WRITE_TIMEOUT_MS,
    Connection,
    Row,
    open_reader,
    open_writer,
)
from reconciler.adapters.catalog_sqlite.schema import RUNS_TELL
from reconciler.model.errors import TokenLost
from reconciler.model.json import Json, JsonMap, canonical, parse, parse_map
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import Position
from reconciler.ports.catalog import (
    Absence,
    Attempt,
    Definition,
    Event,
    Intent,
    InventoryRow,
    Lease,
    Override,
    RequestRow,
    RunRow,
    Tombstone,
)

if TYPE_CHECKING:
    from reconciler.adapters.catalog_sqlite.transaction import SqliteTransaction

_RESOURCES = (
    "SELECT uid, kind, resource.name, apply_set.name, owner_uid, resource.source_root_id, position, digest, generation,"
    " launch_digest, layout_version, labels, annotations, lifecycle, live"
    " FROM resource JOIN apply_set ON apply_set.id = set_id"
)
_ROWS = f"{_RESOURCES} WHERE tombstone_until IS NULL"
_IN_ORDER = " ORDER BY kind, resource.name"
_GONE = " WHERE tombstone_until IS NOT NULL ORDER BY kind, resource.name, tombstone_until DESC, resource.rowid DESC"
_NAMED = "? IN (uid, resource.name) OR instr(live, ?)"
_ESCAPED = "instr(live, char(92))"
"""JSON writes a handle as it is, or escapes something in it."""
_PLAIN, _NOTES = 11, 4
"""Of those columns: so many hold plain values, and the last ones hold JSON objects."""
_TEXT = frozenset((str,))
_RUNS = (
    "SELECT run.id, apply_set.name, run.revision, source_revision, plan_digest, actor, outcome, started, ended,"
    " {command}, bundle_ref FROM run JOIN apply_set ON apply_set.id = set_id{of} ORDER BY run.rowid DESC LIMIT ?"
)


def utc_now() -> str:
    """The instant as stored: UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class SqliteReader:
    """Looks only: opened `rw` with `query_only`, when first asked. Never creates the file (R-ACT-4).

    Where there is no catalog, `present()` is False and every answer is empty; it looks again each time.
    """

    def __init__(self, path: str, *, busy_timeout_ms: int = READ_TIMEOUT_MS) -> None:
        self.path = path
        self._busy_timeout_ms = busy_timeout_ms
        self._connection: Connection | None = None
        self._inventory: tuple[int, tuple[InventoryRow, ...]] | None = None
        self._rested: tuple[int, tuple[InventoryRow, ...]] | None = None

    def _opened(self) -> Connection | None:
        if self._connection is None:
            self._connection = open_reader(self.path, self._busy_timeout_ms)
        return self._connection

    @property
    def statements(self) -> int:
        """SQL statements executed so far, pragmas and transaction brackets included."""
        return self._connection.statements if self._connection else 0

    @property
    def total_changes(self) -> int:
        """Rows changed through this object so far (R-ACT-4)."""
        return self._connection.total_changes if self._connection else 0

    def present(self) -> bool:
        """False when there is no catalog yet."""
        return self._opened() is not None

    def revision(self) -> int:
        """Raised by every change of a definition or engine table, whoever made it; 0 without a catalog."""
        found = self._rows("SELECT value FROM meta WHERE key = 'revision'")
        return int(found[0][0]) if found else 0

    def meta(self, key: str) -> str | None:
        """A note by `put_meta`, or None."""
        if key == "user_version":
            found = self._rows("PRAGMA user_version")
            return str(found[0][0]) if found else None
        table = "catalog_meta" if key in ("schema_version", "storage_model") else "meta"
        found = self._rows(f"SELECT value FROM {table} WHERE key = ?", (key,))
        return str(found[0][0]) if found else None

    def inventory(self) -> tuple[InventoryRow, ...]:
        """Every row, sorted by ref: one query, and one statement while nothing changed since."""
        revision = self.revision()
        if self._inventory is None or self._inventory[0] != revision:
            self._inventory = (revision, _inventory(self._rows(_ROWS + _IN_ORDER)))
        return self._inventory[1]

    def naming(self, words: Iterable[str]) -> tuple[InventoryRow, ...]:
        """As the port says: one query, and nothing is parsed of the rows it leaves out."""
        # No row of ours has a name that is no text; SQLite cannot even be asked.
        wanted = [word for word in dict.fromkeys(words) if not any("\ud800" <= char <= "\udfff" for char in word)]
        if not wanted:
            return ()
        named = " OR ".join([_ESCAPED, *[_NAMED] * len(wanted)])
        arguments = tuple(word for word in wanted for _ in range(2))
        return _inventory(self._rows(f"{_ROWS} AND ({named}){_IN_ORDER}", arguments))

    def tombstones(self) -> tuple[Tombstone, ...]:
        """What was removed and not yet collected, the newest of one ref first: two queries."""
        untils: dict[str, str] = dict(
            self._rows("SELECT uid, tombstone_until FROM resource WHERE tombstone_until NOT NULL")
        )
        return tuple(Tombstone(row, untils[row.uid]) for row in _inventory(self._rows(_RESOURCES + _GONE)))

    def bundles(self, digests: Iterable[str]) -> Mapping[str, JsonMap]:
        """Documents by digest, missing ones left out: one query."""
        wanted = sorted(set(digests))
        if not wanted:
            return {}
        sql = "SELECT digest, bytes FROM bundle WHERE digest IN (SELECT value FROM json_each(?))"
        return {digest: parse_map(body) for digest, body in self._rows(sql, (canonical(wanted),))}

    def definitions(self, kind: str) -> Mapping[str, Definition]:
        """Every definition of one kind, by name: one query per table."""
        connection = self._opened()
        if connection is None:
            return {}
        # What reads and writes definitions is loaded when it is needed: most questions need neither.
        from reconciler.adapters.catalog_sqlite import definition_rows

        with connection.lock:
            return definition_rows.read(connection, kind)

    def intents(self) -> tuple[Intent, ...]:
        """Actions begun and not settled, oldest first."""
        sql = "SELECT run, uid, action, verb, token, handle, at FROM journal WHERE state <> 'settled' ORDER BY id"
        return tuple(
            Intent(run, Uid(uid), Ref.parse(action), verb, token, parse_map(handle), at)
            for run, uid, action, verb, token, handle, at in self._rows(sql)
        )

    def attempts(self) -> Mapping[Uid, Attempt]:
        """Retry state by uid."""
        sql = "SELECT uid, class, count, next_at, input_digest, code, error FROM attempt ORDER BY uid"
        return {Uid(row[0]): Attempt(*row) for row in self._rows(sql)}

    def overrides(self) -> tuple[Override, ...]:
        """Every override by uid and path; a catalog from before them has none."""
        connection = self._opened()
        if connection is None or connection.version < 2:
            return ()
        sql = (
            "SELECT uid, path, value, substr(manager, 10), expires_at, declared FROM field_owner"
            " WHERE manager LIKE 'override:%' ORDER BY uid, path"
        )
        return tuple(
            Override(Uid(uid), path, json.loads(value), by, until, json.loads(declared))
            for uid, path, value, by, until, declared in self._rows(sql)
        )

    def absences(self) -> tuple[Absence, ...]:
        """What is held absent by ref; a catalog from before that has none."""
        connection = self._opened()
        if connection is None or connection.version < 3:
            return ()
        rows = self._rows("SELECT kind, name, substr(manager, 10), expires_at FROM absence ORDER BY kind, name")
        return tuple(Absence(Ref(kind, name), by, until) for kind, name, by, until in rows)

    def requests(self, ids: Iterable[str]) -> Mapping[str, RequestRow]:
        """Requests by id, unknown ones left out: one query."""
        sql = (
            "SELECT id, verb, uid, args, actor, state FROM request WHERE id IN (SELECT value FROM json_each(?))"
            " ORDER BY id"
        )
        rows = self._rows(sql, (canonical(sorted(set(ids))),))
        return {row[0]: RequestRow(row[0], row[1], Uid(row[2]), parse_map(row[3]), row[4], row[5]) for row in rows}

    def lease(self) -> Lease | None:
        """Who writes, or wrote last."""
        found = self._rows("SELECT token, owner, pid, start_ticks, boot_id, purpose, since FROM lease")
        return Lease(*found[0]) if found else None

    def runs(self, limit: int, apply_set: str | None = None) -> tuple[RunRow, ...]:
        """Newest first; of one apply set where it is named."""
        of = "" if apply_set is None else " WHERE apply_set.name = ?"
        sql = _RUNS.format(command="command" if self._runs_tell() else "''", of=of)
        named = () if apply_set is None else (apply_set,)
        return tuple(RunRow(*row) for row in self._rows(sql, (*named, limit)))

    def events(self, limit: int, uid: Uid | None = None) -> tuple[Event, ...]:
        """Newest first; of one resource where it is named."""
        of, named = ("", ()) if uid is None else (" WHERE event.uid = ?", (uid,))
        sql = (
            "SELECT event.uid, kind, name, reason, template, count, first, last FROM event"
            f" JOIN resource ON resource.uid = event.uid{of} ORDER BY last DESC, event.id DESC LIMIT ?"
        )
        rows = self._rows(sql, (*named, limit))
        return tuple(Event(Uid(uid), Ref(kind, name), *rest) for uid, kind, name, *rest in rows)

    def run_actions(self, ids: Iterable[str]) -> Mapping[str, tuple[JsonMap, ...]]:
        """What became of each action of these runs: one query; a catalog from before that has none."""
        if not self._runs_tell():
            return {}
        sql = "SELECT id, actions FROM run WHERE id IN (SELECT value FROM json_each(?))"
        return {id: tuple(json.loads(text)) for id, text in self._rows(sql, (canonical(sorted(set(ids))),))}

    def _runs_tell(self) -> bool:
        connection = self._opened()
        return connection is not None and connection.version >= RUNS_TELL

    def rest(self) -> None:
        """Empty the page cache of the connection, and keep each text of the remembered rows once: most are equal."""
        if self._connection is not None:
            self._connection.run("PRAGMA shrink_memory")
        if self._inventory is not None and self._inventory is not self._rested:
            once: dict[str, str] = {}
            rows = tuple(
                row._replace(live={once.setdefault(k, k): once.setdefault(v, v) for k, v in row.live.items()})
                for row in self._inventory[1]
            )
            self._rested = self._inventory = (self._inventory[0], rows)

    def close(self) -> None:
        """Let go of the file; the next question opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rows(self, sql: str, arguments: tuple[str | int, ...] = ()) -> list[Row]:
        connection = self._opened()
        return connection.rows(sql, arguments) if connection is not None else []


class SqliteCatalog(SqliteReader):
    """The writer: makes file and schema where there is none, when first asked."""

    def __init__(self, path: str, *, busy_timeout_ms: int = WRITE_TIMEOUT_MS, now: Callable[[], str] = utc_now) -> None:
        super().__init__(path, busy_timeout_ms=busy_timeout_ms)
        self._now = now

    def _opened(self) -> Connection:
        if self._connection is None:
            self._connection = open_writer(self.path, self._busy_timeout_ms)
        return self._connection

    def transaction(self, token: int) -> "Bracket":
        """One immediate transaction; raises TokenLost when the lease's token is no longer `token` (R-LCK-2).

        Before the first lease the token is 0.
        """
        return Bracket(self._opened(), token, self._now)

    def acquire(self, lease: Lease, *, above: int = 0) -> int:
        """Write the lease row with the next token, and one `above`; that token. `lease.token` is ignored (R-LCK-1)."""
        from reconciler.adapters.catalog_sqlite.transaction import SqliteTransaction

        connection = self._opened()
        with connection.lock:
            connection.begin()
            try:
                token = max(_token(connection), above) + 1
                SqliteTransaction(connection, self._now).put_lease(lease._replace(token=token))
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
        return token


class Bracket:
    """The transaction's `with`: commits at its end, gives everything up on any exception."""

    __slots__ = ("_connection", "_now", "_token", "_transaction")

    def __init__(self, connection: Connection, token: int, now: Callable[[], str]) -> None:
        self._connection = connection
        self._token = token
        self._now = now
        self._transaction: SqliteTransaction | None = None

    def __enter__(self) -> "SqliteTransaction":
        from reconciler.adapters.catalog_sqlite.transaction import SqliteTransaction

        connection = self._connection
        connection.lock.acquire()
        try:
            connection.begin()
            current = _token(connection)
            if current != self._token:
                raise TokenLost(
                    f"this writer has token {self._token}, the catalog's is {current}: a newer writer took over",
                    hint="apply again",
                )
        except BaseException:
            connection.rollback()
            connection.lock.release()
            raise
        self._transaction = SqliteTransaction(connection, self._now)
        return self._transaction

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection, transaction = self._connection, self._transaction
        self._transaction = None
        try:
            if kind is None and transaction is not None:
                transaction.finish()
                connection.commit()
        finally:
            # After a commit there is nothing left to give up.
            connection.rollback()
            connection.lock.release()


def _token(connection: Connection) -> int:
    found = connection.row("SELECT token FROM lease")
    return int(found[0]) if found else 0


def _inventory(rows: Sequence[Row]) -> tuple[InventoryRow, ...]:
    """Every row as a value. Their JSON is parsed at one go: a thousand small texts cost more to begin than to read."""
    notes = parse(f"[{','.join(text for row in rows for text in row[_PLAIN:])}]")
    if not isinstance(notes, list) or len(notes) != len(rows) * _NOTES:
        raise ValueError("expected a JSON value in each column")
    return tuple(
        _inventory_row(row[:_PLAIN], *map(_object, notes[at : at + _NOTES]))
        for row, at in zip(rows, range(0, len(notes), _NOTES), strict=True)
    )


def _object(value: Json) -> JsonMap:
    if not isinstance(value, dict):
        raise ValueError("expected a JSON object")
    return value


def _strings(value: JsonMap) -> Mapping[str, str]:
    """As we write it; numbers are what another program wrote."""
    if _TEXT.issuperset(map(type, value.values())):
        return cast("dict[str, str]", value)
    return {key: str(found) for key, found in value.items()}


def _inventory_row(row: Row, labels: JsonMap, annotations: JsonMap, flags: JsonMap, live: JsonMap) -> InventoryRow:
    uid, kind, name, apply_set, owner, root, position, digest, generation, launch_digest, layout_version = row
    ignored = flags.get("ignoreChanges")
    return InventoryRow(
        Uid(uid),
        Ref(kind, name),
        apply_set,
        Uid(owner) if owner is not None else None,
        root,
        Position.parse(position),
        digest,
        generation,
        _strings(labels),
        _strings(annotations),
        flags.get("preventDestroy") is True,
        tuple(map(str, ignored)) if isinstance(ignored, list) else (),
        launch_digest,
        layout_version,
        _strings(live),
    )
