"""`houmao undelete`: what was removed comes back as who it was, with all it is made of, or is refused by name."""

import shutil

import pytest

from reconciler.app import undelete as use_case
from reconciler.app.request import RunFlags
from reconciler.app.rollback import CannotRestore
from reconciler.model.errors import UsageFault
from reconciler.model.outcome import Report
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Crashed
from reconciler.testing.world import World
from tests.history.conftest import Houmao
from tests.stories.fleets import ALICE, ALICE_BOB_CAROL, CODER, PROMPT, TEXT, instance

POOL = CODER + "---\nkind: InstanceSet\nmetadata: {name: pool}\nspec: {replicas: 2, template: {specialistRef: coder}}\n"
WEEK = 7 * 24 * 3600


def bring_back(world: World, *words: str, **flags: object) -> Report:
    return use_case.undelete(
        world.flags,
        words,
        RunFlags(yes=True, command="undelete", **flags),  # type: ignore[arg-type]
        confirm=lambda plan: True,
        shown=lambda plan: None,
        emit=lambda kind, fields: None,
    )


def done(report: Report) -> list[str]:
    return [f"{each.action.verb} {each.action.ref} {each.result.value}" for each in report.outcomes]


def fleet(world: World, yaml: str = ALICE) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(yaml)
    world.when_applied()


def test_a_deleted_agent_comes_back_on_its_home_under_its_uid(world: World) -> None:
    fleet(world)
    before = world.rows["Instance/alice"]
    note = world.home_of("alice") / "note.txt"
    note.write_text("mine")
    world.when_deleted("instance/alice")
    assert world.running == set()

    report = bring_back(world, "instance/alice")

    after = world.rows["Instance/alice"]
    assert done(report) == ["create Instance/alice settled"]
    assert [reason.code.value for reason in report.plan.actions[0].reasons] == ["StartDeclared", "Requested"]
    assert (after.uid, after.apply_set, after.position) == (before.uid, before.apply_set, before.position)
    assert after.live["home"] == before.live["home"]
    assert after.live["agent_id"] == before.live["agent_id"]
    assert note.read_text() == "mine"
    assert world.running == {"alice"}
    assert world.record_of("alice").exists()
    assert world.when_planned().in_sync


def test_what_it_is_made_of_comes_with_it(fake_world: FakeWorld) -> None:
    fleet(fake_world, ALICE_BOB_CAROL)
    before = fake_world.uids
    fake_world.when_deleted("specialist/tester", cascade="yes")
    assert "Specialist/tester" not in fake_world.rows

    report = bring_back(fake_world, "instance/carol")

    assert done(report) == ["create Specialist/tester settled", "create Instance/carol settled"]
    assert fake_world.uids == before
    assert (fake_world.overlay / "content" / "prompts" / "tester.md").read_text() == "You test code."
    assert fake_world.running == {"alice", "bob", "carol"}
    assert fake_world.when_planned().in_sync


def test_a_set_comes_back_with_the_members_it_has(fake_world: FakeWorld) -> None:
    fleet(fake_world, POOL)
    before = fake_world.uids
    fake_world.when_deleted("instanceset/pool")
    assert fake_world.running == set()

    bring_back(fake_world, "instance/pool-1")

    assert fake_world.uids == before
    assert fake_world.running == {"pool-0", "pool-1"}
    assert fake_world.when_planned().in_sync


def test_what_was_pruned_comes_back_and_the_file_still_does_not_declare_it(fake_world: FakeWorld) -> None:
    fleet(fake_world, ALICE + instance("bob"))
    fake_world.given(ALICE)
    fake_world.when_applied(prune=True)

    bring_back(fake_world, "instance/bob")

    assert fake_world.running == {"alice", "bob"}
    planned = fake_world.when_planned()
    assert planned.plan.empty
    assert [notice.code.value for notice in planned.plan.notices] == ["Orphaned"]


def test_the_newest_of_several_is_meant_and_one_that_is_there_is_refused(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    fake_world.when_deleted("instance/alice", override_s=60)
    fake_world.pass_time(61)
    fake_world.when_applied()
    second = fake_world.uids["Instance/alice"]
    with pytest.raises(UsageFault, match="there is a Instance/alice now"):
        bring_back(fake_world, "instance/alice")
    fake_world.pass_time(60)
    fake_world.when_deleted("instance/alice")

    bring_back(fake_world, "instance/alice")

    assert fake_world.uids["Instance/alice"] == second


def test_what_is_gone_is_named_and_nothing_is_done(fake_world: FakeWorld, houmao: Houmao) -> None:
    fleet(fake_world, ALICE_BOB_CAROL)
    fake_world.when_deleted("specialist/tester", cascade="yes")
    shutil.rmtree(fake_world.overlay / "content" / "kept")
    before = fake_world.rows

    with pytest.raises(CannotRestore, match="prompt of Role/tester"):
        bring_back(fake_world, "instance/carol")

    assert fake_world.rows == before
    assert houmao("undelete", "instance/nobody").code == 1
    assert "undelete.not_found" in houmao("undelete", "instance/nobody").err
    assert houmao("undelete", "role/tester").code == 64
    assert houmao("undelete", "instances").code == 64


def test_an_undelete_that_is_killed_is_said_again_and_starts_one(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    uid = fake_world.uids["Instance/alice"]
    fake_world.when_deleted("instance/alice")
    points: list[str] = []
    bring_back(fake_world, "instance/alice", probe=lambda point, phase, ref: points.append(point))
    assert "create/Instance:start-session" in points
    for point in points[1:]:
        fake_world.when_deleted("instance/alice")

        def crash(at: str, phase: str, ref: object, point: str = point) -> None:
            if (at, phase) == (point, "after"):
                raise Crashed

        with pytest.raises(Crashed):
            bring_back(fake_world, "instance/alice", probe=crash)
        if "Instance/alice" not in fake_world.rows:
            bring_back(fake_world, "instance/alice")
        assert fake_world.running == {"alice"}, point
        assert len(fake_world.panes) == 1
        assert fake_world.uids["Instance/alice"] == uid


def test_the_list_says_what_is_left_and_how_long(fake_world: FakeWorld, houmao: Houmao) -> None:
    assert houmao("undelete").out == ""
    fleet(fake_world, POOL + instance("alice", "specialistRef: coder, lifecycle: {retain: 1h}"))
    fake_world.when_deleted("instance/alice")
    fake_world.when_deleted("instanceset/pool")

    found = {each["ref"]: each for each in houmao("undelete", "-o", "json").data["items"]}
    assert found.keys() == {"Instance/alice", "Instance/pool-0", "Instance/pool-1", "InstanceSet/pool"}
    assert found["Instance/pool-0"]["owner"] == "InstanceSet/pool"
    assert found["Instance/alice"]["home"].startswith(str(fake_world.overlay / "runtime" / "homes"))
    fake_world.pass_time(3601)
    rows = {line.split()[0]: line for line in houmao("undelete").out.splitlines()}
    assert "until the next gc" in rows["Instance/alice"]
    assert rows["InstanceSet/pool"].split()[2] == "6d"
    shown = houmao("undelete", "instance/alice", "--dry-run=server", "-o", "json").data
    assert [(each["verb"], each["ref"]) for each in shown["actions"]] == [("create", "Instance/alice")]
    assert fake_world.running == set()
