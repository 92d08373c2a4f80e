"""What is no longer declared stays until `--prune`, and every guard names the flag that lifts it (R §14)."""

import pytest

from reconciler.model.errors import GuardRefused
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.world import World
from tests.stories.fleets import ALICE_BOB_CAROL, CODER, CODER_AND_TESTER, PROMPT, TEXT, instance


def fleet(*names: str) -> str:
    return CODER + "".join(instance(name) for name in names)


def applied(world: World, yaml: str) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(yaml)
    assert world.when_applied().settled


def refusal(world: World, **flags: object) -> GuardRefused:
    before = world.bytes()
    with pytest.raises(GuardRefused) as refused:
        world.when_applied(prune=True, **flags)
    assert refused.value.exit_code == 6
    assert world.bytes() == before
    return refused.value


def test_without_prune_what_left_the_source_is_a_notice_and_runs_on(world: World) -> None:
    applied(world, ALICE_BOB_CAROL)
    world.given(CODER_AND_TESTER + instance("alice") + instance("bob"))

    plan = world.when_planned()

    assert plan.in_sync
    assert plan.notices == ["Orphaned Instance/carol"]
    assert world.when_applied().exit_code == 0
    assert world.running == {"alice", "bob", "carol"}


def test_prune_removes_what_left_the_source_users_first(world: World) -> None:
    applied(world, ALICE_BOB_CAROL)
    world.given(CODER + instance("alice") + instance("bob"))

    report = world.when_applied(prune=True)

    assert report.told == ["remove Instance/carol NotDeclared", "remove Specialist/tester NotDeclared"]
    assert report.settled
    assert world.running == {"alice", "bob"}
    assert not any("tester" in ref for ref in world.rows)
    assert world.when_planned(prune=True).in_sync


def test_an_empty_source_is_refused_before_anything_else(fake_world: FakeWorld) -> None:
    applied(fake_world, ALICE_BOB_CAROL)
    fake_world.forget_file("fleet.yaml")

    with pytest.raises(GuardRefused, match="nothing is declared") as refused:
        fake_world.when_planned()
    assert refused.value.code == "guard.empty"
    assert "--allow-empty" in refused.value.hint
    assert refusal(fake_world).code == "guard.empty"
    more = refusal(fake_world, allow_empty=True)
    assert more.code == "guard.prune_limit"
    assert "--prune-limit=5" in more.hint

    assert fake_world.when_applied(prune=True, allow_empty=True, prune_limit=5).settled
    assert fake_world.rows == {}
    assert fake_world.sessions == {}


def test_more_than_three_and_a_fifth_need_a_number(fake_world: FakeWorld) -> None:
    names = tuple(f"a{number}" for number in range(10))
    applied(fake_world, fleet(*names))
    fake_world.given(fleet(*names[:6]))

    refused = refusal(fake_world)
    assert refused.code == "guard.prune_limit"
    assert "--prune-limit=4" in refused.hint
    assert refusal(fake_world, prune_limit=3).code == "guard.prune_limit"

    fake_world.given(fleet(*names[:5]))
    assert refusal(fake_world, prune_limit=4).code == "guard.prune_limit"
    assert fake_world.when_applied(prune=True, prune_limit=5).settled
    assert fake_world.running == set(names[:5])


def test_three_may_go_without_a_number(fake_world: FakeWorld) -> None:
    applied(fake_world, fleet("a", "b", "c", "d"))
    fake_world.given(fleet("a"))

    assert fake_world.when_applied(prune=True).settled
    assert fake_world.running == {"a"}


def test_a_kind_that_vanishes_needs_its_name(fake_world: FakeWorld) -> None:
    applied(fake_world, fleet("alice", "bob"))
    fake_world.given(CODER)

    refused = refusal(fake_world)
    assert refused.code == "guard.kind_vanished"
    assert "--allow-kind-removal=Instance" in refused.hint

    assert fake_world.when_applied(prune=True, allow_kind_removal=("Instance",)).settled
    assert fake_world.running == set()


def test_prevent_destroy_outlives_the_manifest(fake_world: FakeWorld) -> None:
    guarded = CODER + instance("alice", "specialistRef: coder, lifecycle: {preventDestroy: true}") + instance("bob")
    applied(fake_world, guarded)
    fake_world.given(fleet("bob"))

    refused = refusal(fake_world)
    assert refused.code == "guard.prevent_destroy"
    assert "preventDestroy: false" in refused.hint
    assert "--force-destroy Instance/alice" in refused.hint

    fake_world.given(guarded.replace("true", "false"))
    assert fake_world.when_applied().settled
    fake_world.given(fleet("bob"))
    assert fake_world.when_applied(prune=True).settled
    assert fake_world.running == {"bob"}


def test_another_source_root_may_not_prune(fake_world: FakeWorld) -> None:
    applied(fake_world, fleet("alice", "bob"))
    other = fake_world.root / "elsewhere"
    (other / "prompts").mkdir(parents=True)
    (other / PROMPT).write_text(TEXT)
    (other / "fleet.yaml").write_text((fake_world.source / "fleet.yaml").read_text().rpartition("---")[0])

    refused = refusal(fake_world, source=other)
    assert refused.code == "guard.source_root"
    assert "--allow-source-change" in refused.hint

    assert fake_world.when_applied(source=other, prune=True, allow_source_change=True).settled
    assert fake_world.running == {"alice"}


def test_a_selector_does_not_prune_what_it_leaves_out(fake_world: FakeWorld) -> None:
    applied(fake_world, CODER + instance("alice", labels="team: core") + instance("bob", labels="team: web"))
    fake_world.given(CODER + instance("alice", labels="team: core"))

    refused = refusal(fake_world, selector="team=core")
    assert refused.code == "guard.selector"
    assert "--allow-prune-outside-selector" in refused.hint
    assert fake_world.running == {"alice", "bob"}


def test_an_apply_set_under_another_name_than_its_project_is_refused(fake_world: FakeWorld) -> None:
    project = "kind: Project\nmetadata: {name: fleet}\nspec: {limits: {instances: 9}}\n---"
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(project + fleet("alice", "bob"))
    fake_world.when_applied(applyset="other")
    fake_world.given(project + fleet("alice"))

    refused = refusal(fake_world, applyset="other")
    assert refused.code == "guard.set_name"
    assert "--allow-set-mismatch" in refused.hint

    assert fake_world.when_applied(applyset="other", prune=True, allow_set_mismatch=True).settled
    assert fake_world.running == {"alice"}


def test_what_another_apply_set_owns_is_neither_taken_nor_pruned(fake_world: FakeWorld) -> None:
    applied(fake_world, fleet("alice"))

    with pytest.raises(GuardRefused, match="belong to another apply set") as refused:
        fake_world.when_applied(applyset="mine")
    assert refused.value.code == "ownership.conflict"
    assert "--applyset=default" in refused.value.hint

    other = fake_world.root / "other"
    other.mkdir()
    lone = "kind: Specialist\nmetadata: {name: lone}\nspec: {provider: echo, prompt: Alone.}\n"
    (other / "one.yaml").write_text("apiVersion: houmao/v1alpha1\n" + lone)
    assert fake_world.when_applied(source=other, applyset="mine", prune=True).told == ["create Specialist/lone New"]
    assert fake_world.running == {"alice"}


def test_what_cannot_be_seen_is_not_pruned(fake_world: FakeWorld) -> None:
    applied(fake_world, fleet("alice", "bob"))
    fake_world.given(fleet("alice"))
    fake_world.tmux.unanswered = "no answer within 5 s"

    plan = fake_world.when_planned(prune=True)

    assert plan.in_sync
    assert "Unknown Instance/bob" in plan.notices
