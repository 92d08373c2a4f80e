"""What wakes a watch, in one poll: inotify, pidfds, the signal that came.

That a session or a pane ended is told by its terminal: when tmux lets go of it, its name leaves /dev/pts, whatever the
program in it does about it. tmux itself is asked nothing: its control clients are no way to listen
(docs/decisions/0013-no-control-client.md).

Nothing here wakes by the clock: a watch of a fleet in which nothing happens sleeps until its timer. Each of them may
fail to be had; then the timer finds what it would have told.
"""

import errno
import os
import resource
import select
import signal
import socket
from collections.abc import Sequence
from math import ceil

from reconciler.adapters import memory, process_handle, procfs
from reconciler.adapters.inotify import Inotify
from reconciler.adapters.process_handle import Handle
from reconciler.ports.wakers import Followed, Waker, Woken

_SPARE = 256
"""Descriptors that all else in this process may need."""
_TERMINALS = "/dev/pts"


class LinuxWakers:
    """`ports.wakers.Wakers`. Made by the thread that waits; signals wake it only where that is the main thread."""

    def __init__(self) -> None:
        memory.one_arena()
        self._files = Inotify()
        self._followed = Followed()
        self._handles: dict[tuple[int, int], Handle] = {}
        self._terminals: dict[str, tuple[int, int]] = {}
        self._gone: set[tuple[int, int]] = set()
        self._told_gone = True
        self._poll = select.poll()
        self._poll.register(self._files.descriptor, select.POLLIN)
        self._told, self._teller = socket.socketpair()
        self._told.setblocking(False)
        self._teller.setblocking(False)
        self._poll.register(self._told, select.POLLIN)
        try:
            self._before: int | None = signal.set_wakeup_fd(self._teller.fileno(), warn_on_full_buffer=False)
        except ValueError:
            self._before = None

    def follow(self, what: Followed) -> None:
        """Listen to exactly this."""
        catalog = {os.path.dirname(what.catalog)} if what.catalog else set()
        terminals = {_TERMINALS} if what.processes else set()
        self._files.follow(what.sources | what.registry | catalog, ends=terminals)
        self._hold(what.processes)
        if what.desk != self._followed.desk:
            if self._followed.desk is not None:
                self._unregister(self._followed.desk)
            if what.desk is not None:
                self._poll.register(what.desk, select.POLLIN)
        self._followed = what

    def wait(self, seconds: float | None) -> tuple[Woken, ...]:
        """Sleep until something wakes."""
        found: dict[Woken, None] = {}
        # Up, not down: a poll that ends a fraction too early is a second one.
        timeout = None if seconds is None else max(0, ceil(seconds * 1000))
        if not self._told_gone:
            self._told_gone, timeout = True, 0
            found[Woken(Waker.PROCESS)] = None
        pids = {handle.descriptor: key for key, handle in self._handles.items()}
        for descriptor, _ in self._poll.poll(timeout):
            if descriptor == self._files.descriptor:
                found.update(dict.fromkeys(self._changes()))
            elif descriptor == self._told.fileno():
                self._drain()
                found[Woken(Waker.SIGNAL)] = None
            elif descriptor == self._followed.desk:
                found[Woken(Waker.REQUEST)] = None
            elif descriptor in pids:
                self._let_go(pids[descriptor])
                self._gone.add(pids[descriptor])
                found[Woken(Waker.PROCESS)] = None
        return tuple(found)

    def rest(self) -> None:
        """Give memory back."""
        memory.give_back()

    def close(self) -> None:
        """Let go of all."""
        if self._before is not None:
            signal.set_wakeup_fd(self._before)
        for key in tuple(self._handles):
            self._let_go(key)
        self._files.close()
        self._told.close()
        self._teller.close()

    def _changes(self) -> Sequence[Woken]:
        found = []
        what = self._followed
        catalog, name = os.path.split(what.catalog)
        for change in self._files.read():
            if change.directory == _TERMINALS:
                if not change.name or change.name in self._terminals:
                    found.append(Woken(Waker.TMUX))
                continue
            path = os.path.join(change.directory, change.name) if change.name else change.directory
            if change.directory in what.registry:
                found.append(Woken(Waker.REGISTRY))
            if change.directory == catalog and change.name in (name, f"{name}-wal"):
                found.append(Woken(Waker.CATALOG))
            if change.directory in what.sources:
                found.append(Woken(Waker.SOURCE, path, change.whole))
        return found

    def _hold(self, wanted: frozenset[tuple[int, int]]) -> None:
        """A pidfd for each process, as many as there are descriptors for."""
        for key in self._handles.keys() - wanted:
            self._let_go(key)
        self._gone &= wanted
        # One that is gone is told of once: it may be left as it is, by its policy or because it is not this watch's.
        new = wanted - self._handles.keys() - self._gone
        if not new:
            return
        room = _room(len(wanted)) - len(self._handles)
        for pid, ticks in sorted(new)[: max(0, room)]:
            held = process_handle.hold(pid, ticks, pidfds=True)
            if isinstance(held, Handle) and held.descriptor >= 0:
                self._handles[pid, ticks] = held
                if name := procfs.terminal(pid):
                    self._terminals[name] = pid, ticks
                self._poll.register(held.descriptor, select.POLLIN)
            elif not isinstance(held, Handle):
                self._gone.add((pid, ticks))  # between the look and now
                self._told_gone = False

    def _let_go(self, key: tuple[int, int]) -> None:
        handle = self._handles.pop(key)
        self._terminals = {name: of for name, of in self._terminals.items() if of != key}
        self._unregister(handle.descriptor)
        handle.close()

    def _unregister(self, descriptor: int) -> None:
        try:
            self._poll.unregister(descriptor)
        except (KeyError, ValueError):
            pass

    def _drain(self) -> None:
        try:
            while self._told.recv(4096):
                pass
        except OSError as fault:
            if fault.errno not in (errno.EAGAIN, errno.EWOULDBLOCK):
                raise


def _room(wanted: int) -> int:
    """How many processes can be held; the soft limit is raised for a large fleet, as far as the hard one allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and wanted + _SPARE > soft:
        ceiling = wanted + _SPARE if hard == resource.RLIM_INFINITY else min(hard, wanted + _SPARE)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
            soft = ceiling
        except (OSError, ValueError):
            pass
    return wanted if soft == resource.RLIM_INFINITY else max(0, soft - _SPARE)
