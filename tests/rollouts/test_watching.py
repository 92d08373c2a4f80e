"""A watch changes a set look by look: the same members at the same time as one apply would, and nobody waits inside."""

from reconciler.app import rollouts
from reconciler.ports.process import Finished
from reconciler.ports.wakers import Waker, Woken
from reconciler.testing.fake_world import FakeWorld
from tests.rollouts.conftest import PROMPT, Crew, names
from tests.rollouts.conftest import crew as crew_
from tests.watch.conftest import Story

ALL = {f"crew-{ordinal}" for ordinal in range(8)}


class Watched(Story):
    """A watch of a set; what happens is told around every durable step."""

    def __init__(self, crew: Crew) -> None:
        super().__init__(crew.world)
        self.crew = crew

    def edit(self, at: float, text: str = "You write better code.\n") -> None:
        self.script.at(at, lambda: self.crew.edited(text), self.saved(PROMPT))


def watched(world: FakeWorld, strategy: str, replicas: int = 8) -> tuple[Crew, Watched]:
    made = Crew(world, strategy, replicas)
    story = Watched(made)
    world.given(crew_(strategy, replicas))  # a story declares a fleet of its own
    world.given_file(PROMPT, "You write code.\n")
    return made, story


def test_never_more_are_down_than_may_be_and_who_is_busy_is_waited_for(fake_world: FakeWorld) -> None:
    crew, story = watched(fake_world, "type: Rolling, maxUnavailable: 2")
    story.probe = crew.on_point
    story.edit(10)
    story.script.at(9, lambda: crew.busy("crew-5"))
    story.script.at(200, lambda: crew.idle("crew-5"))
    told = story.told(400)
    assert max(crew.down) == 2
    assert crew.order == names(0, 1, 2, 3, 4, 6, 7, 5)
    assert crew.changed == ALL
    # Two are under way at a time, and either may be the first to end.
    assert sorted(action for action in told.done if action.startswith("relaunch")) == sorted(
        f"relaunch Instance/{name}" for name in crew.order
    )
    assert rollouts.read(fake_world.look().catalog) == {}
    assert fake_world.when_planned().in_sync


def test_a_watch_that_ended_in_between_is_gone_on_with_by_another(fake_world: FakeWorld) -> None:
    crew, story = watched(fake_world, "type: Canary, partition: 1, pauseAfter: 5m")
    story.probe = crew.on_point
    story.edit(10)
    story.told(100)
    assert crew.order == ["crew-0"]
    again = Watched(crew)
    fake_world.given(crew_("type: Canary, partition: 1, pauseAfter: 5m"))
    crew.edited()
    again.probe = crew.on_point
    begun = fake_world.clock.monotonic()
    at: list[float] = []
    again.script.at(150, lambda: at.append(len(crew.order)))
    again.told(400)
    assert at == [1], "five minutes in all were not over"
    assert crew.changed == ALL
    assert fake_world.clock.monotonic() > begun


def test_a_program_that_ends_meanwhile_is_started_again_at_once(fake_world: FakeWorld) -> None:
    crew, story = watched(fake_world, "type: Canary, partition: 1, pauseAfter: 10m")
    story.probe = crew.on_point
    story.edit(10)
    story.script.at(60, lambda: fake_world.kill_process_of("crew-7"), Woken(Waker.PROCESS))
    story.told(70)
    assert "crew-7" in crew.changed, "the watch does not sit in the pause of a Canary"
    assert crew.changed == {"crew-0", "crew-7"}


def test_a_failed_analysis_stops_it_until_something_else_iscrew_(fake_world: FakeWorld) -> None:
    crew, story = watched(fake_world, "type: Canary, partition: 1, analysis: {exec: [check]}")
    story.probe = crew.on_point
    fake_world.process.answers["check"] = Finished(1, b"", b"")
    story.edit(10)
    told = story.told(600)
    assert crew.changed == {"crew-0"}
    failed = [each for each in told.of("condition") if each["reason"] == "RolloutFailed"]
    assert [(each["ref"], each["text"]) for each in failed] == [
        ("InstanceSet/crew", "its analysis ended with status 1")
    ]

    again = Watched(crew)
    fake_world.given(crew_("type: Canary, partition: 1, analysis: {exec: [check]}"))
    fake_world.process.answers["check"] = Finished(0, b"", b"")
    crew.edited("You write the best code.\n")
    again.told(600)
    assert crew.changed == ALL
    assert fake_world.when_planned().in_sync


def test_a_new_change_in_the_middle_of_one_is_the_one_that_counts(fake_world: FakeWorld) -> None:
    crew, story = watched(fake_world, "type: Rolling, maxUnavailable: 1")
    story.probe = crew.on_point
    story.edit(10)
    story.edit(20, "You write the best code.\n")
    story.told(300)
    assert max(crew.down) == 1
    assert fake_world.when_planned().in_sync
    digests = {row.launch_digest for row in fake_world.rows.values() if row.ref.kind == "Instance"}
    assert len(digests) == 1
