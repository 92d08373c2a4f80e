"""The gates of members, while a change reaches a set."""

from reconciler.model.outcome import Result
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld
from tests.rollouts.conftest import Crew, names, waits
from tests.rollouts.conftest import crew as declared
from tests.watch.conftest import Story

FORCED = ", disruption: {when: Idle, maxWait: 1m, onTimeout: Force}"


def test_members_that_say_so_are_waited_for_where_no_strategy_is_declared(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, replicas=4, member=", disruption: {when: Idle}")
    crew.edited()
    crew.busy("crew-0")

    def on_point(point: str, phase: str, ref: Ref) -> None:
        crew.on_point(point, phase, ref)
        if crew.order == names(1, 2, 3):
            crew.idle("crew-0")

    assert fake_world.when_applied(on_point=on_point).settled
    assert crew.order == names(1, 2, 3, 0), "who is idle goes first, and takes nobody's place"
    assert max(crew.down) == 1


def test_a_turn_that_is_kept_for_a_busy_member_is_taken_when_its_wait_is_over(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, "type: Rolling, maxUnavailable: 1", replicas=3, member=FORCED)
    crew.edited()
    crew.busy("crew-1")
    begun = fake_world.clock.monotonic()
    applied = fake_world.when_applied(on_point=crew.on_point)
    assert applied.settled
    assert crew.order == names(0, 1, 2)
    assert 60 <= fake_world.clock.monotonic() - begun < 120
    assert max(crew.down) == 1


def test_one_that_is_not_forced_is_left_and_the_others_go_on(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, "type: Rolling, maxUnavailable: 1", replicas=3, member=", disruption: {maxWait: 1m}")
    crew.edited()
    crew.busy("crew-0")
    applied = fake_world.when_applied(on_point=crew.on_point)
    assert crew.changed == {"crew-1", "crew-2"}
    assert applied.report.exit_code == 3
    left = [each for each in applied.report.outcomes if each.result is not Result.SETTLED]
    assert [(each.action.ref.name, each.reason) for each in left] == [("crew-0", "Deferred")]
    assert any("in the middle of a turn" in each for each in waits(applied.events))


def test_everybody_is_respected_where_that_is_asked_for_once(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, replicas=3)
    crew.edited()
    crew.busy("crew-2")
    applied = fake_world.when_applied(on_point=crew.on_point, respect_busy=True, timeout_s=30.0)
    assert crew.changed == {"crew-0", "crew-1"}
    assert applied.report.exit_code == 3


def test_those_that_change_all_at_once_are_left_together(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, "type: Recreate", replicas=3, member=", disruption: {maxWait: 1m}")
    crew.edited()
    crew.busy("crew-1")
    applied = fake_world.when_applied(on_point=crew.on_point)
    assert applied.report.exit_code == 3
    assert crew.changed == set()
    left = [each for each in applied.report.outcomes if each.result is not Result.SETTLED]
    assert {each.action.ref.name: each.reason for each in left} == dict.fromkeys(names(0, 1, 2), "Deferred")
    crew.idle("crew-1")
    assert fake_world.when_applied().settled
    assert crew.changed == set(names(0, 1, 2))


def test_a_watch_disturbs_a_busy_member_when_its_wait_is_over(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, "type: Rolling, maxUnavailable: 1", replicas=3, member=FORCED)
    story = Story(fake_world)
    fake_world.given(declared("type: Rolling, maxUnavailable: 1", 3, FORCED))  # a story declares a fleet of its own
    crew.edited()
    crew.busy("crew-1")
    story.probe = crew.on_point
    begun = fake_world.clock.monotonic()
    told = story.told(begun + 40)
    assert crew.order == ["crew-0"], "its turn is kept for it"
    assert [each["ref"] for each in told.of("wait") if each["code"] == "AgentBusy"] == ["Instance/crew-1"]
    story.told(begun + 150)
    assert crew.order == names(0, 1, 2)
    assert max(crew.down) == 1
