"""`doctor` finds what is wrong, names what repairs it, and repairs nothing."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import TEAM, Program

STOPPED = TEAM.replace("{specialistRef: coder}", "{specialistRef: coder, state: Stopped}")
HOLD = """
import fcntl, sys
held = open(sys.argv[1], "a")
fcntl.flock(held, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def findings(houmao: Program) -> dict[str, tuple[str, str]]:
    """Code to level and repair of what is not in order."""
    found = houmao("doctor", "-o", "json").data["findings"]
    return {each["code"]: (each["level"], each["repair"]) for each in found if each["level"] != "ok"}


def test_without_an_overlay_nothing_is_wrong_with_it(houmao: Program) -> None:
    ran = houmao("doctor", "-o", "json")
    assert "overlay.none" in {finding["code"] for finding in ran.data["findings"]}
    assert not (houmao.work / ".houmao").exists()


def test_faults_of_the_overlay(houmao: Program) -> None:
    houmao.given(STOPPED)
    overlay = houmao.work / ".houmao"
    (overlay / "catalog.sqlite").chmod(0o644)
    (overlay / "content" / "prompts" / "coder.md").write_text("You write poems.")
    (overlay / "content" / ".prompts.0a1b2c3d.tmp").mkdir()
    found = findings(houmao)
    assert found["overlay.mode"] == ("error", f"chmod 600 {overlay}/catalog.sqlite")
    assert found["content.edited"][0] == "error"
    assert found["overlay.left_over"] == ("warning", f"rm -r {overlay}/content/.prompts.0a1b2c3d.tmp")
    ran = houmao("doctor")
    assert ran.code == 1
    assert all("repair: " in ran.lines[at + 1] for at, line in enumerate(ran.lines) if line[:1] in "✗!" and line)


def test_the_view_for_other_programs_is_compared(houmao: Program) -> None:
    houmao.given(STOPPED)
    assert findings(houmao) == {}
    (houmao.work / ".houmao" / "agents" / "presets" / "coder-echo-default.yaml").write_text("role: other\n")
    assert findings(houmao)["projection.edited"][0] == "warning"
    assert houmao("doctor").code == 0


def test_content_that_is_gone(houmao: Program) -> None:
    houmao.given(STOPPED)
    (houmao.work / ".houmao" / "content" / "prompts" / "coder.md").unlink()
    assert findings(houmao)["content.missing"][0] == "error"


def test_a_broken_configuration_is_a_finding_not_an_end(houmao: Program) -> None:
    houmao("project", "init")
    (houmao.work / ".houmao" / "houmao-config.toml").write_text("schema_version = 1\n[paths]\nagent_def_dir = ''\n")
    ran = houmao("doctor")
    assert (ran.code, "[overlay.config]" in ran.out) == (1, True)


@pytest.mark.tmux
def test_a_session_the_overlay_has_forgotten(houmao: Program) -> None:
    houmao.given()
    mark = houmao.tmux("list-sessions", "-F", "#{@houmao_mark}").strip()
    houmao.tmux("new-session", "-d", "-s", "lost", "sleep 100")
    houmao.tmux("set-option", "-t", "lost", "@houmao_uid", "0" * 32)
    houmao.tmux("set-option", "-t", "lost", "@houmao_mark", mark)
    level, repair = findings(houmao)["session.orphan"]
    assert (level, repair.startswith("look at it: tmux ")) == ("error", True)
    assert houmao("doctor", "--fix", "--yes").code == 1  # its environment does not say so: it is left
    houmao.tmux("set-environment", "-t", "lost", "HOUMAO_UID", "0" * 32)
    houmao.tmux("set-option", "-p", "-t", "lost", "@houmao_pane", "agent")
    assert findings(houmao)["session.orphan"][1].startswith("houmao doctor --fix ends it; look first: tmux ")
    assert houmao("doctor", "--fix", "--yes").code == 0
    assert "lost" not in houmao.tmux("list-sessions", "-F", "#{session_name}")


def test_a_stopped_holder_of_the_lock(houmao: Program, wait_until: Callable[..., object]) -> None:
    houmao.given(STOPPED)
    lock = houmao.work / ".houmao" / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            assert houmao("lock", "status", "-o", "json").data["pid"] == holder.pid
            holder.send_signal(signal.SIGSTOP)
            wait_until(lambda: Path(f"/proc/{holder.pid}/stat").read_text().rpartition(") ")[2][0] == "T")
            assert findings(houmao)["lock.stopped"] == ("error", f"kill -CONT {holder.pid}, or kill {holder.pid}")
            refused = houmao("delete", "instance", "alice", "--yes", "--override")
            assert (refused.code, "lock.held" in refused.err, "kill -CONT" in refused.err) == (5, True, True)
        finally:
            holder.kill()
