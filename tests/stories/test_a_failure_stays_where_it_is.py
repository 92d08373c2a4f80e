"""One action fails: what needs it waits and names the root, what does not goes on."""

from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Fault, Kind
from tests.stories.fleets import ALICE_BOB_CAROL, PROMPT, TEXT


def fleet(world: FakeWorld) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(ALICE_BOB_CAROL)


def test_dependents_are_skipped_and_name_the_root(fake_world: FakeWorld) -> None:
    fleet(fake_world)

    report = fake_world.when_applied(fault=Fault("create/Specialist:write-content", "before", Kind.ERROR))

    outcomes = report.outcomes
    assert outcomes["Specialist/coder"].result.value == "failed"
    assert [outcomes[f"Instance/{name}"].reason for name in ("alice", "bob")] == [
        "DependencyFailed(Specialist/coder)"
    ] * 2
    assert outcomes["Specialist/tester"].result.value == "settled"
    assert outcomes["Instance/carol"].result.value == "settled"
    assert report.exit_code == 1
    assert fake_world.running == {"carol"}

    assert fake_world.when_applied().settled
    assert fake_world.running == {"alice", "bob", "carol"}


def test_fail_fast_starts_nothing_new(fake_world: FakeWorld) -> None:
    fleet(fake_world)

    report = fake_world.when_applied(
        fault=Fault("create/Specialist:write-content", "before", Kind.ERROR), fail_fast=True, parallelism=1
    )

    assert report.exit_code == 1
    assert fake_world.running == set()
    assert {outcome.reason for ref, outcome in report.outcomes.items() if ref == "Specialist/tester"} == {"FailFast"}
    assert fake_world.when_applied().settled


def test_a_failed_first_start_is_taken_back(fake_world: FakeWorld) -> None:
    fleet(fake_world)

    report = fake_world.when_applied(fault=Fault("create/Instance:publish-record", "before", Kind.ERROR), parallelism=1)

    assert report.outcomes["Instance/alice"].result.value == "failed"
    assert fake_world.running == {"bob", "carol"}
    assert len(fake_world.panes) == 2
    assert fake_world.when_applied().settled
    assert fake_world.when_planned().in_sync


def test_a_failed_action_of_unknown_end_is_tried_again_in_the_same_run(fake_world: FakeWorld) -> None:
    fleet(fake_world)

    report = fake_world.when_applied(fault=Fault("create/Instance:start-session", "after", Kind.HANG_ONCE))

    assert report.settled
    assert report.exit_code == 0
    assert fake_world.running == {"alice", "bob", "carol"}
    assert len(fake_world.panes) == 3
    assert "retry_scheduled" in [kind for kind, _ in report.events]


def test_the_time_out_ends_a_run_and_says_so(fake_world: FakeWorld) -> None:
    fleet(fake_world)

    report = fake_world.when_applied(
        fault=Fault("create/Specialist:write-content", "before", Kind.HANG), timeout_s=40.0, parallelism=1
    )

    assert report.report.timed_out
    assert report.exit_code in (1, 3)
    assert {outcome.reason for outcome in report.outcomes.values()} >= {"TimedOut"}
    assert fake_world.when_applied().settled


def test_a_signal_stops_what_has_not_started(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    asked: list[int] = []

    report = fake_world.when_applied(
        on_point=lambda point, phase, ref: asked.append(15) if point == "create/Instance:settled" else None,
        stopping=lambda: asked[0] if asked else None,
        parallelism=1,
    )

    assert report.exit_code == 128 + 15
    assert len(fake_world.running) == 1
    assert {o.reason for o in report.outcomes.values() if o.result.value == "skipped"} == {"Interrupted"}
    assert fake_world.when_applied().settled
    assert fake_world.running == {"alice", "bob", "carol"}
