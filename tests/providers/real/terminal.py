"""One program in a private tmux server, seen and typed at the way an operator would.

The tmux server is started with the program's whole environment, so no variable (least of all a key) stands in a
command line, and nothing of the tests' own environment gets in.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

POLL_S = 0.05
END_S = 5.0
SIZE = (110, 36)


class Terminal:
    """A context manager; leaving it ends the tmux server and with it the program."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, size: tuple[int, int] = SIZE) -> None:
        self._socket = f"houmao-real-{uuid.uuid4().hex[:12]}"
        self._env = dict(env)
        # remain-on-exit keeps the last screen readable when the program refuses to start.
        self._tmux(
            "new-session", "-d", "-s", "real", "-x", str(size[0]), "-y", str(size[1]), "-c", str(cwd), "sleep 3600"
        )
        self._path = self._tmux("display-message", "-p", "#{socket_path}").strip()
        self._tmux("set-option", "-g", "default-terminal", "xterm-256color")
        self._tmux("set-option", "-g", "remain-on-exit", "on")
        self._tmux("respawn-pane", "-k", "-c", str(cwd), "exec " + shlex.join(argv))
        self._pid = int(self._tmux("display-message", "-p", "#{pane_pid}"))

    @classmethod
    def found(cls, socket: str, env: Mapping[str, str]) -> Terminal:
        """The only pane of a server that runs already, named by its socket below the `TMUX_TMPDIR` of `env`."""
        terminal = cls.__new__(cls)
        terminal._socket, terminal._env = socket, dict(env)
        terminal._path = terminal._tmux("display-message", "-p", "#{socket_path}").strip()
        terminal._pid = int(terminal._tmux("display-message", "-p", "#{pane_pid}"))
        return terminal

    def _tmux(self, *words: str, stdin: str | None = None, check: bool = True) -> str:
        command = ["tmux", "-u", "-L", self._socket, "-f", os.devnull, *words]
        done = subprocess.run(command, env=self._env, input=stdin, text=True, capture_output=True, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"tmux {words[0]} left with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def title(self) -> str:
        return self._tmux("display-message", "-p", "#{pane_title}").rstrip("\n")

    def look(self) -> tuple[str, str]:
        """(screen, title), read by one tmux client so that they belong together."""
        text = self._tmux("display-message", "-p", "#{pane_title}", ";", "capture-pane", "-p")
        title, _, screen = text.partition("\n")
        return screen, title

    def ended(self) -> bool:
        return self._tmux("display-message", "-p", "#{pane_dead}").strip() == "1"

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def paste(self, text: str) -> None:
        """A bracketed paste where the program asked for one; nothing is submitted."""
        self._tmux("load-buffer", "-", stdin=text)
        self._tmux("paste-buffer", "-p", "-r", "-d")

    def wait(self, what: str, condition: Callable[[], bool], timeout_s: float) -> None:
        """Poll until the condition holds; a TimeoutError shows the title and the screen."""
        deadline = time.monotonic() + timeout_s
        pause = threading.Event()
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"not {what} within {timeout_s:g} s; title {self.title()!r}, screen:\n{self.screen()}"
                )
            pause.wait(POLL_S)

    def wait_screen(self, pattern: str, timeout_s: float) -> None:
        self.wait(
            f"showing {pattern!r}", lambda: re.search(pattern, self.screen(), re.MULTILINE) is not None, timeout_s
        )

    def wait_still(self, timeout_s: float, looks: int = 6) -> None:
        """Wait until the screen was the same for so many looks: a dialog is drawn in more than one go."""
        last: list[str] = []

        def same() -> bool:
            last.append(self.screen())
            return len(last) > looks and len(set(last[-looks:])) == 1

        self.wait("still", same, timeout_s)

    def group(self) -> list[int]:
        """The living processes of the program's process group; tmux makes the program its leader."""
        listing = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,stat="], text=True, capture_output=True, check=True)
        rows = [line.split() for line in listing.stdout.splitlines()]
        return [int(pid) for pid, group, state in rows if int(group) == self._pid and not state.startswith("Z")]

    def close(self) -> None:
        """End the tmux server, then whoever outlived it: Gemini takes no notice of a terminal that hangs up."""
        self._tmux("kill-server", check=False)
        Path(self._path).unlink(missing_ok=True)
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.group():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._pid, number)
            deadline = time.monotonic() + END_S
            while self.group() and time.monotonic() < deadline:
                threading.Event().wait(POLL_S)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
