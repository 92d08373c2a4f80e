"""A watch on the fake twin: time passes when it sleeps, and what wakes it is told by the test."""

from collections.abc import Iterable

from reconciler.app.watch.lead import Ended, WatchFlags
from reconciler.engine.orders import Probe, no_probe
from reconciler.model.json import JsonMap
from reconciler.ports.wakers import Waker, Woken
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.plugin import fake_world, real_world
from reconciler.testing.wakers import Script
from reconciler.testing.watching import watched
from tests.fleets import declared


class Told:
    """How it ended, and every event."""

    def __init__(self) -> None:
        self.events: list[tuple[str, JsonMap]] = []
        self.ended: Ended | None = None

    def of(self, kind: str) -> list[JsonMap]:
        return [fields for found, fields in self.events if found == kind]

    @property
    def done(self) -> list[str]:
        """`verb ref` of each action that settled, in order."""
        return [f"{each['verb']} {each['ref']}" for each in self.of("action_end") if each["outcome"] == "settled"]


class Story:
    """A fleet that is declared, and a script of what happens to it under a watch."""

    def __init__(self, world: FakeWorld, drop: Iterable[str] = ()) -> None:
        self.world = world
        self.script = Script(world.clock, drop)
        self.probe: Probe = no_probe
        declared(world)

    def saved(self, name: str) -> Woken:
        return Woken(Waker.SOURCE, str(self.world.source / name), True)

    def told(self, seconds: float, **watching: object) -> Told:
        """Watch for so long, then be told to stop."""
        told = Told()
        self.script.over_at = seconds
        told.ended = watched(
            self.world,
            lambda ports: self.script,
            self.script.stopping,
            lambda kind, fields: told.events.append((kind, fields)),
            probe=self.probe,
            watching=WatchFlags(**watching),  # type: ignore[arg-type]
        )
        return told


__all__ = ["Story", "Told", "fake_world", "real_world"]
