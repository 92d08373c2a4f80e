"""A catalog on disk, a reader of it, and a hand that edits it from outside."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.adapters.catalog_sqlite.store import SqliteCatalog, SqliteReader
from tests.adapters.catalog.rows import AT, lease

Elsewhere = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "catalog.sqlite")


@pytest.fixture
def catalog(path: str) -> Iterator[SqliteCatalog]:
    opened = SqliteCatalog(path, now=lambda: AT)
    yield opened
    opened.close()


@pytest.fixture
def token(catalog: SqliteCatalog) -> int:
    return catalog.acquire(lease())


@pytest.fixture
def reader(path: str) -> Iterator[SqliteReader]:
    opened = SqliteReader(path)
    yield opened
    opened.close()


class Opening:
    """More connections within one test, closed at its end."""

    def __init__(self) -> None:
        self._opened: list[SqliteReader] = []

    def reader(self, path: str) -> SqliteReader:
        self._opened.append(SqliteReader(path))
        return self._opened[-1]

    def catalog(self, path: str, busy_timeout_ms: int = 5000) -> SqliteCatalog:
        catalog = SqliteCatalog(path, busy_timeout_ms=busy_timeout_ms)
        self._opened.append(catalog)
        return catalog

    def close(self) -> None:
        for opened in self._opened:
            opened.close()


@pytest.fixture
def opening() -> Iterator[Opening]:
    opened = Opening()
    yield opened
    opened.close()


@pytest.fixture
def elsewhere(path: str) -> Elsewhere:
    """Another program: its own connection for each statement."""

    def execute(sql: str, *arguments: object) -> list[tuple[object, ...]]:
        db = sqlite3.connect(path)
        try:
            db.execute("PRAGMA foreign_keys = ON")
            rows = db.execute(sql, arguments).fetchall()
            db.commit()
            return rows
        finally:
            db.close()

    return execute
