"""Digests of files and directories, each computed once for as long as a stat says that nothing changed."""

import hashlib
import os
import stat
import time
from collections.abc import Iterator

from reconciler.adapters import files_fault, files_place
from reconciler.model.tree import Entry, Tree
from reconciler.ports.files import Digest, FoundEntry, Stamp

SETTLED_NS = 20_000_000
"""A younger file may change again without its time stamps moving: clocks of file systems tick every 1 to 10 ms."""


ROOM = 1024
"""So many files are remembered before it is looked which of them are gone."""


def stamp_of(found: os.stat_result) -> Stamp:
    return Stamp(
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
        inode=found.st_ino,
        ctime_ns=found.st_ctime_ns,
        is_dir=stat.S_ISDIR(found.st_mode),
        mode=stat.S_IMODE(found.st_mode),
    )


def settled(stamp: Stamp) -> bool:
    """Whether the stamp is old enough to stand for the content. The change time is the one that nobody can set."""
    return time.time_ns() - stamp.ctime_ns > SETTLED_NS


class Digests:
    """The memory of one process. `reads` counts the files whose bytes were read. Files that are gone are forgotten
    whenever it has grown to twice its size.
    """

    __slots__ = ("_known", "_room", "reads")

    def __init__(self) -> None:
        self._room = ROOM
        self._known: dict[str, tuple[Stamp, Digest]] = {}
        self.reads = 0

    def __len__(self) -> int:
        """How many files are remembered."""
        return len(self._known)

    def of_file(self, path: str, *, follow: bool = True) -> Digest:
        """Raises OSError and FileRefused."""
        known = self._known.get(path)
        if known is not None:
            found = os.stat(path, follow_symlinks=follow)
            if known[0] == stamp_of(found):
                return known[1]
        descriptor, opened = files_place.open_file(path, 0 if follow else os.O_NOFOLLOW)
        try:
            before = stamp_of(opened)
            digest = self._digest(descriptor)
            after = stamp_of(os.fstat(descriptor))
        finally:
            os.close(descriptor)
        if before == after and settled(after):
            self._known[path] = after, digest
            if len(self._known) > self._room:
                self._known = {each: known for each, known in self._known.items() if os.path.lexists(each)}
                self._room = max(ROOM, 2 * len(self._known))
        return digest

    def of_tree(self, root: str) -> Digest:
        """What `Tree.digest` says of the files below; raises OSError and FileRefused."""
        entries: dict[str, Entry] = {}
        size = 0
        for relative, entry in _walk(root):
            path = entry.path
            if entry.is_symlink():
                raise files_fault.is_link(path)
            if not entry.is_file(follow_symlinks=False):
                raise files_fault.is_special(path)
            if not _is_text(relative):
                raise files_fault.is_no_text(path)
            digest = self.of_file(path, follow=False)
            size += digest.size
            entries[relative] = Entry(source=path, mode=os.lstat(path).st_mode & 0o7777, digest=digest.digest)
        return Digest(Tree(entries).digest(), size)

    def found(self, root: str) -> tuple[FoundEntry, ...]:
        """Files and links below `root`, sorted; a file that goes meanwhile is left out. Raises OSError."""
        entries: list[FoundEntry] = []
        for relative, entry in _walk(root):
            name = _printable(relative)
            try:
                mode = stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode)
                if entry.is_symlink():
                    entries.append(FoundEntry(name, "", mode, os.readlink(entry.path)))
                elif entry.is_file(follow_symlinks=False):
                    entries.append(FoundEntry(name, self.of_file(entry.path, follow=False).digest, mode))
            except FileNotFoundError:
                continue
        return tuple(sorted(entries))

    def _digest(self, descriptor: int) -> Digest:
        self.reads += 1
        whole, size = hashlib.sha256(), 0
        part = os.read(descriptor, files_place.CHUNK)
        while part:
            whole.update(part)
            size += len(part)
            part = os.read(descriptor, files_place.CHUNK)
        return Digest("sha256:" + whole.hexdigest(), size)


def _walk(root: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Everything below `root` that is no directory, with its relative path; links are not followed."""
    waiting = [("", root)]
    while waiting:
        prefix, directory = waiting.pop()
        with os.scandir(directory) as entries:
            for entry in entries:
                relative = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((relative + "/", entry.path))
                else:
                    yield relative, entry


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(path: str) -> str:
    return path if _is_text(path) else os.fsencode(path).decode("utf-8", "backslashreplace")
