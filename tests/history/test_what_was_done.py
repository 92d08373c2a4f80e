"""`houmao history`: every run with who, when, why and what; nothing that is not there."""

from reconciler.model.action import Verb
from reconciler.testing.faults import Fault, Kind
from reconciler.testing.world import World
from tests.history.conftest import Houmao
from tests.stories.fleets import ALICE, ALICE_BOB_CAROL, CODER, PROMPT, TEXT, instance


def test_each_run_is_a_revision_and_an_empty_one_is_none(fake_world: World, houmao: Houmao) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    fake_world.when_applied()
    fake_world.given_file(PROMPT, "You write good code.\n")
    fake_world.when_applied()

    found = houmao("history", "-o", "json").data["items"]

    assert [(each["revision"], each["applySet"], each["command"]) for each in found] == [
        (2, "default", "apply"),
        (1, "default", "apply"),
    ]
    newest, first = found
    assert newest["actor"] == "tester"
    assert newest["started"] <= newest["ended"]
    assert newest["run"].startswith("r-")
    assert [(each["ref"], each["verb"], each["outcome"]) for each in first["actions"]] == [
        ("Specialist/coder", "create", "settled"),
        ("Instance/alice", "create", "settled"),
    ]
    why = {each["ref"]: [reason["text"] for reason in each["reasons"]] for each in newest["actions"]}
    assert why["Instance/alice"] == ["Specialist/coder spec.promptFile#content changed"]


def test_the_table_says_it_in_a_line_each(fake_world: World, houmao: Houmao) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE_BOB_CAROL)
    fake_world.when_applied()

    told = houmao("history")

    assert told.code == 0
    header, row = told.out.splitlines()
    assert header.split() == ["REVISION", "SET", "WHEN", "WHO", "COMMAND", "SOURCE", "OUTCOME", "WHAT"]
    assert row.split() == ["1", "default", "0s", "tester", "apply", "-", "settled", "5", "create"]


def test_of_one_resource_only_what_was_done_to_it(fake_world: World, houmao: Houmao) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    fake_world.given(ALICE + instance("bob"))
    fake_world.when_applied()
    fake_world.kill_session_of("alice")
    fake_world.when_applied()

    found = houmao("history", "instance", "alice", "-o", "json").data["items"]
    told = houmao("history", "instance/bob")

    assert [(each["revision"], [action["ref"] for action in each["actions"]]) for each in found] == [
        (3, ["Instance/alice"]),
        (1, ["Instance/alice"]),
    ]
    assert "create (declared, not running yet" in told.out.splitlines()[1]
    assert len(told.out.splitlines()) == 2


def test_what_failed_and_what_never_began_is_told_with_its_reason(fake_world: World, houmao: Houmao) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied(fault=Fault("create/Specialist:write-content", "before", Kind.ERROR))

    (run,) = houmao("history", "-o", "json").data["items"]
    shown = houmao("history", "show", "1")

    assert run["outcome"] == "failed"
    failed = [each for each in run["actions"] if each["outcome"] != "settled"]
    assert [(each["ref"], each["outcome"]) for each in failed] == [
        ("Specialist/coder", "failed"),
        ("Instance/alice", "skipped"),
    ]
    assert failed[1]["reason"] == "DependencyFailed(Specialist/coder)"
    assert failed[0]["error"]["code"] in shown.out
    assert failed[1]["reason"] in shown.out


def test_two_sets_count_for_themselves_and_a_number_of_both_needs_the_set(fake_world: World, houmao: Houmao) -> None:
    fake_world.given(instance("alice", "specialistRef: coder").removeprefix("---\n") + "---" + CODER_TEXT)
    fake_world.when_applied(applyset="one")
    fake_world.given(
        instance("bob", "specialistRef: tester").removeprefix("---\n") + "---" + CODER_TEXT.replace("coder", "tester")
    )
    fake_world.when_applied(applyset="two")

    found = houmao("history", "-o", "json").data["items"]
    ambiguous = houmao("history", "show", "1")
    clear = houmao("history", "show", "1", "--applyset", "two", "-o", "json")
    by_run = houmao("history", "show", found[1]["run"], "-o", "json")

    assert [(each["applySet"], each["revision"]) for each in found] == [("two", 1), ("one", 1)]
    assert ambiguous.code == 64
    assert "--applyset" in ambiguous.err
    assert clear.data["applySet"] == "two"
    assert by_run.data["applySet"] == "one"
    assert houmao("history", "--applyset", "one", "-o", "name").out == f"{found[1]['run']}\n"


def test_a_verb_and_a_deletion_are_told_and_declare_no_set(fake_world: World, houmao: Houmao) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    fake_world.when_deleted("instance/alice", command="delete")

    newest = houmao("history", "-o", "json").data["items"][0]
    shown = houmao("history", "show", "2").out

    assert (newest["command"], newest["restorable"]) == ("delete", False)
    assert [(each["ref"], each["verb"]) for each in newest["actions"]] == [("Instance/alice", Verb.REMOVE.value)]
    assert "It declared no set" in shown


def test_show_says_field_by_field_what_was_declared_differently(fake_world: World, houmao: Houmao) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE + instance("bob"))
    fake_world.when_applied()
    fake_world.given_file(PROMPT, "Better.\n")
    fake_world.given(
        CODER + instance("alice", "specialistRef: coder, workdir: /tmp", labels="team: core") + instance("carol")
    )
    fake_world.when_applied(prune=True)

    found = houmao("history", "show", "2", "-o", "json").data
    text = houmao("history", "show", "2").out

    changes = {each["ref"]: each for each in found["changes"]}
    assert found["since"] == 1
    assert changes["Instance/bob"]["change"] == "removed"
    assert changes["Instance/carol"]["change"] == "added"
    assert {"path": "spec.workdir", "before": None, "after": "/tmp"} in changes["Instance/alice"]["fields"]
    assert changes["Instance/alice"]["metadata"] == ["metadata.labels.team"]
    assert [each["path"] for each in changes["Specialist/coder"]["fields"]] == ["spec.promptFile#content"]
    for line in ("+ Instance/carol", "- Instance/bob", "spec.workdir: (none) -> /tmp", "its bytes changed"):
        assert line in text


def test_an_override_is_no_part_of_what_was_declared(fake_world: World, houmao: Houmao) -> None:
    from reconciler.app import verbs
    from reconciler.app.ask import Way
    from reconciler.model.ref import Ref

    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    fake_world.when_asked(verbs.stop([Ref("Instance", "alice")], Way(ttl_s=3600)))
    fake_world.given(ALICE + instance("bob"))
    fake_world.when_applied()

    found = houmao("history", "show", "2", "--applyset", "default", "-o", "json").data

    assert [(each["ref"], each["change"]) for each in found["changes"]] == [("Instance/bob", "added")]


def test_what_is_not_there_is_said_and_nothing_is_created(fake_world: World, houmao: Houmao) -> None:
    empty = houmao("history")
    assert (empty.code, empty.out) == (0, "")
    assert "no overlay yet" in empty.err
    assert houmao("history", "-o", "json").data["items"] == []
    missing = houmao("history", "show", "7")
    assert missing.code == 1
    assert "history.not_found" in missing.err
    assert houmao("history", "instances").code == 64
    assert not fake_world.overlay.exists()


CODER_TEXT = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, prompt: You write code.}
"""
