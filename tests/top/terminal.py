"""A terminal of a given size to look at: a window of a tmux server that is nobody's but the test's."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tests.cli.conftest import Program

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
NUMBERS = count()
"""A socket is not used twice: the server before may still be on its way out."""
VARIES = (
    (re.compile(r"\d\d:\d\d:\d\dZ"), "00:00:00Z"),
    (re.compile(r"\b\d+[smhd] ago"), "Ns ago"),
    (re.compile(r"(?<=HOUMAO-)(\w+)-\d{13}"), r"\1-0000000000000"),
    (re.compile(r"(?<=\bAge:) ( *)\d+[smhd]"), r" \1Ns"),
    (re.compile(r"(?<=  )\d+[smhd] *(?=  HOUMAO|$)", re.MULTILINE), "Ns"),
    (re.compile(r"\bpid \d+"), "pid N"),
    (re.compile(r"(?<=Pane is dead )\(.*\)"), "(when)"),
    (re.compile(r"/tmp/top-\w{8}"), "/tmp/top-00000000"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "0" * 32),
    (re.compile(r"(?<=conversation )[0-9a-f]{16}"), "0" * 16),
    (re.compile(r"\b\d{8}-\d{4}(\n?)\d\dZ-[0-9a-f]{8}"), r"00000000-0000\g<1>00Z-00000000"),
)


class Window:
    """One command in a terminal."""

    def __init__(self, program: Program, socket: Path) -> None:
        self._program, self._socket = program, socket

    def _tmux(self, *words: str) -> str:
        argv = ("tmux", "-u", "-S", str(self._socket), *words)
        ran = subprocess.run(argv, env=self._program.env, capture_output=True, text=True, timeout=30)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def types(self, *keys: str) -> None:
        """Press keys, by tmux's names for them."""
        self._tmux("send-keys", "-t", "view", *keys)

    @property
    def screen(self) -> str:
        """What is to be seen, without the blanks at the ends of lines."""
        return "\n".join(line.rstrip() for line in self._tmux("capture-pane", "-p", "-t", "view").split("\n")).rstrip()

    @property
    def steady(self) -> str:
        """The same with what varies replaced."""
        text = self.screen
        for found, put in VARIES:
            text = found.sub(put, text)
        return "\n".join(line.rstrip() for line in text.split("\n"))


@contextmanager
def window(program: Program, size: str, *words: str) -> Iterator[Window]:
    """`houmao WORDS` in a terminal of `80x24`; what it leaves with is written below it."""
    width, height = size.split("x")
    socket = Path(program.env["TMUX_TMPDIR"]) / f"view{next(NUMBERS)}"
    config = program.work.parent / "view.conf"
    config.write_text("set -g status off\nset -g escape-time 0\n")
    inside = '"$@"; echo "left with $?"; exec sleep 1000'
    argv = (
        "tmux",
        "-u",
        "-S",
        str(socket),
        "-f",
        str(config),
        "new-session",
        "-d",
        "-s",
        "view",
        "-x",
        width,
        "-y",
        height,
    )
    started = subprocess.run(
        [*argv, "sh", "-c", inside, "sh", sys.executable, "-m", "reconciler", *words],
        cwd=program.work,
        env={**program.env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert started.returncode == 0, started.stderr
    found = Window(program, socket)
    try:
        yield found
    finally:
        subprocess.run(["tmux", "-S", str(socket), "kill-server"], capture_output=True, timeout=30)


def golden(name: str, size: str) -> Path:
    """The file of one screen. Without it, the test that compares writes what it saw and fails: read it, and commit."""
    return GOLDEN / f"{name}-{size}.txt"
