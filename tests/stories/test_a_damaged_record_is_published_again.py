"""Somebody edits, breaks or deletes a registry record."""

import json
from collections.abc import Callable

import pytest

from reconciler.testing.world import World
from tests.stories.fleets import ALICE, PROMPT, TEXT

DAMAGE: dict[str, tuple[Callable[[World], None], str]] = {
    "edited": (lambda world: world.edit_record_of("alice"), "RecordEdited"),
    "half": (lambda world: world.corrupt_record_of("alice"), "RecordCorrupt"),
    "removed": (lambda world: world.remove_record_of("alice"), "RecordMissing"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_published_again_and_the_agent_left_alone(world: World, damage: str) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(ALICE)
    world.when_applied()
    path, body = world.record_of("alice"), json.loads(world.record_of("alice").read_text())
    pane, uids = world.session_of("alice"), world.uids
    spoil, reason = DAMAGE[damage]

    spoil(world)
    report = world.when_applied()

    assert report.told == [f"update Instance/alice {reason}"]
    assert report.actions["Instance/alice"].disruption.value == "record"
    assert report.settled
    again = json.loads(path.read_text())
    assert {**again, "lifecycle": 0, "liveness": 0, "owner": 0} == {**body, "lifecycle": 0, "liveness": 0, "owner": 0}
    assert again["owner"]["uid"] == uids["Instance/alice"]
    assert world.session_of("alice") == pane
    assert world.uids == uids
    assert world.when_planned().in_sync


def test_an_unreadable_registry_does_not_keep_a_dead_session_from_being_healed(fake_world: World) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    fake_world.corrupt_record_of("alice")
    fake_world.kill_session_of("alice")

    report = fake_world.when_applied()

    assert report.told == ["create Instance/alice SessionMissing"]
    assert report.settled
    assert fake_world.running == {"alice"}
    assert fake_world.when_planned().in_sync
