"""`state: Stopped` ends the process and keeps everything else."""

import json

from reconciler.testing.world import World
from tests.stories.fleets import ALICE, CODER, PROMPT, TEXT, instance

STOPPED = CODER + instance("alice", "specialistRef: coder, state: Stopped")


def test_stopped_ends_the_process_and_keeps_identity_home_and_record(world: World) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(ALICE)
    world.when_applied()
    uids, home, record = world.uids, world.home_of("alice"), world.record_of("alice")

    world.given(STOPPED)
    report = world.when_applied()

    assert report.told == ["stop Instance/alice StopDeclared"]
    assert report.settled
    assert world.running == set()
    assert world.processes_of("alice") == ()
    assert "alice" not in world.sessions.values()
    assert world.uids == uids
    assert home.is_dir()
    assert json.loads(record.read_text())["lifecycle"]["state"] == "stopped"
    assert world.when_planned().in_sync


def test_running_again_starts_the_same_agent_in_the_same_home(world: World) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(ALICE)
    world.when_applied()
    uids, home = world.uids, world.home_of("alice")
    world.given(STOPPED)
    world.when_applied()

    world.given(ALICE)
    report = world.when_applied()

    assert report.told == ["create Instance/alice StartDeclared"]
    assert report.settled
    assert world.running == {"alice"}
    assert world.uids == uids
    assert world.home_of("alice") == home
    assert json.loads(world.record_of("alice").read_text())["lifecycle"]["state"] == "active"
    assert world.when_planned().in_sync


def test_one_that_is_declared_stopped_from_the_start_is_recorded_and_never_started(fake_world: World) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(STOPPED)

    report = fake_world.when_applied()

    assert report.told == ["create Specialist/coder New", "update Instance/alice New"]
    assert report.settled
    assert fake_world.sessions == {}
    assert fake_world.when_planned().in_sync
