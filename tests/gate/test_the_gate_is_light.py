"""What the gate costs and what it leaves behind: counted, not timed (performance-budget §3, R-ACT-4)."""

import pytest

from tests.gate.conftest import SOURCE, Fleet, snapshot

pytestmark = pytest.mark.tmux

HEAVY = (
    "pydantic",
    "typer",
    "yaml",
    "libtmux",
    "rich",
    "httpx",
    "subprocess",
    "reconciler.engine",
    "reconciler.declare",
)
COMMANDS = [("plan", *SOURCE), ("plan", *SOURCE, "--detailed-exitcode"), ("apply", *SOURCE)]


def told(text: str, word: str) -> list[str]:
    """What the traced run said of one sort."""
    return [line.removeprefix(f"{word} ") for line in text.splitlines() if line.startswith(f"{word} ")]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_it_imports_nothing_heavy(still: Fleet, words: tuple[str, ...]) -> None:
    ran = still.traced(*words)

    assert ran.returncode == 0
    assert ran.stdout == "No changes. 7 resources are as declared.\n"
    imported = told(ran.stderr, "imported")
    assert [name for name in imported if name == "reconciler.app.gate"], "the gate was not asked"
    assert [name for name in imported if name.startswith(HEAVY)] == []


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_it_starts_one_process_and_that_is_tmux(still: Fleet, words: tuple[str, ...]) -> None:
    started = told(still.traced(*words).stderr, "started")

    assert len(started) == 1
    assert started[0].endswith("/tmux'")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_it_opens_nothing_for_writing_and_leaves_no_trace(still: Fleet, words: tuple[str, ...]) -> None:
    before = snapshot(still.overlay, still.registry, still.path("src"))

    assert told(still.traced(*words).stderr, "wrote") == []
    assert snapshot(still.overlay, still.registry, still.path("src")) == before


def test_a_caller_may_have_left_it_many_open_files(still: Fleet) -> None:
    allow = "import os, resource\nmost = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
    allow += "resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))\n"

    assert still.gate_answers(f"{allow}for _ in range(1100): os.dup(0)\n") == 0


def test_a_plan_in_full_leaves_no_trace_either(still: Fleet) -> None:
    before = snapshot(still.overlay, still.registry, still.path("src"))

    assert still.answer(gate=False).code == 0
    assert snapshot(still.overlay, still.registry, still.path("src")) == before


def test_an_apply_in_full_that_finds_nothing_to_do_leaves_the_gate_as_it_is(still: Fleet) -> None:
    before = snapshot(still.overlay, still.registry, still.path("src"))

    still.apply()

    assert snapshot(still.overlay, still.registry, still.path("src")) == before
    assert still.gate_answers() == 0
