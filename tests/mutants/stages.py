"""Where killers are called: what the fixtures of their suites would make, for one call."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from reconciler.testing.fake_world import FakeWorld
from tests.adapters.tmux.driver import RealTerminal
from tests.gateway.conftest import Desk
from tests.locking.test_what_was_shown_is_what_runs import FORGETFUL
from tests.mutants.kit import Killer, named
from tests.stale.conftest import StaleWorld
from tests.stale.test_old_news import story
from tests.stories.fleets import ALICE_BOB_CAROL, PROMPT, TEXT

Test = Callable[..., object]


def on_fake(test: Test, *args: object, first: Callable[[FakeWorld], FakeWorld] | None = None) -> Killer:
    """A test of one fake world; `first` is its fixture's arrangement of it."""

    def run() -> None:
        with FakeWorld() as world:
            test(first(world) if first is not None else world, *args)

    return Killer(named(test, *args), run)


def of_three(world: FakeWorld) -> FakeWorld:
    """alice, bob and carol run."""
    world.given_file(PROMPT, TEXT)
    world.given(ALICE_BOB_CAROL)
    world.when_applied()
    return world


def edited(world: FakeWorld) -> FakeWorld:
    """alice and bob run, keep no conversation, and their prompt was edited."""
    world.given_file(PROMPT, TEXT)
    world.given(FORGETFUL)
    world.when_applied()
    world.given_file(PROMPT, "You write more code.\n")
    return world


def with_plan_file(test: Test, *args: object) -> Killer:
    """A test of one fake world and of a place for a plan."""

    def run() -> None:
        with FakeWorld() as world:
            test(world, world.root / "p.json", *args)

    return Killer(named(test, *args), run)


def on_stale(test: Test, *args: object) -> Killer:
    """A test of a world that has a past, and can be told of it as news."""

    def run() -> None:
        with StaleWorld() as world:
            story(world)
            test(world, *args)

    return Killer(named(test, *args), run)


def on_desk(test: Test) -> Killer:
    """A test of one gateway in memory."""

    def run() -> None:
        with tempfile.TemporaryDirectory() as directory:
            desk = Desk(Path(directory))
            try:
                test(desk)
            finally:
                desk.close()

    return Killer(named(test), run)


def on_terminal(test: Test) -> Killer:
    """A test of the contract that a real tmux server keeps."""

    def run() -> None:
        with tempfile.TemporaryDirectory(prefix="tmux-") as directory:
            terminal = RealTerminal(Path(directory) / "socket")
            try:
                test(terminal)
            finally:
                terminal.close()

    return Killer(named(test, "real"), run, tmux=True)


def in_directory(test: Test, *args: object) -> Killer:
    """A test of nothing but a directory of its own."""

    def run() -> None:
        with tempfile.TemporaryDirectory() as directory:
            test(Path(directory), *args)

    return Killer(named(test, *args), run)
