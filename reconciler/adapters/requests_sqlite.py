"""The log of requests to one agent: `requests.sqlite` in its session root (WAL: a commit survives `kill -9` of us)."""

import os
import sqlite3
from collections.abc import Sequence

from reconciler.model.errors import GuardRefused, OverlayError, ReconcilerError, Unreachable
from reconciler.ports.requests import Entry, Outcome, RequestLog, TurnRow

FILE = "requests.sqlite"
VERSION = 1
BUSY_MS = 5000
_SCHEMA = """
create table requests(
  seq integer primary key, id text not null unique, kind text not null, outcome text not null, digest text not null,
  size integer not null, sender text not null, at text not null, settled_at text not null, detail text not null,
  sight text not null
) strict;
create index requests_open on requests(outcome) where outcome = 'intent';
create table turns(
  number integer primary key, id text not null unique, started_at text not null, conversation text not null,
  pid integer not null, ticks integer not null, interrupted integer not null
) strict;
"""
_COLUMNS = "id, kind, outcome, digest, size, sender, at, settled_at, detail, sight"
_TURN = "id, number, started_at, conversation, pid, ticks, interrupted"


class SqliteRequests:
    """The port `Requests`."""

    def log(self, session_root: str, *, create: bool = True) -> RequestLog | None:
        """Open the log in a session root, and make it where it is missing."""
        path = os.path.join(session_root, FILE)
        if not os.path.exists(path) and not create:
            return None
        return SqliteRequestLog(path)


class SqliteRequestLog:
    """One file, one connection, autocommit: each call is one transaction."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
            self._db = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as fault:
            raise OverlayError(f"{path} cannot be opened: {fault}", code="requests.unusable") from fault
        self._run("pragma journal_mode = wal")
        self._run("pragma synchronous = normal")
        if self._version() == 0:
            self._make()
        if self._version() != VERSION:
            self.close()
            raise OverlayError(
                f"{path} was made by another release",
                hint="end the agent with the release that started it",
                code="requests.newer",
            )

    def begin(self, entry: Entry) -> None:
        """One row more."""
        marks = ", ".join("?" * len(entry))
        self._run(f"insert into requests({_COLUMNS}) values ({marks})", tuple(entry))

    def settle(self, id: str, outcome: Outcome, at: str, detail: str) -> None:
        """An intent becomes what it became."""
        self._run(
            "update requests set outcome = ?, settled_at = ?, detail = ? where id = ? and outcome = 'intent'",
            (outcome, at, detail, id),
        )

    def sweep(self, at: str) -> Sequence[Entry]:
        """Open intents become unknown."""
        detail = "whoever sent it was killed before it knew"
        rows = self._run(
            "update requests set outcome = 'unknown', settled_at = ?, detail = ? where outcome = 'intent' "
            f"returning {_COLUMNS}",
            (at, detail),
        )
        return [_entry(row) for row in rows]

    def get(self, id: str) -> Entry | None:
        """One row, or None."""
        rows = self._run(f"select {_COLUMNS} from requests where id = ?", (id,))
        return _entry(rows[0]) if rows else None

    def latest(self, limit: int = 1) -> Sequence[Entry]:
        """Newest first."""
        return [
            _entry(row) for row in self._run(f"select {_COLUMNS} from requests order by seq desc limit ?", (limit,))
        ]

    def begin_turn(self, id: str, at: str) -> TurnRow:
        """The next number in one statement: two writers never get the same."""
        try:
            rows = self._run(
                f"insert into turns({_TURN}) select coalesce(nullif(?, ''), printf('turn-%04d', n)), n, ?, '', 0, 0, 0 "
                f"from (select coalesce(max(number), 0) + 1 as n from turns) returning {_TURN}",
                (id, at),
            )
        except OverlayError as fault:
            if fault.code != "requests.constraint":
                raise
            raise GuardRefused(f"there is a turn {id!r} already", code="turn.taken") from fault
        return _turn(rows[0])

    def note_turn(self, row: TurnRow) -> None:
        """Replace what is known of a turn."""
        self._run(
            "update turns set conversation = ?, pid = ?, ticks = ?, interrupted = ? where number = ?",
            (row.conversation, row.pid, row.ticks, int(row.interrupted), row.number),
        )

    def turns(self) -> Sequence[TurnRow]:
        """Oldest first."""
        return [_turn(row) for row in self._run(f"select {_TURN} from turns order by number")]

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _version(self) -> int:
        return int(str(self._run("pragma user_version")[0][0]))

    def _make(self) -> None:
        self._run("begin immediate")
        try:
            if self._version() == 0:
                for statement in _SCHEMA.split(";"):
                    self._run(statement)
                self._run(f"pragma user_version = {VERSION}")
            self._run("commit")
        except ReconcilerError:
            self._db.rollback()
            raise

    def _run(self, sql: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        try:
            return self._db.execute(sql, tuple(values)).fetchall()
        except sqlite3.IntegrityError as fault:
            raise OverlayError(f"{self._path}: {fault}", code="requests.constraint") from fault
        except sqlite3.OperationalError as fault:
            if "locked" in str(fault) or "busy" in str(fault):
                raise Unreachable(f"{self._path} is busy: {fault}", hint="try again", code="requests.busy") from fault
            raise OverlayError(f"{self._path} cannot be used: {fault}", code="requests.unusable") from fault
        except sqlite3.Error as fault:
            raise OverlayError(
                f"{self._path} is damaged: {fault}",
                hint="move it away; nothing that runs needs it",
                code="requests.corrupt",
            ) from fault


def _entry(row: Sequence[object]) -> Entry:
    id_, kind, outcome, digest, size, *rest = row
    texts = [str(value) for value in rest]
    return Entry(str(id_), str(kind), Outcome(str(outcome)), str(digest), int(str(size)), *texts)


def _turn(row: Sequence[object]) -> TurnRow:
    id_, number, started, conversation, pid, ticks, interrupted = row
    return TurnRow(
        str(id_), int(str(number)), str(started), str(conversation), int(str(pid)), int(str(ticks)), bool(interrupted)
    )
