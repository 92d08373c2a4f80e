"""What the port promises of inventory, journal, attempts, history, lease and notes, on a real file."""

from pathlib import Path

import pytest

from reconciler.adapters.catalog_sqlite.store import SqliteCatalog, SqliteReader
from reconciler.model.errors import ErrorClass, OverlayError, TokenLost
from reconciler.model.json import JsonMap, digest
from tests.adapters.catalog.conftest import Elsewhere
from tests.adapters.catalog.rows import AT, attempt, intent, inventory, lease, role, run, uid


def test_where_there_is_no_catalog_a_reader_answers_with_nothing_and_makes_none(
    reader: SqliteReader, path: str
) -> None:
    assert not reader.present()
    assert reader.revision() == 0
    assert reader.meta("gate") is None
    assert reader.inventory() == () == reader.naming(["alice"])
    assert reader.bundles(["sha256:ab"]) == {}
    assert reader.definitions("Role") == {} == reader.definitions("Project")
    assert reader.intents() == ()
    assert reader.attempts() == {}
    assert reader.lease() is None
    assert reader.runs(5) == ()
    assert list(Path(path).parent.iterdir()) == []


def test_a_reader_notices_that_the_catalog_was_made(reader: SqliteReader, catalog: SqliteCatalog) -> None:
    assert not reader.present()
    catalog.acquire(lease())
    assert reader.present()


def test_a_reader_cannot_write(reader: SqliteReader, catalog: SqliteCatalog, token: int) -> None:
    reader.revision()
    assert reader._connection is not None
    with pytest.raises(OverlayError, match="readonly") as refused:
        reader._connection.run("DELETE FROM meta")
    assert refused.value.code == "catalog.unwritable"


def test_an_inventory_row_comes_back_as_it_was_put(catalog: SqliteCatalog, reader: SqliteReader, token: int) -> None:
    spec = {"specialistRef": "reviewer"}
    row = inventory(
        digest=digest(spec),
        owner=uid(9),
        labels={"team": "core"},
        annotations={"houmao/note": "ä"},
        prevent_destroy=True,
        ignore_changes=("spec.env", "spec.model"),
        launch_digest="sha256:la",
        layout_version=3,
        live={"session": "$1", "pid": "4711"},
    )
    with catalog.transaction(token) as tx:
        tx.put_inventory(row)  # the bundle may follow in the same transaction
        tx.put_bundle(row.digest, spec)
    assert reader.inventory() == (row,) == catalog.inventory()
    assert reader.bundles([row.digest, "sha256:none"]) == {row.digest: spec}


def test_the_inventory_is_sorted_by_ref(catalog: SqliteCatalog, token: int) -> None:
    with catalog.transaction(token) as tx:
        for number, name in enumerate(("carl", "alice", "bob")):
            tx.put_inventory(inventory(name, number))
    assert [row.ref.name for row in catalog.inventory()] == ["alice", "bob", "carl"]


def test_rows_are_found_by_uid_by_name_and_by_what_they_hold(catalog: SqliteCatalog, token: int) -> None:
    rows = [
        inventory("alice", 1, live={"agent_id": "a-1", "agent_name": "first"}),
        inventory("bob", 2, live={"agent_id": "a-2"}),
        inventory("carl", 3, live={"agent_name": 'say "ä" \\'}),
    ]
    with catalog.transaction(token) as tx:
        for row in rows:
            tx.put_inventory(row)

    for word, at in ((uid(1), 0), ("alice", 0), ("a-1", 0), ("first", 0), (uid(2), 1), ("bob", 1), ("a-2", 1)):
        found = catalog.naming([word])
        assert rows[at] in found
        assert {row.ref.name for row in found} <= {rows[at].ref.name, "carl"}  # what JSON had to escape may be it
    for word in ('say "ä" \\', "ä", "carl"):
        assert rows[2] in catalog.naming([word])
    assert catalog.naming(["bob", "alice"])[:2] == (rows[0], rows[1])  # each once, in order
    assert catalog.naming([]) == () == catalog.naming(["\udce4"])
    assert [row for row in catalog.naming(["no%", "n\x00"]) if row != rows[2]] == []


def test_a_row_put_again_replaces_the_old_one_and_dropping_forgets_it(catalog: SqliteCatalog, token: int) -> None:
    with catalog.transaction(token) as tx:
        tx.put_inventory(inventory())
    with catalog.transaction(token) as tx:
        tx.put_inventory(inventory("renamed", generation=2, apply_set="other", source_root="root-2"))
    assert catalog.inventory() == (inventory("renamed", generation=2, apply_set="other", source_root="root-2"),)
    with catalog.transaction(token) as tx:
        tx.drop_inventory(uid(1))
        tx.drop_inventory(uid(77))
    assert catalog.inventory() == ()


def test_a_row_whose_bundle_nobody_put_is_refused_at_commit(catalog: SqliteCatalog, token: int) -> None:
    with pytest.raises(OverlayError) as refused, catalog.transaction(token) as tx:
        tx.put_inventory(inventory(digest="sha256:nowhere"))
    assert refused.value.code == "catalog.constraint"
    assert catalog.inventory() == ()


def test_one_name_belongs_to_one_uid(catalog: SqliteCatalog, token: int) -> None:
    with catalog.transaction(token) as tx:
        tx.put_inventory(inventory("alice", 1))
    with pytest.raises(OverlayError) as refused, catalog.transaction(token) as tx:
        tx.put_inventory(inventory("alice", 2))
    assert refused.value.code == "catalog.constraint"


def test_all_of_a_transaction_or_nothing(catalog: SqliteCatalog, token: int) -> None:
    def begin_and_fail() -> None:
        with catalog.transaction(token) as tx:
            tx.put_inventory(inventory())
            tx.put_definition(role())
            raise ZeroDivisionError

    before = catalog.revision()
    with pytest.raises(ZeroDivisionError):
        begin_and_fail()
    assert catalog.inventory() == ()
    assert catalog.definitions("Role") == {}
    assert catalog.revision() == before
    with catalog.transaction(token) as tx:  # and the next one works
        tx.put_inventory(inventory())
    assert len(catalog.inventory()) == 1


def test_an_intent_is_open_until_it_is_settled(catalog: SqliteCatalog, reader: SqliteReader, token: int) -> None:
    first, second = intent(), intent("bob", 2)
    with catalog.transaction(token) as tx:
        tx.intend(first)
        tx.intend(second)
    assert reader.intents() == (first, second)
    with catalog.transaction(token) as tx:
        tx.note("r-1", uid(1), {"pid": 4711, "ticks": 7})
        tx.note("r-1", uid(1), {"ticks": 8})
    assert reader.intents()[0].handle == {"session": "S-alice", "pid": 4711, "ticks": 8}
    with catalog.transaction(token) as tx:
        tx.settle("r-1", uid(1), "settled", AT)
        tx.settle("r-1", uid(99), "settled", AT)
    assert reader.intents() == (second,)


def test_settling_closes_the_intents_of_earlier_runs_too(catalog: SqliteCatalog, token: int) -> None:
    with catalog.transaction(token) as tx:
        tx.intend(intent(run="r-1"))
        tx.intend(intent(run="r-2", verb="relaunch"))
    with catalog.transaction(token) as tx:
        tx.settle("r-2", uid(1), "failed", AT)
    assert catalog.intents() == ()


def test_a_handle_cannot_be_noted_where_no_intent_is_open(catalog: SqliteCatalog, token: int) -> None:
    with pytest.raises(OverlayError) as refused, catalog.transaction(token) as tx:
        tx.note("r-1", uid(1), {"pid": 1})
    assert refused.value.code == "catalog.no_intent"


def test_the_journal_says_how_far_an_action_came(catalog: SqliteCatalog, token: int, elsewhere: Elsewhere) -> None:
    def states() -> list[tuple[object, ...]]:
        return elsewhere("SELECT action, verb, state, token, outcome FROM journal")

    with catalog.transaction(token) as tx:
        tx.intend(intent())
    assert states() == [("Instance/alice", "create", "intent", 1, "")]
    with catalog.transaction(token) as tx:
        tx.note("r-1", uid(1), {"pid": 1})
    assert states() == [("Instance/alice", "create", "acted", 1, "")]
    with catalog.transaction(token) as tx:
        tx.settle("r-1", uid(1), "settled", AT)
    assert states() == [("Instance/alice", "create", "settled", 1, "settled")]


def test_attempts_survive_and_are_forgotten_on_success(
    catalog: SqliteCatalog, reader: SqliteReader, token: int
) -> None:
    with catalog.transaction(token) as tx:
        tx.put_attempt(attempt())
        tx.put_attempt(attempt(2))
        tx.put_attempt(attempt(tries=3))
    assert reader.attempts() == {uid(1): attempt(tries=3), uid(2): attempt(2)}
    with catalog.transaction(token) as tx:
        tx.drop_attempt(uid(1))
    assert reader.attempts() == {uid(2): attempt(2)}


def test_runs_come_newest_first_and_are_replaced_by_id(
    catalog: SqliteCatalog, reader: SqliteReader, token: int
) -> None:
    for number in (1, 2, 3):
        with catalog.transaction(token) as tx:
            tx.put_run(run(number, outcome=""), {"Instance/alice": "sha256:ab"})
    with catalog.transaction(token) as tx:
        tx.put_run(run(2, outcome="failed"), {"Instance/alice": "sha256:ab"})
    declared = digest({"Instance/alice": "sha256:ab"})
    assert reader.runs(2) == (run(3, outcome="", bundle=declared), run(2, outcome="failed", bundle=declared))
    assert len(reader.runs(10)) == 3


def test_a_document_lives_as_long_as_a_row_or_a_run_names_it(
    catalog: SqliteCatalog, token: int, elsewhere: Elsewhere
) -> None:
    old, new, lost = {"v": 1}, {"v": 2}, {"v": 3}
    with catalog.transaction(token) as tx:
        tx.put_bundle(digest(old), old)
        tx.put_inventory(inventory(digest=digest(old)))
        tx.put_run(run(1), {"Instance/alice": digest(old)})
    with catalog.transaction(token) as tx:
        tx.put_bundle(digest(lost), lost)
        tx.put_inventory(inventory(digest=digest(lost), generation=2))
    with catalog.transaction(token) as tx:
        tx.put_bundle(digest(new), new)
        tx.put_inventory(inventory(digest=digest(new), generation=3))
        tx.put_run(run(2), {"Instance/alice": digest(new)})
    assert catalog.bundles([digest(old), digest(new), digest(lost)]) == {digest(old): old, digest(new): new}
    with catalog.transaction(token) as tx:
        tx.put_run(run(2), {"Instance/alice": digest(new)})
    assert elsewhere("SELECT count(*) FROM bundle") == [(4,)]  # two documents, two declared sets


def test_a_lease_gives_each_writer_the_next_token(catalog: SqliteCatalog, reader: SqliteReader) -> None:
    assert catalog.lease() is None
    assert catalog.acquire(lease(token=70)) == 1
    assert catalog.acquire(lease(pid=5, purpose="watch")) == 2
    assert reader.lease() == lease(token=2, pid=5, purpose="watch")


def test_before_the_first_lease_the_token_is_zero(catalog: SqliteCatalog) -> None:
    with catalog.transaction(0) as tx:
        tx.put_meta("overlay", "o-1")
    assert catalog.meta("overlay") == "o-1"


def test_a_writer_that_was_taken_over_changes_nothing(catalog: SqliteCatalog, path: str, token: int) -> None:
    newer = SqliteCatalog(path)
    assert newer.acquire(lease(pid=2)) == token + 1
    with pytest.raises(TokenLost) as lost, catalog.transaction(token) as tx:
        tx.put_inventory(inventory())
    assert lost.value.code == "stale.token"
    assert lost.value.error_class is ErrorClass.AMBIGUOUS
    assert catalog.inventory() == ()
    with newer.transaction(token + 1) as tx:
        tx.put_inventory(inventory())
    newer.close()
    assert len(catalog.inventory()) == 1


def test_a_lease_can_be_rewritten_within_its_transaction(catalog: SqliteCatalog, token: int) -> None:
    with catalog.transaction(token) as tx:
        tx.put_lease(lease(token=token, purpose="undo"))
    assert catalog.lease() == lease(token=token, purpose="undo")


def test_notes_do_not_raise_the_revision(catalog: SqliteCatalog, reader: SqliteReader, token: int) -> None:
    before = reader.revision()
    with catalog.transaction(token) as tx:
        tx.put_meta("gate", '{"key":1}')
        tx.put_meta("gate", '{"key":2}')
    assert reader.meta("gate") == '{"key":2}'
    assert reader.revision() == before
    with pytest.raises(OverlayError), catalog.transaction(token) as tx:
        tx.put_meta("revision", "0")


def test_every_table_of_definitions_and_engine_raises_the_revision(
    catalog: SqliteCatalog, elsewhere: Elsewhere
) -> None:
    catalog.acquire(lease())
    counted = {
        name
        for (name,) in elsewhere("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    } - {"meta", "catalog_meta", "event"}
    for event in ("insert", "update", "delete"):
        prefix = f"revision_{event}_"
        made = elsewhere("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE ?", f"{prefix}%")
        assert {str(name).removeprefix(prefix) for (name,) in made} == counted


def test_edits_by_other_programs_raise_the_revision_and_empty_ones_do_not(
    catalog: SqliteCatalog, reader: SqliteReader, token: int, elsewhere: Elsewhere
) -> None:
    with catalog.transaction(token) as tx:
        tx.put_definition(role())
    revision = reader.revision()
    elsewhere("UPDATE roles SET name = name")
    elsewhere("DELETE FROM presets")
    assert reader.revision() == revision
    elsewhere("UPDATE roles SET name = 'other'")
    assert reader.revision() == revision + 1
    elsewhere("INSERT INTO setup_profiles (tool, name) VALUES ('codex', 'x')")
    assert reader.revision() == revision + 2
    elsewhere("DELETE FROM setup_profiles")
    assert reader.revision() == revision + 3


def test_writing_what_is_there_changes_no_row(catalog: SqliteCatalog, token: int) -> None:
    def write() -> None:
        with catalog.transaction(token) as tx:
            tx.put_definition(role())
            tx.put_inventory(inventory())
            tx.put_attempt(attempt())
            tx.put_meta("gate", "{}")
            tx.put_run(run(), {})

    write()
    changes, revision = catalog.total_changes, catalog.revision()
    write()
    assert (catalog.total_changes, catalog.revision()) == (changes, revision)


def test_runs_of_one_set_and_what_they_did(reader: SqliteReader, catalog: SqliteCatalog, token: int) -> None:
    did: JsonMap = {"ref": "Instance/alice", "verb": "create", "outcome": "settled"}
    with catalog.transaction(token) as tx:
        tx.put_run(run(1), {"Instance/alice": "sha256:ab"}, [did])
        tx.put_run(run(2)._replace(apply_set="other", command="delete"), {})

    assert [(each.id, each.command) for each in reader.runs(9, "other")] == [(run(2).id, "delete")]
    assert reader.runs(9, "nobody's") == ()
    assert reader.run_actions([run(1).id, run(2).id, "r-unknown"]) == {run(1).id: (did,), run(2).id: ()}
    assert reader.bundles([reader.runs(1, "other")[0].bundle]) == {digest({}): {}}
