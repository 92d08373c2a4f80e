"""A set of agents on the fake twin, and a trace of who was Ready at every step of a change."""

import re

from reconciler.app.ask import Ask
from reconciler.app.change import change
from reconciler.app.request import RunFlags
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.plugin import fake_world, real_world

PROMPT = "prompts/coder.md"


def crew(strategy: str = "", replicas: int = 8, member: str = "") -> str:
    """A specialist, and a set of it with a strategy in flow style."""
    declared = f", strategy: {{{strategy}}}" if strategy else ""
    return (
        "kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, promptFile: prompts/coder.md}\n---\n"
        "kind: InstanceSet\nmetadata: {name: crew, labels: {team: core}}\n"
        f"spec: {{replicas: {replicas}{declared}, template: {{specialistRef: coder{member}}}}}\n"
    )


class Crew:
    """A set that runs, and what was seen of it while it changed."""

    def __init__(self, world: FakeWorld, strategy: str = "", replicas: int = 8, member: str = "") -> None:
        self.world = world
        self.replicas = replicas
        world.ready_after = 3.0
        world.given_file(PROMPT, "You write code.\n")
        world.given(crew(strategy, replicas, member))
        world.when_applied()
        world.pass_time(10)
        assert self.not_ready() == 0
        self.before = self.pids()
        self.down: list[int] = []
        """How many were not Ready, at every step."""
        self.order: list[str] = []
        """Who was disturbed, in order."""

    def edited(self, text: str = "You write better code.\n") -> None:
        """What they are made of is another prompt now."""
        self.world.given_file(PROMPT, text)

    def on_point(self, point: str, phase: str, ref: Ref) -> None:
        """Called around every durable step."""
        self.down.append(self.not_ready())
        if phase == "before" and point == "relaunch/Instance:intent":
            self.order.append(ref.name)

    def trace(self, ask: Ask) -> Report:
        """Carry out what a verb asks, and see who is Ready at every step."""
        return change(
            self.world.flags,
            ask,
            RunFlags(yes=True, probe=self.on_point),
            tell=lambda said: None,
            confirm=lambda plan: True,
            shown=lambda plan: None,
            emit=lambda kind, fields: None,
        )

    def not_ready(self) -> int:
        """How many of the members have no session at their prompt, or in a turn, at this moment."""
        self.world.tmux.draw()
        ready = 0
        for session in self.world.tmux.sessions.values():
            pane = session.panes[0]
            ready += "HOUMAO_UID" in session.env and not pane.dead and pane.title in ("echo: ready", "echo: busy")
        return self.replicas - ready

    def pids(self) -> dict[str, int]:
        """Of each member that runs."""
        return {name: self.world.session_of(name).pid for name in self.world.running}

    @property
    def changed(self) -> set[str]:
        """Members that run as another process than at first."""
        return {name for name, pid in self.pids().items() if self.before.get(name) != pid}

    def busy(self, *names: str) -> None:
        """They are in the middle of a turn."""
        for name in names:
            pane = self.world.pane_of(name)
            pane.title, pane.text = "echo: busy", "… working (esc to interrupt)"

    def idle(self, *names: str) -> None:
        """Their turn is over."""
        for name in names:
            pane = self.world.pane_of(name)
            pane.title, pane.text = "echo: ready", "echo> "


def names(*ordinals: int) -> list[str]:
    """`crew-0`, `crew-1` …"""
    return [f"crew-{ordinal}" for ordinal in ordinals]


def waits(events: "tuple[tuple[str, dict[str, object]], ...] | list[tuple[str, dict[str, object]]]") -> list[str]:
    """`ref: text` of each wait that was told, times left out."""
    said = [fields for kind, fields in events if kind == "wait"]
    return [re.sub(r"\d{4}-\S+", "…", f"{each['ref']}: {each['text']}") for each in said]


__all__ = ["fake_world", "real_world"]
