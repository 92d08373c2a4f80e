"""An echo home to write, and the program to run in it: headless as a child, or on a pseudo-terminal of its own."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[3] / "reconciler" / "providers" / "echo" / "program.py"
DEADLINE_S = 20.0


def own_terminal() -> None:
    """In the child: make stdin the controlling terminal, so that closing our end hangs up on it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """The program on a pseudo-terminal. Every read waits for a text, with a deadline; none waits for a time."""

    def __init__(self, arguments: list[str], env: dict[str, str], workdir: Path) -> None:
        self.all = ""
        self._seen, self._bytes = 0, b""
        self.fd, end = pty.openpty()
        self._child = subprocess.Popen(
            [sys.executable, "-S", "-E", str(PROGRAM), *arguments],
            env=env,
            cwd=workdir,
            stdin=end,
            stdout=end,
            stderr=end,
            start_new_session=True,
            preexec_fn=own_terminal,
        )
        os.close(end)
        self.pid = self._child.pid

    def expect(self, text: str) -> str:
        """Read until `text` shows up after the last expected one; returns what came before it."""
        deadline = time.monotonic() + DEADLINE_S
        while (at := self.all.find(text, self._seen)) < 0:
            if not self._more(deadline):
                pytest.fail(f"no {text!r} in {self.all[self._seen :]!r} (before: {self.all[: self._seen]!r})")
        before = self.all[self._seen : at]
        self._seen = at + len(text)
        return before

    def type(self, *keys: str) -> None:
        data = "".join(keys).encode()
        while data:
            data = data[os.write(self.fd, data) :]

    def paste(self, text: str) -> None:
        self.type("\x1b[200~", text, "\x1b[201~")

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def kill(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """Close our end, as a terminal does whose window or tmux session is closed."""
        os.close(self.fd)
        self.fd = -1

    def exit_code(self) -> int:
        """Wait for the end; the code, or minus the signal."""
        deadline = time.monotonic() + DEADLINE_S
        while self.fd >= 0 and self._more(deadline):
            pass
        return self._child.wait(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        """End what the test left running."""
        self._child.kill()
        self._child.wait()
        if self.fd >= 0:
            os.close(self.fd)

    def _more(self, deadline: float) -> bool:
        """Read a little; False when the terminal is closed or the deadline has passed."""
        watch = select.poll()  # unlike `select` it knows no highest descriptor
        watch.register(self.fd, select.POLLIN)
        if not watch.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self._bytes += data
        self.all = self._bytes.decode(errors="ignore")
        return bool(data)


class EchoHome:
    """A home directory of the echo agent, and ways to start the program in it."""

    def __init__(self, root: Path) -> None:
        self.path, self.workdir = root / "home", root / "work"
        self.path.mkdir()
        self.workdir.mkdir()
        self.env = {"PATH": os.defpath, "LANG": "C.UTF-8", "TERM": "xterm-256color", "ECHO_HOME": str(self.path)}
        self.config(approval="never")
        self._open: list[Terminal] = []

    def config(self, **keys: object) -> None:
        (self.path / "config.json").write_text(json.dumps({"version": 1, **keys}))

    def behaviour(self, **keys: object) -> None:
        (self.path / "behaviour.json").write_text(json.dumps(keys))

    def history(self) -> list[tuple[str, int, str]]:
        """Conversation, turn and prompt of each line written."""
        lines = (self.path / "history.jsonl").read_text().splitlines()
        return [(entry["conversation"], entry["turn"], entry["prompt"]) for entry in map(json.loads, lines)]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-S", "-E", str(PROGRAM), *arguments],
            env=self.env,
            cwd=self.workdir,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=DEADLINE_S,
            check=False,
        )

    def open(self, *arguments: str) -> Terminal:
        terminal = Terminal(list(arguments), self.env, self.workdir)
        self._open.append(terminal)
        return terminal

    def close(self) -> None:
        for terminal in self._open:
            terminal.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[EchoHome]:
    made = EchoHome(tmp_path)
    yield made
    made.close()
