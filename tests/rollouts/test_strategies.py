"""Each strategy, by what was seen of the members at every step of an apply."""

import pytest

from reconciler.model.ref import Ref
from reconciler.ports.process import Finished
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Crashed, Fault, Kind
from tests.rollouts.conftest import Crew, names, waits

ALL = {f"crew-{ordinal}" for ordinal in range(8)}


def test_rolling_goes_in_order_and_has_no_more_down_than_it_may(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, "type: Rolling, maxUnavailable: 2")
    crew.edited()
    applied = fake_world.when_applied(on_point=crew.on_point)
    assert applied.settled
    assert crew.changed == ALL
    assert max(crew.down) == 2
    assert crew.order == names(*range(8))
    fake_world.pass_time(10)
    assert fake_world.when_planned().in_sync


def test_rolling_keeps_the_turn_of_who_is_busy_and_waits_for_it(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, "type: Rolling, maxUnavailable: 2")
    crew.edited()
    crew.busy("crew-1")

    def on_point(point: str, phase: str, ref: Ref) -> None:
        crew.on_point(point, phase, ref)
        if crew.order == names(0, 2, 3, 4, 5):
            crew.idle("crew-1")

    assert fake_world.when_applied(on_point=on_point).settled
    assert max(crew.down) == 2
    assert crew.order == names(0, 2, 3, 4, 5, 1, 6, 7)


def test_on_idle_takes_whoever_is_idle(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, "type: OnIdle, maxUnavailable: 50%")
    crew.edited()
    crew.busy(*names(0, 1, 2, 3))

    def on_point(point: str, phase: str, ref: Ref) -> None:
        crew.on_point(point, phase, ref)
        if len(crew.order) == 4:
            crew.idle(*(set(names(0, 1, 2, 3)) - set(crew.order)))

    assert fake_world.when_applied(on_point=on_point).settled
    assert sorted(crew.order[:4]) == names(4, 5, 6, 7)
    assert crew.changed == ALL
    assert max(crew.down) <= 4


def test_recreate_ends_all_before_it_starts_any(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, "type: Recreate", replicas=12)
    crew.edited()
    steps: list[str] = []

    def on_point(point: str, phase: str, ref: Ref) -> None:
        crew.on_point(point, phase, ref)
        if point in ("relaunch/Instance:kill-session", "relaunch/Instance:start-session") and phase == "before":
            steps.append(point.partition(":")[2])

    assert fake_world.when_applied(on_point=on_point, parallelism=3).settled
    assert len(crew.changed) == 12
    assert steps == ["kill-session"] * 12 + ["start-session"] * 12
    assert max(crew.down) == 12


def test_a_canary_goes_first_and_the_others_when_it_was_ready_long_enough(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, "type: Canary, partition: 2, pauseAfter: 20s, maxUnavailable: 3")
    crew.edited()
    at: list[tuple[str, float]] = []

    def on_point(point: str, phase: str, ref: Ref) -> None:
        crew.on_point(point, phase, ref)
        if point == "relaunch/Instance:intent" and phase == "before":
            at.append((ref.name, fake_world.clock.monotonic()))

    begun = fake_world.clock.monotonic()
    assert fake_world.when_applied(on_point=on_point).settled
    assert [name for name, _ in at[:2]] == names(0, 1)
    assert all(when - begun < 5 for _, when in at[:2])
    assert all(when - begun >= 23 for _, when in at[2:]), "they had to be Ready for so long"
    assert max(crew.down) <= 3
    assert crew.changed == ALL


def test_an_analysis_that_says_no_stops_the_others(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, "type: Canary, partition: 25%, analysis: {exec: [check, canary]}")
    asked: list[tuple[str, ...]] = []

    def check(argv: tuple[str, ...]) -> Finished:
        asked.append(argv)
        return Finished(3, b"", b"")

    fake_world.process.answers["check"] = check
    crew.edited()
    applied = fake_world.when_applied(on_point=crew.on_point)
    assert asked == [("check", "canary")]
    assert crew.order == names(0, 1)
    assert applied.report.exit_code == 1
    assert {outcome.reason for outcome in applied.report.outcomes if outcome.reason} == {"RolloutFailed"}

    fake_world.process.answers["check"] = Finished(0, b"", b"")
    assert fake_world.when_applied(on_point=crew.on_point).settled, "whoever applies again has it tried again"
    assert crew.changed == ALL


def test_one_that_does_not_become_ready_stops_it_after_the_deadline(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, "type: Rolling, maxUnavailable: 2, progressDeadline: 30s")
    crew.edited()
    fake_world.ready_after = None
    begun = fake_world.clock.monotonic()
    applied = fake_world.when_applied(on_point=crew.on_point)
    assert crew.order == names(0, 1)
    assert max(crew.down) == 2
    assert 30 <= fake_world.clock.monotonic() - begun < 50
    assert applied.report.exit_code == 1
    assert fake_world.running == ALL


def test_one_that_fails_stops_it(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, "type: Rolling, maxUnavailable: 1")
    crew.edited()

    def on_point(point: str, phase: str, ref: Ref) -> None:
        crew.on_point(point, phase, ref)
        if ref.name == "crew-2" and point.endswith(":kill-session") and phase == "before":
            raise ValueError("no luck")

    applied = fake_world.when_applied(on_point=on_point)
    assert crew.order == names(0, 1, 2)
    assert applied.report.exit_code == 1
    assert crew.changed == set(names(0, 1))
    assert fake_world.running == ALL


def test_who_is_down_already_costs_nobody_a_turn(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, "type: Rolling, maxUnavailable: 2")
    crew.edited()
    for name in names(5, 6):
        fake_world.kill_process_of(name)
    assert fake_world.when_applied(on_point=crew.on_point).settled
    assert crew.order[:2] == names(5, 6)
    assert max(crew.down) == 2
    assert crew.changed == ALL


def test_without_a_strategy_a_quarter_changes_at_a_time_and_an_apply_waits_for_no_turn(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world)
    crew.edited()
    crew.busy("crew-3")
    assert fake_world.when_applied(on_point=crew.on_point).settled
    assert max(crew.down) == 2
    assert crew.changed == ALL


def test_who_says_that_it_may_be_disturbed_is_not_waited_for(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, "type: Rolling", member=", disruption: {when: Immediate}")
    crew.edited()
    crew.busy(*names(0, 1, 2))
    assert fake_world.when_applied(on_point=crew.on_point).settled
    assert crew.order == names(*range(8))


def test_a_turn_that_never_ends_is_waited_for_until_the_run_is_over(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, "type: Rolling, maxUnavailable: 1", replicas=3)
    crew.edited()
    crew.busy("crew-1")
    applied = fake_world.when_applied(on_point=crew.on_point, timeout_s=60.0)
    assert crew.order == ["crew-0"], "its turn is kept for it"
    assert applied.report.exit_code == 3
    assert "Instance/crew-1: it is in the middle of a turn; it is disturbed when it is done" in waits(applied.events)


@pytest.mark.parametrize("parallelism", [1, 8])
def test_it_comes_out_the_same_one_at_a_time(fake_world: FakeWorld, parallelism: int) -> None:
    crew = Crew(fake_world, "type: Recreate", replicas=3)
    crew.edited()
    assert fake_world.when_applied(on_point=crew.on_point, parallelism=parallelism).settled
    assert len(crew.changed) == 3
    fake_world.pass_time(10)
    assert fake_world.when_planned().in_sync


def test_a_rollout_that_was_killed_is_gone_on_with(fake_world: FakeWorld) -> None:
    crew = Crew(fake_world, "type: Rolling, maxUnavailable: 2")
    crew.edited()
    with pytest.raises(Crashed):
        fake_world.when_applied(fault=Fault("relaunch/Instance:start-session", "before", Kind.CRASH, 4))
    assert len(fake_world.running) >= 6
    assert fake_world.when_applied(on_point=crew.on_point).settled
    assert max(crew.down) <= 2
    assert crew.changed == ALL
    fake_world.pass_time(10)
    assert fake_world.when_planned().in_sync
