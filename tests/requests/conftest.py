"""Agents to talk to: real ones of the `echo` provider, and one whose terminal a test writes by hand."""

import json

import pytest

from reconciler.app.agents import Agent, Selector, resolve
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.plugin import fake_world, real_world
from reconciler.testing.real_world import RealWorld
from reconciler.testing.tmux import FakePane
from reconciler.testing.world import World

__all__ = ["fake_world", "real_world"]

FLEET = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, prompt: You write code.}
---
kind: Instance
metadata: {name: alice}
spec: {specialistRef: coder}
"""


def named(world: World, name: str = "alice") -> Agent:
    """The agent of that name."""
    return resolve(world.flags, Selector(agent_name=name))


def prompts(world: World, name: str = "alice") -> list[str]:
    """What the echo agent itself recorded."""
    path = world.home_of(name) / "history.jsonl"
    return [json.loads(line)["prompt"] for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def alice(real_world: RealWorld) -> RealWorld:
    """A real agent at its prompt."""
    real_world.given(FLEET)
    real_world.until_ready()
    return real_world


class Scripted:
    """An agent in memory; the test draws its screen."""

    def __init__(self, world: FakeWorld) -> None:
        self.world = world
        world.given(FLEET)
        world.when_applied()
        self.shows("echo> ", "echo: ready")

    def shows(self, text: str, state: str) -> None:
        self.pane.text, self.pane.title = text, state

    @property
    def pane(self) -> FakePane:
        return self.world.pane_of("alice")

    @property
    def agent(self) -> Agent:
        return named(self.world)


@pytest.fixture
def scripted(fake_world: FakeWorld) -> Scripted:
    return Scripted(fake_world)
