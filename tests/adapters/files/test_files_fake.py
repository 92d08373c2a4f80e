"""What the fake adds: a disk that is full, or says no, exactly when a test wants it to."""

import pytest

from reconciler.model.tree import Entry, Tree
from reconciler.ports.files import DiskFull, FilesUnreachable
from reconciler.testing.files import FakeFiles

TREE = Tree({"a": Entry(data=b"1"), "b/c": Entry(data=b"2")})


@pytest.mark.parametrize("nth", [1, 2])
def test_the_nth_write_finds_no_room_and_the_old_state_stays(nth: int) -> None:
    files = FakeFiles()
    files.write_tree("/home", TREE)
    files.full_at = nth
    with pytest.raises(DiskFull):
        files.replace_tree("/home", Tree({"a": Entry(data=b"3"), "d": Entry(data=b"4")}))
    assert files.snapshot("/home") == {"a": b"1", "b/c": b"2"}
    files.write("/home/a", b"5")
    assert files.read("/home/a") == b"5"


def test_a_full_disk_stops_between_entries_never_within_one() -> None:
    files = FakeFiles()
    files.write_tree("/home", TREE)
    files.full_at = 2
    with pytest.raises(DiskFull):
        files.replace_entries("/home", Tree({"a": Entry(data=b"3"), "b/c": Entry(data=b"4")}))
    assert files.snapshot("/home") == {"a": b"3", "b/c": b"2"}


def test_a_path_can_be_unreadable_or_read_only() -> None:
    files = FakeFiles()
    files.put("/a", "text")
    files.denied.add("/a")
    with pytest.raises(FilesUnreachable) as raised:
        files.read("/a")
    assert raised.value.code == "files.unreadable"
    assert files.stamp("/a") is not None
    files.read_only.add("/a")
    with pytest.raises(FilesUnreachable) as raised:
        files.write("/a", b"")
    assert raised.value.code == "files.unwritable"


def test_reads_are_counted_until_remembered() -> None:
    files = FakeFiles()
    files.write_tree("/home", TREE)
    for _ in range(3):
        files.tree_digest("/home")
    assert files.reads == 2
    files.put("/home/a", "new")
    files.tree_digest("/home")
    assert files.reads == 3
