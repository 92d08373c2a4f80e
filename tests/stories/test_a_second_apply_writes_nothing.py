"""Applying twice: the second time says so and leaves no trace at all (R-ACT-4)."""

from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.world import World
from tests.crash.scenarios import everything
from tests.stories.fleets import ALICE_BOB_CAROL, PROMPT, TEXT


def test_a_second_apply_changes_no_byte_no_time_and_no_row(world: World) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(ALICE_BOB_CAROL)
    world.when_applied()
    world.until_ready()
    before, revision = world.bytes(), world.look().catalog.revision()

    report = world.when_applied()

    assert report.lines == []
    assert report.exit_code == 0
    assert report.watch.writes == []
    assert world.look().catalog.revision() == revision
    assert world.bytes() == before


def test_planning_and_client_diff_write_nothing_either(world: World) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(ALICE_BOB_CAROL)
    world.when_applied()
    world.until_ready()
    world.given_file(PROMPT, "Something new.\n")
    before = world.bytes()

    assert not world.when_planned().in_sync
    assert world.bytes() == before


def test_planning_where_there_is_no_overlay_makes_none(fake_world: FakeWorld) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE_BOB_CAROL)

    assert len(fake_world.when_planned().lines) == 5
    assert not fake_world.overlay.exists()
    assert not fake_world.registry.exists()


def test_a_fleet_of_every_kind_is_in_sync_after_one_apply(fake_world: FakeWorld) -> None:
    everything(fake_world)
    first = fake_world.when_applied()
    before = fake_world.bytes()

    assert first.settled
    assert fake_world.when_applied().lines == []
    assert fake_world.bytes() == before
