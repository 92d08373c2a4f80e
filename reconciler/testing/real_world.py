"""A world with a tmux server of its own and real processes of the `echo` provider."""

import os
import signal as signals
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from reconciler.testing.world import World

DEADLINE_S = 30.0
POLL_S = 0.02


class RealWorld(World):
    """All ports are the system's; only directories and the tmux socket are this world's own."""

    def __init__(self, root: Path | None = None) -> None:
        # A socket's path has about a hundred bytes: directly below the temporary directory.
        super().__init__(root or Path(tempfile.mkdtemp(prefix="world-")))
        self.tmux_socket = str(self.root / "tmux")

    def until_ready(self) -> None:
        report = self.when_applied(wait=True)
        assert not report.report.not_ready, report.report.not_ready

    def kill_session_of(self, name: str) -> None:
        self.end_session(self.session_of(name).session_id)

    def end_session(self, session_id: str) -> None:
        """`tmux kill-session`, and see it gone, with its programs but for those that ignore the hang-up."""
        pids = [each.pid for each in self.panes if each.session_id == session_id]
        self.tmux("kill-session", "-t", session_id)
        until(lambda: session_id not in {each.session_id for each in self.panes}, f"{session_id} is still there")
        until(lambda: all(map(_hung_up, pids)), f"a program of {session_id} still runs")

    def kill_process_of(self, name: str, signal: int = signals.SIGKILL) -> None:
        pane = self.session_of(name)
        os.kill(pane.pid, signal)
        until(lambda: name not in self.running, f"the process of {name} still runs")

    def kill_server(self) -> None:
        pids = [each.pid for each in self.panes]
        self.tmux("kill-server")
        until(lambda: not self.panes, "the tmux server still answers")
        until(lambda: all(map(_hung_up, pids)), "a program of the tmux server still runs")

    def foreign_session(self, name: str, uid: str = "") -> None:
        """A session that somebody else made, perhaps with a uid of ours on it."""
        env = ["-e", f"HOUMAO_UID={uid}"] if uid else []
        self.tmux("new-session", "-d", "-s", name, *env, "sleep", "infinity")
        if uid:
            self.tmux("set-option", "-t", f"={name}:", "@houmao_uid", uid)

    def conversation_of(self, name: str) -> list[str]:
        """Files of the conversations that the program of an instance keeps in its home."""
        found = self.home_of(name) / "conversations"
        return sorted(path.name for path in found.iterdir()) if found.is_dir() else []

    def close(self) -> None:
        """End every process of this world, stopped or deaf as it may be, then the directory."""
        for pid in self._own():
            _kill(pid)
        until(lambda: not self._own(), "processes of this world do not end")
        super().close()

    def _own(self) -> list[int]:
        """Live processes that were started for this world: its root is in their argv or environment."""
        mark = os.fsencode(str(self.root))
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            if int(process.name) == os.getpid():
                continue
            try:
                words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
                state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if mark in words and state not in ("Z", "X"):
                found.append(int(process.name))
        return found

    def tmux(self, *words: str) -> str:
        """tmux's own client, as a person would use it."""
        argv = ("tmux", "-u", "-S", str(self.tmux_socket), *words)
        ran = subprocess.run(argv, capture_output=True, check=False, timeout=DEADLINE_S)
        assert ran.returncode == 0, ran.stderr.decode(errors="replace")
        return ran.stdout.decode(errors="replace")


def _hung_up(pid: int) -> bool:
    """Whether a process has come to its end, or will not: it ignores SIGHUP."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return True
    told = dict(line.split(":", 1) for line in lines)
    return told["State"].split()[0] in ("Z", "X") or bool(int(told["SigIgn"], 16) >> (signals.SIGHUP - 1) & 1)


def _kill(pid: int) -> None:
    """SIGKILL, also for a stopped one."""
    with suppress(ProcessLookupError):
        os.kill(pid, signals.SIGKILL)


def until(condition: Callable[[], object], what: str, within_s: float = DEADLINE_S) -> None:
    """Look again until `condition` holds; AssertionError when it does not in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(POLL_S)
