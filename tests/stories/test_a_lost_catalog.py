"""The catalog is lost, the agents run on: `doctor --rebuild` knows them again, and the next apply goes on with them."""

import json
from pathlib import Path

import pytest

from reconciler.app import doctor
from reconciler.app import overlay as overlays
from reconciler.app.rebuild import Nothing, Rebuilt, rebuild
from reconciler.app.request import RunFlags
from reconciler.model.errors import ConflictError, GuardRefused
from reconciler.model.ref import Uid
from reconciler.ports.tmux import Fence, Vacant
from reconciler.testing.world import World
from tests.stories.fleets import CODER, PROMPT, TEXT, instance

SET = "---\nkind: InstanceSet\nmetadata: {name: crew}\nspec: {replicas: 1, template: {specialistRef: coder}}\n"
NAMED = "specialistRef: coder, agentName: the-writer"
FLEET = CODER + instance("alice", "specialistRef: coder") + instance("bob", NAMED) + SET


def lost(world: World) -> dict[str, str]:
    """The catalog is gone, and who was who."""
    uids = {ref: uid for ref, uid in world.uids.items() if ref.startswith("Instance/")}
    world.let_go()
    for path in Path(world.flags.project_dir or "").glob(".houmao/catalog.sqlite*"):
        path.unlink()
    return uids


def rebuilt(world: World, *, dry: bool = False) -> Rebuilt:
    found = rebuild(world.flags, RunFlags(yes=True), emit=lambda kind, fields: None, dry=dry)
    world.let_go()
    return found


def started(world: World) -> World:
    world.given_file(PROMPT, TEXT)
    world.given(FLEET)
    world.when_applied()
    return world


@pytest.fixture
def fleet(world: World) -> World:
    return started(world)


def test_agents_are_known_again_and_nobody_is_started_anew(fleet: World) -> None:
    pids = {pane.pid for pane in fleet.panes}
    uids = lost(fleet)

    found = rebuilt(fleet)

    assert {str(each.ref): each.uid for each in found.agents} == uids
    assert all(each.running for each in found.agents)
    report = fleet.when_applied()
    assert report.settled
    assert {pane.pid for pane in fleet.panes} == pids
    assert {ref: uid for ref, uid in fleet.uids.items() if ref.startswith("Instance/")} == uids
    assert fleet.running == {"alice", "bob", "crew-0"}
    assert fleet.when_planned().in_sync


def test_nothing_makes_a_new_one_that_would_know_nobody(fleet: World) -> None:
    lost(fleet)
    before = {pane.pid for pane in fleet.panes}
    with pytest.raises(GuardRefused) as refused:
        fleet.when_applied()
    assert refused.value.code == "guard.catalog_lost"
    with pytest.raises(GuardRefused):
        fleet.initialised()
    assert {pane.pid for pane in fleet.panes} == before
    codes = {each.code for each in doctor.doctor(fleet.flags).findings if each.level is doctor.Level.ERROR}
    assert "catalog.lost" in codes


def test_looking_writes_nothing(fake_world: World) -> None:
    fleet = started(fake_world)
    lost(fleet)
    before = fleet.bytes()
    assert len(rebuilt(fleet, dry=True).agents) == 3
    assert fleet.bytes() == before


def test_what_changed_meanwhile_is_started_anew_on_the_same_identity(fleet: World) -> None:
    home = fleet.home_of("alice")
    uids = lost(fleet)
    rebuilt(fleet)
    fleet.given_file(PROMPT, TEXT + "And tests.\n")

    report = fleet.when_applied()

    assert report.settled
    assert {ref: uid for ref, uid in fleet.uids.items() if ref.startswith("Instance/")} == uids
    assert fleet.home_of("alice") == home
    assert fleet.when_planned().in_sync


def test_who_is_declared_no_more_is_a_candidate_and_left_alone(fleet: World) -> None:
    pid = fleet.session_of("alice").pid
    lost(fleet)
    rebuilt(fleet)
    fleet.given(CODER + instance("bob", NAMED) + SET)

    report = fleet.when_applied()

    assert report.settled
    assert pid in {pane.pid for pane in fleet.panes}
    with pytest.raises(GuardRefused):
        fleet.when_applied(prune=True)
    assert pid in {pane.pid for pane in fleet.panes}


def test_one_that_had_ended_comes_back_in_its_home(fleet: World) -> None:
    home = fleet.home_of("alice")
    fleet.kill_session_of("alice")
    uids = lost(fleet)

    found = rebuilt(fleet)

    assert {each.ref.name: each.running for each in found.agents} == {"alice": False, "bob": True, "crew-0": True}
    assert fleet.when_applied().settled
    assert {ref: uid for ref, uid in fleet.uids.items() if ref.startswith("Instance/")} == uids
    assert fleet.home_of("alice") == home
    assert fleet.running == {"alice", "bob", "crew-0"}


def test_one_that_was_removed_stays_removed(fleet: World) -> None:
    fleet.when_deleted("instance/alice")
    lost(fleet)
    assert {each.ref.name for each in rebuilt(fleet).agents} == {"bob", "crew-0"}


def test_a_server_that_obeys_later_writers_obeys_the_next_one(fleet: World) -> None:
    overlay = fleet.look().overlay_id
    fleet.ports(fleet.settings).tmux.act(Fence(overlay, 4711), [Vacant(Uid("e" * 32))])
    lost(fleet)
    rebuilt(fleet)
    fleet.given_file(PROMPT, TEXT + "And tests.\n")
    assert fleet.when_applied().settled


def test_a_catalog_that_is_there_is_left_alone(fake_world: World) -> None:
    fleet = started(fake_world)
    before = fleet.bytes()
    with pytest.raises(GuardRefused) as refused:
        rebuilt(fleet)
    assert refused.value.code == "guard.catalog_kept"
    assert fleet.bytes() == before


def test_it_may_be_done_again_as_long_as_nothing_was_applied(fleet: World) -> None:
    lost(fleet)
    overlay = rebuilt(fleet).overlay_id
    lost(fleet)
    overlays.create(fleet.settings, fleet, rebuilding=True)  # killed in the middle of it: an id of its own
    fleet.let_go()
    assert fleet.look().overlay_id != overlay
    assert rebuilt(fleet).overlay_id == overlay
    assert fleet.look().overlay_id == overlay
    with pytest.raises(GuardRefused):
        rebuilt(fleet)


def test_where_nothing_was_started_there_is_nothing(fake_world: World) -> None:
    fake_world.initialised()
    with pytest.raises(Nothing):
        rebuilt(fake_world)


def test_a_manifest_that_cannot_be_read_or_says_nothing_is_named(fake_world: World) -> None:
    started(fake_world)
    manifests = {
        json.loads(path.read_text())["agent_name"]: path
        for path in Path(fake_world.settings.runtime).glob("sessions/*/*/manifest.json")
    }
    manifests["alice"].write_text("{")
    manifests["the-writer"].write_text(json.dumps({"agent_name": "../x", "owner": {}}))
    lost(fake_world)

    found = rebuilt(fake_world)

    assert [each.ref.name for each in found.agents] == ["crew-0"]
    assert sorted(path for path, _ in found.left_out) == sorted(map(str, (manifests["alice"], manifests["the-writer"])))


def test_of_two_overlays_in_one_directory_none_is_chosen(fake_world: World) -> None:
    lost(started(fake_world))
    overlays.create(fake_world.settings, fake_world, rebuilding=True)
    fake_world.let_go()
    fake_world.given(CODER + instance("dora", "specialistRef: coder"))
    fake_world.when_applied()  # an older release did not know better
    lost(fake_world)
    with pytest.raises(ConflictError) as refused:
        rebuilt(fake_world)
    assert refused.value.code == "catalog.ambiguous"
