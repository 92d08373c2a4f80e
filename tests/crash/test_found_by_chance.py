"""Sequences that the state machine found, or a kill at a random moment, kept as stories."""

import sqlite3
from contextlib import closing

import pytest

from reconciler.model.errors import OverlayError
from reconciler.ports.registry import Record
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.invariants import check_invariants
from tests.crash.scenarios import ONE, crashed, files

STOPPED = ONE.replace("specialistRef: coder}", "specialistRef: coder, state: Stopped}")


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


def test_a_first_start_that_died_is_known_to_whoever_stops_it(fake_world: FakeWorld) -> None:
    """Its row was written when it was declared Stopped, and names no record: the intent of the start does."""
    files(fake_world)
    fake_world.given(STOPPED)
    fake_world.when_applied()
    fake_world.given(ONE)
    crashed(fake_world, "create/Instance:publish-record")
    fake_world.given(STOPPED)

    assert fake_world.when_applied().settled

    (record,) = fake_world.look().registry.scan().records.values()
    assert isinstance(record, Record)
    assert (record.body["lifecycle"] or {})["state"] == "stopped"  # type: ignore[index]
    fake_world.given(ONE.split("---")[0])
    assert fake_world.when_applied(prune=True, allow_kind_removal=("Instance",)).settled
    assert fake_world.look().registry.scan().records == {}
    assert check_invariants(fake_world) == []


def without_id(world: FakeWorld) -> None:
    """The id is the last that is written when an overlay is made."""
    with closing(sqlite3.connect(world.overlay / "catalog.sqlite")) as catalog, catalog:
        assert catalog.execute("DELETE FROM meta WHERE key = 'overlay_id'").rowcount == 1


@pytest.mark.parametrize("seeded", [False, True])
def test_an_overlay_whose_making_was_killed_is_completed_by_the_next_apply(fake_world: FakeWorld, seeded: bool) -> None:
    files(fake_world)
    fake_world.given(ONE)
    if seeded:
        fake_world.initialised()
        without_id(fake_world)
    else:
        fake_world.overlay.mkdir()
        assert fake_world.bare(fake_world.settings).catalog.present()
    assert fake_world.look().overlay_id == ""

    report = fake_world.when_applied()

    assert report.settled
    assert fake_world.look().overlay_id != ""
    assert fake_world.look().catalog.definitions("Setup")
    assert fake_world.running == {"alice"}
    assert check_invariants(fake_world) == []


def test_a_catalog_that_lost_its_id_is_given_no_other(fake_world: FakeWorld) -> None:
    """What runs bears the old one."""
    files(fake_world)
    fake_world.given(ONE)
    fake_world.when_applied()
    fake_world.kill_session_of("alice")
    without_id(fake_world)

    with pytest.raises(OverlayError) as refused:
        fake_world.when_applied()

    assert refused.value.code == "overlay.no_id"
