"""What an operator holds: as good as declared until its time, and then gone with a reason (R-IMP-2…4)."""

import pytest

from reconciler.app import columns, read, verbs
from reconciler.app.ask import Way
from reconciler.model.errors import GuardRefused
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.world import World
from tests.stories.fleets import ALICE, ALICE_BOB_CAROL, CODER, PROMPT, TEXT, instance

ALICE_REF = Ref("Instance", "alice")
HELD = Way(override=True)


def fleet(world: World, yaml: str = ALICE) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(yaml)
    world.when_applied()


def test_a_stopped_agent_stays_stopped_until_the_time_is_over_and_then_apply_starts_it(fake_world: FakeWorld) -> None:
    fleet(fake_world)

    stopped = fake_world.when_asked(verbs.stop([ALICE_REF]))

    assert stopped.told == ["stop Instance/alice StopDeclared Held"]
    assert stopped.settled
    assert fake_world.running == set()
    for _ in range(2):
        again = fake_world.when_applied()
        assert again.told == []
        assert [str(notice.text) for notice in again.report.plan.notices] == [
            "spec.state is held at 'Stopped' until 2026-01-01T01:00:00Z by tester; declared 'Running'"
        ]
        assert fake_world.running == set()

    fake_world.clock.advance(3600)

    back = fake_world.when_applied()
    assert back.told == ["create Instance/alice StartDeclared OverrideExpired"]
    assert back.settled
    assert fake_world.running == {"alice"}
    assert fake_world.when_planned().in_sync
    assert fake_world.when_planned().notices == []
    assert fake_world.look().catalog.overrides() == ()


def test_nobody_waits_for_an_agent_that_is_held_stopped(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    fake_world.when_asked(verbs.stop([ALICE_REF]))
    began = fake_world.clock.monotonic()
    waited = fake_world.when_applied(wait=True)
    assert (waited.exit_code, waited.report.not_ready) == (0, ())
    assert fake_world.clock.monotonic() == began


def test_stop_on_a_real_server_holds_against_apply_and_release_brings_it_back(world: World) -> None:
    fleet(world)
    uids = world.uids
    world.when_asked(verbs.stop([ALICE_REF]))
    assert world.when_applied().told == []
    assert world.running == set()

    released = world.when_asked(verbs.release([ALICE_REF]))

    assert released.told == ["create Instance/alice StartDeclared OverrideReleased"]
    assert released.settled
    assert world.running == {"alice"}
    assert world.uids == uids
    assert world.when_planned().notices == []


def test_a_declared_field_is_refused_without_a_way_and_the_three_ways_are_named(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    with pytest.raises(GuardRefused) as refused:
        fake_world.when_asked(verbs.settings("set", [ALICE_REF], {"model": "opus"}))
    assert refused.value.exit_code == 6
    assert refused.value.code == "guard.managed"
    for way in ("--write-back", "--override", "edit the file yourself"):
        assert way in refused.value.hint


def test_a_held_field_relaunches_now_and_again_when_its_time_is_over(fake_world: FakeWorld) -> None:
    fleet(fake_world, ALICE_BOB_CAROL)
    coder = Ref("Specialist", "coder")

    held = fake_world.when_asked(verbs.settings("set", [coder], {"model": "opus"}, Way(override=True, ttl_s=60)))

    assert held.told == [
        "update Specialist/coder SpecChanged Held",
        "relaunch Instance/alice LaunchDigestChanged",
        "relaunch Instance/bob LaunchDigestChanged",
    ]
    assert held.settled
    assert fake_world.when_planned().in_sync
    fake_world.clock.advance(60)
    back = fake_world.when_applied()
    assert back.told == [
        "update Specialist/coder FieldRemoved OverrideExpired",
        "relaunch Instance/alice LaunchDigestChanged",
        "relaunch Instance/bob LaunchDigestChanged",
    ]
    assert back.settled
    assert fake_world.when_planned().in_sync


def test_an_edit_of_the_manifest_beneath_an_override_is_recorded_and_not_done(fake_world: FakeWorld) -> None:
    fleet(fake_world, CODER + instance("alice", "specialistRef: coder, model: one"))
    fake_world.when_asked(verbs.settings("set", [ALICE_REF], {"model": "held"}, HELD))

    fake_world.given(CODER + instance("alice", "specialistRef: coder, model: two"))
    report = fake_world.when_applied()

    assert report.told == ["update Instance/alice DeclaredBeneath"]
    assert report.settled
    released = fake_world.when_asked(verbs.release([ALICE_REF]))
    assert released.told == ["relaunch Instance/alice LaunchDigestChanged OverrideReleased"]
    assert fake_world.when_planned().in_sync


def test_a_held_label_is_seen_by_selectors_and_goes_with_its_time(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    fake_world.when_asked(verbs.notes("label", [ALICE_REF], "labels", {"team.io/duty": "night"}, HELD))
    assert fake_world.rows["Instance/alice"].labels == {"team.io/duty": "night"}
    assert fake_world.when_planned().in_sync
    fake_world.clock.advance(3600)
    assert fake_world.when_applied().told == ["update Instance/alice MetadataChanged OverrideExpired"]
    assert fake_world.rows["Instance/alice"].labels == {}


def test_a_verb_on_a_resource_whose_override_lapsed_brings_it_back_too(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    fake_world.when_asked(verbs.stop([ALICE_REF]))
    fake_world.clock.advance(3600)
    report = fake_world.when_asked(verbs.notes("label", [ALICE_REF], "labels", {"a": "b"}, HELD))
    assert report.told == ["create Instance/alice StartDeclared OverrideExpired Held"]
    assert [one.path for one in fake_world.look().catalog.overrides()] == ["metadata.labels.a"]


def test_a_member_of_a_set_is_held_by_itself(fake_world: FakeWorld) -> None:
    fleet(
        fake_world,
        CODER
        + "---\nkind: InstanceSet\nmetadata: {name: crew}\nspec: {replicas: 2, template: {specialistRef: coder}}\n",
    )
    fake_world.when_asked(verbs.stop([Ref("Instance", "crew-0")]))
    assert fake_world.running == {"crew-1"}
    asked = verbs.settings("set", [Ref("InstanceSet", "crew")], {"template.model": "opus"}, HELD)
    assert fake_world.when_asked(asked).told == [
        "update InstanceSet/crew SpecChanged Held",
        "update Instance/crew-0 SpecChanged",
        "relaunch Instance/crew-1 LaunchDigestChanged",
    ]
    assert fake_world.when_applied().told == []
    assert fake_world.when_planned(prune=True).in_sync


def test_a_held_number_of_replicas_makes_and_unmakes_members(fake_world: FakeWorld) -> None:
    fleet(
        fake_world,
        CODER
        + "---\nkind: InstanceSet\nmetadata: {name: crew}\nspec: {replicas: 2, template: {specialistRef: coder}}\n",
    )
    crew = Ref("InstanceSet", "crew")
    report = fake_world.when_asked(verbs.settings("set", [crew], {"replicas": 3}, HELD))
    assert report.settled
    assert fake_world.running == {"crew-0", "crew-1", "crew-2"}
    assert {row.apply_set for row in fake_world.rows.values()} == {"default"}
    assert fake_world.when_planned().in_sync
    assert fake_world.when_asked(verbs.release([crew])).settled
    assert fake_world.running == {"crew-0", "crew-1"}
    assert fake_world.when_planned().in_sync


def test_whoever_looks_sees_what_is_held_until_when(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    fake_world.when_asked(verbs.stop([ALICE_REF]))
    (item,) = read.get(fake_world.flags, ["instance/alice"]).items
    held = item.condition("Held")
    assert held is not None
    assert (held.status.value, item.aggregate) == ("True", "Held")
    assert "until 2026-01-01T01:00:00Z by tester; declared 'Running'" in held.message
    assert item.to_json()["status"]["overrides"] == [  # type: ignore[index,call-overload]
        {
            "path": "spec.state",
            "value": "Stopped",
            "declared": "Running",
            "by": "tester",
            "until": "2026-01-01T01:00:00Z",
        }
    ]
    cells = dict(columns.of("Instance", [item], wide=False))
    assert cells["STATE"](item, fake_world.clock.now_utc()) == "Stopped (held until 01:00Z)"
    fake_world.clock.advance(3600)
    (item,) = read.get(fake_world.flags, ["instance/alice"]).items
    synced = item.condition("Synced")
    assert synced is not None
    assert (synced.status.value, synced.reason, item.aggregate) == ("False", "OverrideExpired", "InProgress")
