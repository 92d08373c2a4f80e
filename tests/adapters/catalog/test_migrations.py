"""Forward migrations, tried on a synthetic next version, and the checks that `doctor` shows."""

import sqlite3
from pathlib import Path

import pytest

from reconciler.adapters.catalog_sqlite import migrate as migration
from reconciler.adapters.catalog_sqlite.check import check
from reconciler.adapters.catalog_sqlite.connection import Connection
from reconciler.adapters.catalog_sqlite.migrate import Migrated, Migration, MigrationPlan
from reconciler.adapters.catalog_sqlite.store import SqliteCatalog
from reconciler.model.errors import OverlayError
from tests.adapters.catalog.conftest import Elsewhere, Opening
from tests.adapters.catalog.rows import inventory, role, team


def add_nickname(connection: Connection) -> None:
    connection.run("ALTER TABLE roles ADD COLUMN nickname TEXT")


def fill_nickname(connection: Connection) -> None:
    connection.run("UPDATE roles SET nickname = 'nick-' || name")


def fail(connection: Connection) -> None:
    connection.run("UPDATE roles SET name = 'half done'")
    raise ZeroDivisionError


def orphan(connection: Connection) -> None:
    connection.run("DELETE FROM roles")


STEPS = (Migration(2, "roles get a nickname", add_nickname), Migration(3, "nicknames are filled in", fill_nickname))


@pytest.fixture
def old(catalog: SqliteCatalog, token: int, path: str) -> str:
    """A catalog of version 1 with a team in it."""
    with catalog.transaction(token) as tx:
        team(tx)
    catalog.close()
    return path


def test_the_present_version_needs_no_migration(old: str) -> None:
    assert migration.plan(old) == MigrationPlan(old, 1, 1, (), ())
    assert migration.migrate(old) == Migrated((), None)
    assert [found.name for found in Path(old).parent.iterdir()] == ["catalog.sqlite"]


def test_without_a_catalog_there_is_nothing_to_migrate(path: str) -> None:
    assert migration.plan(path).version is None
    assert migration.migrate(path, migrations=STEPS, target=3) == Migrated((), None)
    assert not Path(path).exists()


def test_an_older_catalog_goes_through_every_step_and_leaves_a_copy(
    opening: Opening, old: str, elsewhere: Elsewhere
) -> None:
    planned = migration.plan(old, migrations=STEPS, target=3)
    assert planned == MigrationPlan(old, 1, 3, ("roles get a nickname", "nicknames are filled in"), ())
    assert planned.required
    assert planned.can_apply
    done = migration.migrate(old, migrations=STEPS, target=3)
    assert done.steps == planned.steps
    assert elsewhere("SELECT name, nickname FROM roles") == [("reviewer", "nick-reviewer")]
    assert elsewhere("PRAGMA user_version") == [(3,)]
    assert elsewhere("SELECT value FROM catalog_meta WHERE key = 'schema_version'") == [("3",)]
    assert elsewhere("SELECT specialist_name FROM v_specialists") == [("reviewer",)]
    # The triggers know the new column.
    (before,) = elsewhere("SELECT value FROM meta WHERE key = 'revision'")
    elsewhere("UPDATE roles SET nickname = 'other'")
    (after,) = elsewhere("SELECT value FROM meta WHERE key = 'revision'")
    assert int(str(after[0])) == int(str(before[0])) + 1
    # The copy is a whole catalog of the old version, for its owner alone.
    backup = Path(str(done.backup))
    assert backup.name == "catalog.sqlite.v1-backup"
    assert backup.stat().st_mode & 0o777 == 0o600
    copy = opening.reader(str(backup))
    assert copy.definitions("Role")["reviewer"].facts == role().facts
    copy.close()


def test_a_second_backup_does_not_replace_the_first(old: str) -> None:
    Path(f"{old}.v1-backup").write_text("mine")
    done = migration.migrate(old, migrations=STEPS, target=3)
    assert done.backup == f"{old}.v1-backup.1"
    assert Path(f"{old}.v1-backup").read_text() == "mine"


def test_a_step_that_fails_changes_nothing(opening: Opening, old: str, elsewhere: Elsewhere) -> None:
    with pytest.raises(ZeroDivisionError):
        migration.migrate(old, migrations=(STEPS[0], Migration(3, "fails", fail)), target=3)
    assert elsewhere("PRAGMA user_version") == [(1,)]
    assert opening.reader(old).definitions("Role")["reviewer"].facts == role().facts
    with pytest.raises(sqlite3.OperationalError, match="nickname"):
        elsewhere("SELECT nickname FROM roles")


def test_a_step_that_leaves_rows_without_a_parent_is_taken_back(opening: Opening, old: str) -> None:
    with pytest.raises(OverlayError, match="presets, specialists") as refused:
        migration.migrate(old, migrations=(Migration(2, "forgets roles", orphan),), target=2)
    assert refused.value.code == "catalog.unmigratable"
    assert set(opening.reader(old).definitions("Role")) == {"reviewer"}


@pytest.mark.parametrize(("version", "why"), [(9, "knows versions up to 3"), (0, "another program")])
def test_what_cannot_be_migrated_says_why(old: str, elsewhere: Elsewhere, version: int, why: str) -> None:
    elsewhere(f"PRAGMA user_version = {version}")
    planned = migration.plan(old, migrations=STEPS, target=3)
    assert not planned.can_apply
    assert why in planned.unsupported[0]
    with pytest.raises(OverlayError, match=why) as refused:
        migration.migrate(old, migrations=STEPS, target=3)
    assert refused.value.code == "catalog.unmigratable"


def test_a_missing_step_is_no_way(old: str) -> None:
    assert migration.plan(old, migrations=STEPS[1:], target=3).unsupported == (
        "no way leads from schema version 1 to 3",
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
