"""The schema as a whole: tables, read views, and the triggers that raise `meta.revision`.

Triggers are made from the tables as they are, so that a column added by a migration counts too. One that changes
nothing raises nothing (R-OBS-1).
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

VERSION = 4
RUNS_TELL = 4
"""The version since which a run says what it did."""
STORAGE_MODEL = "hybrid_sqlite_catalog"

Rows = Callable[..., list[tuple[Any, ...]]]
Run = Callable[..., object]

CONTENT_OWNERS: dict[str, str] = {
    "roles": "'Role'",
    "setup_profiles": "'Setup'",
    "auth_profiles": "'AuthProfile'",
    "skill_packages": "'Skill'",
    "presets": "'Recipe'",
    "specialists": "'Specialist'",
    "launch_profiles": "'LaunchProfile'",
    "definition": "OLD.kind",
}
"""Table of a definition to the SQL expression of its kind, where `OLD` is the row that goes."""

_UNCOUNTED = frozenset({"meta", "catalog_meta", "event"})
"""Their rows say things about the catalog; a record of what was seen must not itself look like a change."""


def version_of(rows: Rows) -> int:
    """`user_version`; 0 before the schema is made."""
    return int(rows("PRAGMA user_version")[0][0])


def has_tables(rows: Rows) -> bool:
    """Whether anybody made a table here."""
    return bool(rows("SELECT 1 FROM sqlite_master WHERE type = 'table' LIMIT 1"))


def create(run: Run, rows: Rows) -> None:
    """Everything, inside the caller's transaction; the database is empty."""
    for statement in statements("schema.sql"):
        run(statement)
    run("INSERT INTO meta (key, value) VALUES ('revision', 0)")
    run("INSERT INTO catalog_meta (key, value) VALUES ('schema_version', ?)", (str(VERSION),))
    run("INSERT INTO catalog_meta (key, value) VALUES ('storage_model', ?)", (STORAGE_MODEL,))
    derive(run, rows)
    run(f"PRAGMA user_version = {VERSION}")


def derive(run: Run, rows: Rows) -> None:
    """Make views and triggers anew from the tables: at creation and after a migration."""
    made = rows("SELECT type, name FROM sqlite_master WHERE type IN ('view', 'trigger')")
    for kind, name in made:
        if kind == "trigger" and name.startswith(("revision_", "content_")):
            run(f"DROP TRIGGER {name}")
        elif kind == "view" and name.startswith("v_"):
            run(f"DROP VIEW {name}")
    for statement in statements("views.sql"):
        run(statement)
    for statement in triggers(rows):
        run(statement)


def tables(rows: Rows) -> list[str]:
    """Names of our tables, sorted."""
    found = rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    return [name for (name,) in found]


def triggers(rows: Rows) -> list[str]:
    """Three revision triggers per counted table, one follower per table of definitions."""
    made = []
    raise_revision = "UPDATE meta SET value = value + 1 WHERE key = 'revision'"
    for table in tables(rows):
        if table in _UNCOUNTED:
            continue
        columns = [row[1] for row in rows(f'PRAGMA table_info("{table}")')]
        differs = " OR ".join(f'OLD."{column}" IS NOT NEW."{column}"' for column in columns)
        for event, when in (("INSERT", ""), ("UPDATE", f" WHEN {differs}"), ("DELETE", "")):
            name = f"revision_{event.lower()}_{table}"
            made.append(f'CREATE TRIGGER {name} AFTER {event} ON "{table}"{when} BEGIN {raise_revision}; END')
    for table, kind in CONTENT_OWNERS.items():
        made.append(
            f"CREATE TRIGGER content_of_{table} AFTER DELETE ON {table} BEGIN"
            f" DELETE FROM definition_content WHERE kind = {kind} AND row_id = OLD.id; END"
        )
    return made


def statements(file: str) -> Sequence[str]:
    """The statements of one of the SQL files beside this module."""
    with open(os.path.join(os.path.dirname(__file__), file), encoding="utf-8") as source:
        text = source.read()
    return [part for part in text.split(";\n") if part.strip()]
