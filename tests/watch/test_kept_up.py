"""What a watch goes on doing while its source is broken, and how it stops doing what does not help."""

from reconciler.ports.wakers import Waker, Woken
from reconciler.testing.fake_world import FakeWorld
from tests.watch.conftest import Story


def test_while_a_source_is_broken_the_last_good_one_is_kept_up(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    world = fake_world
    story.script.at(10, lambda: world.given("kind: Instance\nmetadata: {name: alice"), story.saved("fleet.yaml"))
    story.script.at(20, lambda: world.kill_process_of("alice"), Woken(Waker.PROCESS))
    story.script.at(30, lambda: world.kill_session_of("bob"), Woken(Waker.TMUX))

    told = story.told(100)

    assert told.of("source")[-1]["event"] == "SourceInvalid"
    assert told.done[-2:] == ["relaunch Instance/alice", "create Instance/bob"]
    assert world.running == {"alice", "bob"}


def test_a_program_that_ends_every_second_is_not_started_every_second(fake_world: FakeWorld) -> None:
    story = Story(fake_world)

    def end() -> None:
        if "alice" in fake_world.running:
            fake_world.kill_process_of("alice")

    for at in range(1, 16):
        story.script.at(at, end, Woken(Waker.PROCESS))

    assert 1 <= story.told(16).done.count("relaunch Instance/alice") <= 5
