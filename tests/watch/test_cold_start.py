"""A watch that starts on a broken source: it waits, says so, removes nothing, and starts when it is mended."""

import os

import pytest

from reconciler.ports.wakers import Waker, Woken
from reconciler.testing.fake_world import FakeWorld
from tests.fleets import FLEET
from tests.watch.conftest import Story

BROKEN = "kind: Instance\nmetadata: {name: alice"
AUTO = "\n---\nkind: Project\nmetadata: {name: team}\nspec: {prunePolicy: auto}"


def test_nothing_runs_yet_and_it_starts_when_the_source_is_mended(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    world = fake_world
    world.given(BROKEN)
    story.script.at(10, lambda: world.given(FLEET), story.saved("fleet.yaml"))
    told = story.told(30)
    assert [(each["event"], each.get("kept")) for each in told.of("source")] == [
        ("OverlayCreated", None), ("SourceInvalid", False), ("Recovered", None),
    ]  # fmt: skip
    assert world.running == {"alice", "bob"}


@pytest.mark.parametrize("lost", [(), (Waker.SOURCE,)], ids=["told", "by the timer"])
def test_what_runs_goes_on_and_nothing_is_pruned(fake_world: FakeWorld, lost: tuple[str, ...]) -> None:
    story = Story(fake_world, lost)
    world = fake_world
    world.given(FLEET + AUTO)
    assert world.when_applied().settled
    world.given(BROKEN)
    before = world.rows

    def looked_at() -> None:
        assert world.rows == before
        assert world.running == {"alice", "bob"}
        world.given(FLEET + AUTO + "\n---\nkind: Instance\nmetadata: {name: carol}\nspec: {specialistRef: coder}")

    story.script.at(200, looked_at, story.saved("fleet.yaml"))
    told = story.told(400)
    assert told.done == ["create Instance/carol"]
    assert [each["event"] for each in told.of("source")] == ["SourceInvalid", "Recovered"]


def test_a_source_that_is_not_there_yet_is_waited_for(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    world = fake_world
    world.given(FLEET + AUTO)
    assert world.when_applied().settled
    away = world.root / "away"
    os.rename(world.source, away)
    story.script.at(100, lambda: os.rename(away, world.source), Woken(Waker.SOURCE, str(world.source)))
    told = story.told(200)
    assert [each["event"] for each in told.of("source")] == ["SourceUnavailable", "Recovered"]
    assert told.done == []
    assert world.running == {"alice", "bob"}


def test_once_says_what_is_wrong_and_ends_with_it(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    fake_world.when_applied()
    fake_world.given(BROKEN)
    told = story.told(0, once=True)
    assert told.ended is not None
    assert told.ended.exit_code == 1
    assert told.ended.fault is not None
    assert told.done == []
