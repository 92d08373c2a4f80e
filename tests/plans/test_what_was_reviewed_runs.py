"""`plan -o FILE`, `apply FILE`: exactly what was reviewed, or nothing of it."""

import json
import shutil
from pathlib import Path

import pytest

from reconciler.app.apply_file import PlanStale
from reconciler.model.errors import ConflictError, GuardRefused, PlanFileError
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Crashed, Fault, Kind
from reconciler.testing.world import World
from tests.plans.conftest import fleet
from tests.stories.fleets import ALICE_BOB_CAROL, CODER, CODER_AND_TESTER, PROMPT, TEXT, instance

NEW = TEXT.replace("code", "Code")
RELAUNCHED = [
    "update Specialist/coder SpecChanged",
    *(f"relaunch Instance/{n} LaunchDigestChanged" for n in ("alice", "bob")),
]
TESTER = "prompt: You test code."


def test_a_plan_is_applied_beside_an_unrelated_change_and_refused_after_a_touched_one(world: World, plan: Path) -> None:
    fleet(world)
    world.given_file(PROMPT, NEW)
    assert world.when_saved(plan).told == RELAUNCHED
    carol = world.session_of("carol")
    world.given(ALICE_BOB_CAROL.replace(TESTER, "prompt: You test everything."))
    world.kill_session_of("carol")

    applied = world.when_applied_from(plan)

    assert applied.told == RELAUNCHED
    assert applied.settled
    assert world.running == {"alice", "bob"}  # carol is nobody's business here, though she is gone and changed
    assert [line.split()[1] for line in world.when_planned().told] == ["Specialist/tester", "Instance/carol"]
    again = world.when_applied_from(plan)
    assert (again.report.already_applied, again.exit_code, again.watch.writes) == (True, 0, [])
    world.when_applied()
    assert world.session_of("carol") != carol

    world.until_ready()
    world.given_file(PROMPT, TEXT)
    assert world.when_saved(plan).told == RELAUNCHED
    world.given_file(PROMPT, "Something else.\n")
    before = world.bytes()
    with pytest.raises(PlanStale) as refused:
        world.when_applied_from(plan)
    assert (refused.value.code, refused.value.exit_code) == ("plan.stale", 4)
    assert [str(one.ref) for one in refused.value.stale] == ["Instance/alice", "Instance/bob", "Specialist/coder"]
    assert world.bytes() == before


def test_what_runs_is_the_plan_to_the_letter(fake_world: FakeWorld, plan: Path) -> None:
    fleet(fake_world)
    fake_world.given_file(PROMPT, NEW)
    saved = fake_world.when_saved(plan).plan
    applied = fake_world.when_applied_from(plan)
    assert [action.to_json() for action in applied.report.plan.actions] == [
        action.to_json() for action in saved.actions
    ]
    assert applied.report.plan.digest() == saved.digest() == json.loads(plan.read_text())["planDigest"]
    assert fake_world.look().catalog.runs(1)[0].plan_digest == saved.digest()


def test_equal_worlds_write_equal_plans(fake_world: FakeWorld, plan: Path, tmp_path: Path) -> None:
    fleet(fake_world)
    fake_world.given_file(PROMPT, NEW)
    fake_world.when_saved(plan)
    fake_world.pass_time(60)
    fake_world.when_saved(tmp_path / "q.json")
    one, two = (json.loads(path.read_text()) for path in (plan, tmp_path / "q.json"))
    assert one["planDigest"] == two["planDigest"]
    differing = {key for key in one if one[key] != two[key]}
    assert differing == {"createdAt", "expiresAt", "fileDigest"}


def killed(world: FakeWorld) -> None:
    world.kill_process_of("alice")


def prompted(world: FakeWorld) -> None:
    world.given_file(PROMPT, "Something else.\n")


def undeclared(world: FakeWorld) -> None:
    world.given(CODER_AND_TESTER + instance("bob") + instance("carol", "specialistRef: tester"))


def applied_already_and_changed_again(world: FakeWorld) -> None:
    world.when_applied()
    world.given_file(PROMPT, "Something else.\n")
    world.when_applied()
    world.given_file(PROMPT, NEW)


def restarted(world: FakeWorld) -> None:
    """By somebody else's apply, as it was declared before: another session, the same verb."""
    world.given_file(PROMPT, TEXT)
    world.kill_session_of("alice")
    world.when_applied()
    world.given_file(PROMPT, NEW)


def deleted(world: FakeWorld) -> None:
    world.when_deleted("Instance/alice")


def repointed(world: FakeWorld) -> None:
    world.given(
        ALICE_BOB_CAROL.replace(
            "name: alice, labels: {}}\nspec: {specialistRef: coder}", "name: alice}\nspec: {specialistRef: tester}"
        )
    )


@pytest.mark.parametrize(
    "change", [killed, prompted, undeclared, applied_already_and_changed_again, restarted, deleted, repointed]
)
def test_each_way_a_touched_resource_moves_refuses_all_of_it(fake_world: FakeWorld, plan: Path, change: object) -> None:
    fleet(fake_world)
    fake_world.given_file(PROMPT, NEW)
    fake_world.when_saved(plan)
    assert callable(change)
    change(fake_world)
    before, sessions = fake_world.bytes(), fake_world.panes
    with pytest.raises(PlanStale) as refused:
        fake_world.when_applied_from(plan)
    assert refused.value.exit_code == 4
    for one in refused.value.stale:
        assert one.expected
        assert one.found
        assert one.expected != one.found
    assert (fake_world.bytes(), fake_world.panes) == (before, sessions)


def labelled(world: FakeWorld) -> None:
    world.given(
        ALICE_BOB_CAROL.replace("metadata: {name: carol, labels: {}}", "metadata: {name: carol, labels: {a: b}}")
    )


def added(world: FakeWorld) -> None:
    world.given(ALICE_BOB_CAROL + instance("dora", "specialistRef: tester"))


def dropped(world: FakeWorld) -> None:
    world.given(CODER_AND_TESTER + instance("alice") + instance("bob"))


def carol_gone(world: FakeWorld) -> None:
    world.when_deleted("Instance/carol")


def commented(world: FakeWorld) -> None:
    world.given("# a comment\n\n" + ALICE_BOB_CAROL.strip())


def foreign(world: FakeWorld) -> None:
    world.foreign_session("somebody")


@pytest.mark.parametrize("change", [labelled, added, dropped, carol_gone, commented, foreign])
def test_what_a_plan_does_not_touch_may_change(fake_world: FakeWorld, plan: Path, change: object) -> None:
    fleet(fake_world)
    fake_world.given_file(PROMPT, NEW)
    fake_world.when_saved(plan)
    assert callable(change)
    change(fake_world)
    applied = fake_world.when_applied_from(plan)
    assert applied.told == RELAUNCHED
    assert all(outcome.result.value == "settled" for outcome in applied.outcomes.values())


def test_a_first_plan_makes_the_overlay_and_is_applied_once(fake_world: FakeWorld, plan: Path) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE_BOB_CAROL)
    assert json.loads((fake_world.when_saved(plan), plan.read_text())[1])["overlayId"] == ""
    assert fake_world.when_applied_from(plan).settled
    assert fake_world.running == {"alice", "bob", "carol"}
    assert fake_world.when_applied_from(plan).report.already_applied
    assert fake_world.when_planned().in_sync


def test_after_a_failure_the_same_file_does_the_rest(fake_world: FakeWorld, plan: Path) -> None:
    fleet(fake_world)
    fake_world.given_file(PROMPT, NEW)
    fake_world.when_saved(plan)
    point = "update/Specialist:settled"
    with pytest.raises(Crashed):
        fake_world.when_applied_from(plan, fault=Fault(point, "after", Kind.CRASH))
    rest = fake_world.when_applied_from(plan)
    assert rest.told == RELAUNCHED[1:]
    assert rest.settled
    assert fake_world.when_applied_from(plan).report.already_applied


def test_a_first_create_that_was_cut_short_is_finished_by_the_same_file(fake_world: FakeWorld, plan: Path) -> None:
    fleet(fake_world, CODER + instance("alice"))
    fake_world.given(CODER + instance("alice") + instance("bob"))
    fake_world.when_saved(plan)
    with pytest.raises(Crashed):
        fake_world.when_applied_from(plan, fault=Fault("create/Instance:start-session", "after", Kind.CRASH))
    assert fake_world.when_applied_from(plan).exit_code == 0
    assert fake_world.running == {"alice", "bob"}
    assert fake_world.when_planned().in_sync


def test_flags_are_part_of_a_plan_and_prune_takes_no_more_than_was_reviewed(fake_world: FakeWorld, plan: Path) -> None:
    fleet(fake_world)
    fake_world.given(CODER_AND_TESTER + instance("alice") + instance("carol", "specialistRef: tester"))
    assert fake_world.when_saved(plan, prune=True).told == ["remove Instance/bob NotDeclared"]
    fake_world.given(CODER_AND_TESTER + instance("alice"))  # carol is not declared any more either

    assert fake_world.when_applied_from(plan).told == ["remove Instance/bob NotDeclared"]

    assert fake_world.running == {"alice", "carol"}
    assert fake_world.when_applied_from(plan).report.already_applied
    fake_world.given(ALICE_BOB_CAROL)
    with pytest.raises(PlanStale):
        fake_world.when_applied_from(plan)


def test_what_vanished_later_is_no_guard_of_what_was_reviewed(fake_world: FakeWorld, plan: Path) -> None:
    more = "".join(instance(f"more-{n}") for n in range(6))
    fleet(fake_world, ALICE_BOB_CAROL + more)
    fake_world.given(CODER_AND_TESTER + instance("alice") + instance("carol", "specialistRef: tester") + more)
    fake_world.when_saved(plan, prune=True)
    fake_world.given(CODER_AND_TESTER + instance("alice"))
    with pytest.raises(GuardRefused):
        fake_world.when_planned(prune=True)
    assert fake_world.when_applied_from(plan).told == ["remove Instance/bob NotDeclared"]
    assert len(fake_world.running) == 8


def test_a_plan_of_some_targets_does_those(fake_world: FakeWorld, plan: Path) -> None:
    fleet(fake_world)
    fake_world.kill_session_of("alice")
    fake_world.kill_session_of("bob")
    told = fake_world.when_saved(plan, targets=("instance/bob",)).told
    assert [line.split()[1] for line in told] == ["Instance/bob"]
    assert fake_world.when_applied_from(plan).told == told
    assert fake_world.running == {"bob", "carol"}


def test_a_refused_plan_writes_no_file(fake_world: FakeWorld, plan: Path) -> None:
    fleet(fake_world)
    fake_world.given(CODER)
    with pytest.raises(GuardRefused):
        fake_world.when_saved(plan, prune=True)
    assert list(plan.parent.iterdir()) == []


def test_a_plan_is_good_for_a_day_and_no_longer(fake_world: FakeWorld, plan: Path) -> None:
    fleet(fake_world)
    fake_world.given_file(PROMPT, NEW)
    fake_world.when_saved(plan)
    fake_world.pass_time(24 * 3600)
    with pytest.raises(ConflictError) as refused:
        fake_world.when_applied_from(plan)
    assert (refused.value.code, refused.value.exit_code) == ("plan.expired", 4)
    fake_world.when_saved(plan, valid_s=48 * 3600)
    fake_world.pass_time(47 * 3600)
    assert fake_world.when_applied_from(plan).told == RELAUNCHED


def test_the_declarations_may_be_somewhere_else_by_then(fake_world: FakeWorld, plan: Path, tmp_path: Path) -> None:
    """As in a second checkout: what counts is what they say."""
    fleet(fake_world)
    fake_world.given_file(PROMPT, NEW)
    fake_world.when_saved(plan)
    moved = tmp_path / "elsewhere"
    shutil.move(fake_world.source, moved)
    fake_world.source.mkdir()
    assert fake_world.when_applied_from(plan, source=moved).told == RELAUNCHED


def test_what_was_read_from_standard_input_must_be_named_again(fake_world: FakeWorld, plan: Path) -> None:
    from reconciler.app import plan as plans
    from reconciler.app.request import PlanFlags, Source

    fleet(fake_world)
    text = (fake_world.source / "fleet.yaml").read_bytes().replace(b"promptFile: prompts/coder.md", b"prompt: New.")
    plans.save(fake_world.flags, Source(("-",), stdin=text), PlanFlags(), str(plan), None)
    with pytest.raises(PlanFileError) as refused:
        fake_world.when_applied_from(plan)
    assert refused.value.code == "plan.no_source"
