"""Writing below an open directory, one atomic replacement at a time (R-EXE-7).

Every function takes the descriptor of a directory and a name in it, so that no part of a path can be exchanged for a
link between looking and writing. They raise OSError, and FileRefused where a link or another thing is in the way.
"""

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator

from reconciler.adapters import files_fault
from reconciler.model.errors import StaleObservation
from reconciler.model.tree import Entry, Tree

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
CHUNK = 1 << 20
_NAME_MAX = 200


def open_directory(path: str) -> int:
    """Open a directory to write in it, made with its parents where it is missing; links on the way are followed."""
    flags = DIRECTORY & ~os.O_NOFOLLOW
    try:
        return os.open(path, flags)  # first, for nearly always it is there
    except FileNotFoundError:
        make_directories(path)
        return os.open(path, flags)


def make_directories(path: str, mode: int = 0o700) -> bool:
    """Make `path` with `mode` and its missing parents 0700; what is there is left as it is: then the answer is False.

    From the far end, for of most paths all but the last part or two is there.
    """
    waiting: list[str] = []
    while True:
        try:
            made = _make(path, 0o700 if waiting else mode)
            break
        except FileNotFoundError:
            above = os.path.dirname(path.rstrip("/"))
            if not above:
                raise
            waiting.append(path)
            path = above
    while waiting:
        path = waiting.pop()
        made = _make(path, 0o700 if waiting else mode)
    return made


def _make(path: str, mode: int) -> bool:
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not os.path.isdir(path):
            raise
        return False
    os.chmod(path, mode)
    return True


def temp_name(name: str) -> str:
    """`.<name>.<hex>.tmp`: hidden, so that no loader takes it for a source; a long name is cut to leave room."""
    kept = name.encode("utf-8", "surrogateescape")[:_NAME_MAX].decode("utf-8", "ignore")
    return f".{kept}.{os.urandom(8).hex()}.tmp"


def place(directory: int, name: str, entry: Entry, *, durable: bool = False) -> None:
    """Replace the file or link `name` by `entry`; whatever goes wrong, the old one stays and nothing is left beside."""
    aside = temp_name(name)
    try:
        _create(directory, aside, entry, durable=durable)
        os.rename(aside, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(aside, dir_fd=directory)
        raise
    if durable:
        os.fsync(directory)


def fill(directory: int, tree: Tree, directories: Iterable[str] = ()) -> None:
    """Write all entries into a new, empty directory; nothing is renamed, for nobody sees it yet."""
    for name in directories:
        os.close(_enter(directory, name))
    open_now: list[tuple[str, int]] = []
    try:
        for path, entry in tree:
            *parents, name = path.split("/")
            common = 0
            while common < min(len(parents), len(open_now)) and open_now[common][0] == parents[common]:
                common += 1
            while len(open_now) > common:
                os.close(open_now.pop()[1])
            for part in parents[common:]:
                below = open_now[-1][1] if open_now else directory
                open_now.append((part, _enter(below, part)))
            _create(open_now[-1][1] if open_now else directory, name, entry, durable=False)
    finally:
        for _, descriptor in open_now:
            os.close(descriptor)


@contextlib.contextmanager
def parent_of(root: int, path: str, *, make: bool) -> Iterator[tuple[int, str] | None]:
    """The open directory that holds `path` below `root`, and the name in it; None when it is not there or is a link.

    With `make` missing directories are made 0700, and a link on the way is refused.
    """
    *parents, name = path.split("/")
    directory = os.dup(root)
    try:
        for depth, part in enumerate(parents, 1):
            try:
                below = _enter(directory, part) if make else os.open(part, DIRECTORY, dir_fd=directory)
            except OSError as fault:
                if not make and fault.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                    yield None
                    return
                if fault.errno in (errno.ENOTDIR, errno.ELOOP) and is_link(directory, part):
                    raise files_fault.is_link("/".join(parents[:depth])) from fault
                raise
            os.close(directory)
            directory = below
        yield directory, name
    finally:
        os.close(directory)


def remove(directory: int, name: str) -> bool:
    """Remove a file, a link or a whole directory; False when there was nothing. A link is removed, never followed."""
    try:
        os.unlink(name, dir_fd=directory)
        return True
    except FileNotFoundError:
        return False
    except OSError as fault:
        if fault.errno not in (errno.EISDIR, errno.EPERM, errno.EACCES):
            raise
        if not stat.S_ISDIR(os.lstat(name, dir_fd=directory).st_mode):
            raise
    below = os.open(name, DIRECTORY, dir_fd=directory)
    try:
        mode = os.fstat(below).st_mode
        if mode & 0o300 != 0o300:  # caches of other tools are read-only on purpose
            os.fchmod(below, stat.S_IMODE(mode) | 0o700)
        for inner in os.listdir(below):
            remove(below, inner)
    finally:
        os.close(below)
    os.rmdir(name, dir_fd=directory)
    return True


def prune_empty(root: int, path: str) -> None:
    """Remove the directories above `path`, up to `root`, that nothing is in any more."""
    parents = path.split("/")[:-1]
    while parents:
        with parent_of(root, "/".join(parents), make=False) as found:
            if found is None:
                return
            try:
                os.rmdir(found[1], dir_fd=found[0])
            except OSError:
                return
        parents.pop()


def is_link(directory: int, name: str) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(name, dir_fd=directory).st_mode)
    except OSError:
        return False


def check(tree: Tree) -> None:
    """Refuse a tree that could reach out of its directory: absolute and dotted paths, entries below an entry."""
    for path in tree.entries:
        check_path(path)
        parent = path.rpartition("/")[0]
        while parent:
            if parent in tree.entries:
                raise files_fault.escapes(path)
            parent = parent.rpartition("/")[0]


def check_path(path: str) -> None:
    """Refuse a relative path that is absolute, empty, dotted or no text."""
    if "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise files_fault.escapes(path)


def _enter(directory: int, name: str) -> int:
    """Open a directory, made 0700 when it is not there; a link is refused by the open."""
    try:
        os.mkdir(name, 0o700, dir_fd=directory)
    except FileExistsError:
        return os.open(name, DIRECTORY, dir_fd=directory)
    below = os.open(name, DIRECTORY, dir_fd=directory)
    os.fchmod(below, 0o700)
    return below


def _create(directory: int, name: str, entry: Entry, *, durable: bool) -> None:
    if entry.link is not None:
        os.symlink(entry.link, name, dir_fd=directory)
        return
    descriptor = os.open(name, _NEW, 0o600, dir_fd=directory)
    try:
        if entry.data is not None:
            write_all(descriptor, entry.data)
        elif entry.source is not None:
            _copy(entry.source, entry.digest, descriptor)
        os.fchmod(descriptor, entry.mode & 0o7777)
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(source: str, digest: str, to: int) -> None:
    """Bytes of `source`, which must still be the ones that were digested."""
    whole = hashlib.sha256()
    with files_fault.Reading(source):
        descriptor, _ = open_file(source)
    try:
        while True:
            with files_fault.Reading(source):
                part = os.read(descriptor, CHUNK)
            if not part:
                break
            whole.update(part)
            write_all(to, part)
    finally:
        os.close(descriptor)
    if digest and digest.removeprefix("sha256:") != whole.hexdigest():
        raise StaleObservation(f"{source} changed while it was being copied", code="files.changed")


def open_file(path: str, flags: int = 0) -> tuple[int, os.stat_result]:
    """Open a regular file for reading, and say what was opened; a pipe or device is refused, without waiting for its
    other end."""
    return _opened(os.open(path, _READ | flags), path)


def _opened(descriptor: int, path: str) -> tuple[int, os.stat_result]:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise files_fault.is_directory(path) if stat.S_ISDIR(found.st_mode) else files_fault.is_special(path)
    return descriptor, found


def open_below(root: int, path: str) -> tuple[int, os.stat_result]:
    """Open a regular file below an open directory, through no link; refused and missing things are told apart."""
    directory = os.dup(root)
    try:
        parts = path.split("/")
        for depth, part in enumerate(parts, 1):
            try:
                if depth == len(parts):
                    return _opened(os.open(part, _READ | os.O_NOFOLLOW, dir_fd=directory), path)
                below = os.open(part, DIRECTORY, dir_fd=directory)
            except OSError as fault:
                if fault.errno in (errno.ELOOP, errno.ENOTDIR) and is_link(directory, part):
                    raise files_fault.is_link("/".join(parts[:depth])) from fault
                raise
            os.close(directory)
            directory = below
        raise files_fault.escapes(path)
    finally:
        os.close(directory)


def write_all(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data) if data else 0
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])
