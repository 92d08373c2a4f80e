"""Files of this host, as `ports.files` speaks of them (R-EXE-7, R-LCK-1).

Three modules do the work: `files_place` writes below an open directory, `files_digest` remembers what was read,
`files_lock` holds the lock. This one joins them, makes missing parents, and lets no OSError out.
"""

import errno
import os
import stat
from collections.abc import Iterable

from reconciler.adapters import files_digest, files_fault, files_lock, files_place
from reconciler.adapters.files_fault import Reading, Writing
from reconciler.model.tree import Entry, Tree
from reconciler.ports.files import Digest, FoundEntry, Lock, LockHolder, Stamp


class LocalFiles:
    """`ports.files.Files`. Modes are the given ones whatever the umask; directories are made 0700.

    `reads` counts the files whose bytes were read; `writes` the files and links put in place, and the removals, moves
    and new directories that were asked for and took place.
    """

    def __init__(self) -> None:
        self._digests = files_digest.Digests()
        self._reads = 0
        self.writes = 0

    @property
    def reads(self) -> int:
        return self._reads + self._digests.reads

    def read(self, path: str) -> bytes:
        with Reading(path):
            descriptor, _ = files_place.open_file(path)
            try:
                self._reads += 1
                with os.fdopen(descriptor, "rb", closefd=False) as file:
                    return file.read()
            finally:
                os.close(descriptor)

    def read_below(self, root: str, path: str, limit: int) -> bytes:
        files_place.check_path(path)
        with Reading(f"{root}/{path}"):
            top = os.open(root, files_place.DIRECTORY)
            try:
                descriptor, found = files_place.open_below(top, path)
            finally:
                os.close(top)
            try:
                if found.st_size > limit:
                    raise files_fault.is_large(path, found.st_size, limit)
                self._reads += 1
                with os.fdopen(descriptor, "rb", closefd=False) as file:
                    return file.read(limit)
            finally:
                os.close(descriptor)

    def stamp(self, path: str) -> Stamp | None:
        with Reading(path):
            try:
                return files_digest.stamp_of(os.stat(path))
            except (FileNotFoundError, NotADirectoryError):
                return None

    def is_link(self, path: str) -> bool:
        return os.path.islink(path)

    def digest(self, path: str) -> Digest:
        with Reading(path):
            return self._digests.of_file(path)

    def tree_digest(self, path: str) -> Digest:
        with Reading(path):
            return self._digests.of_tree(path)

    def found(self, path: str) -> tuple[FoundEntry, ...] | None:
        with Reading(path):
            try:
                if not stat.S_ISDIR(os.stat(path).st_mode):
                    return None
            except (FileNotFoundError, NotADirectoryError):
                return None
            return self._digests.found(path)

    def names(self, path: str) -> tuple[str, ...]:
        with Reading(path), os.scandir(path) as entries:
            return tuple(
                sorted(entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name for entry in entries)
            )

    def real(self, path: str) -> str:
        with Reading(path):
            whole = os.path.realpath(path)
            try:
                looped = stat.S_ISLNK(os.lstat(whole).st_mode)  # a link is left in the answer only by a circle of them
            except (FileNotFoundError, NotADirectoryError):
                looped = False
            if looped:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            return whole

    def lock_holder(self, path: str) -> LockHolder | None:
        with Reading(path):
            return files_lock.holder(path)

    def write(self, path: str, data: bytes, *, mode: int = 0o600, durable: bool = False) -> None:
        self._place(path, Entry(data=data, mode=mode), durable=durable)

    def link(self, path: str, target: str) -> None:
        self._place(path, Entry(link=target))

    def write_tree(self, path: str, tree: Tree, directories: Iterable[str] = ()) -> None:
        files_place.check(tree)
        parent, name = _split(path)
        with Writing(path):
            directory = files_place.open_directory(parent)
            try:
                if os.path.lexists(path):
                    raise files_fault.exists(path)
                aside = self._aside(directory, name, tree, directories)
                try:
                    os.rename(aside, name, src_dir_fd=directory, dst_dir_fd=directory)
                except BaseException as fault:
                    files_place.remove(directory, aside)
                    if isinstance(fault, OSError) and os.path.lexists(path):
                        raise files_fault.exists(path) from fault
                    raise
            finally:
                os.close(directory)
        self.writes += len(tree)

    def replace_tree(self, path: str, tree: Tree) -> None:
        files_place.check(tree)
        parent, name = _split(path)
        with Writing(path):
            directory = files_place.open_directory(parent)
            try:
                aside = self._aside(directory, name, tree)
                try:
                    _swap(directory, aside, name)
                finally:
                    files_place.remove(directory, aside)
            finally:
                os.close(directory)
        self.writes += len(tree)

    def replace_entries(self, path: str, tree: Tree, drop: Iterable[str] = ()) -> None:
        files_place.check(tree)
        dropped = sorted(set(drop) - tree.entries.keys())
        for relative in dropped:
            files_place.check_path(relative)
        with Writing(path):
            if os.path.islink(path):
                raise files_fault.is_link(path)
            root = os.open(path, files_place.DIRECTORY)
            try:
                for relative, entry in tree:
                    with files_place.parent_of(root, relative, make=True) as place:
                        if place is not None:
                            files_place.place(*place, entry)
                            self.writes += 1
                for relative in dropped:
                    with files_place.parent_of(root, relative, make=False) as place:
                        if place is not None and files_place.remove(*place):
                            self.writes += 1
                    files_place.prune_empty(root, relative)
            finally:
                os.close(root)

    def move(self, path: str, to: str) -> None:
        with Writing(path):
            if os.path.isdir(to) and not os.path.islink(to):
                raise files_fault.exists(to)
            os.lstat(path)
            try:
                os.rename(path, to)
            except FileNotFoundError:
                files_place.make_directories(_split(to)[0])
                os.rename(path, to)
        self.writes += 1

    def remove(self, path: str) -> None:
        parent, name = _split(path)
        with Writing(path):
            try:
                directory = os.open(parent, files_place.DIRECTORY & ~os.O_NOFOLLOW)
            except (FileNotFoundError, NotADirectoryError):
                return
            try:
                if files_place.remove(directory, name):
                    self.writes += 1
            finally:
                os.close(directory)

    def make_dir(self, path: str, mode: int = 0o700) -> None:
        with Writing(path):
            if files_place.make_directories(path, mode):
                self.writes += 1

    def make_private(self, path: str) -> None:
        with Writing(path):
            found = os.lstat(path)
            if not stat.S_ISLNK(found.st_mode):
                # Only ever less than before, so it does no harm to whatever stands there meanwhile.
                os.chmod(path, found.st_mode & 0o700)
                self.writes += 1

    def lock(self, path: str) -> Lock | LockHolder:
        with Writing(path):
            parent = _split(path)[0]
            if not os.path.isdir(parent):
                files_place.make_directories(parent)
            return files_lock.acquire(path)

    def lock_replaced(self, lock: Lock) -> bool:
        if not isinstance(lock, files_lock.LocalLock):
            raise TypeError("not a lock of these files")
        with Reading(lock.path):
            return lock.replaced()

    def _place(self, path: str, entry: Entry, *, durable: bool = False) -> None:
        parent, name = _split(path)
        with Writing(path):
            directory = files_place.open_directory(parent)
            try:
                files_place.place(directory, name, entry, durable=durable)
            finally:
                os.close(directory)
        self.writes += 1

    def _aside(self, directory: int, name: str, tree: Tree, directories: Iterable[str] = ()) -> str:
        """The whole tree under a temp name in the open directory; nothing is left when it cannot be written."""
        aside = files_place.temp_name(name)
        os.mkdir(aside, 0o700, dir_fd=directory)
        try:
            inner = os.open(aside, files_place.DIRECTORY, dir_fd=directory)
            try:
                os.fchmod(inner, 0o700)
                files_place.fill(inner, tree, directories)
            finally:
                os.close(inner)
        except BaseException:
            files_place.remove(directory, aside)
            raise
        return aside


def _split(path: str) -> tuple[str, str]:
    """Directory and name; raises FileRefused for what has no name of its own."""
    parent, name = os.path.split(path.rstrip("/"))
    if name in ("", ".", ".."):
        raise files_fault.escapes(path)
    return parent or ".", name


def _swap(directory: int, aside: str, name: str) -> None:
    """Exchange two names; the old tree is then under `aside`, if there was one.

    Linux can do it in one call. Elsewhere there is a moment in which nothing has the name, never one with a part.
    """
    try:
        os.lstat(name, dir_fd=directory)
    except FileNotFoundError:
        os.rename(aside, name, src_dir_fd=directory, dst_dir_fd=directory)
        return
    if _exchange(directory, aside, name):
        return
    old = files_place.temp_name(name)
    os.rename(name, old, src_dir_fd=directory, dst_dir_fd=directory)
    try:
        os.rename(aside, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        os.rename(old, name, src_dir_fd=directory, dst_dir_fd=directory)
        raise
    files_place.remove(directory, old)


def _exchange(directory: int, one: str, other: str) -> bool:
    """`renameat2(RENAME_EXCHANGE)`; False where the C library, kernel or file system has it not."""
    import ctypes  # costs an import, and few runs replace a whole tree

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    rename_exchange = 2
    return bool(call(directory, os.fsencode(one), directory, os.fsencode(other), rename_exchange) == 0)
