"""`houmao delete`: exactly what is named, its children, and nothing that is still used."""

import pytest

from reconciler.model.errors import GuardRefused
from reconciler.testing.world import World
from tests.stories.fleets import ALICE_BOB_CAROL, CODER, PROMPT, TEXT, instance


def test_a_deleted_instance_ends_and_its_home_is_kept_and_named(world: World) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(ALICE_BOB_CAROL)
    world.when_applied()
    home, record, uid = world.home_of("alice"), world.record_of("alice"), world.uids["Instance/alice"]

    report = world.when_deleted("instance/alice")

    assert report.told == ["remove Instance/alice DeleteAsked Held"]
    assert report.settled
    assert world.running == {"bob", "carol"}
    assert "Instance/alice" not in world.rows
    assert not record.exists()
    assert home.is_dir()
    assert str(home) in report.outcomes["Instance/alice"].note
    found = world.look().process.bearing([uid])
    assert found == {uid: ()}


def test_applying_again_brings_it_back_as_somebody_new(fake_world: World) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE_BOB_CAROL)
    fake_world.when_applied()
    before = fake_world.uids["Instance/alice"]
    fake_world.when_deleted("instance/alice", override_s=0.0)

    report = fake_world.when_applied()

    assert report.told == ["create Instance/alice New OverrideExpired"]
    assert fake_world.uids["Instance/alice"] != before
    assert fake_world.when_planned().in_sync


def test_what_is_used_is_not_deleted_unless_its_users_may_go_too(fake_world: World) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE_BOB_CAROL)
    fake_world.when_applied()

    with pytest.raises(GuardRefused, match="Specialist/coder is used by Instance/alice, Instance/bob") as refused:
        fake_world.when_deleted("specialist/coder")
    assert refused.value.exit_code == 6
    assert "--cascade" in refused.value.hint
    assert fake_world.running == {"alice", "bob", "carol"}

    report = fake_world.when_deleted("specialist/coder", cascade="yes")
    assert [line.split()[1] for line in report.told] == ["Instance/alice", "Instance/bob", "Specialist/coder"]
    assert report.settled
    assert fake_world.running == {"carol"}
    assert not any(ref.endswith("/coder") or "coder-echo" in ref for ref in fake_world.rows)


def test_orphaning_keeps_the_users(fake_world: World) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE_BOB_CAROL)
    fake_world.when_applied()

    report = fake_world.when_deleted("specialist/coder", cascade="orphan")

    assert report.told == ["remove Specialist/coder DeleteAsked Held"]
    assert report.settled
    assert fake_world.running == {"alice", "bob", "carol"}


def test_a_set_is_deleted_with_its_members(fake_world: World) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(
        CODER + "---\nkind: InstanceSet\nmetadata: {name: crew}\nspec: {replicas: 2, template: {specialistRef: coder}}"
    )
    fake_world.when_applied()

    report = fake_world.when_deleted("instanceset/crew")

    assert report.settled
    assert fake_world.sessions == {}
    assert set(fake_world.uids) == {"Specialist/coder"}


def test_prevent_destroy_holds_until_it_is_forced_by_name(fake_world: World) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(CODER + instance("alice", "specialistRef: coder, lifecycle: {preventDestroy: true}"))
    fake_world.when_applied()

    with pytest.raises(GuardRefused) as refused:
        fake_world.when_deleted("instance/alice")
    assert refused.value.code == "guard.prevent_destroy"
    assert "--force-destroy Instance/alice" in refused.value.hint
    assert fake_world.running == {"alice"}

    assert fake_world.when_deleted("instance/alice", force_destroy=("instance/alice",)).settled
    assert fake_world.running == set()


def test_what_a_file_still_declares_is_refused_and_nothing_ends(fake_world: World) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE_BOB_CAROL)
    fake_world.when_applied()

    with pytest.raises(GuardRefused, match=r"Instance/alice is still declared in .*fleet\.yaml:") as refused:
        fake_world.when_deleted("instance/alice", override_s=None)
    assert (refused.value.exit_code, refused.value.code) == (6, "guard.declared")
    for way in ("houmao apply --prune", "delete -f", "--override"):
        assert way in refused.value.hint
    with pytest.raises(GuardRefused, match="and 2 more"):
        fake_world.when_deleted("specialist/coder", cascade="yes", override_s=None)
    assert fake_world.running == {"alice", "bob", "carol"}

    fake_world.given(ALICE_BOB_CAROL.replace("name: alice", "name: anna"))
    assert fake_world.when_deleted("instance/alice", override_s=None).settled
    assert fake_world.running == {"bob", "carol"}


def test_a_file_that_is_gone_declares_nothing_and_one_that_cannot_be_read_might(fake_world: World) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE_BOB_CAROL)
    fake_world.when_applied()

    fake_world.given("kind: [")
    with pytest.raises(GuardRefused, match="still declared"):
        fake_world.when_deleted("instance/alice", override_s=None)
    for file in fake_world.source.rglob("*.yaml"):
        file.unlink()
    assert fake_world.when_deleted("instance/alice", override_s=None).settled
    assert fake_world.running == {"bob", "carol"}


def test_a_member_is_declared_by_its_set(fake_world: World) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(
        CODER + "---\nkind: InstanceSet\nmetadata: {name: crew}\nspec: {replicas: 2, template: {specialistRef: coder}}"
    )
    fake_world.when_applied()

    with pytest.raises(GuardRefused, match="Instance/crew-0, made by InstanceSet/crew, is still declared"):
        fake_world.when_deleted("instance/crew-0", override_s=None)
    assert fake_world.running == {"crew-0", "crew-1"}
