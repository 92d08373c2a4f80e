"""Changes below directories, as the Linux kernel tells them: with no thread, no wake-up while nothing happens, and the
difference between a file that is being written and one whose writer is done.

Through the C library that Python is linked with: three calls. A directory that cannot be watched (it is not there, or
the user's limit is reached) is left to whoever looks again by the clock.
"""

import ctypes
import os
import struct
from collections.abc import Iterable

from reconciler.model.tuples import NamedTuple

_MODIFY, _CLOSE_WRITE = 0x2, 0x8
_MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF, _UNMOUNT, _OVERFLOW, _IGNORED = 0x400, 0x800, 0x2000, 0x4000, 0x8000
_ONLYDIR = 0x1000000
_CHANGES = _MODIFY | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF
_HEAD = struct.Struct("iIII")


class Change(NamedTuple):
    """Something happened to `name` in `directory`, or to the directory itself where the name is empty."""

    directory: str
    name: str
    whole: bool


class Inotify:
    """One descriptor for any number of directories."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor: int = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify is not available")
        self._paths: dict[int, str] = {}
        self._numbers: dict[str, int] = {}

    def follow(self, directories: Iterable[str], *, ends: Iterable[str] = ()) -> None:
        """Watch exactly these; of `ends`, only what goes away. One replaced by another of its name is watched anew."""
        alone = set(ends)
        wanted = {*directories, *alone}
        for path in self._numbers.keys() - wanted:
            number = self._numbers.pop(path)
            self._paths.pop(number, None)
            self._libc.inotify_rm_watch(self.descriptor, number)
        for path in wanted - self._numbers.keys():
            mask = _DELETE if path in alone else _CHANGES
            number = self._libc.inotify_add_watch(self.descriptor, os.fsencode(path), mask | _ONLYDIR)
            if number >= 0:
                self._numbers[path], self._paths[number] = number, path

    def read(self) -> list[Change]:
        """What happened since; equal changes once. An overflow is told as a change of every directory."""
        found: dict[Change, None] = {}
        while True:
            try:
                data = os.read(self.descriptor, 1 << 16)
            except BlockingIOError:
                return list(found)
            at = 0
            while at < len(data):
                number, mask, _, length = _HEAD.unpack_from(data, at)
                at += _HEAD.size
                name = os.fsdecode(data[at : at + length].rstrip(b"\0"))
                at += length
                if mask & _OVERFLOW:
                    found.update(dict.fromkeys(Change(path, "", False) for path in self._numbers))
                    continue
                directory = self._paths.get(number)
                if directory is None:
                    continue
                if mask & (_IGNORED | _UNMOUNT | _MOVE_SELF | _DELETE_SELF):
                    # What has this name from now on, if anything, is another directory.
                    self._paths.pop(number, None)
                    self._numbers.pop(directory, None)
                    if not mask & _IGNORED:
                        self._libc.inotify_rm_watch(self.descriptor, number)
                found[Change(directory, name, bool(mask & (_CLOSE_WRITE | _MOVED_TO | _DELETE)))] = None

    def close(self) -> None:
        """Let go of it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
