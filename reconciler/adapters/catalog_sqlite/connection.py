"""One SQLite connection: opened with our pragmas, every statement counted, every failure translated once.

cause                                  code                 class
file is no database, or damaged        catalog.corrupt      OverlayError
made by a newer release                catalog.newer        OverlayError
made by an older release, for writing  catalog.older        OverlayError
another program's tables               catalog.foreign      OverlayError
no room                                catalog.disk_full    OverlayError
may not be written here                catalog.unwritable   OverlayError
a constraint said no                   catalog.constraint   OverlayError
locked for longer than the time-out    catalog.busy         Unreachable (Transient)
the disk failed                        catalog.io           Unreachable (Transient)
"""

import os
import sqlite3
import time
from _thread import RLock  # `threading` around it costs every command an import
from collections.abc import Sequence
from typing import Any

from reconciler.adapters.catalog_sqlite import schema
from reconciler.model.errors import OverlayError, ReconcilerError, Unreachable

Row = tuple[Any, ...]
Value = None | int | float | str | bytes

READ_TIMEOUT_MS = 100
"""Readers never wait longer for a writer (R-LCK-3)."""
WRITE_TIMEOUT_MS = 5000
_RETRY_S = 0.005


class Connection:
    """Autocommit outside `begin` and `commit`; `statements` counts what was executed, `BEGIN` and `COMMIT` included.

    `lock` keeps the threads of one process apart: a transaction holds it to its end.
    """

    __slots__ = ("_db", "lock", "path", "statements", "version")

    def __init__(self, db: sqlite3.Connection, path: str) -> None:
        self._db = db
        self.path = path
        self.statements = 0
        self.version = schema.VERSION
        """Of the schema, where an older one is read."""
        self.lock = RLock()

    def run(self, sql: str, arguments: Sequence[Value] = ()) -> sqlite3.Cursor:
        """Execute one statement; raises as in the table above."""
        self.statements += 1
        with self.lock:
            try:
                return self._db.execute(sql, arguments)
            except sqlite3.Error as error:
                raise translated(error, self.path) from error

    def rows(self, sql: str, arguments: Sequence[Value] = ()) -> list[Row]:
        """Every row of one query."""
        with self.lock:
            cursor = self.run(sql, arguments)
            try:
                return cursor.fetchall()
            except sqlite3.Error as error:
                raise translated(error, self.path) from error

    def named_rows(self, sql: str, arguments: Sequence[Value] = ()) -> list[dict[str, Any]]:
        """Every row of one query, by column name."""
        with self.lock:
            cursor = self.run(sql, arguments)
            names = [column[0] for column in cursor.description]
            try:
                return [dict(zip(names, row, strict=True)) for row in cursor]
            except sqlite3.Error as error:
                raise translated(error, self.path) from error

    def row(self, sql: str, arguments: Sequence[Value] = ()) -> Row | None:
        """The first row, or None."""
        found = self.rows(sql, arguments)
        return found[0] if found else None

    def begin(self) -> None:
        """Start an immediate transaction: nobody else writes until `commit` or `rollback`."""
        self.run("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self.run("COMMIT")

    def rollback(self) -> None:
        """Give up the open transaction; SQLite has already done so after some failures."""
        if self._db.in_transaction:
            self.run("ROLLBACK")

    @property
    def total_changes(self) -> int:
        """Rows changed since the connection was opened, those of triggers included (R-ACT-4)."""
        return self._db.total_changes

    def back_up(self, path: str) -> None:
        """Copy what is committed to a new file, 0600."""
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        target = sqlite3.connect(path)
        try:
            self._db.backup(target)
        except sqlite3.Error as error:
            raise translated(error, path) from error
        finally:
            target.close()

    def leave_wal(self) -> None:
        """Do not copy the write-ahead log into the file at the end; where Python can say so (3.12 and later)."""
        configure = getattr(self._db, "setconfig", None)
        if configure is not None:
            configure(getattr(sqlite3, "SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE"), True)  # noqa: B009 - unknown to 3.11

    def close(self) -> None:
        with self.lock:
            self._db.close()

    def __del__(self) -> None:
        # SQLite's object and its statement cache hold each other: dropped without this, three files of a catalog would
        # stay open until the collector comes by, which in a long life is rare.
        self._db.close()


def open_reader(path: str, busy_timeout_ms: int = READ_TIMEOUT_MS) -> Connection | None:
    """A connection that cannot change anything, or None where there is no catalog yet; never makes the file.

    Opened `rw`, for a read-only one would leave `-wal` and `-shm` behind (R-ACT-4).
    """
    # An open of SQLite's says the same for "is not there" and "may not": ask the directory first.
    if not os.path.lexists(path):
        return None
    opened = connect(path, busy_timeout_ms)
    try:
        opened.run("PRAGMA query_only = 1")
        opened.leave_wal()
        version = schema.version_of(opened.rows)
        if version == 0 and not schema.has_tables(opened.rows):
            opened.close()
            return None
        _check_version(path, version)
        opened.version = version
    except ReconcilerError:
        opened.close()
        raise
    return opened


def open_writer(path: str, busy_timeout_ms: int = WRITE_TIMEOUT_MS) -> Connection:
    """A connection that may write; makes the file (0600) and its schema where there is none."""
    try:
        # Only a file that is new is opened here: closing a descriptor would drop the locks of our own connections.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise _unwritable(path, error.strerror or "it cannot be created") from error
    opened = connect(path, busy_timeout_ms)
    try:
        opened.run("PRAGMA foreign_keys = ON")
        version = schema.version_of(opened.rows)
        if version == 0:
            _make(opened, busy_timeout_ms)
        else:
            _check_version(path, version)
            if version < schema.VERSION:
                raise OverlayError(
                    f"the catalog {path} has schema version {version}, this release writes version {schema.VERSION}",
                    code="catalog.older",
                    hint="`houmao project migrate --apply` brings it to this release, and keeps a copy",
                )
        opened.run("PRAGMA synchronous = NORMAL")
        _close_to_others(path)  # only now: before, it might have been another program's
    except ReconcilerError:
        opened.close()
        raise
    return opened


def connect(path: str, busy_timeout_ms: int) -> Connection:
    """Open an existing file as it is, whatever version it has."""
    uri = "file:" + path.replace("%", "%25").replace("?", "%3f").replace("#", "%23") + "?mode=rw"
    try:
        db = sqlite3.connect(
            uri, uri=True, isolation_level=None, timeout=busy_timeout_ms / 1000, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise translated(error, path) from error
    return Connection(db, path)


def _make(opened: Connection, busy_timeout_ms: int) -> None:
    """Create the schema unless somebody else just did: one immediate transaction behind a version check."""
    if schema.has_tables(opened.rows) and schema.version_of(opened.rows) == 0:
        raise _foreign(opened.path)
    _switch_to_wal(opened, busy_timeout_ms)
    opened.begin()
    try:
        if schema.version_of(opened.rows) == 0:
            schema.create(opened.run, opened.rows)
        opened.commit()
    except BaseException:
        opened.rollback()
        raise


def _switch_to_wal(opened: Connection, busy_timeout_ms: int) -> None:
    """The switch needs the file alone for a moment, and SQLite does not wait for that by itself."""
    deadline = time.monotonic() + busy_timeout_ms / 1000
    while True:
        try:
            opened.run("PRAGMA journal_mode = WAL")
            return
        except Unreachable:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_S)


def _close_to_others(path: str) -> None:
    try:
        mode = os.stat(path).st_mode
        if mode & 0o077:
            os.chmod(path, mode & 0o700)
    except OSError:
        return  # not ours to change, or gone: opening it says what is wrong


def _check_version(path: str, version: int) -> None:
    if version == 0:
        raise _foreign(path)
    if version > schema.VERSION:
        raise OverlayError(
            f"the catalog {path} has schema version {version}, this release knows versions up to {schema.VERSION}",
            code="catalog.newer",
            hint="use the newer release that wrote it, or restore a backup made before",
        )


def _foreign(path: str) -> OverlayError:
    return OverlayError(
        f"{path} is a database of another program or of a release before the first",
        code="catalog.foreign",
        hint="move it aside and apply again: definitions are made anew from what is declared",
    )


def _unwritable(path: str, why: str) -> OverlayError:
    return OverlayError(
        f"the catalog {path} cannot be used: {why}",
        code="catalog.unwritable",
        hint="even reading needs write permission on the file and its directory: check their owner and mode",
    )


def _full(path: str) -> bool:
    """Whether the file system has no room: SQLite calls a log file that cannot grow an input/output error."""
    try:
        return os.statvfs(os.path.dirname(path) or ".").f_bavail == 0
    except OSError:
        return False


def translated(error: sqlite3.Error, path: str) -> ReconcilerError:
    """SQLite's failure as one of ours."""
    number = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if number in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return OverlayError(
            f"the catalog {path} is damaged or no database: {error}",
            code="catalog.corrupt",
            hint="keep a copy of it, restore a backup, or move it aside and run `houmao doctor --rebuild`",
        )
    if number == sqlite3.SQLITE_FULL or (number == sqlite3.SQLITE_IOERR and _full(path)):
        return OverlayError(
            f"no room to write the catalog {path}",
            code="catalog.disk_full",
            hint="free some space and run the command again; nothing of this transaction was written",
        )
    if number in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return _unwritable(path, str(error))
    if number in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Unreachable(
            f"the catalog {path} is locked by another program",
            code="catalog.busy",
            hint="wait for the other program to finish its transaction, or end it",
        )
    if number == sqlite3.SQLITE_IOERR:
        return Unreachable(
            f"the disk failed under the catalog {path}: {error}",
            code="catalog.io",
            hint="check the file system it is on",
        )
    if number == sqlite3.SQLITE_CONSTRAINT:
        return OverlayError(
            f"the catalog refuses this change: {error}",
            code="catalog.constraint",
            hint="run `houmao doctor`: what is recorded and what is written now contradict each other",
        )
    return OverlayError(f"the catalog {path} cannot be used: {error}", code="catalog.unusable")
