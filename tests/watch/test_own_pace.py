"""`drift.resync`, `interval`, `window` and `baseline` of an agent under a watch, on the fake twin."""

from reconciler.app import drift as drifts
from reconciler.ports.wakers import Waker, Woken
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.wakers import Script
from tests.fleets import FLEET
from tests.watch.conftest import Story, Told


def saying(drift: str) -> str:
    """The fleet, where alice says something of her drift."""
    alice = "metadata: {name: alice}\nspec: {specialistRef: coder"
    assert alice in FLEET
    return FLEET.replace(alice, f"{alice}, drift: {{{drift}}}")


def story_of(world: FakeWorld, drift: str) -> Story:
    story = Story(world)
    world.given(saying(drift))
    world.when_applied()
    return story


def test_an_agent_is_looked_at_at_its_own_pace_though_nothing_woke_the_watch(fake_world: FakeWorld) -> None:
    story = story_of(fake_world, "resync: 5s")
    quiet = story.told(40, period_s=100)
    assert story.script.waits >= 8
    assert len(quiet.of("observe")) == 1, "where it stands as before, the fleet is not planned for it"

    story = story_of(fake_world, "resync: 5s")
    running: list[set[str]] = []
    story.script.at(41, lambda: fake_world.kill_session_of("bob"))
    story.script.at(52, lambda: running.append(set(fake_world.running)))
    story.script.at(121, lambda: fake_world.kill_session_of("alice"))
    story.script.at(127, lambda: running.append(set(fake_world.running)))

    told = story.told(128, period_s=100)

    assert running == [{"alice"}, {"alice", "bob"}], "bob waits for the timer, alice does not"
    assert sorted(told.done) == ["create Instance/alice", "create Instance/bob"]


def undone(world: FakeWorld, story: Story, times: tuple[int, ...], until: int) -> Told:
    """Somebody ends alice's session at these times, and the watch is told."""

    def undo() -> None:
        if "alice" in world.running:
            world.kill_session_of("alice")

    for at in times:
        story.script.at(at, undo, Woken(Waker.TMUX))
    return story.told(until)


def test_what_is_a_fight_is_told_by_a_window_of_its_own(fake_world: FakeWorld) -> None:
    times = tuple(range(30, 30 + 6 * 120, 120))
    told = undone(fake_world, story_of(fake_world, "window: 1m"), times, 720)
    assert told.done.count("create Instance/alice") == len(times)
    assert told.of("drift") == []


def test_or_by_a_longer_one(fake_world: FakeWorld) -> None:
    wide = story_of(fake_world, "window: 1h")
    told = undone(fake_world, wide, tuple(range(30, 30 + 6 * 900, 900)), 3500)
    assert told.done.count("create Instance/alice") == 3
    ((text, code),) = {(str(each["text"]).partition(",")[0], each["code"]) for each in told.of("drift")}
    assert (text, code) == ("put right 3 times in 1 hour", "DriftFight")


def test_repairs_keep_their_interval_over_a_restart_of_the_watch(fake_world: FakeWorld) -> None:
    story = story_of(fake_world, "interval: 1h")
    told = undone(fake_world, story, (10, 100), 200)
    assert told.done == ["create Instance/alice"]
    assert [each["code"] for each in told.of("wait")] == ["BackOff"]
    assert "less than 1 hour ago" in str(told.of("wait")[0]["text"])

    story.script = Script(fake_world.clock)
    assert story.told(3000).done == []
    story.script = Script(fake_world.clock)
    assert story.told(900).done == ["create Instance/alice"]


def test_known_drift_is_no_alarm_and_an_apply_repairs_it(fake_world: FakeWorld) -> None:
    story_of(fake_world, "policy: heal")
    fake_world.kill_session_of("alice")
    found = drifts.drift(fake_world.flags, ["alice"])
    (key,) = [item.key for item in found.new]
    assert fake_world.when_applied().settled

    story = story_of(fake_world, f'baseline: ["{key}"]')
    story.script.at(10, lambda: fake_world.kill_session_of("alice"), Woken(Waker.TMUX))
    story.script.at(20, lambda: fake_world.kill_session_of("bob"), Woken(Waker.TMUX))
    told = story.told(300)

    assert told.done == ["create Instance/bob"]
    assert (told.of("drift"), told.of("wait")) == ([], [])
    found = drifts.drift(fake_world.flags, [])
    assert ([item.key for item in found.items], found.new, found.exit_code) == ([key], (), 0)
    assert fake_world.when_applied().settled, "no watch may have said that there is nothing to do"
    assert fake_world.running == {"alice", "bob"}
