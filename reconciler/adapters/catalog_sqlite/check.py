"""Is the catalog sound? For `doctor`: SQLite's own checks, then what no foreign key can say (R-CATA-2)."""

from reconciler.adapters.catalog_sqlite import schema
from reconciler.adapters.catalog_sqlite.connection import Connection, open_reader
from reconciler.adapters.catalog_sqlite.definitions import CONTENT_USES
from reconciler.model.tuples import NamedTuple


class Finding(NamedTuple):
    """One fault: a stable code, what is, and what to do."""

    code: str
    message: str
    hint: str


def check(path: str) -> tuple[Finding, ...]:
    """Every fault found, worst first; none without a catalog. Raises OverlayError where it cannot be opened."""
    opened = open_reader(path)
    if opened is None:
        return ()
    try:
        return (*_integrity(opened), *_references(opened), *_derived(opened), *_audit(opened))
    finally:
        opened.close()


def _integrity(opened: Connection) -> list[Finding]:
    return [
        Finding("catalog.corrupt", f"the catalog is damaged: {text}", "keep a copy of it and restore a backup")
        for (text,) in opened.rows("PRAGMA integrity_check")
        if text != "ok"
    ]


def _references(opened: Connection) -> list[Finding]:
    return [
        Finding(
            "catalog.dangling",
            f"row {row} of {table} refers to a row of {parent} that is gone",
            "apply what declares it again; whoever edited the catalog had foreign keys off",
        )
        for table, row, parent, _ in opened.rows("PRAGMA foreign_key_check")
    ]


def _derived(opened: Connection) -> list[Finding]:
    """Triggers and views that somebody dropped: without them edits go unseen and readers fail."""
    wanted = {statement.split()[2] for statement in (*schema.triggers(opened.rows), *_view_statements())}
    have = {name for (name,) in opened.rows("SELECT name FROM sqlite_master WHERE type IN ('view', 'trigger')")}
    return [
        Finding("catalog.incomplete", f"the catalog has lost {name}", "the next `houmao apply` that writes makes it")
        for name in sorted(wanted - have)
    ]


def _view_statements() -> list[str]:
    return [text[text.index("CREATE VIEW") :] for text in schema.statements("views.sql")]


def _audit(opened: Connection) -> list[Finding]:
    found: list[Finding] = []
    for name, kind, source in opened.rows(
        "SELECT name, source_kind, source_name FROM launch_profiles WHERE"
        " (source_kind = 'specialist' AND source_name NOT IN (SELECT name FROM specialists))"
        " OR (source_kind = 'recipe' AND source_name NOT IN (SELECT name FROM presets)) ORDER BY name"
    ):
        message = f"LaunchProfile/{name} is over the {kind} {source}, which the catalog does not have"
        found.append(Finding("catalog.no_source", message, "declare it, or change what the profile is over"))
    unused = " AND ".join(
        f"id NOT IN (SELECT {column} FROM {table} WHERE {column} NOT NULL)" for table, column in CONTENT_USES
    )
    for (path,) in opened.rows(f"SELECT relative_path FROM content_refs WHERE {unused} ORDER BY relative_path"):
        found.append(Finding("catalog.unused_content", f"nothing uses the payload {path}", "it may be removed"))
    for kind, name in opened.rows(
        "SELECT kind, name FROM resource AS r WHERE owner_uid NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM resource WHERE uid = r.owner_uid) ORDER BY kind, name"
    ):
        message = f"{kind}/{name} has an owner that the inventory does not have"
        found.append(Finding("catalog.no_owner", message, "apply the set it belongs to again"))
    return found
