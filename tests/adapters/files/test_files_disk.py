"""What only a real disk can show: masks, full disks, kernels that name lock holders, processes that die."""

import errno
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.adapters import files_digest, files_local, files_lock, files_place
from reconciler.adapters.files_local import LocalFiles
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import digest_bytes
from reconciler.model.tree import Entry, Tree
from reconciler.ports.files import DiskFull, FileRefused, FilesUnreachable, LockHolder
from tests.adapters.files.world import HOLDER

OLD, NEW = (
    Tree({"a": Entry(data=b"old"), "b": Entry(data=b"old")}),
    Tree({"a": Entry(data=b"new"), "c": Entry(data=b"n")}),
)


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mask", [0o000, 0o077, 0o777])
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, mask: int) -> None:
    files = LocalFiles()
    before = os.umask(mask)
    try:
        files.write_tree(str(tmp_path / "p/home"), Tree({"d/run": Entry(data=b"", mode=0o750)}))
        files.replace_entries(str(tmp_path / "p/home"), Tree({"e/run": Entry(data=b"", mode=0o444)}))
        files.write(str(tmp_path / "q/file"), b"", mode=0o644)
        files.make_dir(str(tmp_path / "r/s"), 0o755)
        lock = files.lock(str(tmp_path / "t/lock"))
    finally:
        os.umask(before)
    assert not isinstance(lock, LockHolder)
    lock.release()
    modes = {str(path.relative_to(tmp_path)): mode(path) for path in tmp_path.rglob("*")}
    assert modes == {
        "p": 0o700,
        "p/home": 0o700,
        "p/home/d": 0o700,
        "p/home/d/run": 0o750,
        "p/home/e": 0o700,
        "p/home/e/run": 0o444,
        "q": 0o700,
        "q/file": 0o644,
        "r": 0o700,
        "r/s": 0o755,
        "t": 0o700,
        "t/lock": 0o600,
    }


FULL = {
    "write": ("write", "fsync", "rename", "fchmod"),
    "link": ("symlink", "rename"),
    "write_tree": ("mkdir", "write", "rename", "fchmod"),
    "replace_tree": ("mkdir", "write", "fchmod"),
    "replace_entries": ("write", "rename", "fchmod"),
}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize(("act", "call"), [(act, call) for act, calls in FULL.items() for call in calls])
def test_a_full_disk_leaves_the_old_state_and_nothing_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str, call: str, number: int
) -> None:
    files = LocalFiles()
    home, file = str(tmp_path / "home"), str(tmp_path / "home/a")
    files.write_tree(home, OLD)

    def refuse(*args: object, **named: object) -> None:
        raise OSError(number, os.strerror(number))

    run: dict[str, Callable[[], None]] = {
        "write": lambda: files.write(file, b"new", durable=True),
        "link": lambda: files.link(file, "new"),
        "write_tree": lambda: files.write_tree(str(tmp_path / "new"), NEW),
        "replace_tree": lambda: files.replace_tree(home, NEW),
        "replace_entries": lambda: files.replace_entries(home, NEW),
    }
    with monkeypatch.context() as patched:
        patched.setattr(os, call, refuse)
        with pytest.raises(DiskFull) as raised:
            run[act]()
    assert raised.value.code == "files.disk_full"
    assert contents(tmp_path) == {"home/a": b"old", "home/b": b"old"}
    assert os.listdir(tmp_path) == ["home"]


def test_a_tree_is_exchanged_in_one_call_or_in_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = LocalFiles()
    files.replace_tree(str(tmp_path / "t"), OLD)
    files.replace_tree(str(tmp_path / "t"), NEW)
    assert contents(tmp_path) == {"t/a": b"new", "t/c": b"n"}
    monkeypatch.setattr(files_local, "_exchange", lambda directory, one, other: False)
    files.replace_tree(str(tmp_path / "t"), OLD)
    assert contents(tmp_path) == {"t/a": b"old", "t/b": b"old"}
    assert os.listdir(tmp_path) == ["t"]


def test_a_directory_where_none_can_be_made_is_refused_and_tried_no_longer() -> None:
    with pytest.raises(ReconcilerError):
        LocalFiles().make_dir("/proc/none/below/it")
    with pytest.raises(ReconcilerError):
        LocalFiles().write("/proc/none/below/file", b"")


def test_a_directory_that_goes_while_a_process_writes_in_it_is_made_again(tmp_path: Path) -> None:
    files, path = LocalFiles(), tmp_path / "a/b/file"
    for _ in range(2):
        files.write(str(path), b"x")
        assert (path.read_bytes(), mode(path.parent), mode(path.parent.parent)) == (b"x", 0o700, 0o700)
        files.remove(str(tmp_path / "a"))


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")

    def refuse(*args: object, **named: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    for call in ("open", "stat", "scandir"):
        with monkeypatch.context() as patched:
            patched.setattr(os, call, refuse)
            look = {"open": LocalFiles().read, "stat": LocalFiles().stamp, "scandir": LocalFiles().names}[call]
            with pytest.raises(FilesUnreachable) as raised:
                look(str(tmp_path / "file"))
        assert raised.value.code == "files.unreadable"


def test_a_socket_and_a_device_are_no_files(tmp_path: Path) -> None:
    for path in ("/dev/null", "/dev/zero"):
        for look in (LocalFiles().read, LocalFiles().digest):
            with pytest.raises(FileRefused) as raised:
                look(path)
            assert raised.value.code == "files.special"


def test_an_unchanged_file_is_read_once(tmp_path: Path, wait_until: Callable[..., object]) -> None:
    files = LocalFiles()
    path = tmp_path / "skill/file"
    files.write_tree(str(path.parent), Tree({"file": Entry(data=b"text"), "other": Entry(data=b"text")}))
    written = (path, path.with_name("other"))
    wait_until(lambda: all(files_digest.settled(files.stamp(str(each))) for each in written))
    files.tree_digest(str(path.parent))
    reads = files.reads
    files.tree_digest(str(path.parent))
    files.digest(str(path))
    files.found(str(path.parent))
    assert (reads, files.reads) == (2, 2)
    path.write_bytes(b"texu")
    os.utime(path, ns=(0, 0))
    files.digest(str(path))
    assert files.reads == 3


def test_a_file_that_changes_within_one_tick_of_its_clock_is_read_again(tmp_path: Path) -> None:
    files = LocalFiles()
    path = tmp_path / "file"
    for number in range(200):
        text = b"%08d" % number
        path.write_bytes(text)
        assert files.digest(str(path)).digest == digest_bytes(text)


def test_a_name_that_is_no_text_is_shown_escaped_and_has_no_digest(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/bad\xff", "wb"):
        pass
    found = LocalFiles().found(str(tmp_path))
    assert found is not None
    assert [entry.path for entry in found] == ["bad\\xff"]
    with pytest.raises(FileRefused) as raised:
        LocalFiles().tree_digest(str(tmp_path))
    assert raised.value.code == "files.name"


def test_a_name_of_the_longest_length_can_be_replaced(tmp_path: Path) -> None:
    files = LocalFiles()
    for name in ("n" * 255, "é" * 127):
        files.write(str(tmp_path / name), b"x")
        assert files.read(str(tmp_path / name)) == b"x"
    with pytest.raises(FilesUnreachable):
        files.write(str(tmp_path / ("n" * 256)), b"x")


def test_read_only_directories_are_removed_too(tmp_path: Path) -> None:
    deep = tmp_path / "cache/module"
    deep.mkdir(parents=True)
    (deep / "file").write_bytes(b"")
    for directory in (deep, deep.parent):
        directory.chmod(0o500)
    LocalFiles().remove(str(tmp_path / "cache"))
    assert os.listdir(tmp_path) == []


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    files = LocalFiles()
    before = os.listdir("/proc/self/fd")
    home = str(tmp_path / "home")
    files.write_tree(home, Tree({"a/b/c": Entry(data=b""), "a/d": Entry(data=b""), "e/f": Entry(link="a")}))
    files.replace_entries(home, Tree({"a/b/g": Entry(data=b"")}), drop=["a/d", "x/y/z"])
    for refused in (Tree({"e/f/x": Entry(data=b"")}), Tree({"a": Entry(data=b"")})):
        with pytest.raises(ReconcilerError):
            files.replace_entries(home, refused)
    files.replace_tree(home, OLD)
    files.found(home)
    lock = files.lock(str(tmp_path / "lock"))
    files.lock(str(tmp_path / "lock"))
    assert not isinstance(lock, LockHolder)
    lock.release()
    files.remove(home)
    assert os.listdir("/proc/self/fd") == before


# The lock.


def test_the_lock_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    files, path = LocalFiles(), str(tmp_path / "lock")
    other = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "LocalLock\n"
    os.kill(other.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, other.pid, os.WSTOPPED | os.WNOWAIT)
    stopped = files.lock(path)
    os.kill(other.pid, signal.SIGKILL)
    other.communicate()
    assert isinstance(stopped, LockHolder)
    assert (stopped.pid, stopped.state) == (other.pid, "T")
    lock = files.lock(path)
    assert not isinstance(lock, LockHolder)
    lock.release()


def test_nothing_that_is_started_inherits_the_lock(tmp_path: Path) -> None:
    files, path = LocalFiles(), str(tmp_path / "lock")
    lock = files.lock(path)
    assert not isinstance(lock, LockHolder)
    null = os.open(os.devnull, os.O_RDWR)
    pid = os.posix_spawn("/bin/sleep", ["sleep", "300"], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)])
    os.close(null)
    try:
        lock.release()
        again = files.lock(path)
        assert not isinstance(again, LockHolder)
        again.release()
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_reading_the_lock_file_does_not_give_the_lock_back(tmp_path: Path) -> None:
    files, path = LocalFiles(), str(tmp_path / "lock")
    lock = files.lock(path)
    assert not isinstance(lock, LockHolder)
    files.read(path)
    files.found(str(tmp_path))
    Path(path).read_bytes()
    script = (
        "import sys; from reconciler.adapters.files_local import LocalFiles; print(LocalFiles().lock(sys.argv[1]).pid)"
    )
    run = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True)
    assert run.stdout == f"{os.getpid()}\n", run.stderr
    lock.release()


def test_a_holder_that_the_kernels_table_does_not_show_is_known_by_its_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, path = LocalFiles(), str(tmp_path / "lock")
    lock = files.lock(path)
    assert not isinstance(lock, LockHolder)
    monkeypatch.setattr(files_lock, "_kernel_table", lambda: "")
    holder = files.lock(path)
    assert isinstance(holder, LockHolder)
    assert holder.pid == os.getpid()
    Path(path).write_text("garbage")
    unknown = files.lock(path)
    assert isinstance(unknown, LockHolder)
    assert unknown.pid == 0
    lock.release()


def test_a_lock_is_found_where_the_kernel_numbers_devices_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, path = LocalFiles(), str(tmp_path / "lock")
    lock = files.lock(path)
    assert not isinstance(lock, LockHolder)
    inode = os.stat(path).st_ino
    table = (
        f"1: POSIX  ADVISORY  WRITE 1 ff:ff:{inode} 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 1 ff:ff:{inode} 0 EOF\n"
        f"2: FLOCK  ADVISORY  WRITE 1 ee:ee:{inode} 0 EOF\n"
        f"3: FLOCK  ADVISORY  WRITE {os.getpid()} ff:ff:{inode} 0 EOF\n"
    )
    monkeypatch.setattr(files_lock, "_kernel_table", lambda: table)
    holder = files.lock_holder(path)
    assert holder is not None
    assert holder.pid == os.getpid()
    lock.release()


def test_of_many_that_race_for_a_lock_one_has_it(tmp_path: Path) -> None:
    script = (
        "import sys; from reconciler.adapters.files_local import LocalFiles; sys.stdin.readline();"
        "held = LocalFiles().lock(sys.argv[1]); print(type(held).__name__, flush=True); sys.stdin.read()"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "lock")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    words = [racer.stdout.readline().strip() for racer in racers if racer.stdout is not None]
    for racer in racers:
        racer.communicate()
    assert sorted(words) == ["LocalLock", "LockHolder", "LockHolder", "LockHolder"]


def test_a_temp_name_is_hidden_and_never_the_same() -> None:
    names = {files_place.temp_name("record.json") for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith(".record.json.") and name.endswith(".tmp") for name in names)
