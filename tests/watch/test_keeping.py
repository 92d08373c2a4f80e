"""What a watch does about what happens: whichever wake-ups are lost, the end is the same (R-WAT-1)."""

import os

import pytest

from reconciler.ports.wakers import Waker, Woken
from reconciler.testing.fake_world import FakeWorld
from tests.watch.conftest import Story

KINDS = (Waker.SOURCE, Waker.REGISTRY, Waker.CATALOG, Waker.TMUX, Waker.PROCESS)


def busy_day(story: Story) -> None:
    """Everything that wakes a watch happens once."""
    world = story.world

    def saved() -> None:
        world.given_file("prompts/coder.md", "You write better code.\n")

    def added() -> None:
        world.given("kind: Instance\nmetadata: {name: carol}\nspec: {specialistRef: coder}", "carol.yaml")

    story.script.at(10, lambda: world.kill_process_of("alice"), Woken(Waker.PROCESS))
    story.script.at(100, lambda: world.kill_session_of("bob"), Woken(Waker.TMUX), Woken(Waker.PROCESS))
    story.script.at(200, lambda: world.remove_record_of("alice"), Woken(Waker.REGISTRY))
    story.script.at(300, saved, story.saved("prompts/coder.md"))
    story.script.at(400, added, story.saved("carol.yaml"))


def end_of(world: FakeWorld) -> dict[str, object]:
    """What is declared of each, which prompt it was started with, and that it runs and is registered."""
    rows = {ref: (row.digest, row.launch_digest) for ref, row in world.rows.items()}
    records = {name: world.record_of(name).exists() for name in ("alice", "bob", "carol")}
    return {"rows": rows, "running": world.running, "records": records, "sessions": len(world.panes)}


@pytest.mark.parametrize("lost", [(), *((kind,) for kind in KINDS), KINDS], ids=lambda lost: "+".join(lost) or "none")
def test_whichever_wake_ups_are_lost_the_end_is_the_same(fake_world: FakeWorld, lost: tuple[str, ...]) -> None:
    story = Story(fake_world, lost)
    busy_day(story)
    told = story.told(600)
    assert told.ended is not None
    assert told.ended.exit_code == 143
    assert fake_world.running == {"alice", "bob", "carol"}
    assert len(fake_world.panes) == 3
    assert all(fake_world.record_of(name).exists() for name in ("alice", "bob", "carol"))
    assert fake_world.when_planned().in_sync
    # Not one start more or less than the story asks for, whoever told of it.
    assert sorted(told.done) == sorted(
        [
            "create Specialist/coder",
            "create Instance/alice",
            "create Instance/bob",
            "relaunch Instance/alice",
            "create Instance/bob",
            "update Instance/alice",
            "update Specialist/coder",
            "relaunch Instance/alice",
            "relaunch Instance/bob",
            "create Instance/carol",
        ]
    )


def test_a_fleet_that_stands_is_only_looked_at_by_the_timer_and_nothing_is_written(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    story.told(1)
    again = Story(fake_world)
    before = fake_world.bytes()
    revision = fake_world.look().catalog.revision()
    told = again.told(600)
    assert told.done == []
    assert told.of("plan") == []
    # The lease of the second watch is its one write.
    assert fake_world.look().catalog.revision() == revision + 1
    after = fake_world.bytes()
    assert {name for name in before | after if before.get(name) != after.get(name)} <= {
        ".houmao/catalog.sqlite",
        ".houmao/lock",
    }
    # One for the start, one per tick of about a minute, and none besides.
    assert 9 <= len(told.of("observe")) <= 13
    assert again.script.waits <= 14


def test_a_broken_source_changes_nothing_and_the_last_good_one_is_kept_up(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    world = fake_world
    good = (world.source / "fleet.yaml").read_text()
    story.script.at(10, lambda: world.given("kind: Instance\nmetadata: {name: alice"), story.saved("fleet.yaml"))
    story.script.at(20, lambda: world.kill_process_of("alice"), Woken(Waker.PROCESS))
    story.script.at(400, lambda: world.given(good), story.saved("fleet.yaml"))
    told = story.told(500)
    assert [each["event"] for each in told.of("source")] == [
        "OverlayCreated", "Compiled", "SourceInvalid", "Recovered",
    ]  # fmt: skip
    assert told.done.count("relaunch Instance/alice") == 1
    assert world.running == {"alice", "bob"}


def test_a_source_that_vanished_removes_nothing(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    world = fake_world
    away = world.root / "away"
    story.script.at(10, lambda: os.rename(world.source, away), Woken(Waker.SOURCE, str(world.source)))
    story.script.at(20, lambda: world.kill_session_of("bob"), Woken(Waker.TMUX))
    told = story.told(120)
    assert told.of("source")[-1]["event"] == "SourceUnavailable"
    assert told.of("source")[-1]["kept"] is True
    # Its prompt is out of reach, so bob waits for it; nothing of alice changes.
    assert "alice" in world.running
    assert not [each for each in told.done if each.startswith(("remove", "stop"))]


def test_files_saved_together_are_compiled_once(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    world = fake_world
    for number in range(20):
        text = f"kind: Instance\nmetadata: {{name: extra-{number}}}\nspec: {{specialistRef: coder}}"
        name = f"extra-{number:02}.yaml"
        story.script.at(10 + number / 1000, lambda text=text, name=name: world.given(text, name), story.saved(name))  # type: ignore[misc]
    told = story.told(30)
    compiled = [each["declared"] for each in told.of("source") if each["event"] == "Compiled"]
    assert compiled[-1] == 23
    assert len(compiled) <= 3, "the first save alone, then all of them"
    assert len(world.running) == 22


def test_once_is_one_look_that_ends_with_the_code_of_an_apply(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    told = story.told(0, once=True)
    assert told.ended is not None
    assert told.ended.exit_code == 0
    assert fake_world.running == {"alice", "bob"}


def test_somebody_who_undoes_every_repair_is_reported_and_not_fought(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    for at in range(10, 70, 10):
        story.script.at(
            at,
            lambda: fake_world.remove_record_of("alice") if fake_world.record_of("alice").exists() else None,
            Woken(Waker.REGISTRY),
        )
    told = story.told(90)
    assert told.done.count("update Instance/alice") == 3
    assert [each["code"] for each in told.of("drift")] == ["DriftFight"]


def test_a_program_that_keeps_ending_is_started_after_ever_longer_pauses(fake_world: FakeWorld) -> None:
    story = Story(fake_world)

    def end() -> None:
        if "alice" in fake_world.running:
            fake_world.kill_process_of("alice")

    for at in range(1, 200):
        story.script.at(at, end, Woken(Waker.PROCESS))
    told = story.told(200)
    starts = told.done.count("relaunch Instance/alice")
    assert 2 <= starts <= 20, "a loop without pauses would have started it two hundred times"


def test_a_writer_that_was_replaced_ends_and_changes_nothing(fake_world: FakeWorld) -> None:
    from reconciler.model.errors import TokenLost

    story = Story(fake_world)
    world = fake_world
    before: dict[str, object] = {}

    def replaced() -> None:
        lock = world.overlay / "lock"
        lock.rename(lock.with_name("lock.old"))
        world.given_file("prompts/coder.md", "Another writer's.\n")
        assert world.when_applied().settled
        world.kill_process_of("alice")
        before.update(rows=world.rows, runs=world.look().catalog.runs(9), panes=world.panes)

    story.script.at(10, replaced, Woken(Waker.PROCESS))
    with pytest.raises(TokenLost):
        story.told(60)
    assert before == {"rows": world.rows, "runs": world.look().catalog.runs(9), "panes": world.panes}
