"""The answer to a prompt as it appears: what an agent says from the prompt to the end of its turn.

Lines near the lower end may still change (one that is being written, a table that is drawn anew), so they are told when
more has come below them, or when the turn is over.
"""

from collections import deque
from collections.abc import Iterator, Sequence

from reconciler.app.agents import Agent
from reconciler.app.messages import Sent
from reconciler.app.sight import read, sight
from reconciler.app.transcript import Transcript
from reconciler.ports.reading import ScreenState, TurnResult
from reconciler.ports.tmux import Screen, Unanswered

POLL_S = 0.1
SCROLLBACK = 2000
STEADY = 10
"""Looks that must agree on a line before it is told: a program may draw all anew before it begins to answer."""
BEGIN_S = 5.0
"""How long a program may show nothing of what it was given before its idle box is taken for the end."""
QUIET = 3
"""Looks that must agree before a turn is taken for over."""


class Answer:
    """Made before the prompt is sent, so that it knows what was there already."""

    __slots__ = ("_agent", "_prompt", "_transcript", "over", "result")

    def __init__(self, agent: Agent, prompt: str) -> None:
        self._agent, self._prompt = agent, prompt
        self._transcript = Transcript(self._said() if not agent.headless else ())
        self.over = False
        self.result = TurnResult.UNKNOWN.value

    def lines(self, sent: Sent, timeout_s: float) -> Iterator[str]:
        """New lines until the turn is over, or the time is; `over` says which."""
        if self._agent.headless:
            yield from self._turn(sent)
            return
        clock, provider = self._agent.session.reader.clock, self._agent.session.reader.providers[self._agent.tool]
        since, begun = clock.monotonic(), False
        deadline = since + timeout_s
        told, quiet, last = 0, 0, ""
        looks: deque[Sequence[str]] = deque(maxlen=STEADY)
        while clock.monotonic() < deadline:
            screen = self._look()
            if screen is None:
                self.result = "lost"
                return
            reading = read(provider, screen)
            now = sight(screen)
            idle = reading.state is ScreenState.IDLE and now == last
            quiet = quiet + 1 if idle else 0
            last = now
            if reading.state in (ScreenState.IDLE, ScreenState.BUSY):
                self._transcript.see(self._said())
            begun = (
                begun
                or reading.state is ScreenState.BUSY
                or self._transcript.begun(self._prompt, provider.prompt_mark)
                or clock.monotonic() - since >= BEGIN_S
            )
            ended = (quiet >= QUIET and begun) or reading.state in (ScreenState.ASKING, ScreenState.CRASHED)
            found = self._transcript.answer(self._prompt, provider.prompt_mark, over=ended)
            looks.append(found)
            sure = len(found) if ended else _common(looks)
            yield from found[told:sure]
            told = max(told, sure)
            if ended:
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

    def _said(self) -> Sequence[str]:
        """What was said and is still to be seen, with what has scrolled away."""
        reader = self._agent.session.reader
        found = reader.tmux.capture(self._agent.pane, SCROLLBACK)
        return () if isinstance(found, Unanswered) else reader.providers[self._agent.tool].said(found)


def _common(looks: "deque[Sequence[str]]") -> int:
    """How many lines all of the newest looks begin with."""
    if len(looks) < STEADY:
        return 0
    count = 0
    for lines in zip(*looks, strict=False):
        if any(line != lines[0] for line in lines):
            break
        count += 1
    return count
