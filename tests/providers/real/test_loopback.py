"""Each pinned vendor CLI, started from its recipe in a private tmux server, against the loopback model server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.loopback.server import LoopbackServer
from tests.providers.real.agent import TURN_S, Agent
from tests.providers.real.recipes import RECIPES
from tests.providers.real.terminal import Terminal

ROLE = "You are a careful reviewer. role-mark:alpha-7"

pytestmark = [pytest.mark.providers, pytest.mark.tmux]


@pytest.fixture(params=sorted(RECIPES))
def agent(request: pytest.FixtureRequest, installed: Path, tmp_path: Path, loopback: LoopbackServer) -> Agent:
    return Agent(RECIPES[request.param], tmp_path / "agent", installed, loopback.url, ROLE)


@pytest.fixture
def turn(agent: Agent, loopback: LoopbackServer) -> Callable[[Terminal, str], None]:
    """Submit a prompt, see it answered by the server, then see the CLI idle again."""

    def whole_turn(terminal: Terminal, prompt: str) -> None:
        since = len(loopback.log)
        agent.ask(terminal, prompt)
        loopback.wait_for_prompt(prompt, TURN_S, since)
        agent.wait_ready(terminal, TURN_S)

    return whole_turn


def test_it_starts_unattended_answers_and_quits(
    agent: Agent, loopback: LoopbackServer, turn: Callable[[Terminal, str], None]
) -> None:
    with agent.start() as terminal:
        agent.wait_ready(terminal)
        turn(terminal, "echo hello")
        terminal.wait_screen(r"^\W+hello\s*$", TURN_S)
        if agent.recipe.signs.done:
            terminal.wait_screen(agent.recipe.signs.done, TURN_S)
        assert not any(text in terminal.screen() for text in agent.recipe.dialogs)
        agent.leave(terminal)

    assert [entry["prompt"] for entry in loopback.turns()] == ["echo hello"]
    assert set(loopback.outside()) <= set(agent.recipe.fetches)


def test_its_role_reaches_the_model_from_a_file(
    agent: Agent, loopback: LoopbackServer, turn: Callable[[Terminal, str], None]
) -> None:
    with agent.start() as terminal:
        agent.wait_ready(terminal)
        turn(terminal, "role")
        terminal.wait_screen(r"role: alpha-7 in (system|developer|user)", TURN_S)
        agent.leave(terminal)

    assert any(ROLE in text for text in loopback.turns()[0]["role"])


def test_it_runs_a_shell_call_without_asking(agent: Agent, loopback: LoopbackServer) -> None:
    with agent.start() as terminal:
        agent.wait_ready(terminal)
        agent.ask(terminal, "shell touch made-by-the-agent && printf %s-%s all done")
        answered = loopback.wait_for(lambda entry: entry["result"] is not None, TURN_S)
        agent.wait_ready(terminal, TURN_S)
        agent.leave(terminal)

    assert "all-done" in answered["result"]
    assert (agent.cwd / "made-by-the-agent").exists()


def test_an_interrupt_ends_the_turn_and_the_next_prompt_goes_out_alone(
    agent: Agent, loopback: LoopbackServer, turn: Callable[[Terminal, str], None]
) -> None:
    with agent.start() as terminal:
        agent.wait_ready(terminal)
        agent.ask(terminal, "slow 60")
        terminal.wait_screen(r"word9 ", TURN_S)
        assert agent.busy(terminal)
        terminal.press("Escape")
        cut = loopback.wait_for(lambda entry: entry["prompt"] == "slow 60" and entry["ended"], TURN_S)
        terminal.wait_screen(agent.recipe.signs.interrupted, TURN_S)
        agent.wait_ready(terminal, TURN_S)
        agent.clear(terminal)
        turn(terminal, "echo after")
        agent.leave(terminal)

    assert cut["finished"] is False
    assert loopback.turns()[-1]["prompt"] == "echo after"


def test_it_resumes_the_newest_conversation(
    agent: Agent, loopback: LoopbackServer, turn: Callable[[Terminal, str], None]
) -> None:
    with agent.start() as terminal:
        agent.wait_ready(terminal)
        turn(terminal, "echo first")
        agent.leave(terminal)
    with agent.start(agent.recipe.resume) as terminal:
        agent.wait_ready(terminal)
        turn(terminal, "echo second")
        agent.leave(terminal)

    assert loopback.turns()[-1]["earlier"] == ["echo first"]


def test_a_refused_request_leaves_an_idle_prompt_box(agent: Agent, loopback: LoopbackServer) -> None:
    with agent.start() as terminal:
        agent.wait_ready(terminal)
        agent.ask(terminal, "http 400")
        loopback.wait_for(lambda entry: entry["status"] == 400 and entry["ended"], TURN_S)
        terminal.wait_screen(r"http 400\b.*\n(.*\n)*.*asked for by the prompt", TURN_S)
        agent.wait_ready(terminal, TURN_S)
        agent.leave(terminal)


def test_a_closed_terminal_leaves_no_process_behind(agent: Agent, turn: Callable[[Terminal, str], None]) -> None:
    with agent.start() as terminal:
        agent.wait_ready(terminal)
        turn(terminal, "echo hello")
        assert terminal.group()

    assert terminal.group() == []
