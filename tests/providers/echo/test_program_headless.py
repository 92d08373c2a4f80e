"""The echo agent without a terminal: one prompt in, JSON lines out, and every wrong start refused with a sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.providers.echo.conftest import EchoHome

ROOT = Path(__file__).parents[3]


def events(run: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in run.stdout.splitlines()]


def answer(home: EchoHome, prompt: str, *flags: str) -> str:
    """Ask one thing and return the result's text, having checked that the tokens add up to it."""
    run = home.run(*flags, "--headless", prompt)
    assert (run.returncode, run.stderr) == (0, "")
    first, *tokens, last = events(run)
    assert first["type"] == "session"
    assert {token["type"] for token in tokens} <= {"token"}
    assert "".join(str(token["text"]) for token in tokens) == last["text"]
    assert (last["type"], last["ok"]) == ("result", True)
    return str(last["text"])


def test_version_needs_no_home(home: EchoHome) -> None:
    home.env.pop("ECHO_HOME")
    run = home.run("--version")
    assert (run.returncode, run.stdout) == (0, "echo-agent 1.0.0\n")


def test_it_also_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "reconciler.providers.echo.program", "--version"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout == "echo-agent 1.0.0\n"


def test_it_imports_nothing_of_the_package_around_it(home: EchoHome) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'reconciler' / 'providers' / 'echo')!r})\n"
        "import program, agent.headless, agent.terminal\n"
        "known = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(known - sys.stdlib_module_names - {'__main__', 'agent', 'program'}))"
    )
    command = [sys.executable, "-S", "-E", "-c", code]
    assert subprocess.run(command, env=home.env, capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("hello wörld 🎈", "hello wörld 🎈"),
        ("two\nlines", "two\nlines"),
        ("lines 3", "line 1\nline 2\nline 3"),
        ("lines many", "lines many"),
        ("slow 0", "waited 0 s"),
        ("slow nan", "slow nan"),
        ("slow -1", "slow -1"),
        ("history", "0 turns"),
        ("role", "(no role)"),
        ("crash 999", "crash 999"),
        ("/exit", "/exit"),
    ],
)
def test_a_prompt_decides_its_answer(home: EchoHome, prompt: str, text: str) -> None:
    assert answer(home, prompt) == text


def test_the_role_is_what_the_home_says(home: EchoHome) -> None:
    (home.path / "ROLE.md").write_text("You write code.\nYou say why.\n")
    assert answer(home, "role") == "You write code.\nYou say why."


def test_env_prints_plain_values_and_never_a_secret(home: EchoHome) -> None:
    home.env |= {"COLOUR": "green", "MY_API_key": "canary-1", "DATABASE": "db://me:canary-2@host/x", "EMPTY": ""}
    assert answer(home, "env COLOUR") == "green"
    assert answer(home, "env EMPTY") == ""
    assert answer(home, "env MY_API_key") == "<set>"
    assert answer(home, "env DATABASE") == "<set>"
    assert answer(home, "env OTHER_TOKEN") == "<unset>"
    assert answer(home, "env NOWHERE") == "<unset>"


def test_the_key_is_reported_as_set_and_printed_nowhere(home: EchoHome) -> None:
    home.env["ECHO_API_KEY"] = "canary-key"
    run = home.run("--headless", "env ECHO_API_KEY")
    assert events(run)[0]["api_key"] == "set"
    assert "canary-key" not in run.stdout + run.stderr
    for path in home.path.rglob("*"):
        assert path.is_dir() or "canary-key" not in path.read_text()


def test_a_failing_turn_is_an_error_event_and_exit_1(home: EchoHome) -> None:
    run = home.run("--headless", "fail no such table")
    assert run.returncode == 1
    assert events(run)[-1] == {"type": "error", "text": "no such table"}


@pytest.mark.parametrize(("prompt", "code"), [("crash", 7), ("crash 42", 42), ("crash 0", 0)])
def test_a_crash_leaves_without_a_result(home: EchoHome, prompt: str, code: int) -> None:
    run = home.run("--headless", prompt)
    assert run.returncode == code
    assert [event["type"] for event in events(run)] == ["session"]


def test_the_model_comes_from_the_flag_then_the_config(home: EchoHome) -> None:
    home.config(approval="never", model="small")
    assert events(home.run("--headless", "x"))[0]["model"] == "small"
    assert events(home.run("--model", "large", "--headless", "x"))[0]["model"] == "large"


def test_a_resumed_conversation_counts_on(home: EchoHome) -> None:
    first = str(events(home.run("--headless", "one"))[0]["id"])
    assert answer(home, "history", "--resume", "latest") == "1 turns"
    other = str(events(home.run("--headless", "elsewhere"))[0]["id"])
    assert answer(home, "history", "--resume", first) == "2 turns"
    assert answer(home, "history", "--resume", "latest") == "3 turns"
    assert home.history() == [
        (first, 1, "one"),
        (first, 2, "history"),
        (other, 1, "elsewhere"),
        (first, 3, "history"),
        (first, 4, "history"),
    ]


@pytest.mark.parametrize("which", ["latest", "0123456789abcdef", "../config", "latest/.."])
def test_an_unknown_conversation_is_refused(home: EchoHome, which: str) -> None:
    run = home.run("--resume", which, "--headless", "x")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == f"echo-agent: no conversation to resume: {which}\n"
    assert not (home.path / "history.jsonl").exists()


@pytest.mark.parametrize("arguments", [["--verbose"], ["words"], ["--model"], ["--headless", " "], ["--help"]])
def test_other_arguments_end_with_usage(home: EchoHome, arguments: list[str]) -> None:
    run = home.run(*arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert "usage: echo-agent" in run.stderr


def test_without_a_terminal_it_asks_for_headless(home: EchoHome) -> None:
    run = home.run()
    assert run.returncode == 2
    assert "must be a terminal" in run.stderr


@pytest.mark.parametrize("value", ["", "/nowhere/at/all"])
def test_a_home_must_exist(home: EchoHome, value: str) -> None:
    home.env["ECHO_HOME"] = value
    run = home.run("--headless", "x")
    assert run.returncode == 2
    assert "ECHO_HOME" in run.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot read"),
        ("{", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ("[]", "must hold a JSON object"),
        ("{}", "version must be 1"),
        ('{"version": true}', "version must be 1"),
        ('{"version": 1, "model": 3}', "model must be text"),
        ('{"version": 1, "approval": "maybe"}', "approval must be never or ask"),
        ('{"version": 1, "trusted_workdirs": "/"}', "trusted_workdirs must be a list"),
    ],
)
def test_a_wrong_config_is_named(home: EchoHome, text: str | None, says: str) -> None:
    (home.path / "config.json").unlink()
    if text is not None:
        (home.path / "config.json").write_text(text)
    run = home.run("--headless", "x")
    assert (run.returncode, run.stdout) == (2, "")
    assert "config.json" in run.stderr
    assert says in run.stderr
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"start_dleay": 1}, "unknown key 'start_dleay'"),
        ({"start_delay": "1"}, "start_delay must be a number of seconds"),
        ({"turn_delay": -1}, "turn_delay must be a number of seconds"),
        ({"crash_at_start": 256}, "crash_at_start must be an exit code"),
        ({"hang": "yes"}, "hang must be true or false"),
        ({"greeting": 1}, "greeting must be text"),
        ({"ignore_signals": ["KILL"]}, "ignore_signals must be a list among HUP, TERM, INT"),
        ({"crash_after": {"code": 1}}, "crash_after must hold either seconds or turns"),
        ({"crash_after": {"seconds": 1, "turns": 1}}, "crash_after must hold either seconds or turns"),
        ({"crash_after": {"turns": 0}}, "crash_after.turns must be a whole number"),
        ({"crash_after": {"turns": 1, "kode": 1}}, "unknown key 'kode'"),
    ],
)
def test_a_wrong_behaviour_is_named(home: EchoHome, keys: dict[str, object], says: str) -> None:
    home.behaviour(**keys)
    run = home.run("--headless", "x")
    assert (run.returncode, run.stdout) == (2, "")
    assert "behaviour.json" in run.stderr
    assert says in run.stderr


def test_the_behaviour_file_of_the_environment_wins(home: EchoHome, tmp_path: Path) -> None:
    home.behaviour(crash_at_start=3)
    assert home.run("--headless", "x").returncode == 3
    other = tmp_path / "other.json"
    home.env["ECHO_BEHAVIOUR"] = str(other)
    assert home.run("--headless", "x").returncode == 2
    other.write_text('{"crash_after": {"turns": 1, "code": 5}}')
    run = home.run("--headless", "x")
    assert run.returncode == 5
    assert events(run)[-1]["type"] == "result"


def test_a_crash_by_time_comes_in_the_middle_of_a_turn(home: EchoHome) -> None:
    home.behaviour(crash_after={"seconds": 0.01, "code": 9})
    assert home.run("--headless", "stall").returncode == 9


def test_an_untrusted_folder_is_refused_and_a_trusted_one_is_not(home: EchoHome) -> None:
    home.config()
    run = home.run("--headless", "x")
    assert run.returncode == 2
    assert "trusted_workdirs" in run.stderr
    home.config(approval="ask", trusted_workdirs=[str(home.workdir)])
    assert answer(home, "x") == "x"
