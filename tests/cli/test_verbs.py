"""The imperative verbs as a person types them, on a real server."""

import json
import sqlite3
from contextlib import closing

import pytest

from tests.cli.conftest import TEAM, Program

pytestmark = pytest.mark.tmux


def states(houmao: Program) -> dict[str, str]:
    found = houmao("get", "instances", "-o", "json").data["items"]
    return {item["metadata"]["name"]: item["status"]["state"] for item in found}


def test_stop_holds_against_apply_says_so_everywhere_and_release_ends_it(houmao: Program) -> None:
    houmao.given()
    ran = houmao("stop", "alice")
    assert ran.code == 0, ran
    assert ran.lines[0] == "Patch to desired state:"
    assert "override by" in ran.lines[1]
    assert houmao("stop", "alice").out.startswith("Patch to desired state")
    for words in (("plan", "-f", "team.yaml"), ("apply", "-f", "team.yaml"), ("describe", "instance/alice")):
        told = houmao(*words)
        assert told.code == 0, told
        assert "Held" in told.out
        assert "until" in told.out
    assert "held until" in houmao("get", "instances").out
    assert states(houmao) == {"alice": "stopped"}
    released = houmao("release", "alice")
    assert (released.code, states(houmao)) == (0, {"alice": "running"})
    assert houmao("plan", "-f", "team.yaml", "--detailed-exitcode").code == 0


def test_a_declared_field_is_refused_with_6_and_written_back_on_request(houmao: Program) -> None:
    houmao.given()
    refused = houmao("set", "specialist/coder", "model=opus")
    assert refused.code == 6
    for way in ("--write-back", "--override", "yourself"):
        assert way in refused.err
    ran = houmao("set", "specialist/coder", "model=opus", "--write-back")
    assert ran.code == 0, ran
    text = (houmao.work / "team.yaml").read_text()
    assert text == TEAM.replace("prompt: You write code.}", "prompt: You write code., model: opus}")
    assert houmao("plan", "-f", "team.yaml", "--detailed-exitcode").code == 0


def test_one_run_for_many_agents_and_a_plan_that_is_only_shown(houmao: Program) -> None:
    houmao.given(TEAM + TEAM.split("---\n")[1].replace("name: alice", "name: bob").join(("---\n", "")))
    shown = houmao("stop", "-l", "team=core", "--dry-run=server", "-o", "json").data
    assert [action["ref"] for action in shown["actions"]] == ["Instance/alice", "Instance/bob"]
    assert shown["request"]["kind"] == "patch"
    assert states(houmao) == {"alice": "running", "bob": "running"}
    ran = houmao("relaunch", "alice", "bob", "--request-id", "deploy-1", "-o", "json")
    assert ran.code == 0, ran
    assert ran.data["request"]["kind"] == "action"
    assert len(ran.data["outcomes"]) == 2
    again = houmao("relaunch", "alice", "bob", "--request-id", "deploy-1")
    assert "was done already" in again.out
    assert houmao("verify", "alice", "bob").code == 0
    houmao.tmux("kill-server")
    verified = houmao("verify", "-l", "team=core", "-o", "json")
    assert (verified.code, {one["result"] for one in verified.data["items"]}) == (1, {"differs"})


def test_made_by_hand_exported_and_declared(houmao: Program) -> None:
    text = houmao("create", "instance", "bob", "specialistRef=coder", "--dry-run=client", "-o", "yaml").out
    assert text == (
        "apiVersion: houmao/v1alpha1\nkind: Instance\nmetadata:\n  name: bob\nspec:\n  specialistRef: coder\n"
    )
    assert houmao("create", "specialist", "coder", "provider=echo", "prompt=You write.").code == 0
    assert houmao("create", "instance", "bob", "specialistRef=coder", "--label", "team=core").code == 0
    assert houmao("create", "instance", "bob", "specialistRef=coder").code == 64
    assert houmao("set", "instance/bob", "model=opus").code == 0
    houmao.write("out.yaml", houmao("export").out)
    before = json.loads(houmao("get", "instance/bob", "-o", "json").out)["status"]["pid"]
    assert houmao("apply", "-f", "out.yaml").code == 0
    assert json.loads(houmao("get", "instance/bob", "-o", "json").out)["status"]["pid"] == before
    assert houmao("plan", "-f", "out.yaml", "--detailed-exitcode").code == 0


def test_edit_opens_the_declaring_file(houmao: Program) -> None:
    houmao.given()
    editor = houmao.write("editor.sh", "#!/bin/sh\nsed -i 's/name: alice, labels/name: alice,   labels/' \"$1\"\n")
    editor.chmod(0o755)
    ran = houmao("edit", "instance/alice", env={"EDITOR": str(editor)})
    assert ran.code == 0, ran
    assert (houmao.work / "team.yaml").read_text() == TEAM.replace("alice, labels", "alice,   labels")
    assert houmao("edit", "instance/alice", env={"EDITOR": "false"}).code == 1
    assert houmao("edit", "instance/alice", env={"EDITOR": "true"}).out.endswith("nothing was edited.\n")


def test_a_session_is_adopted_by_its_name_on_the_command_line(houmao: Program) -> None:
    houmao.given(TEAM.split("---\n")[0])
    houmao.tmux("new-session", "-d", "-s", "work", "sleep", "1000")
    generated = houmao("import", "--generate")
    assert generated.code == 0, generated
    assert "houmao/adopt: IfUnowned" in generated.out
    assert houmao("adopt", "alice", "--session", "nowhere", "--specialist", "coder").code == 1
    ran = houmao("adopt", "alice", "--session", "work", "--specialist", "coder")
    assert ran.code == 0, ran
    assert states(houmao) == {"alice": "running"}
    assert houmao("import", "--generate").out == ""


def test_the_gate_of_nothing_to_do_sees_what_is_held_and_that_its_time_is_over(houmao: Program) -> None:
    houmao.given()
    assert houmao("apply", "-f", "team.yaml").out.startswith("No changes.")
    assert houmao("stop", "alice", "--override=1h").code == 0
    assert "Held" in houmao("apply", "-f", "team.yaml").out
    with closing(sqlite3.connect(houmao.work / ".houmao" / "catalog.sqlite")) as catalog, catalog:
        catalog.execute("UPDATE field_owner SET expires_at = '2020-01-01T00:00:00Z' WHERE expires_at IS NOT NULL")
    assert "OverrideExpired" in houmao("apply", "-f", "team.yaml").out
    assert states(houmao) == {"alice": "running"}
    assert houmao("apply", "-f", "team.yaml").out.startswith("No changes.")
