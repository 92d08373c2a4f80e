"""One small world of processes, twice: the host's, with and without pidfds, and the fake's."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Protocol

from reconciler.adapters.process_local import LocalProcess
from reconciler.ports.process import Process
from reconciler.testing.process import Behaviour, FakeProcess

# An argument of its own makes each one a child in the same session; every one says "up" once its traps are set.
PROGRAM = """
import os, signal, sys
for name in sys.argv[2].split():
    signal.signal(getattr(signal, "SIG" + name), signal.SIG_IGN)
for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        os.write(1, b"up\\n")
        while True:
            signal.pause()
os.write(1, b"up\\n")
while True:
    signal.pause()
"""


class Table(Protocol):
    """What a test may do to the world, and the port it looks through."""

    process: Process

    def start(self, *, children: int = 0, ignores: str = "", env: Mapping[str, str] | None = None) -> int:
        """A process that leads a session; it and its children ignore the named signals."""
        ...

    def exit(self, pid: int, *, reaped: bool = True) -> None: ...


class Host:
    def __init__(self, *, pidfds: bool) -> None:
        self.process: Process = LocalProcess(kill_wait_s=20.0, pidfds=pidfds)
        self._started: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, *, children: int = 0, ignores: str = "", env: Mapping[str, str] | None = None) -> int:
        made = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", PROGRAM, str(children), ignores],
            stdout=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
        assert made.stdout is not None
        for _ in range(children + 1):
            assert made.stdout.readline() == b"up\n"
        self._started[made.pid] = made
        return made.pid

    def exit(self, pid: int, *, reaped: bool = True) -> None:
        os.kill(pid, signal.SIGKILL)
        if reaped:
            self._started[pid].wait()
        else:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    def close(self) -> None:
        for pid, made in self._started.items():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            made.wait()
            assert made.stdout is not None
            made.stdout.close()


class Fake:
    def __init__(self) -> None:
        self.fake = FakeProcess()
        self.process: Process = self.fake

    def start(self, *, children: int = 0, ignores: str = "", env: Mapping[str, str] | None = None) -> int:
        behaviour = Behaviour(ignore_hup="HUP" in ignores, ignore_term="TERM" in ignores)
        pid = self.fake.spawn(("agent",), env or {}, behaviour=behaviour)
        for _ in range(children):
            self.fake.spawn(("tool",), parent=pid, behaviour=behaviour)
        return pid

    def exit(self, pid: int, *, reaped: bool = True) -> None:
        self.fake.exit(pid, reaped=reaped)
