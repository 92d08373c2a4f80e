"""What is deleted although a file declares it stays absent until its time or its release (R-IMP-2…4)."""

import pytest

from reconciler.app import read, verbs
from reconciler.app.ask import Way
from reconciler.app.intent import NotRecorded
from reconciler.app.plan import client_diff
from reconciler.app.request import PlanFlags, Source
from reconciler.app.session import open_session
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.world import World
from tests.stories.fleets import ALICE, ALICE_BOB_CAROL, CODER, PROMPT, TEXT

ALICE_REF, CODER_REF = Ref("Instance", "alice"), Ref("Specialist", "coder")
CREW = CODER + "---\nkind: InstanceSet\nmetadata: {name: crew}\nspec: {replicas: 2, template: {specialistRef: coder}}\n"


def fleet(world: World, yaml: str = ALICE) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(yaml)
    world.when_applied()


def notices(world: World) -> list[str]:
    return [f"{one.code} {one.ref} {one.text}" for one in world.when_planned().result.plan.notices]


def test_it_stays_deleted_until_the_time_is_over_and_then_apply_makes_it(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    before = fake_world.uids["Instance/alice"]

    gone = fake_world.when_deleted("instance/alice")

    assert gone.told == ["remove Instance/alice DeleteAsked Held"]
    assert gone.settled
    for _ in range(2):
        again = fake_world.when_applied()
        assert again.told == []
        assert again.exit_code == 0
        assert fake_world.running == set()
    (held,) = notices(fake_world)
    assert held.startswith("Held Instance/alice it is held absent until 2026-01-01T01:00:00Z by tester; declared in ")
    assert "fleet.yaml:" in held
    assert fake_world.when_planned(prune=True).in_sync

    fake_world.clock.advance(3600)

    back = fake_world.when_applied()
    assert back.told == ["create Instance/alice New OverrideExpired"]
    assert back.settled
    assert fake_world.uids["Instance/alice"] != before
    assert fake_world.look().catalog.absences() == ()
    assert (fake_world.when_planned().in_sync, notices(fake_world)) == (True, [])


def test_a_release_ends_it_and_the_next_apply_makes_it(world: World) -> None:
    fleet(world)
    world.when_deleted("instance/alice", override_s=60)
    assert world.when_applied().told == []

    released = world.when_asked(verbs.release([ALICE_REF]))

    assert released.told == ["forget Instance/alice OverrideReleased"]
    assert released.settled
    assert world.look().catalog.absences() == ()
    with pytest.raises(NotRecorded):
        world.when_asked(verbs.release([ALICE_REF]))
    assert world.when_applied().told == ["create Instance/alice New"]
    assert world.running == {"alice"}


def test_a_verb_on_it_says_that_it_is_held_absent(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    fake_world.when_deleted("instance/alice")
    with pytest.raises(NotRecorded, match="was deleted: it is held absent until 2026-01-01T01:00:00Z") as refused:
        fake_world.when_asked(verbs.stop([ALICE_REF]))
    assert "houmao release instance/alice" in refused.value.hint
    with pytest.raises(read.NotFound) as missing:
        read.get(fake_world.flags, ["instance/alice"])
    assert "held absent until 2026-01-01T01:00:00Z" in missing.value.hint


@pytest.mark.parametrize("words", [["alice"], ["instance", "alice"], ["instance/alice"]])
def test_it_is_named_like_any_agent(fake_world: FakeWorld, words: list[str]) -> None:
    fleet(fake_world)
    fake_world.when_deleted("instance/alice")
    assert read.agents(open_session(fake_world.flags), words) == (ALICE_REF,)


def test_what_it_owns_and_what_is_made_of_it_do_not_come_back_without_it(fake_world: FakeWorld) -> None:
    fleet(fake_world, ALICE_BOB_CAROL)
    fake_world.when_deleted("specialist/coder", cascade="yes")
    assert fake_world.when_applied().told == []
    assert fake_world.running == {"carol"}
    assert [one.split()[1] for one in notices(fake_world)] == ["Instance/alice", "Instance/bob", "Specialist/coder"]

    released = fake_world.when_asked(verbs.release([ALICE_REF]))
    assert released.told == ["forget Instance/alice OverrideReleased"]
    waits = fake_world.when_applied()
    assert waits.told == ["wait Instance/alice Dependency New"]
    assert fake_world.running == {"carol"}
    assert "waits for Specialist/coder, which is held absent until" in str(waits.report.plan.actions[0])

    fake_world.clock.advance(3600)
    assert fake_world.when_applied().settled
    assert fake_world.running == {"alice", "bob", "carol"}
    assert fake_world.when_planned().in_sync


def test_what_goes_on_without_it_is_left_alone(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    fake_world.when_deleted("specialist/coder", cascade="orphan")
    assert fake_world.when_applied().told == []
    assert fake_world.running == {"alice"}


def test_a_set_stays_away_with_its_members_and_a_member_by_itself(fake_world: FakeWorld) -> None:
    fleet(fake_world, CREW)
    fake_world.when_deleted("instance/crew-0")
    assert fake_world.when_applied().told == []
    assert fake_world.running == {"crew-1"}
    grown = verbs.settings("set", [Ref("InstanceSet", "crew")], {"replicas": 3}, Way(override=True))
    assert fake_world.when_asked(grown).settled
    assert fake_world.running == {"crew-1", "crew-2"}

    fake_world.when_deleted("instanceset/crew")
    assert fake_world.when_applied().told == []
    assert fake_world.sessions == {}
    fake_world.clock.advance(3600)
    assert fake_world.when_applied().settled
    assert fake_world.running == {"crew-0", "crew-1"}


def test_what_is_made_by_hand_under_its_name_ends_it(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    fake_world.when_deleted("instance/alice")
    document = {
        "apiVersion": "houmao/v1alpha1",
        "kind": "Instance",
        "metadata": {"name": "alice"},
        "spec": {"specialistRef": "coder"},
    }
    assert fake_world.when_asked(verbs.create([document])).told == ["create Instance/alice New"]
    assert fake_world.look().catalog.absences() == ()
    assert fake_world.when_applied().told == ["update Instance/alice TakenOver"]


def test_what_no_file_declares_is_only_deleted(fake_world: FakeWorld) -> None:
    fleet(fake_world, ALICE_BOB_CAROL)
    fake_world.given(ALICE_BOB_CAROL.replace("name: alice", "name: anna"))
    assert fake_world.when_deleted("instance/alice").told == ["remove Instance/alice DeleteAsked"]
    assert fake_world.look().catalog.absences() == ()


def test_without_a_look_at_what_runs_it_is_held_too(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    fake_world.when_deleted("instance/alice")
    found = client_diff(fake_world.flags, Source((str(fake_world.source),)), PlanFlags())
    assert found.plan.empty
    assert [notice.code for notice in found.plan.notices] == ["Held"]


def test_a_hold_that_is_put_twice_ends_with_the_second(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    fake_world.when_deleted("instance/alice", override_s=60)
    fake_world.clock.advance(60)
    fake_world.when_applied()
    fake_world.when_deleted("instance/alice", override_s=7200)
    fake_world.clock.advance(3600)
    assert fake_world.when_applied().told == []
    fake_world.clock.advance(3600)
    assert fake_world.when_applied().told == ["create Instance/alice New OverrideExpired"]
