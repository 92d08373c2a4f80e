"""Forward migrations, tried on a synthetic next version, and the checks that `doctor` shows."""

import sqlite3
from pathlib import Path

import pytest

from reconciler.adapters.catalog_sqlite import migrate as migration
from reconciler.adapters.catalog_sqlite import schema
from reconciler.adapters.catalog_sqlite.check import check
from reconciler.adapters.catalog_sqlite.connection import Connection
from reconciler.adapters.catalog_sqlite.migrate import Migrated, Migration, MigrationPlan
from reconciler.adapters.catalog_sqlite.store import SqliteCatalog
from reconciler.model.errors import OverlayError
from reconciler.model.ref import Ref
from reconciler.ports.catalog import Absence, Override
from tests.adapters.catalog.conftest import Elsewhere, Opening
from tests.adapters.catalog.rows import inventory, lease, role, run, team, uid


def add_nickname(connection: Connection) -> None:
    connection.run("ALTER TABLE roles ADD COLUMN nickname TEXT")


def fill_nickname(connection: Connection) -> None:
    connection.run("UPDATE roles SET nickname = 'nick-' || name")


def fail(connection: Connection) -> None:
    connection.run("UPDATE roles SET name = 'half done'")
    raise ZeroDivisionError


def orphan(connection: Connection) -> None:
    connection.run("DELETE FROM roles")


NOW = schema.VERSION
NEXT = NOW + 2
STEPS = (
    Migration(NOW + 1, "roles get a nickname", add_nickname),
    Migration(NEXT, "nicknames are filled in", fill_nickname),
)


@pytest.fixture
def old(catalog: SqliteCatalog, token: int, path: str) -> str:
    """A catalog of the present version with a team in it."""
    with catalog.transaction(token) as tx:
        team(tx)
    catalog.close()
    return path


def test_the_present_version_needs_no_migration(old: str) -> None:
    assert migration.plan(old) == MigrationPlan(old, NOW, NOW, (), ())
    assert migration.migrate(old) == Migrated((), None)
    assert [found.name for found in Path(old).parent.iterdir()] == ["catalog.sqlite"]


def test_without_a_catalog_there_is_nothing_to_migrate(path: str) -> None:
    assert migration.plan(path).version is None
    assert migration.migrate(path, migrations=STEPS, target=NEXT) == Migrated((), None)
    assert not Path(path).exists()


def test_an_older_catalog_goes_through_every_step_and_leaves_a_copy(
    opening: Opening, old: str, elsewhere: Elsewhere
) -> None:
    planned = migration.plan(old, migrations=STEPS, target=NEXT)
    assert planned == MigrationPlan(old, NOW, NEXT, ("roles get a nickname", "nicknames are filled in"), ())
    assert planned.required
    assert planned.can_apply
    done = migration.migrate(old, migrations=STEPS, target=NEXT)
    assert done.steps == planned.steps
    assert elsewhere("SELECT name, nickname FROM roles") == [("reviewer", "nick-reviewer")]
    assert elsewhere("PRAGMA user_version") == [(NEXT,)]
    assert elsewhere("SELECT value FROM catalog_meta WHERE key = 'schema_version'") == [(str(NEXT),)]
    assert elsewhere("SELECT specialist_name FROM v_specialists") == [("reviewer",)]
    # The triggers know the new column.
    (before,) = elsewhere("SELECT value FROM meta WHERE key = 'revision'")
    elsewhere("UPDATE roles SET nickname = 'other'")
    (after,) = elsewhere("SELECT value FROM meta WHERE key = 'revision'")
    assert int(str(after[0])) == int(str(before[0])) + 1
    # The copy is a whole catalog of the old version, for its owner alone.
    backup = Path(str(done.backup))
    assert backup.name == f"catalog.sqlite.v{NOW}-backup"
    assert backup.stat().st_mode & 0o777 == 0o600
    copy = opening.reader(str(backup))
    assert copy.definitions("Role")["reviewer"].facts == role().facts
    copy.close()


@pytest.fixture
def first(old: str, elsewhere: Elsewhere) -> str:
    """As the first release left it: version 1, overrides without values, runs that do not say what they did."""
    catalog = SqliteCatalog(old)
    with catalog.transaction(int((catalog.lease() or lease()).token)) as tx:
        tx.put_run(run(1), {})
    catalog.close()
    for column in ("value", "declared"):
        # Triggers name every column of their table.
        elsewhere("DROP TRIGGER IF EXISTS revision_update_field_owner")
        elsewhere(f"ALTER TABLE field_owner DROP COLUMN {column}")
    elsewhere("DROP TABLE absence")
    for column in ("command", "actions"):
        elsewhere("DROP TRIGGER IF EXISTS revision_update_run")
        elsewhere(f"ALTER TABLE run DROP COLUMN {column}")
    elsewhere("PRAGMA user_version = 1")
    return old


def test_a_catalog_of_the_first_release_is_read_and_migrated(opening: Opening, first: str, token: int) -> None:
    before = opening.reader(first)
    assert (before.overrides(), before.absences()) == ((), ())
    assert [(each.revision, each.command) for each in before.runs(9)] == [(1, "")]
    assert before.run_actions([before.runs(9)[0].id]) == {}
    assert set(before.definitions("Role")) == {"reviewer"}
    before.close()
    assert migration.migrate(first).steps == (
        "overrides keep their values",
        "what is deleted can be held absent",
        "runs tell what they did",
    )
    after = opening.catalog(first)
    held = Override(uid(1), "spec.state", "Stopped", "ann", "2026-01-01T01:00:00+00:00", "Running")
    with after.transaction(token) as tx:
        tx.put_inventory(inventory())
        tx.put_override(held)
    assert after.overrides() == (held,)
    with after.transaction(token) as tx:
        tx.drop_override(uid(1), "spec.state")
    assert after.overrides() == ()
    away = Absence(Ref("Instance", "alice"), "ann", "2026-01-01T01:00:00+00:00")
    with after.transaction(token) as tx:
        tx.put_absence(away._replace(by="bob"))
        tx.put_absence(away)
    assert after.absences() == (away,)
    with after.transaction(token) as tx:
        tx.drop_absence(away.ref)
        tx.drop_absence(away.ref)
    assert after.absences() == ()


def test_a_second_backup_does_not_replace_the_first(old: str) -> None:
    Path(f"{old}.v{NOW}-backup").write_text("mine")
    done = migration.migrate(old, migrations=STEPS, target=NEXT)
    assert done.backup == f"{old}.v{NOW}-backup.1"
    assert Path(f"{old}.v{NOW}-backup").read_text() == "mine"


def test_a_step_that_fails_changes_nothing(opening: Opening, old: str, elsewhere: Elsewhere) -> None:
    with pytest.raises(ZeroDivisionError):
        migration.migrate(old, migrations=(STEPS[0], Migration(NEXT, "fails", fail)), target=NEXT)
    assert elsewhere("PRAGMA user_version") == [(NOW,)]
    assert opening.reader(old).definitions("Role")["reviewer"].facts == role().facts
    with pytest.raises(sqlite3.OperationalError, match="nickname"):
        elsewhere("SELECT nickname FROM roles")


def test_a_step_that_leaves_rows_without_a_parent_is_taken_back(opening: Opening, old: str) -> None:
    with pytest.raises(OverlayError, match="presets, specialists") as refused:
        migration.migrate(old, migrations=(Migration(NOW + 1, "forgets roles", orphan),), target=NOW + 1)
    assert refused.value.code == "catalog.unmigratable"
    assert set(opening.reader(old).definitions("Role")) == {"reviewer"}


@pytest.mark.parametrize(("version", "why"), [(99, f"knows versions up to {NEXT}"), (0, "another program")])
def test_what_cannot_be_migrated_says_why(old: str, elsewhere: Elsewhere, version: int, why: str) -> None:
    elsewhere(f"PRAGMA user_version = {version}")
    planned = migration.plan(old, migrations=STEPS, target=NEXT)
    assert not planned.can_apply
    assert why in planned.unsupported[0]
    with pytest.raises(OverlayError, match=why) as refused:
        migration.migrate(old, migrations=STEPS, target=NEXT)
    assert refused.value.code == "catalog.unmigratable"


def test_a_missing_step_is_no_way(old: str) -> None:
    assert migration.plan(old, migrations=STEPS[1:], target=NEXT).unsupported == (
        f"no way leads from schema version {NOW} to {NEXT}",
    )


def test_a_sound_catalog_has_no_findings(old: str, path: str) -> None:
    assert check(old) == ()
    assert check(path + ".none") == ()


def test_the_audit_finds_what_no_foreign_key_says(catalog: SqliteCatalog, token: int, path: str) -> None:
    with catalog.transaction(token) as tx:
        team(tx)
        tx.put_inventory(inventory(owner="f" * 32))
    db = sqlite3.connect(path)
    db.execute("UPDATE launch_profiles SET source_name = 'gone'")
    db.execute("DELETE FROM setup_profiles")  # with foreign keys off, as other programs have them
    db.execute("DROP TRIGGER revision_update_roles")
    db.execute("DROP VIEW v_roles")
    db.commit()
    db.close()
    assert [(finding.code, finding.message) for finding in check(path)] == [
        ("catalog.dangling", "row 1 of presets refers to a row of setup_profiles that is gone"),
        ("catalog.incomplete", "the catalog has lost revision_update_roles"),
        ("catalog.incomplete", "the catalog has lost v_roles"),
        ("catalog.no_source", "LaunchProfile/day is over the specialist gone, which the catalog does not have"),
        ("catalog.unused_content", "nothing uses the payload setups/codex/strict"),
        ("catalog.no_owner", "Instance/alice has an owner that the inventory does not have"),
    ]
    migration.mend(path)
    assert {finding.code for finding in check(path)} == {
        "catalog.dangling",
        "catalog.no_source",
        "catalog.unused_content",
        "catalog.no_owner",
    }
