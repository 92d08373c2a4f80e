"""`drift`, `suspend`, `resume`, `retry` and `reconcile` on the fake twin."""

import json
from pathlib import Path

import pytest

from reconciler.app import drift as drifting
from reconciler.app import reconciling, retrying, suspension
from reconciler.model.errors import UsageFault
from reconciler.model.ref import Ref
from reconciler.ports.wakers import Waker, Woken
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.real_world import until
from tests.fleets import FLEET
from tests.watch.conftest import Story
from tests.watch.test_lending import Led, led

__all__ = ["led"]
ALICE, BOB = Ref("Instance", "alice"), Ref("Instance", "bob")


# --- suspend and resume -----------------------------------------------------------------------------------------------


def test_what_is_suspended_is_left_alone_until_it_is_resumed(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    fake_world.when_applied()
    suspension.suspend(fake_world.flags, ("alice",), why="debugging")
    for name in ("alice", "bob"):
        fake_world.kill_session_of(name)
    told = story.told(300)
    assert told.done == ["create Instance/bob"]
    waits = told.of("wait")
    assert [(each["ref"], each["code"]) for each in waits] == [("Instance/alice", "Suspended")]
    assert "debugging" in str(waits[0]["text"])
    assert "`houmao resume instance/alice`" in str(waits[0]["text"])
    assert suspension.resume(fake_world.flags, ("alice",)).changed == ("Instance/alice",)
    assert Story(fake_world).told(1).done == ["create Instance/alice"]


def test_a_suspended_set_is_only_looked_at(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    fake_world.when_applied()
    suspension.suspend(fake_world.flags, (), apply_set="default")
    fake_world.kill_session_of("alice")
    fake_world.given_file("prompts/coder.md", "Another prompt.\n")
    told = story.told(300)
    assert told.done == []
    assert {each["code"] for each in told.of("wait")} == {"Suspended"}
    # It rules what a watch does unasked; whoever asks gets it.
    assert fake_world.when_applied().settled
    assert fake_world.running == {"alice", "bob"}
    suspension.resume(fake_world.flags, (), apply_set="default")
    assert suspension.listed(fake_world.flags).to_json() == {"sets": [], "resources": []}


def test_members_of_a_suspended_set_of_instances_are_suspended_with_it(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    crew = "\n---\nkind: InstanceSet\nmetadata: {name: crew}\nspec: {replicas: 2, template: {specialistRef: coder}}"
    fake_world.given(FLEET + crew)
    fake_world.when_applied()
    members = sorted(fake_world.running - {"alice", "bob"})
    assert len(members) == 2
    suspension.suspend(fake_world.flags, ("instanceset/crew",))
    fake_world.kill_session_of(members[0])
    fake_world.given((FLEET + crew).replace("replicas: 2", "replicas: 3"))
    told = story.told(100)
    assert told.done == []
    assert {each["code"] for each in told.of("wait")} <= {"Suspended", "Dependency"}


def test_suspending_says_what_is_suspended_and_refuses_what_is_not_there(fake_world: FakeWorld) -> None:
    Story(fake_world)
    fake_world.when_applied()
    found = suspension.suspend(fake_world.flags, ("alice", "bob"), why="a look")
    assert found.changed == ("Instance/alice", "Instance/bob")
    assert [each["ref"] for each in found.to_json()["resources"]] == ["Instance/alice", "Instance/bob"]  # type: ignore[index,union-attr,call-overload]
    with pytest.raises(Exception, match="alicf is not recorded"):
        suspension.suspend(fake_world.flags, ("alicf",))
    with pytest.raises(UsageFault):
        suspension.resume(fake_world.flags, ())
    # What is gone can still be resumed.
    fake_world.when_deleted("instance/bob")
    assert suspension.resume(fake_world.flags, ("instance/bob",)).changed == ("Instance/bob",)


# --- retry ------------------------------------------------------------------------------------------------------------


def test_a_retry_forgets_what_failed_and_the_next_look_tries_at_once(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    fake_world.unkillable.add("alice")
    fake_world.when_applied()
    fake_world.given_file("prompts/coder.md", "Another prompt.\n")
    told = story.told(2000)
    failed = [each for each in told.of("action_end") if each["outcome"] == "failed"]
    assert failed
    found = retrying.retry(fake_world.flags, ())
    assert [(item.ref, item.attempt.tries) for item in found.items] == [(ALICE, len(failed))]
    assert not found.watched
    assert fake_world.look().catalog.attempts() == {}
    fake_world.unkillable.clear()
    assert retrying.retry(fake_world.flags, ("alice",)).items == ()


def test_a_retry_ends_a_truce_in_a_fight(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    for at in range(10, 70, 10):
        story.script.at(
            at,
            lambda: fake_world.remove_record_of("alice") if fake_world.record_of("alice").exists() else None,
            Woken(Waker.REGISTRY),
        )
    assert [each["code"] for each in story.told(90).of("drift")] == ["DriftFight"]
    retrying.retry(fake_world.flags, ("alice",))
    script = Story(fake_world)
    assert "update Instance/alice" in script.told(1).done


# --- reconcile --------------------------------------------------------------------------------------------------------


def test_a_look_can_be_asked_for_and_its_report_is_that_of_an_apply(led: Led) -> None:
    led.start()
    told: list[str] = []
    # Nothing wakes it: the twin's sessions are followed by nobody here.
    led.world.kill_session_of("alice")
    found = reconciling.reconcile(
        led.world.flags, 30.0, emit=lambda kind, fields: told.append(f"{kind} {fields.get('ref', '')}")
    )
    assert found.exit_code == 0
    assert found.report is not None
    assert found.report["summary"] == {"settled": 1}
    assert "action_end Instance/alice" in told
    assert led.world.running == {"alice", "bob"}
    again = reconciling.reconcile(led.world.flags, 30.0, emit=lambda kind, fields: None)
    assert again.report is not None
    assert again.report["outcomes"] == []


def test_a_look_at_a_broken_source_says_what_is_wrong_with_it(led: Led) -> None:
    led.start()
    led.world.given("kind: Instance\nmetadata: {name: alice\n")
    until(lambda: led.of("source", "problems"), "the watch did not notice")
    found = reconciling.reconcile(led.world.flags, 30.0, emit=lambda kind, fields: None)
    assert found.exit_code == 1
    assert found.error is not None
    assert str(found.error["code"]).startswith("declare.")


def test_without_a_watch_nobody_can_be_asked(fake_world: FakeWorld) -> None:
    Story(fake_world)
    fake_world.when_applied()
    with pytest.raises(reconciling.NoWatch, match="no watch leads"):
        reconciling.reconcile(fake_world.flags, 1.0, emit=lambda kind, fields: None)


def test_verbs_that_note_something_get_their_turn_and_the_watch_acts_on_it_at_once(led: Led) -> None:
    led.start()
    suspension.suspend(led.world.flags, ("alice",))
    led.world.kill_session_of("alice")
    found = reconciling.reconcile(led.world.flags, 30.0, emit=lambda kind, fields: None)
    assert found.report is not None
    assert led.world.running == {"bob"}
    suspension.resume(led.world.flags, ("alice",))
    until(lambda: led.world.running == {"alice", "bob"}, "resumed, it was not put right at once")
    assert retrying.retry(led.world.flags, ()).watched


# --- drift ------------------------------------------------------------------------------------------------------------


def codes(world: FakeWorld, *words: str, baseline: str | None = None) -> list[str]:
    found = drifting.drift(world.flags, words, baseline=baseline)
    return [f"{item.subject} {item.code}" for item in found.new]


def test_drift_names_what_is_not_as_it_was_applied_and_writes_nothing(fake_world: FakeWorld) -> None:
    Story(fake_world)
    assert drifting.drift(fake_world.flags, ()).exit_code == 0, "there is no overlay yet"
    fake_world.when_applied()
    assert codes(fake_world) == []
    fake_world.kill_session_of("alice")
    fake_world.remove_record_of("bob")
    prompt = next(fake_world.overlay.joinpath("content", "prompts").iterdir())
    before = fake_world.bytes()
    assert codes(fake_world) == ["Instance/alice SessionMissing", "Instance/bob RecordMissing"]
    assert codes(fake_world, "bob") == ["Instance/bob RecordMissing"]
    assert drifting.drift(fake_world.flags, ()).exit_code == 2
    assert fake_world.bytes() == before
    assert fake_world.when_applied().settled
    prompt.write_text("Edited behind its back.\n")
    assert "overlay content.edited" in codes(fake_world)


def test_known_drift_alarms_no_more_and_new_drift_of_the_same_agent_does(fake_world: FakeWorld) -> None:
    Story(fake_world)
    fake_world.when_applied()
    fake_world.remove_record_of("bob")
    found = drifting.drift(fake_world.flags, ())
    known = fake_world.root / "known.json"
    known.write_text(json.dumps(found.to_json()))
    accepted = drifting.drift(fake_world.flags, (), baseline=str(known))
    assert accepted.exit_code == 0
    assert accepted.to_json()["accepted"] == 1
    fake_world.kill_session_of("bob")
    assert codes(fake_world, baseline=str(known)) == ["Instance/bob SessionMissing"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"items": [{}]}'])
def test_a_file_that_is_no_baseline_is_refused(fake_world: FakeWorld, tmp_path: Path, text: str) -> None:
    path = tmp_path / "known.json"
    path.write_text(text)
    with pytest.raises(UsageFault, match="no baseline"):
        drifting.drift(fake_world.flags, (), baseline=str(path))
