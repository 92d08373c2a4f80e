"""A directory as it is now, to be put back in place as often as a test wants.

In place, for catalog, records and homes name each other by absolute paths: the same files, down to inode and time of
change, which are recorded of sources and credentials. A directory that was removed comes back as another one.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from reconciler.model.tuples import NamedTuple

_STASH = ".kept"


class _File(NamedTuple):
    """A file with its bytes, or a link; `stash` is a second name of it, by which the same inode comes back."""

    mode: int
    mtime_ns: int
    size: int
    inode: int
    stash: str
    data: bytes


class Kept:
    """What was below `root` when this was made; no SQLite connection to anything in it may be open."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._directories: dict[str, os.stat_result] = {}
        self._files: dict[str, _File] = {}
        stash = root / _STASH
        stash.mkdir()
        for path, found in _below(self._root):
            if stat.S_ISDIR(found.st_mode):
                self._directories[path] = found
            else:
                self._files[path] = _kept(path, found, f"{stash}/{len(self._files)}")
        _let_the_clock_move_on(stash / "clock", max(file.mtime_ns for file in self._files.values()))

    def back(self) -> None:
        """Make it what it was."""
        self._take_away()
        for path, was in self._directories.items():
            if not os.path.isdir(path):
                os.mkdir(path)
            os.chmod(path, stat.S_IMODE(was.st_mode))
        for path, file in self._files.items():
            _give_back(path, file)
        for path, was in self._directories.items():
            os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))

    def _take_away(self) -> None:
        """All that came since, a file that was replaced too; what is in a directory before the directory."""
        for path, found in reversed(list(_below(self._root))):
            if stat.S_ISDIR(found.st_mode):
                if path not in self._directories:
                    os.rmdir(path)
            elif path not in self._files or found.st_ino != self._files[path].inode:
                os.unlink(path)


def _below(root: str) -> Iterator[tuple[str, os.stat_result]]:
    """Everything below, each directory before what is in it."""
    waiting = [root]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.name == _STASH:
                    continue
                found = entry.stat(follow_symlinks=False)
                yield entry.path, found
                if stat.S_ISDIR(found.st_mode):
                    waiting.append(entry.path)


def _kept(path: str, found: os.stat_result, stash: str) -> _File:
    assert stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode), f"{path} is neither file nor link"
    os.link(path, stash, follow_symlinks=False)
    data = Path(path).read_bytes() if stat.S_ISREG(found.st_mode) else b""
    return _File(found.st_mode, found.st_mtime_ns, found.st_size, found.st_ino, stash, data)


def _give_back(path: str, file: _File) -> None:
    """The same inode under its name, with the bytes and times it had."""
    if not os.path.lexists(path):
        os.link(file.stash, path, follow_symlinks=False)
    found = os.lstat(path)
    if stat.S_ISREG(found.st_mode) and (found.st_size, found.st_mtime_ns) != (file.size, file.mtime_ns):
        Path(path).write_bytes(file.data)
        os.utime(path, ns=(found.st_atime_ns, file.mtime_ns))
    if found.st_mode != file.mode:
        os.chmod(path, stat.S_IMODE(file.mode))


def _let_the_clock_move_on(path: Path, newest_ns: int) -> None:
    """Only its time of change tells a file that was written to in place, and clocks of file systems tick slowly."""
    while True:
        path.write_bytes(b"")
        if path.stat().st_mtime_ns > newest_ns:
            return
