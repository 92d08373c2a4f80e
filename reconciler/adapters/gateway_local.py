"""Gateways of this host: their run files, their processes, and HTTP to the loopback address they listen on.

A gateway is believed when three things agree: the run file, a process with the pid and start ticks it names, and an
answer to `/health`. HTTP is spoken by hand, in its version 1.0, where an answer ends with its connection: a look at a
hundred gateways is one `poll` over a hundred sockets, and nothing is imported that a listing does not have already.
"""

import json
import os
import select
import signal
import socket
import time
from collections.abc import Mapping, Sequence

from reconciler.adapters import procfs
from reconciler.model.errors import Unreachable
from reconciler.model.json import JsonMap, parse_map
from reconciler.model.tuples import NamedTuple
from reconciler.ports.gateway import (
    FOLDER,
    LOG_FILE,
    RUN_FILE,
    Down,
    GatewaySeen,
    NoReply,
    Reply,
    Running,
    Silent,
    running_of,
)
from reconciler.ports.process import NoAnswer, ProcessFacts

HEALTH_S = 2.0
"""How long `/health` may take; a gateway that is merely busy answers in milliseconds."""
_RUN_MAX = 1 << 16
_ANSWER_MAX = 1 << 23
_KEPT = ("PATH", "HOME", "LANG", "LANGUAGE", "LC_ALL", "TMPDIR", "PYTHONPATH", "USER", "LOGNAME", "SHELL")


class LocalGateways:
    """`ports.gateway.Gateways` on the real file system and loopback."""

    def __init__(self, program: tuple[str, ...]) -> None:
        self.program = program

    def seen(self, roots: Sequence[str]) -> Mapping[str, GatewaySeen]:
        found: dict[str, GatewaySeen] = {}
        asked: dict[str, Running] = {}
        for root in roots:
            said = _recorded(root)
            if isinstance(said, Running):
                asked[root] = said
            else:
                found[root] = said
        talks = {root: _Talk(_address(run), _words("GET", "/health", run, b"", {})) for root, run in asked.items()}
        _converse(list(talks.values()), time.monotonic() + HEALTH_S)
        for root, run in asked.items():
            found[root] = _judged(run, talks[root].outcome())
        return found

    def call(
        self,
        at: tuple[str, int],
        method: str,
        path: str,
        body: JsonMap | None = None,
        *,
        token: str = "",
        headers: Mapping[str, str] = {},
        timeout_s: float = 30.0,
    ) -> Reply | NoReply:
        data = b"" if body is None else json.dumps(body).encode()
        more = {**headers, **({"Authorization": f"Bearer {token}"} if token else {})}
        host, port = _loopback(at[0]), at[1]
        talk = _Talk((host, port), _request(method, path, f"{host}:{port}", data, more))
        _converse([talk], time.monotonic() + timeout_s)
        return talk.outcome()

    def start(self, argv: Sequence[str], root: str) -> int:
        log = f"{root}/{FOLDER}/{LOG_FILE}"
        environment = {name: value for name in _KEPT if (value := os.environ.get(name)) is not None}
        try:
            os.makedirs(os.path.dirname(log), mode=0o700, exist_ok=True)
            return os.posix_spawn(
                argv[0],
                tuple(argv),
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=(signal.SIGPIPE, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP),
            )
        except (OSError, ValueError) as fault:
            raise Unreachable(f"the gateway cannot be started: {fault}", code="gateway.cannot_start") from fault


def _recorded(root: str) -> Running | Down | Silent:
    """What the run file says, as far as the process table agrees."""
    path = f"{root}/{FOLDER}/{RUN_FILE}"
    try:
        with open(path, "rb") as stream:
            text = stream.read(_RUN_MAX)
    except FileNotFoundError:
        return Down("it has no run file")
    except OSError as fault:
        return Silent(f"{path} cannot be read: {fault.strerror}")
    try:
        run = running_of(parse_map(text))
    except (ValueError, RecursionError):
        run = None
    if run is None:
        return Down(f"{path} does not describe a gateway")
    facts = procfs.facts(run.pid)
    if isinstance(facts, NoAnswer):
        return Silent(facts.why, run)
    if not isinstance(facts, ProcessFacts) or facts.exited or facts.start_ticks != run.ticks:
        return Down(f"its process {run.pid} is gone")
    return run


def _judged(run: Running, reply: Reply | NoReply) -> GatewaySeen:
    if isinstance(reply, Reply):
        if reply.status == 200 and b'"ok"' in reply.body:
            return run
        return Silent(f"its /health answers {reply.status}", run)
    facts = procfs.facts(run.pid)
    if not isinstance(facts, ProcessFacts) or facts.exited or facts.start_ticks != run.ticks:
        return Down(f"its process {run.pid} has just ended")
    return Silent(f"process {run.pid} lives, but {reply.why}", run)


def _loopback(host: str) -> str:
    """Where to reach a gateway of this host that listens on `host`."""
    return "127.0.0.1" if host == "0.0.0.0" else host


def _address(run: Running) -> tuple[str, int]:
    return _loopback(run.host), run.port


def _words(method: str, path: str, run: Running, data: bytes, headers: Mapping[str, str]) -> bytes:
    host, port = _address(run)
    return _request(method, path, f"{host}:{port}", data, headers)


def _request(method: str, path: str, host: str, data: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.0", f"Host: {host}"]
    if data:
        lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
    elif method in ("POST", "PUT"):
        lines.append("Content-Length: 0")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + data


class _State(NamedTuple):
    """How a conversation ended before its answer was whole."""

    why: str
    sent: bool


class _Talk:
    """One request over one connection, driven by `poll`."""

    __slots__ = ("_failed", "_left", "_read", "_socket", "sent", "waiting")

    def __init__(self, address: tuple[str, int], words: bytes) -> None:
        self._left = words
        self._read = bytearray()
        self._failed: _State | None = None
        self.sent = False
        self.waiting = True
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        try:
            self._socket.connect(address)
        except BlockingIOError:
            pass
        except OSError as fault:
            self._fail(f"nothing listens at {address[0]}:{address[1]}: {fault.strerror}")

    @property
    def events(self) -> int:
        """What it waits for."""
        return select.POLLOUT if self._left else select.POLLIN

    def fileno(self) -> int:
        return self._socket.fileno()

    def go_on(self) -> None:
        """Write or read what can be now."""
        try:
            if self._left:
                fault = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if fault:
                    self._fail(f"it cannot be reached: {os.strerror(fault)}")
                    return
                count = self._socket.send(self._left)
                self.sent = self.sent or count > 0
                self._left = self._left[count:]
                return
            piece = self._socket.recv(65536)
        except BlockingIOError:
            return
        except OSError as fault:
            self._fail(f"the connection broke: {fault.strerror}")
            return
        self._read += piece
        if not piece or len(self._read) > _ANSWER_MAX:
            self._end()

    def late(self) -> None:
        """The time is over."""
        self._fail("it does not answer in time")

    def outcome(self) -> Reply | NoReply:
        """The answer, where it came whole."""
        if self._failed is not None:
            return NoReply(self._failed.why, self._failed.sent)
        head, _, body = bytes(self._read).partition(b"\r\n\r\n")
        first, *rest = head.split(b"\r\n")
        words = first.split(b" ")
        if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
            return NoReply("the connection ended without an answer", self.sent)
        for line in rest:
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length" and value.strip() != str(len(body)).encode():
                return NoReply("the answer was cut short", self.sent)
        return Reply(int(words[1]), body)

    def _fail(self, why: str) -> None:
        self._failed = _State(why, self.sent)
        self._end()

    def _end(self) -> None:
        self.waiting = False
        self._socket.close()


def _converse(talks: Sequence[_Talk], deadline: float) -> None:
    """Go on with all of them until each has ended or the time is over."""
    while waiting := [talk for talk in talks if talk.waiting]:
        left = deadline - time.monotonic()
        if left <= 0:
            for talk in waiting:
                talk.late()
            return
        poll = select.poll()
        by_descriptor = {talk.fileno(): talk for talk in waiting}
        for descriptor, talk in by_descriptor.items():
            poll.register(descriptor, talk.events)
        for descriptor, _ in poll.poll(left * 1000):
            by_descriptor[descriptor].go_on()
