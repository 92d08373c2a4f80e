"""What a person sees in a real terminal of two sizes, as somebody approved it; and that the terminal is given back."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import TEAM, Program, program
from tests.conftest import WaitUntil
from tests.top.conftest import FLEET, Approved
from tests.top.terminal import window

pytestmark = [pytest.mark.tmux, pytest.mark.slow]
SIZES = ("80x24", "200x50")
DAVE = "---\nkind: Instance\nmetadata: {name: dave}\nspec: {specialistRef: coder}\n"
HOSTILE = "look \u202egnp.exe\u2066 ok"


@pytest.fixture(scope="module")
def houmao(tmp_path_factory: pytest.TempPathFactory, wait_until: WaitUntil) -> Iterator[Program]:
    """Alice has answered, bob works at something hostile, carol is stopped, dave has crashed."""
    with program(tmp_path_factory.mktemp("top"), wait_until) as found:
        found.given("\n---\n".join(f"apiVersion: houmao/v1alpha1\n{part}" for part in (FLEET + DAVE).split("---\n")))
        for name, text in (("alice", "lines 3"), ("bob", HOSTILE), ("bob", "stall"), ("dave", "crash 7")):
            words = ("agents", "single", "--agent-name", name, "prompt", "--prompt", text, "--ready-within", "30s")
            assert found(*words).code == 0
        until = {"alice": ("phase", "ready"), "bob": ("phase", "active"), "dave": ("state", "Exited")}
        for name, (key, value) in until.items():
            wait_until(lambda n=name, k=key, v=value: seen(found, n)[k] == v, what=f"{name}: {key} {value}")
        yield found


def seen(houmao: Program, name: str) -> dict[str, str]:
    return next(agent for agent in houmao("top", "-o", "json").data["agents"] if agent["name"] == name)


@pytest.mark.parametrize("size", SIZES)
def test_the_fleet_and_each_agent_of_it(houmao: Program, approved: Approved, size: str) -> None:
    with window(houmao, size, "top", "--interval", "0.5") as shown:
        approved(shown, "alice", size, "✓ done")
        shown.types("Down")
        approved(shown, "bob", size, "stall")
        shown.types("Down")
        approved(shown, "carol", size, "carol: stopped")
        shown.types("p", "hello")
        approved(shown, "entry", size, "prompt to carol: hello")
        shown.types("Escape")
        approved(shown, "carol", size, "carol: stopped")
        shown.types("?")
        approved(shown, "help", size, "any key closes it")


def test_nothing_hostile_reaches_the_terminal(houmao: Program, wait_until: WaitUntil) -> None:
    with window(houmao, "80x24", "top", "--interval", "0.5") as shown:
        wait_until(lambda: "bob" in shown.screen)
        shown.types("Down")
        wait_until(lambda: r"look \u202egnp.exe\u2066 ok" in shown.screen, what="the hostile line, as text")
        assert not {"\u202e", "\u2066"} & set(shown.screen)


def test_q_gives_the_terminal_back(houmao: Program, wait_until: WaitUntil) -> None:
    with window(houmao, "80x24", "top") as shown:
        wait_until(lambda: "alice" in shown.screen)
        shown.types("q")
        wait_until(lambda: shown.screen == "left with 0", what="an empty screen")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(houmao: Program, wait_until: WaitUntil, number: int) -> None:
    with window(houmao, "80x24", "top") as shown:
        wait_until(lambda: "alice" in shown.screen)
        os.kill(pid_of_top(houmao), number)
        wait_until(lambda: shown.screen.endswith(f"left with {128 + number}"), what="the shell's word")


def test_a_prompt_and_an_attach_and_back(tmp_path: Path, wait_until: WaitUntil) -> None:
    """Typed in one go, as a person types ahead: each key counts for what was on the screen when it was pressed."""
    with program(tmp_path, wait_until) as own, window(given(own), "80x24", "top", "--interval", "0.5") as shown:
        wait_until(lambda: "alice" in shown.screen)
        shown.types("Down", "p", "lines 2 quit", "BSpace", "BSpace", "BSpace", "BSpace", "BSpace", "Enter")
        wait_until(lambda: "bob: delivered: the prompt was submitted" in shown.screen)
        wait_until(lambda: "● lines 2" in shown.screen)
        shown.types("a")
        wait_until(lambda: "echo>" in shown.screen and "houmao top" not in shown.screen, what="bob's own terminal")
        # One after the other: tmux takes keys that come within a millisecond for pasted, and binds nothing to them.
        shown.types("C-b")
        shown.types("d")
        wait_until(lambda: "bob: back from its terminal" in shown.screen)


def test_without_a_terminal_it_is_a_table_or_data(houmao: Program) -> None:
    table, data = houmao("top"), houmao("top", "-o", "json")

    assert (table.code, data.code) == (0, 0)
    assert table.lines[0].split() == ["NAME", "PROVIDER", "STATE", "SYNCED", "READY", "PHASE", "EVENT"]
    assert [line.split()[0] for line in table.lines[1:]] == ["alice", "bob", "carol", "dave"]
    assert [agent["name"] for agent in data.data["agents"]] == ["alice", "bob", "carol", "dave"]
    assert houmao("top", "-o", "name", "-l", "team=core").lines == ["instance/alice", "instance/bob"]


def given(own: Program) -> Program:
    """With two agents at their prompts."""
    own.given(TEAM + "---\napiVersion: houmao/v1alpha1\n" + DAVE.removeprefix("---\n").replace("dave", "bob"))
    return own


def pid_of_top(houmao: Program) -> int:
    """The process that shows it, known by its directory."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if words[1:4] == [b"-m", b"reconciler", b"top"] and (process / "cwd").resolve() == houmao.work:
                return int(process.name)
        except OSError:
            continue
    raise AssertionError("nobody shows it")
