"""`--log`: a line for each thing that is done, with the run and the resource; no secret, and nothing without asking."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.app.request import PlanFlags, RunFlags, Source
from reconciler.app.watch.lead import WatchFlags, watch
from reconciler.cli.log import LEVELS, Log, Where, level_of
from reconciler.ports.process import Finished
from reconciler.ports.wakers import Waker, Woken
from reconciler.testing.fake_world import FakeWorld
from tests.history.conftest import Houmao
from tests.stories.fleets import ALICE, PROMPT, TEXT
from tests.watch.conftest import Story

CANARY = "canary-5f1d0c7e"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _broken(world: FakeWorld) -> None:
    world.given_file("bad.yaml", "kind: [")


def test_every_line_has_its_run_and_what_it_is_about(fake_world: FakeWorld, houmao: Houmao, tmp_path: Path) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    file = tmp_path / "houmao.log"
    words = ("apply", "-f", str(fake_world.source), "--yes", "--log", str(file), "--log-format", "json")

    assert houmao(*words, "--log-level", "debug").code == 0

    found = lines(file)
    assert all({"ts", "level", "run", "type", "message"} <= set(line) for line in found)
    run = houmao("history", "-o", "json").data["items"][0]["run"]
    begun = next(at for at, line in enumerate(found) if line["type"] == "run_start")
    assert {line["run"] for line in found[begun:]} == {run}
    assert all(line["run"].startswith("p-") for line in found[:begun])
    assert all(line["ref"] for line in found if line["type"].startswith("action_"))
    ends = {line["ref"]: line for line in found if line["type"] == "action_end"}
    assert ends["Instance/alice"]["message"] == "create settled"
    assert (found[-1]["type"], found[-1]["exit_code"]) == ("summary", 0)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    assert houmao(*words).code == 0
    assert lines(file)[: len(found)] == found  # appended to
    assert "debug" not in {line["level"] for line in lines(file)[len(found) :]}


def test_a_watch_logs_each_run_under_its_own_id(fake_world: FakeWorld, tmp_path: Path) -> None:
    story = Story(fake_world)
    story.script.at(10, lambda: fake_world.kill_process_of("alice"), Woken(Waker.PROCESS))
    story.script.at(100, lambda: _broken(fake_world), story.saved("bad.yaml"))
    story.script.over_at = 300
    file = tmp_path / "watch.log"
    log = Log(Where(str(file), "info", "json"))
    watch(
        fake_world.flags,
        Source((str(fake_world.source),), recursive=True),
        PlanFlags(),
        RunFlags(yes=True, stopping=story.script.stopping),
        WatchFlags(),
        wakers=lambda ports: story.script,
        shown=lambda plan: None,
        emit=log.event,
    )
    log.close()

    found = lines(file)
    runs = [line["run"] for line in found if line["type"] == "run_start"]
    assert len(runs) == len(set(runs)) >= 1
    healed = [line for line in found if line.get("ref") == "Instance/alice" and line["type"] == "action_end"]
    assert healed
    assert {line["run"] for line in healed} <= set(runs)
    bad = next(line for line in found if line["message"].startswith("SourceInvalid"))
    assert (bad["level"], bad["run"].startswith("p-") or bad["run"] in runs) == ("error", True)


def test_a_secret_is_in_no_line(
    fake_world: FakeWorld, houmao: Houmao, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_world.process.answers["env"] = lambda argv: Finished(3, f"{CANARY}\n".encode(), CANARY.encode())
    key = fake_world.given_file("key", CANARY)
    key.chmod(0o600)
    documents = (
        "kind: AuthProfile\nmetadata: {name: key}\n"
        f"spec: {{provider: echo, source: {{env: {{ECHO_API_KEY: {{file: {key}}}}}}}}}",
        "kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, authRef: key, prompt: You keep it.}",
        "kind: Instance\nmetadata: {name: alice}\nspec: {specialistRef: coder}",
        "kind: Project\nmetadata: {name: p}\nspec: {hooks: {postApply: [{command: [tell], onError: Warn}]}}",
    )
    file = tmp_path / "houmao.log"
    monkeypatch.setenv("HOUMAO_LOG", str(file))
    monkeypatch.setenv("HOUMAO_LOG_LEVEL", "debug")
    for form, name in (("json", "alice"), ("text", "bob")):
        fake_world.given("\n---\n".join(documents).replace("alice", name))
        monkeypatch.setenv("HOUMAO_LOG_FORMAT", form)
        houmao("apply", "-f", str(fake_world.source), "--yes")
        houmao("delete", f"instance/{name}", "--yes", "--override")
    text = file.read_text()
    assert "hook postApply" in text
    assert "ref=Instance/bob" in text
    assert '"ref": "Instance/alice"' in text
    assert CANARY not in text


def test_a_log_that_is_moved_away_is_begun_anew_and_what_was_lost_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a" / "houmao.log"
    file.parent.mkdir()
    log = Log(Where(str(file), "info", "json"))
    log.event("run_start", {"run": "r-1"})
    file.rename(tmp_path / "a" / "houmao.log.1")
    log.event("action_start", {"ref": "Instance/alice", "verb": "create"})
    assert [line["type"] for line in lines(file)] == ["action_start"]
    file.parent.rename(tmp_path / "b")
    log.event("action_start", {"ref": "Instance/bob", "verb": "create"})
    (tmp_path / "b").rename(file.parent)
    log.event("action_end", {"ref": "Instance/bob", "verb": "create", "outcome": "failed", "error": {"code": "x.y"}})
    log.close()
    last = lines(file)[-2:]
    assert (last[0]["message"], last[0]["level"]) == ("1 lines could not be written", "warning")
    assert (last[1]["level"], last[1]["code"], last[1]["run"]) == ("error", "x.y", "r-1")


def test_nothing_hostile_reaches_a_terminal_that_shows_the_log(tmp_path: Path) -> None:
    for form in ("text", "json"):
        log = Log(Where(str(tmp_path / form), "info", form))
        log.event("diagnostic", {"code": "a.b", "message": "one\x1b[2Jtwo\nthree\u202efour"})
        log.close()
        text = (tmp_path / form).read_text()
        assert not any(char in text for char in "\x1b\u202e")
        assert text.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--log", "/no/such/place/x.log"), "--log cannot write"),
        (("--log", "-", "--log-level", "loud"), "loud"),
        (("--log", "-", "--log-format", "xml"), "xml"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_done(
    fake_world: FakeWorld, houmao: Houmao, words: tuple[str, ...], said: str
) -> None:
    fake_world.given(ALICE)
    ran = houmao("apply", "-f", str(fake_world.source), "--yes", *words)
    assert ran.code == 64
    assert said in ran.err


def test_a_variable_with_another_word_is_refused(
    fake_world: FakeWorld, houmao: Houmao, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_world.given(ALICE)
    monkeypatch.setenv("HOUMAO_LOG", "-")
    monkeypatch.setenv("HOUMAO_LOG_LEVEL", "loud")
    ran = houmao("apply", "-f", str(fake_world.source), "--yes")
    assert (ran.code, "HOUMAO_LOG_LEVEL cannot be 'loud'" in ran.err) == (64, True)


def test_levels_are_ordered_and_a_failure_is_an_error() -> None:
    assert LEVELS == ("debug", "info", "warning", "error")
    assert level_of("summary", {"exit_code": 1}) == level_of("action_end", {"outcome": "failed"}) == "error"


def test_who_does_not_log_loads_nothing_of_it(tmp_path: Path) -> None:
    probe = (
        "import sys\nfrom reconciler.cli.main import main\nmain(sys.argv[1:])\n"
        "print(sorted({'logging', 'reconciler.cli.log'} & set(sys.modules)))"
    )
    (tmp_path / "x.yaml").write_text("kind: Role\nmetadata: {name: r}\nspec: {prompt: You write.}\n")
    ran = subprocess.run(
        [sys.executable, "-c", probe, "apply", "-f", "x.yaml"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "HOUMAO_PROJECT_OVERLAY_DIR": str(tmp_path / "o"),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout.splitlines()[-1] == "[]", ran.stderr
