"""Fleets to look at: one in memory whose screens a test draws, and real ones."""

from collections.abc import Callable

import pytest

from reconciler.app.top import Board, Row
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.plugin import fake_world
from tests.conftest import WaitUntil
from tests.top.terminal import Window, golden

__all__ = ["fake_world"]

FLEET = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, prompt: You write code.}
---
kind: Instance
metadata: {name: alice, labels: {team: core}}
spec: {specialistRef: coder}
---
kind: Instance
metadata: {name: bob, labels: {team: core}}
spec: {specialistRef: coder}
---
kind: Instance
metadata: {name: carol}
spec: {specialistRef: coder, state: Stopped}
"""
Approved = Callable[[Window, str, str, str], None]
READY = ("echo> ", "echo: ready")
BUSY = ("● hello\n… working (esc to interrupt)", "echo: busy")
ASKING = ("Do you trust this folder? (y/N)", "echo: asking")


def shows(world: FakeWorld, name: str, screen: tuple[str, str]) -> None:
    """Draw the screen of an agent."""
    world.pane_of(name).text, world.pane_of(name).title = screen


def row(board: Board, name: str) -> Row:
    return next(found for found in board.rows if found.name == name)


@pytest.fixture
def fleet(fake_world: FakeWorld) -> FakeWorld:
    """Two agents at their prompts, and one that is declared Stopped."""
    fake_world.given(FLEET)
    fake_world.when_applied()
    shows(fake_world, "alice", READY)
    shows(fake_world, "bob", READY)
    return fake_world


@pytest.fixture
def approved(wait_until: WaitUntil) -> Approved:
    """Wait until a window shows what was approved; where nothing was yet, until it shows `words`, and write it."""

    def compare(shown: Window, name: str, size: str, words: str) -> None:
        file = golden(name, size)
        if not file.exists():
            wait_until(lambda: words in shown.screen, what=f"{words!r}")
            file.parent.mkdir(exist_ok=True)
            file.write_text(shown.steady + "\n")
            pytest.fail(f"{file.name} is written: read it, and run this again")
        wanted = file.read_text()
        try:
            wait_until(lambda: shown.steady + "\n" == wanted)
        except AssertionError:
            assert shown.steady + "\n" == wanted

    return compare
