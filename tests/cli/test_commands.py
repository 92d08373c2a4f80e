"""Every command on a real team in real tmux: what it prints, what it ends with."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import TEAM, Program

pytestmark = pytest.mark.tmux
TABLE = ["NAME", "PROVIDER", "STATE", "SYNCED", "READY", "HEALTH", "AGE", "SESSION"]


def test_get_lists_agents_as_columns(running: Program) -> None:
    ran = running("get", "instances")
    header, row = ran.lines
    assert header.split() == TABLE
    assert row.split()[:6] == ["alice", "echo", "Running", "True", "True", "healthy"]
    assert row.split()[7].startswith("HOUMAO-alice-")
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("word", ["instances", "instance", "Instance", "inst", "i", "INSTANCES"])
def test_a_kind_has_many_spellings(running: Program, word: str) -> None:
    assert running("get", word, "-o", "name").lines == ["instance/alice"]


def test_get_all_has_a_table_per_kind(running: Program) -> None:
    ran = running("get", "all")
    assert [line for line in ran.lines if line and " " not in line] == ["Instance", "Recipe", "Role", "Specialist"]


def test_get_several_kinds_and_single_resources(running: Program) -> None:
    assert running("get", "roles,specialists", "-o", "name").lines == ["role/coder", "specialist/coder"]
    assert running("get", "instance/alice", "sp/coder", "-o", "name").lines == ["instance/alice", "specialist/coder"]


def test_get_chooses_by_label(running: Program) -> None:
    assert running("get", "all", "-l", "team=core", "-o", "name").lines == ["instance/alice", "specialist/coder"]
    assert running("get", "instances", "-l", "team!=core", "-o", "name").lines == []


def test_get_json_is_one_object_for_one_resource_and_a_list_for_more(running: Program) -> None:
    one = running("get", "inst", "alice", "-o", "json").data
    assert (one["kind"], one["metadata"]["name"], one["spec"]["specialistRef"]) == ("Instance", "alice", "coder")
    assert one["status"]["phase"] == "Current"
    assert {c["type"]: c["status"] for c in one["status"]["conditions"]} == {
        "Accepted": "True",
        "Resolved": "True",
        "Observed": "True",
        "Synced": "True",
        "Ready": "True",
        "Progressing": "False",
        "Degraded": "False",
        "Drifted": "False",
        "Held": "False",
    }
    many = running("--print-json", "get", "instances").data
    assert many["kind"] == "List"
    assert many["items"][0]["metadata"]["uid"] == one["metadata"]["uid"]


def test_get_with_templates(running: Program) -> None:
    assert running("get", "inst", "-o", "jsonpath={.items[*].metadata.name}").out == "alice\n"
    ran = running("get", "inst", "-o", "custom-columns=NAME:.metadata.name,HEALTH:.status.health")
    assert ran.out == "NAME    HEALTH\nalice   healthy\n"


def test_get_names_what_is_not_there(running: Program) -> None:
    ran = running("get", "instance", "alise", "-o", "json")
    assert ran.code == 1
    assert ran.data["error"]["code"] == "resource.not_found"
    assert ran.data["error"]["hint"] == "did you mean instance/alice?"


def test_foreign_sessions_are_listed_apart(running: Program) -> None:
    running.tmux("new-session", "-d", "-s", "mine", "sleep 100")
    ran = running("get", "--unmanaged")
    assert [line.split()[0] for line in ran.lines] == ["SESSION", "mine"]
    running.tmux("kill-session", "-t", "=mine")


def test_describe_fits_one_screen_and_shows_the_terminal(running: Program) -> None:
    ran = running("describe", "instance", "alice")
    assert ran.lines[0] == "Instance/alice  Current  healthy (Running)"
    assert "  specialistRef: coder" in ran.lines
    assert "  Needs:          Specialist/coder" in ran.lines
    assert any(line.startswith("  | echo>") for line in ran.lines)
    assert len(ran.lines) <= 23, "a small terminal holds it, and the next prompt"
    full = running("describe", "instance", "alice", "--full").lines
    assert [line.split()[0] for line in full[full.index("Parts") + 1 :][:4]] == [
        "session:", "process:", "record:", "home:",
    ]  # fmt: skip
    assert {"Accepted", "Progressing", "Held"} <= {line.split()[0] for line in full if line}
    assert any(line.startswith("  Home:") and "/.houmao/" in line and line.split()[1][0] == "/" for line in full)
    assert running("describe", "inst/alice", "-o", "json").data["diagnosis"]["chain"] == []


def test_logs_prints_the_terminal(running: Program) -> None:
    assert "echo>" in running("logs", "alice").lines
    assert running("logs", "instance/alice", "--lines=0").code == 0
    ran = running("logs", "specialist/coder")
    assert (ran.code, "has no terminal" in ran.err) == (64, True)


def test_attach_wants_a_terminal(running: Program) -> None:
    ran = running("attach", "alice", stdin="")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error[attach.no_terminal]")


def test_wait_ends_when_it_holds_and_with_3_when_not(running: Program) -> None:
    assert running("wait", "instance/alice", "--for=condition=Ready").out == "Instance/alice: Ready=True\n"
    assert running("wait", "inst", "-l", "team=core", "--for=jsonpath={.status.health}=healthy").code == 0
    ran = running("wait", "instance/alice", "--for=delete", "--timeout=0", "-o", "json")
    assert (ran.code, ran.data["error"]["code"]) == (3, "wait.timeout")
    assert running("wait", "instance/bob", "--for=condition=Ready").code == 1


def test_export_applied_again_plans_nothing(running: Program, tmp_path: Path) -> None:
    text = running("export").out
    assert "kind: Specialist" in text
    assert "kind: Role" not in text
    running.write("again/fleet.yaml", text)
    assert running("plan", "-f", "again/fleet.yaml", "--detailed-exitcode").code == 0
    ran = running("export", "--to", str(tmp_path / "out"))
    assert ran.lines == [str(tmp_path / "out" / "fleet.yaml")]
    assert running("plan", "-f", str(tmp_path / "out"), "--detailed-exitcode").code == 0
    again = running("export", "--to", str(tmp_path / "out"))
    assert (again.code, "is there already" in again.err) == (64, True)


def test_doctor_finds_nothing_on_a_healthy_team(running: Program) -> None:
    ran = running("doctor")
    assert (ran.code, ran.lines[-1]) == (0, "Everything is in order.")
    assert running("doctor", "-o", "json").data["healthy"] is True


def test_lock_status_names_the_last_writer(running: Program) -> None:
    found = running("lock", "status", "-o", "json").data
    assert found["held"] is False
    assert found["lease"]["alive"] is False
    assert "nobody holds the lock" in running("lock", "status").out


def test_plan_and_diff_of_what_is_applied(running: Program) -> None:
    assert running("plan", "-f", "team.yaml").out == "No changes. 2 resources are as declared.\n"
    full = running("plan", "-f", "team.yaml", env={"HOUMAO_NO_GATE": "1"})
    assert full.out == "No changes. 2 resources are as declared.\n"
    same = running("diff", "-f", "team.yaml")
    assert (same.code, same.out) == (0, "")


def test_an_edit_shows_in_plan_and_diff_and_changes_nothing(running: Program) -> None:
    running.write("edited/team.yaml", TEAM.replace("You write code", "You write tests"))
    ran = running("plan", "-f", "edited", "--detailed-exitcode")
    assert ran.code == 2
    assert "  ~ update    Specialist/coder" in ran.lines
    assert "  ! relaunch  Instance/alice  [restarts]" in ran.lines
    assert any(line.endswith("Specialist/coder.spec.prompt#content  edited/team.yaml:4:24") for line in ran.lines)
    differs = running("diff", "-f", "edited", "-o", "json")
    assert differs.code == 1
    assert [item["ref"] for item in differs.data["differences"]] == ["Specialist/coder", "Instance/alice"]
    client = running("apply", "-f", "edited", "--dry-run")
    assert client.lines[-1] == "Compared with what was last applied; nothing was observed."
    assert running("plan", "-f", "team.yaml", "--detailed-exitcode").code == 0


def test_apply_tells_its_events_and_its_report(houmao: Program) -> None:
    houmao.write("team.yaml", TEAM)
    ran = houmao("apply", "-f", "team.yaml", "-o", "json", "--events=events.jsonl")
    assert ran.code == 0, ran.err
    assert ran.data["summary"] == {"settled": 2}
    assert "create    Instance/alice" in ran.err
    events = [json.loads(line) for line in (houmao.work / "events.jsonl").read_text().splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert {event["v"] for event in events} == {1}
    ends = [(e["ref"], e["outcome"]) for e in events if e["type"] == "action_end"]
    assert ends == [("Specialist/coder", "settled"), ("Instance/alice", "settled")]
    assert (events[-1]["type"], events[-1]["exit_code"]) == ("summary", 0)


def test_a_killed_session_is_explained(houmao: Program) -> None:
    houmao.given()
    houmao.tmux("kill-server")
    ran = houmao("describe", "instance/alice")
    assert ran.lines[0] == "Instance/alice  InProgress  stale (SessionMissing)"
    why = ran.lines.index("Why it is not converged")
    assert ran.lines[why + 1].startswith("  Instance/alice: Synced is False (SessionMissing)")
    row = houmao("get", "instances").lines[1].split()
    assert row[2:5] == ["Missing", "False", "False"]
    assert houmao("plan", "-f", "team.yaml", "--detailed-exitcode").code == 2
    assert houmao("apply", "-f", "team.yaml", "--wait").code == 0
    assert houmao("get", "instances").lines[1].split()[2:5] == ["Running", "True", "True"]


def test_delete_needs_yes_where_nobody_can_be_asked(houmao: Program) -> None:
    houmao.given()
    declared = houmao("delete", "instance", "alice", "--yes")
    assert (declared.code, "guard.declared" in declared.err, "team.yaml" in declared.err) == (6, True, True)
    refused = houmao("delete", "instance", "alice", "--override")
    assert (refused.code, "guard.not_confirmed" in refused.err) == (6, True)
    used = houmao("delete", "specialist/coder", "--yes", "-o", "json")
    assert (used.code, used.data["error"]["code"]) == (6, "guard.dependents")
    done = houmao("delete", "instance", "alice", "--yes", "--override")
    assert (done.code, "its home is kept at" in done.out) == (0, True)
    again = houmao("delete", "instance", "alice", "--yes")
    assert (again.code, again.lines[0]) == (0, "Nothing to delete.")


def test_follow_ends_with_the_agent(houmao: Program, wait_until: Callable[..., object]) -> None:
    houmao.given()
    following = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "logs", "-f", "alice"],
        cwd=houmao.work,
        env={**houmao.env, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert following.stdout is not None
    assert following.stdout.readline().startswith("echo-agent")
    houmao.tmux("kill-server")
    assert following.stderr is not None
    with following:
        assert "echo>" in following.stdout.read()
        assert following.stderr.read() == "Instance/alice has ended\n"
    assert following.returncode == 0


def test_on_a_terminal_there_is_colour_and_a_question(houmao: Program) -> None:
    """The question is asked only where a conversation would end, and anything but yes is no."""
    houmao.given()
    answer, text = _on_a_terminal(houmao, ["delete", "instance/alice", "--override"], b"no\n")
    assert answer == 6
    assert "\x1b[31m  - remove    Instance/alice\x1b[0m" in text
    assert "Go on? Only 'yes' does." in text
    answer, text = _on_a_terminal(houmao, ["get", "instances", "--no-color"], b"")
    assert (answer, "\x1b[3" in text) == (0, False)
    answer, _ = _on_a_terminal(houmao, ["delete", "instance/alice", "--override"], b"yes\n")
    assert answer == 0
    assert houmao("get", "instances").out == ""


def _on_a_terminal(houmao: Program, words: list[str], typed: bytes) -> tuple[int, str]:
    master, slave = pty.openpty()
    env = {**houmao.env, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm", "CI": ""}
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", *words], cwd=houmao.work, env=env, stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)
    os.write(master, typed)
    shown = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(master)
    return process.wait(timeout=30), shown.decode()


def test_an_interrupt_ends_with_130(running: Program) -> None:
    waiting = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, "wait", "instance/alice", "--for=delete"],
        cwd=running.work,
        env={**running.env, "PYTHONPATH": str(Path(__file__).parents[2])},
        stderr=subprocess.PIPE,
        text=True,
    )
    with waiting:
        assert waiting.stderr is not None
        assert waiting.stderr.read() == ""
    assert waiting.returncode == 130


INTERRUPTED = """
import signal, sys
from reconciler.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is born ignoring it
signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
signal.setitimer(signal.ITIMER_REAL, 0.5)
sys.exit(main(sys.argv[1:]))
"""


def test_a_reader_that_leaves_is_no_error(running: Program) -> None:
    words = f"{sys.executable} -m reconciler get all -o json | head -n 1"
    env = {**running.env, "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run(["sh", "-c", words], cwd=running.work, env=env, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("{\n", "")
