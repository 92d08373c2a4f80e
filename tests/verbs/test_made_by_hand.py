"""What is made by hand: its own apply set, exportable, and taken over by a declaration with nothing done live."""

import pytest

from reconciler.app import export, verbs
from reconciler.app.ask import Way
from reconciler.declare.dump import document, to_yaml
from reconciler.model.errors import DeclarationError, GuardRefused, UsageFault
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.world import World

CODER = document("Specialist", "coder", {"provider": "echo", "prompt": "You write code.\n"})
ALICE = document("Instance", "alice", {"specialistRef": "coder"}, {"team": "core"})
ALICE_REF, CODER_REF = Ref("Instance", "alice"), Ref("Specialist", "coder")


def made(world: World) -> None:
    world.initialised()
    report = world.when_asked(verbs.create([CODER, ALICE]))
    assert report.told == ["create Specialist/coder New", "create Instance/alice New"]
    assert report.settled


def test_it_runs_in_a_set_of_its_own(world: World) -> None:
    made(world)
    assert world.running == {"alice"}
    assert {row.apply_set for row in world.rows.values()} == {"imperative"}


def test_what_is_there_already_is_not_made_again(fake_world: FakeWorld) -> None:
    made(fake_world)
    with pytest.raises(UsageFault, match="is there already"):
        fake_world.when_asked(verbs.create([ALICE]))


def test_its_fields_are_changed_without_a_way_and_what_uses_it_follows(fake_world: FakeWorld) -> None:
    made(fake_world)
    changed = fake_world.when_asked(verbs.settings("set", [CODER_REF], {"model": "opus"}))
    assert changed.told == ["update Specialist/coder SpecChanged", "relaunch Instance/alice LaunchDigestChanged"]
    assert changed.settled
    assert fake_world.when_asked(verbs.stop([ALICE_REF])).told == ["stop Instance/alice StopDeclared"]
    assert fake_world.look().catalog.overrides() == ()


def test_what_follows_does_not_heal_what_only_drifted(fake_world: FakeWorld) -> None:
    made(fake_world)
    fake_world.kill_session_of("alice")
    labelled = fake_world.when_asked(verbs.notes("label", [CODER_REF], "labels", {"a": "b"}))
    assert labelled.told == ["update Specialist/coder MetadataChanged"]
    assert fake_world.running == set()


def test_a_bad_value_is_refused_with_its_path_and_nothing_changes(fake_world: FakeWorld) -> None:
    made(fake_world)
    revision = fake_world.look().catalog.revision()
    with pytest.raises(DeclarationError) as refused:
        fake_world.when_asked(verbs.settings("set", [ALICE_REF], {"state": "Sleeping"}))
    assert "spec.state" in refused.value.message
    with pytest.raises(DeclarationError, match="nowhere"):
        fake_world.when_asked(verbs.settings("set", [ALICE_REF], {"specialistRef": "nowhere"}))
    assert fake_world.look().catalog.revision() == revision


@pytest.mark.parametrize("on", ["fake", pytest.param("real", marks=pytest.mark.tmux)])
def test_its_export_applied_takes_it_over_with_nothing_done_live(request: pytest.FixtureRequest, on: str) -> None:
    world: World = request.getfixturevalue(f"{on}_world")
    made(world)
    before, uids = world.session_of("alice"), world.uids
    exported = export.export(world.flags, [])
    world.given(to_yaml(exported.documents))

    report = world.when_applied()

    assert report.told == ["update Specialist/coder TakenOver", "update Instance/alice TakenOver"]
    assert [write for write in report.watch.writes if write[0] != "catalog"] == []
    assert report.settled
    assert (world.session_of("alice"), world.uids) == (before, uids)
    assert {row.apply_set for row in world.rows.values()} == {"default"}
    assert world.when_planned().in_sync
    # From now on the manifest has the say.
    with pytest.raises(GuardRefused):
        world.when_asked(verbs.settings("set", [ALICE_REF], {"model": "opus"}))


def test_an_override_of_another_set_is_no_reason_to_take_it_over(fake_world: FakeWorld) -> None:
    made(fake_world)
    fake_world.given(to_yaml(export.export(fake_world.flags, []).documents))
    fake_world.when_applied(applyset="team")
    held = fake_world.when_asked(verbs.settings("set", [ALICE_REF], {"model": "opus"}, Way(override=True)))
    assert held.settled
    assert fake_world.rows["Instance/alice"].apply_set == "team"
    with pytest.raises(GuardRefused, match="another apply set"):
        fake_world.when_applied()


def test_an_apply_of_something_else_leaves_it_alone(fake_world: FakeWorld) -> None:
    made(fake_world)
    fake_world.given("kind: Specialist\nmetadata: {name: other}\nspec: {provider: echo, prompt: Hi.}\n")
    report = fake_world.when_applied(prune=True)
    assert report.told == ["create Specialist/other New"]
    assert fake_world.when_planned().notices == []
    assert fake_world.running == {"alice"}
