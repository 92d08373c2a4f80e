"""A live terminal and the tracker that follows it: looks are taken while a test waits for a state."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from reconciler.build.tracking import Tracker
from reconciler.ports.screen import UP, Facts, Look, Moment, ProcessState, TerminalState, TransportState, submit_ready
from reconciler.ports.tmux import Screen
from reconciler.providers import discover
from tests.providers.real.terminal import Terminal

DEADLINE_S = 60.0
POLL_S = 0.05
EXITED = Facts(TransportState.TMUX_UP, ProcessState.TUI_DOWN)


class Followed:
    """One program in a terminal, watched by the product's own reader and tracker."""

    def __init__(self, name: str, terminal: Terminal) -> None:
        self.terminal = terminal
        self.tracker = Tracker(discover()[name].reading, name)

    def look(self) -> TerminalState:
        text, title = self.terminal.look()
        return self.tracker.feed(Look(Screen(text, title), now(), EXITED if self.terminal.ended() else UP))

    def until(self, what: str, condition: Callable[[TerminalState], bool]) -> TerminalState:
        """Look until the state is as wanted."""
        deadline, pause = time.monotonic() + DEADLINE_S, threading.Event()
        while not condition(state := self.look()):
            if time.monotonic() > deadline:
                told = "\n".join(str(entry) for entry in self.tracker.history)
                raise TimeoutError(f"never {what}: {state.to_json()}\n{told}\n{self.terminal.screen()}")
            pause.wait(POLL_S)
        return state

    def ready(self) -> TerminalState:
        return self.until("submit-ready", submit_ready)

    def prompted(self) -> str:
        """Say that a prompt was just sent."""
        return self.tracker.note_prompt(now())


def now() -> Moment:
    return Moment(time.monotonic(), datetime.now(UTC))
