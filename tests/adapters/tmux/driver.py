"""The same story told to a real tmux server and to its twin: what people and programs do behind the engine's back."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from reconciler.adapters.tmux_client import TmuxClient
from reconciler.model.ref import Uid
from reconciler.ports.tmux import Create, Created, Fence, Listing, Pane, Tmux
from reconciler.testing.tmux import FakeTmux

FENCE = Fence("overlay-1", 3)
FOREVER = ("sleep", "1000")


def uid(number: int) -> Uid:
    return Uid(f"{number:032x}")


def agent(number: int, **changes: object) -> Create:
    create = Create(uid(number), f"1 digest-{number} overlay-1 3", f"HOUMAO-agent-{number}", "/tmp", (), FOREVER)
    return create._replace(**changes)


class Terminal(Protocol):
    """A tmux world and the port that acts on it."""

    port: Tmux

    def foreign(self, name: str, env: Mapping[str, str], options: Mapping[str, str]) -> str:
        """A session of somebody else's; its id."""
        ...

    def kill(self, name: str) -> None:
        """Somebody kills a session."""
        ...

    def kill_server(self) -> None:
        """Somebody kills the server; it is gone on return."""
        ...

    def end_program(self, pane: Pane) -> None:
        """The program of an agent's pane dies; tmux knows on return."""
        ...

    def set_option(self, target: str, name: str, value: str) -> None:
        """A user option on a session (`$1`), a pane (`%1`), globally (`-g`) or on the server (`-s`)."""
        ...

    def option(self, name: str) -> str:
        """A server option, or empty."""
        ...


def panes(port: Tmux) -> tuple[Pane, ...]:
    """What a listing that was answered shows."""
    seen = port.listing()
    assert isinstance(seen, Listing), seen
    return seen.panes


def names(port: Tmux) -> list[str]:
    return sorted(pane.session_name for pane in panes(port))


def created(port: Tmux, create: Create, fence: Fence = FENCE) -> Pane:
    """Create an agent and give its pane as listed."""
    (answer,) = port.act(fence, [create])
    assert isinstance(answer, Created), answer
    (pane,) = [pane for pane in panes(port) if pane.session_id == answer.session_id]
    assert (pane.pane_id, pane.pid, pane.session_created) == (answer.pane_id, answer.pid, answer.created)
    return pane


def until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def process_state(pid: int) -> str:
    """Letter of the process table, or empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


class RealTerminal:
    """A private server on a socket of its own."""

    def __init__(self, socket: Path) -> None:
        self.socket = str(socket)
        self.port = self.client()

    def client(self, timeout_s: float = 20.0, **changes: object) -> TmuxClient:
        return TmuxClient(socket_path=self.socket, config="/dev/null", timeout_s=timeout_s, **changes)

    def tmux(self, *words: str) -> str:
        argv = ["tmux", "-u", "-S", self.socket, "-f", "/dev/null", *words]
        ran = subprocess.run(argv, capture_output=True, check=False, timeout=20)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.decode("utf-8", "surrogateescape")

    def server_pid(self) -> int:
        return int(self.tmux("display-message", "-p", "#{pid}"))

    def foreign(self, name: str, env: Mapping[str, str], options: Mapping[str, str]) -> str:
        extra = [word for key, value in env.items() for word in ("-e", f"{key}={value}")]
        session_id = self.tmux("new-session", "-d", "-P", "-F", "#{session_id}", "-s", name, *extra, *FOREVER).strip()
        for key, value in options.items():
            self.set_option(session_id, key, value)
        return session_id

    def kill(self, name: str) -> None:
        self.tmux("kill-session", "-t", f"={name}")

    def kill_server(self) -> None:
        pid = self.server_pid()
        self.tmux("kill-server")
        until(lambda: process_state(pid) in ("", "Z", "X"))

    def end_program(self, pane: Pane) -> None:
        os.kill(pane.pid, signal.SIGKILL)
        until(lambda: any(each.pid == pane.pid and each.dead for each in panes(self.port)))

    def set_option(self, target: str, name: str, value: str) -> None:
        where = {"-": [target], "%": ["-p", "-t", target], "$": ["-t", target]}[target[0]]
        self.tmux("set-option", *where, name, value)

    def option(self, name: str) -> str:
        return self.tmux("show-options", "-s", "-v", "-q", name).strip()

    def close(self) -> None:
        """End whatever holds this socket, stopped or not, reachable or not, and wait for it."""
        for pid in self.holders():
            with suppress(ProcessLookupError):  # it may have ended since it was found
                os.kill(pid, signal.SIGKILL)
        until(lambda: not self.holders())

    def holders(self) -> list[int]:
        """Live processes with this test's own socket in their argv: the server, and clients a test left behind."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"-S" in words and self.socket.encode() in words and int(process.name) != os.getpid():
                found.append(int(process.name))
        return found


class FakeTerminal:
    """The in-memory twin."""

    def __init__(self) -> None:
        self.port = self.fake = FakeTmux()

    def foreign(self, name: str, env: Mapping[str, str], options: Mapping[str, str]) -> str:
        return self.fake.foreign(name, env=env, options=options).session_id

    def kill(self, name: str) -> None:
        self.fake.kill_session(name)

    def kill_server(self) -> None:
        self.fake.kill_server()

    def end_program(self, pane: Pane) -> None:
        self.fake.exit(pane.pane_id, "signal 9")

    def set_option(self, target: str, name: str, value: str) -> None:
        match target[0]:
            case "$":
                self.fake.sessions[target].options[name] = value
            case "%":
                (pane,) = [p for s in self.fake.sessions.values() for p in s.panes if p.pane_id == target]
                pane.options[name] = value
            case _:
                (self.fake.global_options if target == "-g" else self.fake.server_options)[name] = value

    def option(self, name: str) -> str:
        return self.fake.server_options.get(name, "")


def program(directory: Path, text: str) -> dict[str, str]:
    """An environment whose tmux is a shell script: for a tmux that lies, hangs or talks rubbish."""
    script = directory / "tmux"
    script.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o755)
    return {"PATH": f"{directory}:{os.environ['PATH']}"}
