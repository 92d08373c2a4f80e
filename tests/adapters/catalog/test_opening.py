"""Making, opening and failing to open the catalog; what a crash leaves behind."""

import gc
import multiprocessing
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from reconciler.adapters.catalog_sqlite.check import check
from reconciler.adapters.catalog_sqlite.store import SqliteCatalog, SqliteReader
from reconciler.model.errors import ErrorClass, OverlayError, ReconcilerError, Unreachable
from tests.adapters.catalog.conftest import Elsewhere, Opening
from tests.adapters.catalog.rows import AT, inventory, lease, team, uid

processes = multiprocessing.get_context("spawn")


def code_of(path: str, *, write: bool) -> str:
    """The code of the error that opening leads to."""
    opened = SqliteCatalog(path) if write else SqliteReader(path)
    with pytest.raises(ReconcilerError) as refused:
        opened.revision()
    opened.close()
    assert refused.value.hint
    return refused.value.code


def test_the_file_is_for_its_owner_alone(opening: Opening, catalog: SqliteCatalog, path: str, token: int) -> None:
    assert {name.name: name.stat().st_mode & 0o777 for name in Path(path).parent.iterdir()} == {
        "catalog.sqlite": 0o600,
        "catalog.sqlite-wal": 0o600,
        "catalog.sqlite-shm": 0o600,
    }
    catalog.close()
    Path(path).chmod(0o644)
    opening.catalog(path).revision()
    assert Path(path).stat().st_mode & 0o777 == 0o600


def test_it_is_made_for_concurrent_readers_and_checked_references(catalog: SqliteCatalog, token: int) -> None:
    assert catalog._connection is not None
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "user_version")
    assert [catalog._connection.row(f"PRAGMA {name}") for name in pragmas] == [("wal",), (1,), (1,), (1,)]
    assert catalog._connection.rows("SELECT key, value FROM catalog_meta ORDER BY key") == [
        ("schema_version", "1"),
        ("storage_model", "hybrid_sqlite_catalog"),
    ]


def test_opening_an_existing_catalog_writes_nothing(
    opening: Opening, catalog: SqliteCatalog, path: str, token: int
) -> None:
    catalog.close()
    before = (Path(path).read_bytes(), Path(path).stat().st_mtime_ns)
    for opened in (opening.reader(path), opening.catalog(path)):
        opened.inventory()
        assert opened.total_changes == 0
        opened.close()
    assert (Path(path).read_bytes(), Path(path).stat().st_mtime_ns) == before
    assert [found.name for found in Path(path).parent.iterdir()] == ["catalog.sqlite"]


def make(path: str, start: Barrier, answers: Connection) -> None:
    start.wait(30)
    answers.send(SqliteCatalog(path).acquire(lease(pid=os.getpid())))


def test_processes_that_make_it_at_once_all_succeed(path: str) -> None:
    count = 4
    for attempt in range(3):
        target = f"{path}.{attempt}"
        start = processes.Barrier(count)
        mine, theirs = processes.Pipe(duplex=False)
        started = [processes.Process(target=make, args=(target, start, theirs)) for _ in range(count)]
        for process in started:
            process.start()
        for process in started:
            process.join(60)
            assert process.exitcode == 0
        assert sorted(mine.recv() for _ in started) == [1, 2, 3, 4]
        assert check(target) == ()


def write_forever(path: str, answers: Connection) -> None:
    catalog = SqliteCatalog(path)
    token = catalog.acquire(lease(pid=os.getpid()))
    for number in range(100_000):
        with catalog.transaction(token) as tx:
            tx.put_inventory(inventory(f"a-{number}", number))
            tx.put_inventory(inventory(f"b-{number}", 1_000_000 + number))
        answers.send(number)


def test_a_kill_loses_no_transaction_and_leaves_no_half_of_one(opening: Opening, path: str) -> None:
    mine, theirs = processes.Pipe(duplex=False)
    writer = processes.Process(target=write_forever, args=(path, theirs))
    writer.start()
    for _ in range(50):
        mine.recv()
    os.kill(writer.pid or 0, signal.SIGKILL)
    writer.join(30)
    told = 50
    while mine.poll():
        try:
            mine.recv()
        except (EOFError, OSError):
            break
        told += 1
    names = {row.ref.name for row in opening.reader(path).inventory()}
    assert {f"a-{number}" for number in range(told)} <= names
    assert {name[2:] for name in names if name.startswith("a-")} == {
        name[2:] for name in names if name.startswith("b-")
    }
    assert check(path) == ()
    assert opening.catalog(path).acquire(lease()) == 2


@pytest.mark.skipif(sys.version_info < (3, 12), reason="before Python 3.12 closing copies what a crash left in the log")
def test_a_reader_after_a_crash_leaves_the_file_as_it_is(opening: Opening, path: str) -> None:
    mine, theirs = processes.Pipe(duplex=False)
    writer = processes.Process(target=write_forever, args=(path, theirs))
    writer.start()
    for _ in range(5):
        mine.recv()
    os.kill(writer.pid or 0, signal.SIGKILL)
    writer.join(30)
    before = Path(path).read_bytes()
    reader = opening.reader(path)
    assert len(reader.inventory()) >= 10
    reader.close()
    assert Path(path).read_bytes() == before


def test_a_catalog_of_a_newer_release_is_refused(catalog: SqliteCatalog, path: str, elsewhere: Elsewhere) -> None:
    catalog.acquire(lease())
    catalog.close()
    elsewhere("PRAGMA user_version = 99")
    assert code_of(path, write=False) == "catalog.newer"
    assert code_of(path, write=True) == "catalog.newer"


def test_a_database_of_another_program_is_left_alone(path: str, elsewhere: Elsewhere) -> None:
    elsewhere("CREATE TABLE catalog_meta (key TEXT, value TEXT)")
    before = Path(path).read_bytes()
    assert code_of(path, write=False) == "catalog.foreign"
    assert code_of(path, write=True) == "catalog.foreign"
    assert Path(path).read_bytes() == before


def test_a_file_that_is_no_database_is_said_to_be_so(path: str) -> None:
    Path(path).write_text("not a database, and long enough to be looked at as one\n" * 40)
    assert code_of(path, write=False) == "catalog.corrupt"
    assert code_of(path, write=True) == "catalog.corrupt"


def test_an_empty_file_is_a_catalog_that_is_not_made_yet(opening: Opening, path: str) -> None:
    Path(path).touch()
    assert not opening.reader(path).present()
    assert opening.catalog(path).acquire(lease()) == 1


def test_a_damaged_page_is_said_to_be_damage(opening: Opening, catalog: SqliteCatalog, path: str, token: int) -> None:
    with catalog.transaction(token) as tx:
        for number in range(500):
            tx.put_inventory(inventory(f"agent-{number}", number))
    catalog.close()
    size = Path(path).stat().st_size
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(OverlayError) as refused:
        opening.reader(path).inventory()
    assert refused.value.code == "catalog.corrupt"


def test_a_full_disk_is_said_to_be_full_and_nothing_is_written(catalog: SqliteCatalog, token: int) -> None:
    def write_much() -> None:
        with catalog.transaction(token) as tx:
            for number in range(2000):
                tx.put_inventory(inventory(f"agent-{number}", number))

    assert catalog._connection is not None
    catalog._connection.run("PRAGMA max_page_count = 1")  # it is raised to the present size
    with pytest.raises(OverlayError) as refused:
        write_much()
    assert refused.value.code == "catalog.disk_full"
    assert catalog.inventory() == ()
    catalog._connection.run("PRAGMA max_page_count = 100000")
    with catalog.transaction(token) as tx:
        tx.put_inventory(inventory())
    assert len(catalog.inventory()) == 1


def test_a_locked_catalog_is_worth_another_try(opening: Opening, catalog: SqliteCatalog, path: str, token: int) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    impatient = opening.catalog(path, busy_timeout_ms=1)
    with pytest.raises(Unreachable) as refused, impatient.transaction(token):
        pass
    assert refused.value.code == "catalog.busy"
    assert refused.value.error_class is ErrorClass.TRANSIENT
    assert opening.reader(path).lease() == lease(token=1)  # readers are not in the way of a writer, nor it in theirs
    other.execute("ROLLBACK")
    other.close()
    with impatient.transaction(token) as tx:
        tx.put_inventory(inventory())
    impatient.close()


def test_without_its_directory_it_cannot_be_made(opening: Opening, tmp_path: Path) -> None:
    assert code_of(str(tmp_path / "gone" / "catalog.sqlite"), write=True) == "catalog.unwritable"
    assert not opening.reader(str(tmp_path / "gone" / "catalog.sqlite")).present()
    assert code_of(str(tmp_path), write=False) == "catalog.unwritable"


def read_as_somebody(path: str, answers: Connection) -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    try:
        SqliteReader(path).inventory()
    except OverlayError as error:
        answers.send((error.code, error.hint))
    else:
        answers.send(("", ""))


def test_reading_where_one_may_not_write_fails_with_a_hint(opening: Opening) -> None:
    place = tempfile.mkdtemp()
    path = f"{place}/catalog.sqlite"
    try:
        catalog = opening.catalog(path)
        catalog.acquire(lease())
        catalog.close()
        Path(path).chmod(0o444)
        Path(place).chmod(0o555)
        mine, theirs = processes.Pipe(duplex=False)
        somebody = processes.Process(target=read_as_somebody, args=(path, theirs))
        somebody.start()
        somebody.join(30)
        code, hint = mine.recv()
        assert code == "catalog.unwritable"
        assert "owner and mode" in hint
    finally:
        Path(place).chmod(0o755)
        shutil.rmtree(place)


def test_a_path_of_any_letters_is_opened(opening: Opening, tmp_path: Path) -> None:
    path = str(tmp_path / "a%20b?mode=ro#c ä.sqlite")
    assert opening.catalog(path).acquire(lease()) == 1
    assert [name for name in os.listdir(tmp_path) if "-" not in name] == [os.path.basename(path)]


def test_a_catalog_that_is_dropped_holds_no_file_open(path: str) -> None:
    """At once, and not when the collector comes by: a test world and a server open one for each question."""
    catalog, reader = SqliteCatalog(path), SqliteReader(path)
    assert (catalog.acquire(lease()), reader.lease() is not None) == (1, True)
    gc.disable()
    try:
        assert open_below(Path(path).parent) != []
        del catalog, reader
        assert open_below(Path(path).parent) == []
    finally:
        gc.enable()


def open_below(directory: Path) -> list[str]:
    """The files below it that this process holds open."""
    found = []
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the listing's own
            found.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    return [name for name in found if name.startswith(f"{directory}/")]


def test_threads_of_one_process_take_turns(catalog: SqliteCatalog, token: int) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def write(number: int) -> None:
        with catalog.transaction(token) as tx:
            tx.put_inventory(inventory(f"agent-{number}", number))
            assert len(catalog.inventory()) >= 1

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(40)))
    assert {row.uid for row in catalog.inventory()} == {uid(number) for number in range(40)}


def test_the_clock_is_asked_for_stamps(catalog: SqliteCatalog, token: int, elsewhere: Elsewhere) -> None:
    with catalog.transaction(token) as tx:
        team(tx)
    assert elsewhere("SELECT created_at, updated_at FROM specialists") == [(AT, AT)]
