"""The answer to a prompt as it appears: what an agent's terminal shows from the prompt to the end of its turn.

Lines near the lower end of the screen may still change (a box, a spinner, a line being written), so they are told when
they have scrolled up, or when the turn is over.
"""

from collections.abc import Iterator

from reconciler.app.agents import Agent
from reconciler.app.messages import Sent
from reconciler.app.sight import read, sight
from reconciler.app.terminal import added
from reconciler.ports.reading import ScreenState, TurnResult
from reconciler.ports.tmux import Screen, Unanswered

POLL_S = 0.1
UNSETTLED = 10
"""Rows at the lower end that may still change."""
SCROLLBACK = 2000
QUIET = 3
"""Looks that must agree before a turn is taken for over."""


class Answer:
    """Made before the prompt is sent, so that it knows what was there already."""

    __slots__ = ("_agent", "_before", "over", "result")

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._before = self._shown() if not agent.headless else ()
        self.over = False
        self.result = TurnResult.UNKNOWN.value

    def lines(self, sent: Sent, timeout_s: float) -> Iterator[str]:
        """New lines until the turn is over, or the time is; `over` says which."""
        if self._agent.headless:
            yield from self._turn(sent)
            return
        clock = self._agent.session.reader.clock
        deadline = clock.monotonic() + timeout_s
        told: list[str] = []
        quiet, last = 0, ""
        while clock.monotonic() < deadline:
            screen = self._look()
            if screen is None:
                self.result = "lost"
                return
            reading = read(self._agent.session.reader.providers[self._agent.tool], screen)
            now = sight(screen)
            idle = reading.state is ScreenState.IDLE and now == last
            quiet = quiet + 1 if idle else 0
            last = now
            shown = self._shown()
            settled = shown if quiet >= QUIET else shown[: max(0, len(shown) - UNSETTLED)]
            fresh = added(self._before, settled)
            for line in fresh[len(told) :]:
                told.append(line)
                yield line
            if quiet >= QUIET or reading.state in (ScreenState.ASKING, ScreenState.CRASHED):
                self.over = reading.state is ScreenState.IDLE
                self.result = reading.result.value if self.over else reading.state.value
                return
            clock.sleep(POLL_S)
        self.result = "timeout"

    def _turn(self, sent: Sent) -> Iterator[str]:
        from reconciler.app import turns

        assert sent.turn_id is not None
        text = "".join(
            str(event["message"]) for event in turns.events(self._agent, sent.turn_id) if event["kind"] == "assistant"
        )
        self.over, self.result = True, TurnResult.SUCCESS.value
        yield from text.split("\n")

    def _look(self) -> Screen | None:
        found = self._agent.session.reader.tmux.capture(self._agent.pane)
        return None if isinstance(found, Unanswered) else found

    def _shown(self) -> tuple[str, ...]:
        found = self._agent.session.reader.tmux.capture(self._agent.pane, SCROLLBACK)
        if isinstance(found, Unanswered):
            return ()
        return tuple(line.rstrip() for line in found.text.rstrip().split("\n"))
