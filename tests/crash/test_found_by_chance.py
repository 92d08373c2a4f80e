"""Sequences that the state machine found, kept as stories."""

from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.invariants import check_invariants
from tests.crash.scenarios import ONE, crashed, files


def test_a_start_that_died_and_is_no_longer_wanted_leaves_no_record(fake_world: FakeWorld) -> None:
    files(fake_world)
    fake_world.given(ONE)
    crashed(fake_world, "create/Instance:publish-record")
    fake_world.given(ONE.split("---")[0])

    report = fake_world.when_applied(prune=True, allow_kind_removal=("Instance",))

    assert [line.split()[:2] for line in report.told] == [["remove", "Instance/alice"]]
    assert report.settled
    assert fake_world.sessions == {}
    assert fake_world.look().registry.scan().records == {}
    assert check_invariants(fake_world) == []
