"""`houmao history rollback`: a revision is declared again, through the plan, with its bytes, or refused by name."""

import shutil

import pytest

from reconciler.app import rollback as use_case
from reconciler.app.request import PlanFlags, RunFlags
from reconciler.app.rollback import CannotRestore
from reconciler.model.action import Verb
from reconciler.model.errors import GuardRefused
from reconciler.model.outcome import Report
from reconciler.ports.wakers import Waker, Woken
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.wakers import Script
from reconciler.testing.world import World
from tests.history.conftest import Houmao
from tests.stories.fleets import ALICE, ALICE_BOB_CAROL, PROMPT, TEXT, instance
from tests.watch.conftest import Story


def back(world: World, which: str | None = None, **flags: object) -> Report:
    return use_case.rollback(
        world.flags,
        which,
        PlanFlags(**flags),  # type: ignore[arg-type]
        RunFlags(yes=True, command="history rollback"),
        confirm=lambda plan: True,
        shown=lambda plan: None,
        emit=lambda kind, fields: None,
    )


def done(report: Report) -> list[str]:
    return [f"{each.action.verb} {each.action.ref} {each.result.value}" for each in report.outcomes]


def prompt_in(world: World, role: str = "coder") -> str:
    return (world.overlay / "content" / "prompts" / f"{role}.md").read_text()


def test_the_prompt_of_then_is_back_and_its_agents_run_with_it(world: World) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(ALICE)
    world.when_applied()
    uid = world.uids["Instance/alice"]
    world.given_file(PROMPT, "Worse.\n")
    world.when_applied()
    assert prompt_in(world) == "Worse.\n"

    report = back(world)

    assert done(report) == ["update Specialist/coder settled", "relaunch Instance/alice settled"]
    assert (report.revision, report.remaining) == (3, ())
    assert prompt_in(world) == TEXT
    assert world.uids["Instance/alice"] == uid
    assert world.running == {"alice"}
    assert done(back(world, "1")) == []


def test_it_is_the_next_revision_of_the_same_bundle_and_the_files_still_say_otherwise(
    fake_world: World, houmao: Houmao
) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    fake_world.given_file(PROMPT, "Worse.\n")
    fake_world.when_applied()

    shown = houmao("history", "rollback", "--dry-run=server", "-o", "json").data
    ran = houmao("history", "rollback", "--yes", "-o", "json")
    newest, _, first = houmao("history", "-o", "json").data["items"]

    assert [each["ref"] for each in shown["actions"]] == ["Specialist/coder", "Instance/alice"]
    assert (ran.code, ran.data["revision"]) == (0, 3)
    assert (newest["command"], newest["bundleDigest"]) == ("history rollback", first["bundleDigest"])
    again = fake_world.when_planned()
    assert [action.verb for action in again.plan.actions] == [Verb.UPDATE, Verb.RELAUNCH]
    assert fake_world.when_applied().settled
    assert prompt_in(fake_world) == "Worse.\n"


def test_what_was_removed_comes_back_whole_and_what_was_added_stays_unless_pruned(fake_world: World) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE_BOB_CAROL)
    fake_world.when_applied()
    fake_world.given(ALICE + instance("dave", labels="team: core"))
    fake_world.when_applied(prune=True, prune_limit=9)
    assert fake_world.running == {"alice", "dave"}
    assert not (fake_world.overlay / "content" / "prompts" / "tester.md").exists()

    report = back(fake_world)

    assert sorted(done(report)) == [
        "create Instance/bob settled",
        "create Instance/carol settled",
        "create Specialist/tester settled",
    ]
    assert prompt_in(fake_world, "tester") == "You test code."
    assert fake_world.running == {"alice", "bob", "carol", "dave"}
    assert done(back(fake_world, "1", prune=True)) == ["remove Instance/dave settled"]


def test_the_guards_of_an_apply_hold(fake_world: World) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    fake_world.given(ALICE + "".join(instance(f"more{number}") for number in range(6)))
    fake_world.when_applied()

    with pytest.raises(GuardRefused, match="6 of") as refused:
        back(fake_world, prune=True)

    assert refused.value.code == "guard.prune_limit"
    assert len(fake_world.running) == 7


def test_what_is_gone_is_named_and_nothing_is_done(fake_world: World, houmao: Houmao) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    fake_world.given_file(PROMPT, "Worse.\n")
    fake_world.when_applied()
    shutil.rmtree(fake_world.overlay / "content" / "kept")
    before = fake_world.rows

    with pytest.raises(CannotRestore, match="promptFile of Role/coder"):
        back(fake_world)

    assert fake_world.rows == before
    assert houmao("history", "rollback", "9").code == 1
    refused = houmao("history", "rollback", "--applyset", "nobody's")
    assert "no earlier good revision" in refused.err


def test_a_kept_payload_that_somebody_edited_is_not_brought_back(fake_world: World) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    fake_world.given_file(PROMPT, "Worse.\n")
    fake_world.when_applied()
    (kept,) = (fake_world.overlay / "content" / "kept").iterdir()
    kept.chmod(0o600)
    kept.write_text("Do as I say.\n")
    before = fake_world.rows

    with pytest.raises(CannotRestore, match="promptFile of Role/coder"):
        back(fake_world)

    assert fake_world.rows == before


def test_labels_go_back_and_an_override_stays_held(fake_world: World) -> None:
    from reconciler.app import verbs
    from reconciler.app.ask import Way
    from reconciler.model.ref import Ref

    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    fake_world.given(ALICE.replace("labels: {}", "labels: {team: core}"))
    fake_world.when_applied()
    assert fake_world.rows["Instance/alice"].labels == {"team": "core"}
    fake_world.when_asked(verbs.stop([Ref("Instance", "alice")], Way(ttl_s=3600)))

    report = back(fake_world, "1", applyset="default")

    assert report.exit_code == 0
    assert fake_world.rows["Instance/alice"].labels == {}
    assert fake_world.running == set()


def test_a_revision_that_declared_no_set_is_no_place_to_go(fake_world: World, houmao: Houmao) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    fake_world.when_deleted("instance/alice", command="delete")

    refused = houmao("history", "rollback", "2")

    assert refused.code == 64
    assert "it was `houmao delete`" in refused.err


def test_a_failed_revision_is_not_what_is_gone_back_to_by_itself(fake_world: World) -> None:
    from reconciler.testing.faults import Fault, Kind

    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    for number in (2, 3):
        fake_world.given_file(PROMPT, f"Worse {number}.\n")
        fault = Fault("update/Specialist:write-content", "before", Kind.ERROR) if number == 2 else None
        fake_world.when_applied(fault=fault)

    back(fake_world)

    assert prompt_in(fake_world) == TEXT


def test_a_watch_keeps_what_was_gone_back_to_until_its_source_says_something_else(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    story.told(5)
    fake_world.given_file(PROMPT, "Worse.\n")
    story.script = Script(fake_world.clock)
    story.told(10)
    assert prompt_in(fake_world) == "Worse.\n"
    back(fake_world)

    story.script = Script(fake_world.clock)
    story.script.at(20, lambda: fake_world.kill_process_of("alice"), Woken(Waker.PROCESS))
    told = story.told(60)

    assert told.done == ["relaunch Instance/alice"]
    assert prompt_in(fake_world) == "You write code.\n"
    assert fake_world.running == {"alice", "bob"}

    fake_world.given_file(PROMPT, "Best.\n")
    story.script = Script(fake_world.clock)
    told = story.told(60)
    assert prompt_in(fake_world) == "Best.\n"
    assert "update Specialist/coder" in told.done


def test_a_rollback_that_has_nothing_to_do_keeps_a_watch_from_what_was_interrupted(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    fake_world.when_applied()
    fake_world.given_file(PROMPT, "Worse.\n")
    assert fake_world.when_applied(stopping=lambda: 15).report.interrupted == 15

    report = back(fake_world)

    assert (done(report), report.revision, report.exit_code) == ([], 3, 0)
    assert story.told(60).done == []
    assert prompt_in(fake_world) == "You write code.\n"
    assert back(fake_world, "1").revision is None, "it is what stands already"


def test_what_is_skipped_is_what_the_source_says_also_after_a_second_rollback(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    fake_world.when_applied()
    for text in ("Worse.\n", "Worst.\n"):
        fake_world.given_file(PROMPT, text)
        fake_world.when_applied()
    back(fake_world, "2")
    assert prompt_in(fake_world) == "Worse.\n"
    back(fake_world, "1")

    assert story.told(60).done == []
    assert prompt_in(fake_world) == "You write code.\n"

    # Once a watch saw the source say something else, what was skipped is so no more.
    for text in ("Best.\n", "Worst.\n"):
        fake_world.given_file(PROMPT, text)
        story.script = Script(fake_world.clock)
        story.told(60)
        assert prompt_in(fake_world) == text
