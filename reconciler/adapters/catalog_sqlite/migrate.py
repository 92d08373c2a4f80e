"""Forward migrations: ordered, in one transaction, with a copy of the old catalog kept beside it (R-CATA-1).

Only ever run when asked for (`project migrate --apply`); reading an older catalog needs no migration.
"""

import os
from collections.abc import Callable, Sequence

from reconciler.adapters.catalog_sqlite import schema
from reconciler.adapters.catalog_sqlite.connection import WRITE_TIMEOUT_MS, Connection, connect, open_writer
from reconciler.model.errors import OverlayError
from reconciler.model.tuples import NamedTuple


class Migration(NamedTuple):
    """One step: makes schema `version` out of the one before. `apply` runs inside the transaction."""

    version: int
    title: str
    apply: Callable[[Connection], None]


def _values_of_overrides(opened: Connection) -> None:
    """What an override says, and what it stands over; nobody wrote one before."""
    for column in ("value", "declared"):
        opened.run(f"ALTER TABLE field_owner ADD COLUMN {column} TEXT NOT NULL DEFAULT 'null'")


def _absences(opened: Connection) -> None:
    """What is held absent; nobody held anything before."""
    opened.run(
        "CREATE TABLE absence (kind TEXT NOT NULL, name TEXT NOT NULL, manager TEXT NOT NULL,"
        " expires_at TEXT NOT NULL, PRIMARY KEY (kind, name))"
    )


def _runs_tell(opened: Connection) -> None:
    """Which command a run was, and what became of each action; nobody wrote that down before."""
    opened.run("ALTER TABLE run ADD COLUMN command TEXT NOT NULL DEFAULT ''")
    opened.run("ALTER TABLE run ADD COLUMN actions TEXT NOT NULL DEFAULT '[]'")


MIGRATIONS: tuple[Migration, ...] = (
    Migration(2, "overrides keep their values", _values_of_overrides),
    Migration(3, "what is deleted can be held absent", _absences),
    Migration(schema.RUNS_TELL, "runs tell what they did", _runs_tell),
)
"""In order; the first release wrote version 1."""


class MigrationPlan(NamedTuple):
    """What `project migrate` prints; `version` is None where there is no catalog."""

    path: str
    version: int | None
    target: int
    steps: tuple[str, ...]
    unsupported: tuple[str, ...]

    @property
    def required(self) -> bool:
        """Whether the catalog is of an older version."""
        return self.version is not None and self.version != self.target

    @property
    def can_apply(self) -> bool:
        """Whether running it would bring the catalog to the target, or it is there already."""
        return not self.unsupported


class Migrated(NamedTuple):
    """What was done, and where the copy of the old catalog is; no backup where nothing was to do."""

    steps: tuple[str, ...]
    backup: str | None


def plan(path: str, *, migrations: Sequence[Migration] = MIGRATIONS, target: int = schema.VERSION) -> MigrationPlan:
    """Look, without writing. Raises OverlayError where the file is no database."""
    if not os.path.lexists(path):
        return MigrationPlan(path, None, target, (), ())
    opened = connect(path, WRITE_TIMEOUT_MS)
    try:
        opened.run("PRAGMA query_only = 1")
        return _planned(opened, migrations, target)
    finally:
        opened.close()


def migrate(path: str, *, migrations: Sequence[Migration] = MIGRATIONS, target: int = schema.VERSION) -> Migrated:
    """Bring the catalog to `target`: all steps or none. Raises OverlayError `catalog.unmigratable`."""
    if not os.path.lexists(path):
        return Migrated((), None)
    opened = connect(path, WRITE_TIMEOUT_MS)
    try:
        # A step may rebuild a table that others refer to: references are checked at the end instead.
        opened.run("PRAGMA foreign_keys = OFF")
        opened.begin()
        try:
            todo = _planned(opened, migrations, target)
            if todo.unsupported:
                raise OverlayError(
                    f"the catalog {path} cannot be migrated: {'; '.join(todo.unsupported)}",
                    code="catalog.unmigratable",
                    hint="use the release that wrote it, or move it aside and apply again",
                )
            if not todo.required:
                return Migrated((), None)
            backup = _back_up(path, todo.version or 0)
            for migration in _steps(todo.version or 0, migrations, target):
                migration.apply(opened)
            schema.derive(opened.run, opened.rows)
            opened.run("UPDATE catalog_meta SET value = ? WHERE key = 'schema_version'", (str(target),))
            opened.run(f"PRAGMA user_version = {target}")
            broken = opened.rows("PRAGMA foreign_key_check")
            if broken:
                tables = ", ".join(sorted({str(row[0]) for row in broken}))
                raise OverlayError(
                    f"the catalog {path} cannot be migrated: rows of {tables} refer to nothing",
                    code="catalog.unmigratable",
                    hint=f"nothing was changed; a copy is at {backup}",
                )
            opened.commit()
            return Migrated(todo.steps, backup)
        finally:
            opened.rollback()
    finally:
        opened.close()


def mend(path: str) -> None:
    """Make views and triggers anew, for `doctor --fix`; definitions and history stay as they are."""
    opened = open_writer(path)
    try:
        opened.begin()
        try:
            schema.derive(opened.run, opened.rows)
            opened.commit()
        finally:
            opened.rollback()
    finally:
        opened.close()


def _planned(opened: Connection, migrations: Sequence[Migration], target: int) -> MigrationPlan:
    version = schema.version_of(opened.rows)
    reasons: list[str] = []
    if version == 0 and schema.has_tables(opened.rows):
        reasons.append("it is a database of another program or of a release before the first")
    elif version == 0:
        return MigrationPlan(opened.path, None, target, (), ())
    elif version > target:
        reasons.append(f"it has schema version {version}, this release knows versions up to {target}")
    steps = _steps(version, migrations, target)
    if not reasons and [step.version for step in steps] != list(range(version + 1, target + 1)):
        reasons.append(f"no way leads from schema version {version} to {target}")
    return MigrationPlan(opened.path, version, target, tuple(step.title for step in steps), tuple(reasons))


def _steps(version: int, migrations: Sequence[Migration], target: int) -> list[Migration]:
    return [step for step in migrations if version < step.version <= target]


def _back_up(path: str, version: int) -> str:
    """Copy what is committed beside the catalog, under a name that is free; a second connection sees just that."""
    number = 0
    while True:
        backup = f"{path}.v{version}-backup" + (f".{number}" if number else "")
        if not os.path.lexists(backup):
            break
        number += 1
    source = connect(path, WRITE_TIMEOUT_MS)
    try:
        source.back_up(backup)
    finally:
        source.close()
    return backup
