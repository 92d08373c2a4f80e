"""The tracker on a live echo agent: what a poller would say of it, second by second."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.ports.reading import Tri, TurnResult
from reconciler.ports.screen import Availability, Phase, TurnSource, Work, pending_input
from tests.providers.echo.test_screens_in_tmux import SIZES, start
from tests.providers.followed import Followed

pytestmark = pytest.mark.tmux


def test_a_conversation_is_followed(tmp_path: Path) -> None:
    with start(tmp_path, SIZES[""], approval="never") as terminal:
        followed = Followed("echo", terminal)
        followed.ready()

        terminal.paste("hello")
        followed.until("typed text waits", lambda state: pending_input(state) is Tri.YES)
        terminal.press("Enter")
        turn = followed.prompted()
        done = followed.until("over", lambda state: state.last_turn.number == 1)
        assert (done.last_turn.id, done.last_turn.result) == (turn, TurnResult.SUCCESS)

        terminal.paste("stall")
        terminal.press("Enter")
        busy = followed.until("at work", lambda state: state.turn.phase is Phase.ACTIVE)
        assert busy.turn.source is TurnSource.SURFACE_INFERENCE
        assert busy.work is Work.PENDING
        terminal.press("Escape")
        cut = followed.until("over", lambda state: state.last_turn.number == 2)
        assert cut.last_turn.result is TurnResult.INTERRUPTED

        followed.prompted()
        terminal.paste("fail at once")
        terminal.press("Enter")
        failed = followed.until("over", lambda state: state.last_turn.number == 3)
        assert failed.last_turn.result is TurnResult.KNOWN_FAILURE

        followed.ready()
        terminal.paste("crash 3")
        terminal.press("Enter")
        followed.prompted()
        gone = followed.until("gone", lambda state: state.diagnostics.availability is Availability.TUI_DOWN)
        assert gone.last_turn[:2] == (TurnResult.KNOWN_FAILURE, TurnSource.EXPLICIT_INPUT)


def test_an_untrusted_folder_blocks_until_somebody_answers(tmp_path: Path) -> None:
    with start(tmp_path, SIZES["-80"], approval="ask") as terminal:
        followed = Followed("echo", terminal)
        asked = followed.until("asking", lambda state: state.turn.phase is Phase.BLOCKED)
        assert asked.reading is not None
        assert asked.reading.asking is not None
        assert "trust this folder" in asked.reading.asking.text
        terminal.press("y")
        followed.ready()
