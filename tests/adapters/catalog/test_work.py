"""How much work each operation is: SQL statements, exactly, and independent of the number of rows."""

import subprocess
import sys

import pytest

from reconciler.adapters.catalog_sqlite.store import SqliteCatalog, SqliteReader
from reconciler.model.json import digest
from tests.adapters.catalog.rows import AT, attempt, intent, inventory, role, run, team, uid

KINDS = {
    "Role": 2,
    "Setup": 2,
    "Skill": 2,
    "AuthProfile": 2,
    "Recipe": 3,
    "Specialist": 3,
    "LaunchProfile": 4,
    "Project": 2,
}
"""The kind's own table, payloads without a column, and each junction table."""


def test_at_rest_what_is_remembered_holds_each_text_once(
    catalog: SqliteCatalog, reader: SqliteReader, token: int
) -> None:
    with catalog.transaction(token) as tx:
        for number in range(2):
            tx.put_inventory(inventory(f"agent-{number}", number, live={"workdir": "/somewhere", "pid": str(number)}))
    before = reader.inventory()
    assert before[0].live["workdir"] is not before[1].live["workdir"]

    reader.rest()

    asked = reader.statements
    after = reader.inventory()
    assert reader.statements == asked + 1  # the revision: nothing is read again
    assert after == before
    assert after[0].live["workdir"] is after[1].live["workdir"]
    reader.rest()
    assert reader.inventory() is after


@pytest.mark.parametrize("count", [1, 1000])
def test_reading_is_one_query_whatever_the_number_of_rows(
    catalog: SqliteCatalog, reader: SqliteReader, token: int, count: int
) -> None:
    body = {"v": 1}
    with catalog.transaction(token) as tx:
        tx.put_bundle(digest(body), body)
        for number in range(count):
            tx.put_inventory(inventory(f"agent-{number}", number, digest=digest(body), live={"pid": str(number)}))
            tx.put_attempt(attempt(number))
            tx.intend(intent(number=number))
            tx.put_definition(role(f"role-{number}"))
        tx.put_run(run(), {})
    reader.present()
    for question in (
        reader.revision,
        reader.intents,
        reader.attempts,
        reader.lease,
        lambda: reader.meta("gate"),
        lambda: reader.runs(10),
        lambda: reader.bundles([digest(body), *map(str, range(count))]),
    ):
        before = reader.statements
        question()
        assert reader.statements == before + 1
    before = reader.statements
    assert len(reader.inventory()) == count
    assert reader.statements == before + 2  # the revision, the rows
    assert len(reader.inventory()) == count
    assert reader.statements == before + 3  # nothing changed: the revision alone
    before = reader.statements
    assert [row.ref.name for row in reader.naming(["agent-0"])] == ["agent-0"]
    assert reader.statements == before + 1
    before = reader.statements
    assert len(reader.definitions("Role")) == count
    assert reader.statements == before + 2


def test_opening_for_reading_is_two_statements(reader: SqliteReader, token: int) -> None:
    assert reader.present()
    assert reader.statements == 2  # query_only, user_version


@pytest.mark.parametrize(("kind", "statements"), KINDS.items())
def test_definitions_are_one_query_per_table(
    catalog: SqliteCatalog, reader: SqliteReader, token: int, kind: str, statements: int
) -> None:
    with catalog.transaction(token) as tx:
        team(tx)
    reader.present()
    before = reader.statements
    reader.definitions(kind)
    assert reader.statements == before + statements


def test_an_action_is_two_small_transactions(catalog: SqliteCatalog, token: int) -> None:
    body = {"v": 1}
    with catalog.transaction(token) as tx:  # the apply set is made once
        tx.put_bundle(digest(body), body)
        tx.put_inventory(inventory("first", 9, digest=digest(body)))
    before = catalog.statements
    with catalog.transaction(token) as tx:
        tx.intend(intent())
    assert catalog.statements == before + 4  # begin, token, intent, commit
    before = catalog.statements
    with catalog.transaction(token) as tx:
        tx.put_bundle(digest(body), body)
        tx.put_inventory(inventory(digest=digest(body)))
        tx.settle("r-1", uid(1), "settled", AT)
        tx.drop_attempt(uid(1))
    assert catalog.statements == before + 8  # begin, token, bundle, set, row, settle, attempt, commit


def test_a_thousand_rows_are_one_statement_each(catalog: SqliteCatalog, token: int) -> None:
    with catalog.transaction(token) as tx:
        tx.put_inventory(inventory("first", 5000))
    before = catalog.statements
    with catalog.transaction(token) as tx:
        for number in range(1000):
            tx.put_inventory(inventory(f"agent-{number}", number))
    assert catalog.statements == before + 1000 + 4  # begin, token, set, commit


def test_the_adapter_imports_sqlite_and_no_schema_library() -> None:
    program = "import sys; import reconciler.adapters.catalog_sqlite.store; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    )
    assert "sqlite3" in loaded
    assert not loaded & {"pydantic", "yaml", "typer", "jsonschema", "subprocess", "asyncio", "uuid", "dataclasses"}
    layers = {name.split(".")[1] for name in loaded if name.startswith("reconciler.")}
    assert layers == {"adapters", "model", "ports"}
