"""The product's tracker on each real CLI: ready, at work, done, interrupted, refused, gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.ports.reading import Tri, TurnResult
from reconciler.ports.screen import Availability, Phase, TurnSource, pending_input
from tests.loopback.server import LoopbackServer
from tests.providers.followed import Followed
from tests.providers.real.agent import Agent
from tests.providers.real.recipes import RECIPES

pytestmark = [pytest.mark.providers, pytest.mark.tmux, pytest.mark.timeout(400)]


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_conversation_is_followed(name: str, installed: Path, tmp_path: Path, loopback: LoopbackServer) -> None:
    agent = Agent(RECIPES[name], tmp_path / "a", installed, loopback.url, "You review.")
    with agent.start() as terminal:
        followed = Followed(name, terminal)
        state = followed.ready()
        assert state.last_turn.result is TurnResult.NONE

        terminal.paste("echo typed")
        followed.until("typed text waits", lambda state: pending_input(state) is Tri.YES)
        agent.clear(terminal)
        followed.ready()
        assert not followed.tracker.state.last_turn.number

        turn = followed.prompted()
        agent.ask(terminal, "slow 0.8")
        busy = followed.until("at work", lambda state: state.reading is not None and state.reading.busy is Tri.YES)
        assert busy.turn.phase is Phase.ACTIVE
        done = followed.ready()
        assert (done.last_turn.id, done.last_turn.result) == (turn, TurnResult.SUCCESS)

        agent.ask(terminal, "slow 60")  # nobody says so: it is seen
        followed.until("at work", lambda state: state.reading is not None and state.reading.busy is Tri.YES)
        terminal.wait_screen(r"word9 ", 30)
        terminal.press("Escape")
        cut = followed.until("interrupted", lambda state: state.last_turn.number == 2)
        assert cut.last_turn[:2] == (TurnResult.INTERRUPTED, TurnSource.SURFACE_INFERENCE)
        agent.clear(terminal)
        followed.ready()

        agent.ask(terminal, "stall")
        followed.until("at work", lambda state: state.reading is not None and state.reading.busy is Tri.YES)
        terminal.press("Escape")  # before a word was said; Claude then puts the prompt back into the box
        called_back = followed.until("called back", lambda state: state.last_turn.number == 3)
        assert called_back.last_turn.result is TurnResult.INTERRUPTED
        agent.clear(terminal)
        followed.ready()

        followed.prompted()
        agent.ask(terminal, "http 400")
        refused = followed.until("over", lambda state: state.last_turn.number == 4)
        assert refused.last_turn.result is TurnResult.KNOWN_FAILURE

        followed.ready()
        agent.leave(terminal)
        gone = followed.look()
        assert gone.diagnostics.availability is Availability.TUI_DOWN
        assert gone.turn.phase is Phase.UNKNOWN
