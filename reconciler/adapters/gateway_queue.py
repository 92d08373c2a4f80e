"""A gateway's queue in SQLite: WAL, `synchronous=NORMAL`, which survives `kill -9` of everything but the host.

One process owns the file (the gateway that holds the session root's lock); its threads share one connection in turns.
"""

import json
import sqlite3
import threading
from collections.abc import Sequence
from datetime import datetime

from reconciler.model.json import JsonMap, parse_map
from reconciler.ports.gateway import Kind, Recovered, ReminderRow, Row, State

VERSION = 2
_SCHEMA = """
CREATE TABLE gateway_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE gateway_requests (
  request_id TEXT PRIMARY KEY,
  request_kind TEXT NOT NULL,
  payload_json TEXT NOT NULL,
  state TEXT NOT NULL,
  accepted_at_utc TEXT NOT NULL,
  started_at_utc TEXT NOT NULL DEFAULT '',
  finished_at_utc TEXT NOT NULL DEFAULT '',
  managed_agent_instance_epoch INTEGER NOT NULL,
  error_detail TEXT NOT NULL DEFAULT '',
  result_json TEXT NOT NULL DEFAULT ''
);
CREATE INDEX gateway_requests_open ON gateway_requests (state) WHERE state IN ('accepted', 'running');
CREATE TABLE gateway_reminders (
  reminder_id TEXT PRIMARY KEY,
  mode TEXT NOT NULL,
  title TEXT NOT NULL,
  prompt TEXT NOT NULL,
  sequence TEXT NOT NULL,
  ensure_enter INTEGER NOT NULL,
  ranking INTEGER NOT NULL,
  paused INTEGER NOT NULL,
  interval_seconds REAL NOT NULL,
  created_at_utc TEXT NOT NULL,
  due_at_utc TEXT NOT NULL,
  started_at_utc TEXT NOT NULL DEFAULT '',
  created_order INTEGER NOT NULL
);
"""
_ROW = (
    "request_id, request_kind, payload_json, state, accepted_at_utc, managed_agent_instance_epoch,"
    " started_at_utc, finished_at_utc, error_detail, result_json"
)
_REMINDER = (
    "reminder_id, mode, title, prompt, sequence, ensure_enter, ranking, paused, interval_seconds,"
    " created_at_utc, due_at_utc, started_at_utc, created_order"
)
_SECOND = "ALTER TABLE gateway_requests ADD COLUMN result_json TEXT NOT NULL DEFAULT ''"
_NEXT = "next_prompt_session"
_DIRECT = (Kind.CONTROL_PROMPT, Kind.SEND_KEYS)


class SqliteGatewayQueue:
    """`ports.gateway.GatewayQueue` in one file, made where it is missing."""

    def __init__(self, path: str) -> None:
        self._turn = threading.RLock()
        self._database = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        with self._turn, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            found = self._database.execute("PRAGMA user_version").fetchone()[0]
            if found == 0:
                for statement in _SCHEMA.split(";\n"):
                    if statement.strip():
                        self._database.execute(statement)
                self._database.execute(f"PRAGMA user_version = {VERSION}")
            elif found == 1:
                self._database.execute(_SECOND)
                self._database.execute(f"PRAGMA user_version = {VERSION}")
            elif found > VERSION:
                raise sqlite3.DatabaseError(f"{path} was written by a newer release (version {found})")

    def recover(self, instance: str, now: str) -> Recovered:
        with self._turn, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            known = self._meta("instance")
            epoch = int(self._meta("epoch") or 0)
            if known != instance:
                epoch += 1
                self._put_meta("instance", instance)
                self._put_meta("epoch", str(epoch))
            unknown = self._swept(
                "state = ?",
                (State.RUNNING,),
                State.UNKNOWN,
                now,
                "the gateway ended between its intent and its commit: it may have been typed, and is not typed again",
            )
            blocked = self._swept(
                "state = ? AND managed_agent_instance_epoch < ?",
                (State.ACCEPTED, epoch),
                State.BLOCKED,
                now,
                "reconciliation_required: the agent was started again after this was accepted",
            )
        return Recovered(epoch, unknown, blocked)

    def put(self, row: Row) -> Row:
        with self._turn, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            found = self._get(row.id)
            if found is not None:
                return found
            self._insert(row)
        return row

    def get(self, request_id: str) -> Row | None:
        with self._turn:
            return self._get(request_id)

    def accepted(self) -> tuple[Row, ...]:
        with self._turn:
            rows = self._database.execute(
                f"SELECT {_ROW} FROM gateway_requests WHERE state = ? ORDER BY rowid", (State.ACCEPTED,)
            ).fetchall()
        return tuple(_row(row) for row in rows)

    def move(
        self, request_id: str, expected: State, state: State, now: str, detail: str = "", result: JsonMap | None = None
    ) -> bool:
        started = ", started_at_utc = ?" if state is State.RUNNING else ""
        finished = ", finished_at_utc = ?" if state.settled else ""
        times = [now] * (bool(started) + bool(finished))
        with self._turn, self._database:
            changed = self._database.execute(
                f"UPDATE gateway_requests SET state = ?, error_detail = ?, result_json = ?{started}{finished}"
                " WHERE request_id = ? AND state = ?",
                (state, detail, json.dumps(result) if result else "", *times, request_id, expected),
            )
        return changed.rowcount == 1

    def depth(self) -> int:
        with self._turn:
            found = self._database.execute(
                "SELECT count(*) FROM gateway_requests WHERE state IN ('accepted', 'running')"
                " AND request_kind NOT IN (?, ?)",
                _DIRECT,
            ).fetchone()
        return int(found[0])

    def prune(self, keep: int) -> None:
        with self._turn, self._database:
            self._database.execute(
                "DELETE FROM gateway_requests WHERE state NOT IN ('accepted', 'running') AND rowid <="
                " (SELECT coalesce(max(rowid), 0) - ? FROM gateway_requests)",
                (keep,),
            )

    def next_session(self) -> str:
        with self._turn:
            return self._meta(_NEXT)

    def set_next_session(self, mode: str) -> None:
        with self._turn, self._database:
            if self._meta(_NEXT) != mode:
                self._put_meta(_NEXT, mode)

    def reminders(self) -> tuple[ReminderRow, ...]:
        with self._turn:
            rows = self._database.execute(
                f"SELECT {_REMINDER} FROM gateway_reminders ORDER BY ranking, created_order"
            ).fetchall()
        return tuple(_reminder(row) for row in rows)

    def put_reminder(self, row: ReminderRow) -> None:
        with self._turn, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._store(row)

    def drop_reminder(self, reminder_id: str) -> bool:
        with self._turn, self._database:
            gone = self._database.execute("DELETE FROM gateway_reminders WHERE reminder_id = ?", (reminder_id,))
        return gone.rowcount == 1

    def fire(self, reminder: ReminderRow | None, reminder_id: str, row: Row) -> None:
        with self._turn, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            if reminder is None:
                self._database.execute("DELETE FROM gateway_reminders WHERE reminder_id = ?", (reminder_id,))
            else:
                self._store(reminder)
            self._insert(row)

    def close(self) -> None:
        with self._turn:
            self._database.close()

    def _meta(self, key: str) -> str:
        found = self._database.execute("SELECT value FROM gateway_meta WHERE key = ?", (key,)).fetchone()
        return str(found[0]) if found else ""

    def _put_meta(self, key: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO gateway_meta VALUES (?, ?)", (key, value))

    def _swept(self, where: str, values: Sequence[object], state: State, now: str, detail: str) -> tuple[str, ...]:
        rows = self._database.execute(
            f"UPDATE gateway_requests SET state = ?, finished_at_utc = ?, error_detail = ? WHERE {where}"
            " RETURNING request_id",
            (state, now, detail, *values),
        ).fetchall()
        return tuple(str(row[0]) for row in rows)

    def _get(self, request_id: str) -> Row | None:
        found = self._database.execute(
            f"SELECT {_ROW} FROM gateway_requests WHERE request_id = ?", (request_id,)
        ).fetchone()
        return _row(found) if found else None

    def _insert(self, row: Row) -> None:
        self._database.execute(
            f"INSERT INTO gateway_requests ({_ROW}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row.id,
                row.kind,
                json.dumps(row.payload),
                row.state,
                row.accepted_at,
                row.epoch,
                row.started_at,
                row.finished_at,
                row.detail,
                json.dumps(row.result) if row.result else "",
            ),
        )

    def _store(self, row: ReminderRow) -> None:
        known = self._database.execute(
            "SELECT created_order FROM gateway_reminders WHERE reminder_id = ?", (row.id,)
        ).fetchone()
        order = (
            known[0]
            if known
            else self._database.execute("SELECT coalesce(max(created_order), 0) + 1 FROM gateway_reminders").fetchone()[
                0
            ]
        )
        self._database.execute(
            f"INSERT OR REPLACE INTO gateway_reminders ({_REMINDER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row.id,
                row.mode,
                row.title,
                row.prompt,
                row.sequence,
                row.ensure_enter,
                row.ranking,
                row.paused,
                row.interval_s,
                row.created_at.isoformat(),
                row.due_at.isoformat(),
                row.started_at.isoformat() if row.started_at else "",
                order,
            ),
        )


def _row(values: Sequence[object]) -> Row:
    request_id, kind, payload, state, accepted, epoch, started, finished, detail, result = values
    return Row(
        str(request_id),
        Kind(str(kind)),
        parse_map(str(payload)),
        State(str(state)),
        str(accepted),
        int(str(epoch)),
        str(started),
        str(finished),
        str(detail),
        parse_map(str(result)) if result else {},
    )


def _reminder(values: Sequence[object]) -> ReminderRow:
    texts = [str(value) for value in values]
    return ReminderRow(
        id=texts[0],
        mode=texts[1],
        title=texts[2],
        prompt=texts[3],
        sequence=texts[4],
        ensure_enter=bool(values[5]),
        ranking=int(texts[6]),
        paused=bool(values[7]),
        interval_s=float(texts[8]),
        created_at=datetime.fromisoformat(texts[9]),
        due_at=datetime.fromisoformat(texts[10]),
        started_at=datetime.fromisoformat(texts[11]) if texts[11] else None,
        order=int(texts[12]),
    )
