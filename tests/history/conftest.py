"""History is told on the worlds of the test kit, and read through the program's own entry point."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from reconciler.cli import main as program
from reconciler.cli import places
from reconciler.testing.plugin import fake_world, real_world, world
from reconciler.testing.world import World

__all__ = ["fake_world", "real_world", "world"]


class Said(NamedTuple):
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Houmao = Callable[..., Said]


@pytest.fixture
def houmao(fake_world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Houmao:
    """The command line in this process, on the fake world."""
    monkeypatch.setattr(places, "flags", lambda args: fake_world.flags)
    monkeypatch.setenv("CI", "1")

    def run(*words: str) -> Said:
        capsys.readouterr()
        code = program.main(list(words))
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return run
