"""Commands as they are typed, told to a world of the test kit: parsed, run and answered by the program itself."""

import io
import json
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from reconciler.cli import main
from reconciler.testing.real_world import RealWorld

__all__ = ["Hand", "Said", "hand", "other"]


class Said(NamedTuple):
    """How one command line ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error that a program reads."""
        found: dict[str, Any] = self.data["error"]
        return found


class Hand:
    """Somebody at a shell in the project of a world."""

    def __init__(self, world: RealWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.world = world
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.said: list[Said] = []

    def __call__(self, line: str, *, stdin: str = "", here: str = "") -> Said:
        """`houmao LINE`, in the project or in a directory of it."""
        with self._monkeypatch.context() as patch:
            patch.setenv("HOUMAO_GLOBAL_REGISTRY_DIR", str(self.world.registry))
            patch.setenv("HOUMAO_TMUX_SOCKET", str(self.world.tmux_socket))
            patch.setenv("HOME", str(self.world.root / "home"))
            patch.setenv("CI", "1")
            patch.setattr("sys.stdin", io.StringIO(stdin))
            where = self.world.root / here
            where.mkdir(exist_ok=True)
            patch.chdir(where)
            self._capsys.readouterr()
            code = main.main(shlex.split(line))
        found = self._capsys.readouterr()
        self.said.append(Said(code, found.out, found.err))
        return self.said[-1]

    def does(self, line: str, *, stdin: str = "", here: str = "") -> Any:
        """The same, which has to succeed; its answer as data."""
        said = self(f"{line} -o json", stdin=stdin, here=here)
        assert said.code == 0, said
        return said.data

    def refuses(self, line: str, *, stdin: str = "") -> dict[str, Any]:
        """The same, which has to fail; its error as data, with the exit code."""
        said = self(f"{line} -o json", stdin=stdin)
        assert said.code != 0, said
        return {**said.error, "exit": said.code}

    def skill(self, name: str, text: str = "# How to\n") -> Path:
        """A directory that is a skill."""
        path = self.world.root / name
        path.mkdir(exist_ok=True)
        (path / "SKILL.md").write_text(text)
        return path


def _hand(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Hand]:
    world = RealWorld()
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        world.initialised()
        yield Hand(world, monkeypatch, capsys)
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
        world.close()


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Hand]:
    """A person in a fresh project."""
    yield from _hand(monkeypatch, capsys)


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Hand]:
    """Somebody else in another one."""
    yield from _hand(monkeypatch, capsys)
