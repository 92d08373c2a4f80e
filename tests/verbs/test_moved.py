"""`Moved`: another name for the same thing; nothing is stopped or made (R-MOD-11)."""

import json

import pytest

from reconciler.app import verbs
from reconciler.model.errors import DeclarationError
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.world import World
from tests.stories.fleets import ALICE, CODER, PROMPT, TEXT, instance


def moved(old: str, new: str) -> str:
    return f"---\nkind: Moved\nspec: {{from: {old}, to: {new}}}\n"


BEA = CODER + instance("bea") + moved("Instance/alice", "Instance/bea")


def fleet(world: World, yaml: str = ALICE) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(yaml)
    assert world.when_applied().settled


def test_an_instance_keeps_uid_process_and_home_under_another_name(world: World) -> None:
    fleet(world)
    before, uid, home = world.session_of("alice"), world.uids["Instance/alice"], world.home_of("alice")
    world.given(BEA)

    report = world.when_applied()

    assert report.told == ["rename Instance/bea Renamed"]
    assert report.settled
    after = world.session_of("bea")
    assert (after.pid, after.pane_id, after.session_id) == (before.pid, before.pane_id, before.session_id)
    assert after.session_name == before.session_name.replace("alice", "bea")
    assert (world.uids["Instance/bea"], world.home_of("bea")) == (uid, home)
    assert "Instance/alice" not in world.rows
    record = json.loads(world.record_of("bea").read_text())
    assert (record["agent_name"], record["terminal"]["current_session_name"]) == ("bea", after.session_name)
    assert world.when_planned().in_sync
    assert world.when_planned(prune=True).in_sync


def test_the_document_may_stay_or_go_afterwards(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    fake_world.given(BEA)
    fake_world.when_applied()
    assert fake_world.when_applied().told == []
    fake_world.given(CODER + instance("bea"))
    assert fake_world.when_planned().in_sync


def test_a_change_beside_the_rename_is_made_with_it(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    uid = fake_world.uids["Instance/alice"]
    fake_world.given(
        CODER + instance("bea", "specialistRef: coder, model: opus") + moved("Instance/alice", "Instance/bea")
    )
    report = fake_world.when_applied()
    assert report.told == ["relaunch Instance/bea Renamed LaunchDigestChanged"]
    assert report.settled
    assert fake_world.uids["Instance/bea"] == uid
    assert fake_world.when_planned().in_sync


def test_a_stopped_instance_is_renamed_in_its_record(fake_world: FakeWorld) -> None:
    fleet(fake_world, CODER + instance("alice", "specialistRef: coder"))
    fake_world.given(CODER + instance("alice", "specialistRef: coder, state: Stopped"))
    fake_world.when_applied()
    stopped = CODER + instance("bea", "specialistRef: coder, state: Stopped")
    fake_world.given(stopped + moved("Instance/alice", "Instance/bea"))
    assert fake_world.when_applied().told == ["rename Instance/bea Renamed"]
    assert json.loads(fake_world.record_of("bea").read_text())["agent_name"] == "bea"
    assert fake_world.when_planned().in_sync


def test_an_override_goes_with_the_name(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    fake_world.when_asked(verbs.stop([Ref("Instance", "alice")]))
    fake_world.given(BEA)
    report = fake_world.when_applied()
    assert report.told == ["rename Instance/bea Renamed"]
    assert fake_world.running == set()
    assert fake_world.when_planned().notices == ["Held Instance/bea"]


def test_a_set_takes_its_members_along(fake_world: FakeWorld) -> None:
    crew = (
        CODER
        + "---\nkind: InstanceSet\nmetadata: {name: crew}\nspec: {replicas: 2, template: {specialistRef: coder}}\n"
    )
    fleet(fake_world, crew)
    pids = {fake_world.session_of(f"crew-{n}").pid for n in range(2)}
    fake_world.given(crew.replace("name: crew", "name: team") + moved("InstanceSet/crew", "InstanceSet/team"))
    report = fake_world.when_applied()
    assert sorted(report.told) == [
        "rename Instance/team-0 Renamed",
        "rename Instance/team-1 Renamed",
        "rename InstanceSet/team Renamed",
    ]
    assert report.settled
    assert {fake_world.session_of(f"team-{n}").pid for n in range(2)} == pids
    assert fake_world.when_planned().in_sync


def test_a_specialist_is_renamed_with_what_it_derived_and_its_agents_run_on(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    before, uids = fake_world.session_of("alice").pid, {row.uid for row in fake_world.rows.values()}
    renamed = ALICE.replace("{name: coder}", "{name: writer}").replace("specialistRef: coder", "specialistRef: writer")
    fake_world.given(renamed + moved("Specialist/coder", "Specialist/writer"))
    report = fake_world.when_applied()
    assert report.told == ["rename Specialist/writer Renamed", "update Instance/alice SpecChanged"]
    assert report.settled
    assert fake_world.session_of("alice").pid == before
    assert {row.uid for row in fake_world.rows.values()} == uids
    assert set(fake_world.look().catalog.definitions("Specialist")) == {"writer"}
    assert not (fake_world.overlay / "content/prompts/coder.md").exists()
    assert fake_world.when_planned().in_sync


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (ALICE + instance("bea") + moved("Instance/alice", "Instance/bea"), "is still declared"),
        (BEA + moved("Instance/alice", "Instance/cleo"), "another Moved document"),
        (ALICE + moved("Instance/x", "Role/x"), "another name of its kind"),
        (ALICE + "---\nkind: Moved\nspec: {from: Instance/x}\n", "to"),
    ],
)
def test_what_cannot_be_meant_is_refused(fake_world: FakeWorld, text: str, why: str) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(text)
    with pytest.raises(DeclarationError, match=why):
        fake_world.when_planned()
