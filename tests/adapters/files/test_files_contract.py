"""What anybody may rely on of files, asked of a real disk and of the one in memory alike."""

import hashlib
import posixpath

import pytest

from reconciler.model.errors import ReconcilerError, StaleObservation
from reconciler.model.tree import Entry, Tree
from reconciler.ports.files import FileMissing, FileRefused, FilesUnreachable, FoundEntry, LockHolder
from tests.adapters.files.world import Disk


def sha(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def files(**contents: str) -> Tree:
    return Tree({name.replace("__", "/"): Entry(data=text.encode()) for name, text in contents.items()})


def code(raised: pytest.ExceptionInfo[ReconcilerError]) -> str:
    return raised.value.code


# Reading.


def test_what_was_written_is_read_back_with_its_mode(disk: Disk) -> None:
    path = f"{disk.root}/a/b/c.txt"
    disk.files.write(path, b"\x00one", mode=0o640, durable=True)
    stamp = disk.files.stamp(path)
    assert disk.files.read(path) == b"\x00one"
    assert stamp is not None
    assert (stamp.size, stamp.mode, stamp.is_dir) == (4, 0o640, False)
    assert disk.files.digest(path) == (sha(b"\x00one"), 4)


def test_missing_things_are_missing(disk: Disk) -> None:
    path = f"{disk.root}/none"
    assert disk.files.stamp(path) is None
    assert disk.files.stamp(f"{path}/below") is None
    assert disk.files.found(path) is None
    for look in (disk.files.read, disk.files.digest, disk.files.tree_digest, disk.files.names):
        with pytest.raises(FileMissing) as raised:
            look(path)
        assert code(raised) == "files.missing"


def test_a_file_where_a_directory_should_be_is_no_part_of_a_path(disk: Disk) -> None:
    disk.files.write(f"{disk.root}/file", b"")
    assert disk.files.stamp(f"{disk.root}/file/below") is None
    assert disk.files.found(f"{disk.root}/file") is None
    with pytest.raises(FileMissing):
        disk.files.read(f"{disk.root}/file/below")


def test_a_pipe_is_refused_and_hangs_nobody(disk: Disk) -> None:
    disk.pipe(f"{disk.root}/pipe")
    for look in (disk.files.read, disk.files.digest):
        with pytest.raises(FileRefused) as raised:
            look(f"{disk.root}/pipe")
        assert code(raised) == "files.special"
    with pytest.raises(FileRefused) as raised:
        disk.files.tree_digest(disk.root)
    assert code(raised) == "files.special"
    assert disk.files.found(disk.root) == ()


def test_a_directory_is_no_file(disk: Disk) -> None:
    for look in (disk.files.read, disk.files.digest):
        with pytest.raises(FileRefused) as raised:
            look(disk.root)
        assert code(raised) == "files.directory"


def test_a_path_with_a_null_byte_is_no_path(disk: Disk) -> None:
    for act in (disk.files.read, disk.files.stamp, disk.files.names):
        with pytest.raises(FileRefused) as raised:
            act("a\0b")
        assert code(raised) == "files.name"


def test_a_digest_follows_the_content(disk: Disk) -> None:
    path = f"{disk.root}/file"
    for text in (b"one", b"two", b"six"):
        disk.put(path, text)
        assert disk.files.digest(path).digest == sha(text)


def test_names_are_sorted_and_directories_show(disk: Disk) -> None:
    disk.files.write(f"{disk.root}/b", b"")
    disk.files.write(f"{disk.root}/a/inner", b"")
    disk.files.link(f"{disk.root}/c", "a")
    assert disk.files.names(disk.root) == ("a/", "b", "c")


def test_links_are_resolved_for_a_reader(disk: Disk) -> None:
    disk.files.write(f"{disk.root}/a/file", b"text")
    disk.files.link(f"{disk.root}/to_a", "a")
    disk.files.link(f"{disk.root}/up", f"{disk.root}/a/../to_a/file")
    assert disk.files.read(f"{disk.root}/up") == b"text"
    assert disk.files.real(f"{disk.root}/up") == f"{disk.root}/a/file"
    assert disk.files.real(f"{disk.root}/to_a/none") == f"{disk.root}/a/none"
    assert disk.files.stamp(f"{disk.root}/to_a") == disk.files.stamp(f"{disk.root}/a")


def test_a_link_to_itself_ends_in_an_error(disk: Disk) -> None:
    disk.files.link(f"{disk.root}/loop", "loop")
    with pytest.raises(FilesUnreachable):
        disk.files.read(f"{disk.root}/loop")


def test_the_digest_of_a_directory_is_the_one_of_its_tree(disk: Disk) -> None:
    tree = Tree({"SKILL.md": Entry(data=b"text"), "bin/run.sh": Entry(data=b"#!/bin/sh\n", mode=0o700)})
    disk.files.write_tree(f"{disk.root}/skill", tree)
    assert disk.files.tree_digest(f"{disk.root}/skill") == (tree.digest(), 14)
    disk.put(f"{disk.root}/skill/SKILL.md", b"TEXT")
    assert disk.files.tree_digest(f"{disk.root}/skill").digest != tree.digest()


def test_a_new_directory_may_have_empty_ones_in_it(disk: Disk) -> None:
    disk.files.write_tree(f"{disk.root}/home", files(tmp__a="1"), ("tmp", "home"))
    assert disk.files.names(f"{disk.root}/home") == ("home/", "tmp/")
    assert disk.files.names(f"{disk.root}/home/home") == ()


def test_a_directory_with_a_link_has_no_digest(disk: Disk) -> None:
    disk.files.write_tree(f"{disk.root}/skill", files(SKILL="x"))
    disk.files.link(f"{disk.root}/skill/secret", "/etc/passwd")
    with pytest.raises(FileRefused) as raised:
        disk.files.tree_digest(f"{disk.root}/skill")
    assert code(raised) == "files.link"


def test_what_is_found_below_a_directory_is_files_and_links(disk: Disk) -> None:
    tree = Tree({"b/c": Entry(data=b"1", mode=0o700), "a": Entry(data=b"2"), "l": Entry(link="b")})
    disk.files.write_tree(f"{disk.root}/home", tree)
    assert disk.files.found(f"{disk.root}/home") == (
        FoundEntry("a", sha(b"2"), 0o600),
        FoundEntry("b/c", sha(b"1"), 0o700),
        FoundEntry("l", "", 0o777, "b"),
    )


# Writing.


def test_a_replacement_leaves_nothing_beside_it(disk: Disk) -> None:
    for text in (b"one", b"two"):
        disk.files.write(f"{disk.root}/file", text)
    disk.files.link(f"{disk.root}/link", "one")
    disk.files.link(f"{disk.root}/link", "two")
    assert disk.everything() == {"file": b"two", "link": "two"}


def test_writing_over_a_link_replaces_the_link_alone(disk: Disk) -> None:
    disk.files.write(f"{disk.root}/target", b"kept")
    disk.files.link(f"{disk.root}/link", "target")
    disk.files.write(f"{disk.root}/link", b"new")
    assert disk.everything() == {"link": b"new", "target": b"kept"}


def test_a_file_does_not_replace_a_directory(disk: Disk) -> None:
    disk.files.write(f"{disk.root}/dir/file", b"kept")
    with pytest.raises(FilesUnreachable) as raised:
        disk.files.write(f"{disk.root}/dir", b"new")
    assert code(raised) == "files.unwritable"
    assert disk.everything() == {"dir/file": b"kept"}


def test_directories_are_private_and_those_that_are_there_stay(disk: Disk) -> None:
    disk.files.make_dir(f"{disk.root}/a/b", 0o755)
    disk.files.make_dir(f"{disk.root}/a/b", 0o700)
    stamps = [disk.files.stamp(f"{disk.root}/{path}") for path in ("a", "a/b")]
    assert [(stamp.mode, stamp.is_dir) for stamp in stamps if stamp] == [(0o700, True), (0o755, True)]
    disk.files.write(f"{disk.root}/file", b"")
    with pytest.raises(FilesUnreachable):
        disk.files.make_dir(f"{disk.root}/file")


def test_what_is_made_private_loses_what_others_may_and_nothing_else(disk: Disk) -> None:
    disk.files.write(f"{disk.root}/script", b"x", mode=0o755)
    disk.files.make_dir(f"{disk.root}/open", 0o777)
    disk.files.link(f"{disk.root}/link", f"{disk.root}/open")
    disk.files.make_private(f"{disk.root}/link")
    found = disk.files.stamp(f"{disk.root}/open")
    assert found is not None
    assert found.mode == 0o777
    for name, mode in (("script", 0o700), ("open", 0o700)):
        disk.files.make_private(f"{disk.root}/{name}")
        found = disk.files.stamp(f"{disk.root}/{name}")
        assert found is not None
        assert found.mode == mode
    with pytest.raises(FileMissing):
        disk.files.make_private(f"{disk.root}/none")


def test_a_new_tree_never_lands_on_an_old_one(disk: Disk) -> None:
    disk.files.write_tree(f"{disk.root}/home", files(a__b="1"))
    with pytest.raises(FileRefused) as raised:
        disk.files.write_tree(f"{disk.root}/home", files(c="2"))
    assert code(raised) == "files.exists"
    assert disk.everything() == {"home/a/b": b"1"}


def test_an_empty_tree_is_an_empty_directory(disk: Disk) -> None:
    disk.files.write_tree(f"{disk.root}/home", Tree())
    assert disk.files.found(f"{disk.root}/home") == ()


def test_a_replaced_tree_holds_exactly_the_new_one(disk: Disk) -> None:
    path = f"{disk.root}/agents"
    disk.files.replace_tree(path, files(a="1", b__c="2"))
    disk.files.write(f"{path}/mine", b"3")
    disk.files.replace_tree(path, files(a="4", d="5"))
    assert disk.everything() == {"agents/a": b"4", "agents/d": b"5"}


def test_replacing_entries_leaves_the_rest_alone(disk: Disk) -> None:
    path = f"{disk.root}/home"
    disk.files.write_tree(path, files(config="1", skills__old__text="2", history="3"))
    disk.files.write(f"{path}/skills/own/text", b"4")
    disk.files.replace_entries(path, files(config="5", deep__new__file="6"), drop=["skills/old/text", "not/there"])
    assert disk.everything() == {
        "home/config": b"5",
        "home/deep/new/file": b"6",
        "home/history": b"3",
        "home/skills/own/text": b"4",
    }
    assert disk.files.names(f"{path}/skills") == ("own/",)


def test_a_whole_directory_can_be_dropped(disk: Disk) -> None:
    disk.files.write_tree(f"{disk.root}/home", files(skills__a__b="1", skills__a__c="2", keep="3"))
    disk.files.replace_entries(f"{disk.root}/home", Tree(), drop=["skills/a"])
    assert disk.files.names(f"{disk.root}/home") == ("keep",)


def test_entries_need_a_directory_to_go_to(disk: Disk) -> None:
    with pytest.raises(FileMissing):
        disk.files.replace_entries(f"{disk.root}/none", files(a="1"))


def test_no_link_leads_a_writer_out_of_the_tree(disk: Disk) -> None:
    disk.files.write(f"{disk.root}/outside/file", b"safe")
    disk.files.write_tree(f"{disk.root}/home", files(a="1"))
    disk.files.link(f"{disk.root}/home/skills", f"{disk.root}/outside")
    disk.files.link(f"{disk.root}/alias", "home")
    for path, tree in (("home", files(skills__file="bad")), ("alias", files(a="bad"))):
        with pytest.raises(FileRefused) as raised:
            disk.files.replace_entries(f"{disk.root}/{path}", tree)
        assert code(raised) == "files.link"
    disk.files.replace_entries(f"{disk.root}/home", Tree(), drop=["skills/file"])
    disk.files.remove(f"{disk.root}/home")
    assert disk.everything() == {"alias": "home", "outside/file": b"safe"}


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x", "", "a//b", "./a", "a/", "a\0b"])
def test_a_tree_with_a_path_that_leaves_it_is_refused(disk: Disk, path: str) -> None:
    disk.files.make_dir(f"{disk.root}/home")
    tree = Tree({path: Entry(data=b"x")})
    for write in (disk.files.replace_entries, disk.files.replace_tree):
        with pytest.raises(FileRefused) as raised:
            write(f"{disk.root}/home", tree)
        assert code(raised) == "files.escape"
    with pytest.raises(FileRefused):
        disk.files.write_tree(f"{disk.root}/new", tree)
    with pytest.raises(FileRefused):
        disk.files.replace_entries(f"{disk.root}/home", Tree(), drop=[path])
    assert disk.everything() == {}


def test_an_entry_below_a_link_of_the_same_tree_is_refused(disk: Disk) -> None:
    tree = Tree({"l": Entry(link="/etc"), "l/passwd": Entry(data=b"x")})
    with pytest.raises(FileRefused) as raised:
        disk.files.write_tree(f"{disk.root}/home", tree)
    assert code(raised) == "files.escape"


def test_large_content_is_copied_from_where_it_is(disk: Disk) -> None:
    disk.files.write(f"{disk.root}/content", b"x" * 3_000_000)
    good = Entry(source=f"{disk.root}/content", digest=sha(b"x" * 3_000_000))
    disk.files.write_tree(f"{disk.root}/one", Tree({"a": good}))
    assert disk.files.read(f"{disk.root}/one/a") == b"x" * 3_000_000
    disk.put(f"{disk.root}/content", b"changed")
    with pytest.raises(StaleObservation) as raised:
        disk.files.write_tree(f"{disk.root}/two", Tree({"a": good}))
    assert code(raised) == "files.changed"
    assert sorted(disk.everything()) == ["content", "one/a"]


def test_a_source_that_is_gone_leaves_nothing_half_written(disk: Disk) -> None:
    disk.files.write_tree(f"{disk.root}/home", files(a="1"))
    tree = Tree({"a": Entry(data=b"2"), "b": Entry(source=f"{disk.root}/none")})
    with pytest.raises(FileMissing):
        disk.files.replace_tree(f"{disk.root}/home", tree)
    assert disk.everything() == {"home/a": b"1"}


def test_moving_and_removing(disk: Disk) -> None:
    disk.files.write_tree(f"{disk.root}/home", files(a__b="1"))
    disk.files.move(f"{disk.root}/home", f"{disk.root}/old/home")
    assert disk.everything() == {"old/home/a/b": b"1"}
    disk.files.remove(f"{disk.root}/old")
    disk.files.remove(f"{disk.root}/old")
    disk.files.remove(f"{disk.root}/never/there")
    assert disk.files.names(disk.root) == ()
    with pytest.raises(FileMissing):
        disk.files.move(f"{disk.root}/home", f"{disk.root}/x")


def test_a_directory_is_not_moved_over(disk: Disk) -> None:
    disk.files.make_dir(f"{disk.root}/one")
    disk.files.make_dir(f"{disk.root}/two")
    with pytest.raises(FileRefused) as raised:
        disk.files.move(f"{disk.root}/one", f"{disk.root}/two")
    assert code(raised) == "files.exists"


@pytest.mark.parametrize("path", ["/", "", ".", "..", "/work/.."])
def test_what_has_no_name_of_its_own_is_never_removed(disk: Disk, path: str) -> None:
    with pytest.raises(FileRefused):
        disk.files.remove(path)


def test_removing_a_link_keeps_what_it_leads_to(disk: Disk) -> None:
    disk.files.write(f"{disk.root}/dir/file", b"kept")
    disk.files.link(f"{disk.root}/link", "dir")
    disk.files.remove(f"{disk.root}/link")
    assert disk.everything() == {"dir/file": b"kept"}


def test_writes_are_counted(disk: Disk) -> None:
    before = disk.files.writes  # type: ignore[attr-defined]
    disk.files.write_tree(f"{disk.root}/home", files(a="1", b="2"))
    disk.files.replace_entries(f"{disk.root}/home", files(a="3"), drop=["b", "c"])
    disk.files.write(f"{disk.root}/file", b"")
    disk.files.make_dir(f"{disk.root}/home")
    disk.files.remove(f"{disk.root}/none")
    disk.files.remove(f"{disk.root}/file")
    assert disk.files.writes - before == 6  # type: ignore[attr-defined]


# The lock.


def test_a_lock_is_held_until_it_is_released(disk: Disk) -> None:
    path = f"{disk.root}/overlay/lock"
    assert disk.files.lock_holder(path) is None
    lock = disk.files.lock(path)
    assert not isinstance(lock, LockHolder)
    holder = disk.files.lock_holder(path)
    assert holder is not None
    assert disk.files.lock(path) == disk.files.lock(path) == holder
    assert not disk.files.lock_replaced(lock)
    lock.release()
    lock.release()
    assert disk.files.lock_holder(path) is None
    again = disk.files.lock(path)
    assert not isinstance(again, LockHolder)
    again.release()


def test_a_lock_of_another_process_names_it_and_ends_with_it(disk: Disk) -> None:
    path = posixpath.join(disk.root, "lock")
    end = disk.lock_elsewhere(path)
    refused, holder = disk.files.lock(path), disk.files.lock_holder(path)
    pid = end()
    assert isinstance(refused, LockHolder)
    assert refused.pid == pid
    assert refused.start_ticks > 0
    assert "python" in refused.command
    assert holder is not None
    assert holder.pid == pid
    lock = disk.files.lock(path)
    assert not isinstance(lock, LockHolder)
    lock.release()


def test_a_lock_whose_file_was_exchanged_is_noticed(disk: Disk) -> None:
    path = f"{disk.root}/lock"
    lock = disk.files.lock(path)
    assert not isinstance(lock, LockHolder)
    disk.files.remove(path)
    assert disk.files.lock_replaced(lock)
    second = disk.files.lock(path)
    assert not isinstance(second, LockHolder)
    assert disk.files.lock_replaced(lock)
    assert not disk.files.lock_replaced(second)
    lock.release()
    second.release()
    assert disk.files.lock_replaced(second)


def test_a_link_is_never_locked(disk: Disk) -> None:
    disk.files.link(f"{disk.root}/lock", "elsewhere")
    with pytest.raises(FileRefused) as raised:
        disk.files.lock(f"{disk.root}/lock")
    assert code(raised) == "files.link"


# Reading below a directory that somebody else writes to.


def test_a_file_below_a_directory_is_read(disk: Disk) -> None:
    disk.files.write(f"{disk.root}/own/a/b.md", b"text")
    assert disk.files.read_below(f"{disk.root}/own", "a/b.md", 4) == b"text"


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("../secret", "files.escape"),
        ("/etc/passwd", "files.escape"),
        ("a/../../secret", "files.escape"),
        ("a/./b", "files.escape"),
        ("", "files.escape"),
        ("nul\0", "files.escape"),
        ("link", "files.link"),
        ("aside/secret", "files.link"),
        ("pipe", "files.special"),
        ("a", "files.directory"),
        ("large", "files.large"),
        ("none", "files.missing"),
        ("a/none/b", "files.missing"),
        ("large/x", "files.missing"),
    ],
)
def test_nothing_else_is(disk: Disk, path: str, word: str) -> None:
    own = f"{disk.root}/own"
    disk.files.write(f"{disk.root}/secret", b"secret")
    disk.files.make_dir(f"{own}/a")
    disk.files.link(f"{own}/link", "../secret")
    disk.files.link(f"{own}/aside", "..")
    disk.files.write(f"{own}/large", b"12345")
    disk.pipe(f"{own}/pipe")

    with pytest.raises(ReconcilerError) as raised:
        disk.files.read_below(own, path, 4)
    assert code(raised) == word


def test_the_directory_itself_may_be_no_link(disk: Disk) -> None:
    disk.files.write(f"{disk.root}/real/a", b"x")
    disk.files.link(f"{disk.root}/own", "real")
    with pytest.raises(ReconcilerError):
        disk.files.read_below(f"{disk.root}/own", "a", 4)
