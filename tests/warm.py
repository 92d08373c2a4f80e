"""Processes that begin with the program's modules imported: a short command costs a third of what it costs cold.

Each command line still is a process of its own, with its own environment, directory and descriptors; it is forked from
a program that has imported modules and done nothing else. Tests about starting (imports, work counters, the gate's
lightness, completion) start `python` themselves, and so does everything here where there is no such socket.
"""

import atexit
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

SERVER = Path(__file__).with_name("warm_server.py")
LOCALE = ("LANG", "LC_ALL", "LC_CTYPE", "LANGUAGE")
"""What an interpreter asks once, when it starts: each answer has a server of its own."""
PLAIN = frozenset({"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"})
PARCEL = 1 << 15
_SERVERS: dict[tuple[str | None, ...], socket.socket] = {}


class Started:
    """A command line that was started: by a server, which tells its process id and then its exit code, or cold."""

    def __init__(self, words: Sequence[str], told: int, cold: "subprocess.Popen[bytes] | None" = None) -> None:
        self.args = [sys.executable, *words]
        self._told = told
        self._cold = cold

    def wait(self, timeout: float = 60, *, out: Sequence[int] = ()) -> tuple[int, list[bytes]]:
        """Its exit code, and what came out of each of these until it was closed; killed after so many seconds."""
        said = {self._told: b"", **dict.fromkeys(out, b"")}
        deadline = time.monotonic() + timeout
        try:
            if not _read(said, deadline):
                self._kill(said[self._told])
                raise subprocess.TimeoutExpired(self.args, timeout, *(said[each] for each in out[:2]))
        finally:
            for descriptor in said:
                os.close(descriptor)
        code = int(said[self._told].split()[1]) if self._cold is None else self._cold.wait(timeout)
        return code, [said[each] for each in out]

    def _kill(self, told: bytes) -> None:
        if self._cold is not None:
            self._cold.kill()
            self._cold.wait()
        elif told:
            os.kill(int(told), signal.SIGKILL)


def start(words: Sequence[str], *, cwd: str | Path, env: Mapping[str, str], into: Sequence[int]) -> Started:
    """`python -m MODULE WORD...` or `python -c TEXT WORD...` with these descriptors for 0, 1 and 2."""
    order = json.dumps({"words": list(words), "cwd": str(cwd), "env": dict(env)}).encode()
    plain = PLAIN.issuperset(name for name in env if name.startswith("PYTHON"))
    told, end = os.pipe()
    try:
        if sys.platform == "linux" and len(order) <= PARCEL and plain:
            socket.send_fds(_line(env), [order], [*into, end])
            return Started(words, told)
        given, out, err = into
        cold = subprocess.Popen([sys.executable, *words], cwd=cwd, env=env, stdin=given, stdout=out, stderr=err)
        return Started(words, told, cold)
    finally:
        os.close(end)


def run(
    words: Sequence[str], *, cwd: str | Path, env: Mapping[str, str], stdin: bytes | None = None, timeout: float = 60
) -> "subprocess.CompletedProcess[bytes]":
    """The same as `subprocess.run` does it, with its output captured."""
    (out_read, out), (err_read, err) = os.pipe(), os.pipe()
    given = os.dup(0) if stdin is None else _input(stdin)
    try:
        started = start(words, cwd=cwd, env=env, into=(given, out, err))
    finally:
        for descriptor in (given, out, err):
            os.close(descriptor)
    code, (said, wrong) = started.wait(timeout, out=(out_read, err_read))
    return subprocess.CompletedProcess(started.args, code, said, wrong)


def text_of(said: bytes) -> str:
    """As a pipe in text mode gives it."""
    return said.decode().replace("\r\n", "\n").replace("\r", "\n")


def _input(data: bytes) -> int:
    """A pipe that holds it all, or a file where a pipe may not."""
    if len(data) > 1 << 15:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.seek(0)
            return os.dup(file.fileno())
    given, giving = os.pipe()
    os.write(giving, data)
    os.close(giving)
    return given


def _read(said: dict[int, bytes], deadline: float) -> bool:
    """All that comes until the other side closed each descriptor; False when it did not in time."""
    with selectors.DefaultSelector() as selector:
        for descriptor in said:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                return False
            for key, _ in ready:
                part = os.read(key.fd, 1 << 16)
                said[key.fd] += part
                if not part:
                    selector.unregister(key.fd)
    return True


def _line(env: Mapping[str, str]) -> socket.socket:
    """To the server of a locale, which is started when it is first asked for and ends with this process."""
    spoken = tuple(env.get(name) for name in LOCALE)
    if spoken not in _SERVERS:
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with there:
            its_own = {"PATH": os.environ["PATH"], **{name: env[name] for name in LOCALE if name in env}}
            server = subprocess.Popen(
                [sys.executable, str(SERVER), str(there.fileno())],
                pass_fds=(there.fileno(),),
                env=its_own,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        _SERVERS[spoken] = here
        atexit.register(_ended, here, server)
    return _SERVERS[spoken]


def _ended(line: socket.socket, server: "subprocess.Popen[bytes]") -> None:
    line.close()
    server.wait(timeout=30)
