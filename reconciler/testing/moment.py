"""A fake world as it is now, to be put back as often as a test wants: arranged once, disturbed a hundred times.

Everything comes back in place, for catalog, records and homes name each other by absolute paths: the same files, down
to inode and time of change, which are recorded of credentials; and the same fakes with what they held.
"""

import copy
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reconciler.model.tuples import NamedTuple
from reconciler.testing.fake_world import FakeWorld

_STASH = ".kept"
_LOCKS = ("_thread", "threading")


class _File(NamedTuple):
    """A file with its bytes, or a link; `stash` is a second name of it, by which the same inode comes back."""

    mode: int
    mtime_ns: int
    size: int
    inode: int
    stash: str
    data: bytes


class Moment:
    """What a world was when this was made; nothing of the world may be running."""

    def __init__(self, world: FakeWorld) -> None:
        world.let_go()
        self._world = world
        self._directories: dict[str, os.stat_result] = {}
        self._files: dict[str, _File] = {}
        stash = world.root / _STASH
        stash.mkdir()
        for path, found in _below(str(world.root)):
            if stat.S_ISDIR(found.st_mode):
                self._directories[path] = found
            else:
                self._files[path] = _kept(path, found, f"{stash}/{len(self._files)}")
        _let_the_clock_move_on(stash / "clock", max(file.mtime_ns for file in self._files.values()))
        self._fakes: tuple[Any, ...] = (world.clock, world.process, world.tmux, world.gateways, world.environ)
        self._shared = {id(each): each for each in (world, *self._fakes)}
        self._shared |= {
            id(value): value
            for fake in self._fakes
            for value in vars(fake).values()
            if type(value).__module__ in _LOCKS
        }
        self._held = self._copy(([vars(fake) for fake in self._fakes], world.stubborn, world.unkillable))

    def back(self) -> None:
        """Make the world what it was."""
        self._world.let_go()
        self._take_away()
        for path, was in self._directories.items():
            if not os.path.isdir(path):
                os.mkdir(path)
            os.chmod(path, stat.S_IMODE(was.st_mode))
        for path, file in self._files.items():
            _give_back(path, file)
        for path, was in self._directories.items():
            os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
        held, self._world.stubborn, self._world.unkillable = self._copy(self._held)
        for fake, values in zip(self._fakes, held, strict=True):
            vars(fake).clear()
            vars(fake).update(values)

    def _take_away(self) -> None:
        """All that came since, a file that was replaced too; what is in a directory before the directory."""
        for path, found in reversed(list(_below(str(self._world.root)))):
            if stat.S_ISDIR(found.st_mode):
                if path not in self._directories:
                    os.rmdir(path)
            elif path not in self._files or found.st_ino != self._files[path].inode:
                os.unlink(path)

    def _copy(self, held: Any) -> Any:
        """Locks, the fakes themselves and the world they refer to stay what they are."""
        return copy.deepcopy(held, dict(self._shared))


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
