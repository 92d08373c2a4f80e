"""`--write-back`: the declaring file says it afterwards, and an apply of it plans nothing (R-IMP-2)."""

import pytest

from reconciler.app import apply as use_cases
from reconciler.app import verbs
from reconciler.app.ask import Way
from reconciler.app.change import preview
from reconciler.app.request import PlanFlags, RunFlags, Source
from reconciler.declare.yaml_nodes import CannotEdit
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Crashed, Fault, Kind

BACK = Way(write_back=True)
ALICE, CODER, CREW = Ref("Instance", "alice"), Ref("Specialist", "coder"), Ref("InstanceSet", "crew")
FLEET = """\
# Ours.
apiVersion: houmao/v1alpha1
kind: Specialist
metadata: {name: coder}   # who
spec: {provider: echo, prompt: You write.}
---
apiVersion: houmao/v1alpha1
kind: Instance
metadata:
  name: alice
spec:
  specialistRef: coder   # the one above
  # on purpose:
  state: Running
  retry: {base: 1m}
---
apiVersion: houmao/v1alpha1
kind: InstanceSet
metadata: {name: crew}
spec: {replicas: 1, template: {specialistRef: coder}}
"""


def fleet(world: FakeWorld, text: str = FLEET) -> None:
    world.given_file("fleet.yaml", text)
    world.when_applied()


def text(world: FakeWorld) -> str:
    return (world.source / "fleet.yaml").read_bytes().decode()


def test_a_stop_is_declared_in_its_file(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    (fake_world.source / "fleet.yaml").chmod(0o640)
    report = fake_world.when_asked(verbs.stop([ALICE], BACK))
    assert report.told == ["stop Instance/alice StopDeclared"]
    assert report.settled
    assert text(fake_world) == FLEET.replace("state: Running", "state: Stopped")
    assert (fake_world.source / "fleet.yaml").stat().st_mode & 0o777 == 0o640
    assert fake_world.when_planned().in_sync
    assert fake_world.look().catalog.overrides() == ()


def test_many_edits_of_one_file_are_made_together(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    asked = verbs.patch("patch", [ALICE, CODER], {"metadata": {"labels": {"team": "core"}}}, BACK)
    assert fake_world.when_asked(asked).settled
    assert text(fake_world) == FLEET.replace(
        "metadata: {name: coder}   # who", "metadata: {name: coder, labels: {team: core}}   # who"
    ).replace("  name: alice\n", "  name: alice\n  labels:\n    team: core\n")
    assert fake_world.when_planned().in_sync


def test_a_value_is_written_as_it_was_given(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    assert fake_world.when_asked(verbs.settings("set", [ALICE], {"retry.base": "90s"}, BACK)).settled
    assert text(fake_world) == FLEET.replace("{base: 1m}", "{base: 90s}")
    assert fake_world.when_planned().in_sync


def test_a_set_is_edited_in_its_template_and_its_members_follow(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    report = fake_world.when_asked(verbs.settings("set", [CREW], {"replicas": 2, "template.model": "opus"}, BACK))
    assert report.settled
    assert fake_world.running == {"alice", "crew-0", "crew-1"}
    assert "{replicas: 2, template: {specialistRef: coder, model: opus}}" in text(fake_world)
    assert fake_world.when_planned().in_sync


def test_it_ends_an_override_of_the_same_path(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    fake_world.when_asked(verbs.stop([ALICE]))
    report = fake_world.when_asked(verbs.settings("set", [ALICE], {"state": "Stopped", "model": "opus"}, BACK))
    assert report.settled
    assert fake_world.look().catalog.overrides() == ()
    assert "state: Stopped" in text(fake_world)
    assert fake_world.when_planned().in_sync


def test_a_field_that_comes_from_elsewhere_is_refused(fake_world: FakeWorld) -> None:
    defaults = (
        "---\napiVersion: houmao/v1alpha1\nkind: Project\nmetadata: {name: p}\nspec: {defaults: {retry: {limit: 9}}}\n"
    )
    fake_world.given_file("project.yaml", defaults.removeprefix("---\n"))
    fleet(fake_world, FLEET.replace("  retry: {base: 1m}\n", ""))
    before = text(fake_world)
    with pytest.raises(CannotEdit, match="does not come from") as refused:
        fake_world.when_asked(verbs.settings("set", [ALICE], {"retry.limit": 3}, BACK))
    assert refused.value.exit_code == 6
    assert text(fake_world) == before


def test_a_member_of_a_set_is_refused(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    with pytest.raises(CannotEdit, match="from a template"):
        fake_world.when_asked(verbs.stop([Ref("Instance", "crew-0")], BACK))


def test_what_an_overlay_composed_is_refused(fake_world: FakeWorld) -> None:
    fake_world.given_file("base/fleet.yaml", FLEET)
    overlay = "apiVersion: houmao/v1alpha1\nkind: Overlay\nmetadata: {name: base}\nspec: {resources: [fleet.yaml]}\n"
    fake_world.given_file("base/overlay.yaml", overlay)
    fake_world.given_file(
        "prod/overlay.yaml",
        "apiVersion: houmao/v1alpha1\nkind: Overlay\nmetadata: {name: prod}\nspec:\n  bases: [../base]\n"
        "  namePrefix: prod-\n",
    )
    use_cases.apply(
        fake_world.flags,
        Source(composition=str(fake_world.source / "prod")),
        PlanFlags(),
        RunFlags(yes=True),
        confirm=lambda plan: True,
        shown=lambda plan: None,
        emit=lambda kind, fields: None,
    )
    with pytest.raises(CannotEdit, match="composed"):
        fake_world.when_asked(verbs.stop([Ref("Instance", "prod-alice")], BACK))
    assert (fake_world.source / "base/fleet.yaml").read_text() == FLEET


def test_an_anchor_that_would_carry_the_edit_further_is_refused(fake_world: FakeWorld) -> None:
    shared = FLEET.replace("  state: Running\n", "  state: Running\n  model: &m opus\n  reasoning: 1\n  authRef: *m\n")
    shared = shared.replace("  authRef: *m\n", "  sessionName: *m\n")
    fleet(fake_world, shared)
    with pytest.raises(CannotEdit, match="would change as well"):
        fake_world.when_asked(verbs.settings("set", [ALICE], {"model": "haiku"}, BACK))
    assert text(fake_world) == shared


def test_a_file_that_was_edited_and_not_applied_is_not_overruled(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    newer = FLEET.replace("state: Running", "state: Stopped")
    fake_world.given_file("fleet.yaml", newer)
    with pytest.raises(CannotEdit, match="does not come from"):
        fake_world.when_asked(verbs.settings("set", [ALICE], {"state": "Stopped", "model": "x"}, BACK))
    assert text(fake_world) == newer


def test_a_crash_behind_the_edit_is_made_good_by_an_apply_of_the_file(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    with pytest.raises(Crashed):
        fake_world.when_asked(verbs.stop([ALICE], BACK), fault=Fault("stop/Instance:intent", "before", Kind.CRASH))
    assert "state: Stopped" in text(fake_world)
    assert fake_world.when_applied().told == ["stop Instance/alice StopDeclared"]
    assert fake_world.when_planned().in_sync


def test_nothing_is_written_for_a_plan_that_is_only_shown(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    for client in (True, False):
        said, found = preview(fake_world.flags, verbs.stop([ALICE], BACK), client=client)
        assert said.lines == ("Instance/alice: spec.state 'Running' -> 'Stopped', written to its file",)
        assert not found.plan.empty
    assert text(fake_world) == FLEET
