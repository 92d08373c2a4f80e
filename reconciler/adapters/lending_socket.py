"""Turns over a local socket beside the lock: lines of JSON, and the lock's own descriptor (SCM_RIGHTS).

A descriptor that is passed on is the same open file, so the same lock: it stays held while either side has it, whoever
ends first. Hence the one who borrows closes it and never unlocks. The kernel says who is at the other end.
"""

import json
import os
import select
import socket
import stat
import struct
from contextlib import suppress

from reconciler.adapters.files_lock import LocalLock
from reconciler.model.json import JsonMap, parse_map
from reconciler.ports.files import Lock
from reconciler.ports.lending import Asked, Told

SUFFIX = ".ask"
_LINE = 1 << 16
"""What asks in a longer line is no program of ours."""
_PATIENCE_S = 5.0
"""How long somebody who is told something may take to read it."""


class SocketLending:
    """`ports.lending.Lending`."""

    def desk(self, lock: str) -> "SocketDesk | None":
        """Listen beside the lock, which must be held: a socket that lies there is a dead leader's."""
        if not hasattr(select, "epoll"):
            return None
        try:
            return SocketDesk(f"{lock}{SUFFIX}")
        except OSError:
            return None

    def ask(self, lock: str, verb: str) -> "SocketLoan | None":
        """Connect and say what for."""
        path = f"{lock}{SUFFIX}"
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _Near(path) as near:
                made.connect(near)
            pid, uid = _peer(made)
            if uid != os.geteuid():
                raise PermissionError
            made.sendall(_line({"verb": verb}))
        except OSError:
            made.close()
            return None
        return SocketLoan(made, pid, lock)


class SocketDesk:
    """The leader's side: one descriptor to wait on, however many ask."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._count = 0
        self._asked: dict[int, Asked] = {}
        self._ends: dict[int, _End] = {}
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with suppress(FileNotFoundError):
                if stat.S_ISSOCK(os.lstat(path).st_mode):
                    os.unlink(path)
            with _Near(path) as near:
                self._listening.bind(near)
            os.chmod(path, 0o600)
            self._found = os.lstat(path)
            self._listening.listen(128)
            self._listening.setblocking(False)
            self._epoll = select.epoll()
        except OSError:
            self._listening.close()
            raise
        self._epoll.register(self._listening, select.EPOLLIN)

    @property
    def descriptor(self) -> int:
        """Of the set of all that is listened to."""
        return self._epoll.fileno()

    def asked(self) -> tuple[Asked, ...]:
        """Who waits."""
        for descriptor, _ in self._epoll.poll(0):
            if descriptor == self._listening.fileno():
                self._accept()
            else:
                self._hear(descriptor)
        return tuple(sorted(self._asked.values()))

    def lend(self, asked: Asked, lock: Lock, token: int) -> bool:
        """Send the descriptor along."""
        end = self._end(asked)
        if end is None or not isinstance(lock, LocalLock):
            return False
        try:
            socket.send_fds(end.socket, [_line({"lent": True, "token": token})], [lock.descriptor])
        except OSError:
            self._drop(end.socket.fileno())
            return False
        return True

    def tell(self, asked: Asked, body: JsonMap) -> bool:
        """One line."""
        end = self._end(asked)
        if end is None:
            return False
        try:
            end.socket.settimeout(_PATIENCE_S)
            end.socket.sendall(_line(body))
            end.socket.setblocking(False)
        except OSError:
            self._drop(end.socket.fileno())
            return False
        return True

    def dismiss(self, asked: Asked) -> None:
        """Hang up."""
        end = self._end(asked)
        if end is not None:
            self._drop(end.socket.fileno())

    def close(self) -> None:
        """Hang up on everybody, and be found no more."""
        for descriptor in tuple(self._ends):
            self._drop(descriptor)
        with suppress(OSError):
            if os.path.samestat(os.lstat(self._path), self._found):  # and not that of who came after a replaced lock
                os.unlink(self._path)
        self._epoll.close()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                made, _ = self._listening.accept()
            except OSError:
                return
            pid, uid = _peer(made)
            if uid != os.geteuid():
                made.close()
                continue
            made.setblocking(False)
            self._count += 1
            self._ends[made.fileno()] = _End(made, self._count, pid)
            self._epoll.register(made, select.EPOLLIN)

    def _hear(self, descriptor: int) -> None:
        end = self._ends[descriptor]
        try:
            chunk = end.socket.recv(_LINE)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        end.heard += chunk
        line, newline, _ = end.heard.partition(b"\n")
        if not chunk or (not newline and len(end.heard) > _LINE):
            self._drop(descriptor)
        elif newline and end.number not in self._asked:
            try:
                asked = Asked(end.number, str(parse_map(line.decode())["verb"]), end.pid)
            except (ValueError, KeyError):
                self._drop(descriptor)
                return
            self._asked[end.number] = asked

    def _end(self, asked: Asked) -> "_End | None":
        return next((end for end in self._ends.values() if end.number == asked.number), None)

    def _drop(self, descriptor: int) -> None:
        end = self._ends.pop(descriptor)
        self._asked.pop(end.number, None)
        with suppress(OSError, ValueError):
            self._epoll.unregister(descriptor)
        end.socket.close()


class _End:
    """One who asks, as far as it was heard."""

    __slots__ = ("heard", "number", "pid", "socket")

    def __init__(self, made: socket.socket, number: int, pid: int) -> None:
        self.socket = made
        self.number = number
        self.pid = pid
        self.heard = b""


class SocketLoan:
    """The side of who asks."""

    def __init__(self, made: socket.socket, pid: int, lock: str) -> None:
        self._socket = made
        self._lock = lock
        self._heard = b""
        self._passed: list[int] = []
        self._gone = False
        self.pid = pid

    def wait(self, seconds: float) -> Told | None:
        """The next line."""
        while b"\n" not in self._heard:
            if self._gone or not self._more(seconds):
                return None
        line, _, self._heard = self._heard.partition(b"\n")
        try:
            body = parse_map(line.decode())
        except ValueError:
            self._gone = True
            return None
        if not body.get("lent"):
            return Told(body)
        if not self._passed:
            self._gone = True  # there was no descriptor to spare for it
            return None
        return Told(body, LocalLock(self._lock, self._passed.pop(), shared=True))

    @property
    def gone(self) -> bool:
        """Looks whether it hung up."""
        if not self._gone:
            self._more(0)
        return self._gone

    def close(self) -> None:
        """Leave; what was passed and not taken is let go of."""
        for descriptor in self._passed:
            os.close(descriptor)
        self._passed.clear()
        self._socket.close()
        self._gone = True

    def _more(self, seconds: float) -> bool:
        """Whether more was heard within the time."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if not poll.poll(max(0.0, seconds) * 1000):
            return False
        try:
            # Close-on-exec from the start: a tmux server that is started must not keep the lock (R-LCK-1a).
            flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
            chunk, passed, _, _ = socket.recv_fds(self._socket, _LINE, 1, flags)
        except OSError:
            chunk, passed = b"", []
        self._passed += passed
        self._heard += chunk
        self._gone = not chunk
        return bool(chunk)


class _Near:
    """A socket's path is a hundred bytes at most: one that is longer is reached through its directory's descriptor."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) <= 100:
            return self._path
        directory, name = os.path.split(self._path)
        self._descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._descriptor}/{name}"

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)


def _line(body: JsonMap) -> bytes:
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def _peer(end: socket.socket) -> tuple[int, int]:
    """Pid and uid of who is at the other end."""
    if not hasattr(socket, "SO_PEERCRED"):
        return 0, os.geteuid()  # the directory and the mode of the socket keep others out
    pid, uid, _ = struct.unpack("3i", end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return pid, uid
