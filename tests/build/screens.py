"""A made-up program whose screens are one line long, so that tests of the tracker can say what they mean.

idle SAID [RESULT]     typed SAID [RESULT]     busy SAID PULSE     ask     crash     start
lost                   a screen nobody knows
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reconciler.build import screen as shared
from reconciler.build.tracking import Tracker
from reconciler.ports.reading import Dialog, DialogKind, Reading, Tri, TurnResult
from reconciler.ports.screen import UP, Facts, Look, Moment, ProcessState, TerminalState, Timings, TransportState
from reconciler.ports.tmux import Screen, Unanswered

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
DOWN = Facts(TransportState.TMUX_UP, ProcessState.TUI_DOWN)
GONE = Facts(TransportState.TMUX_MISSING, ProcessState.UNKNOWN)


def read(screen: Screen) -> Reading:
    """The reader of the made-up program."""
    word, *rest = screen.text.split()
    said = rest[:1]
    match word:
        case "idle" | "typed":
            result = TurnResult(rest[1]) if len(rest) > 1 else TurnResult.NONE
            return shared.reading(shared.Found(said=said, box="text" if word == "typed" else "", result=result))
        case "busy":
            return shared.reading(shared.Found(said=said, box="", busy=Tri.YES, moving=rest[1:]))
        case "ask":
            return shared.reading(shared.Found(said=said, asking=Dialog(DialogKind.TRUST, "Sure?")))
        case "crash":
            return shared.reading(shared.Found(said=said, crashed=True))
        case "start":
            return shared.reading(shared.Found(starting=True, result=TurnResult.NONE))
        case _:
            return shared.reading(shared.Found(said=said))


def moment(second: float) -> Moment:
    return Moment(second, EPOCH + timedelta(seconds=second))


class Watched:
    """A tracker with its looks said shortly."""

    def __init__(self, timings: Timings | None = None, keep: int = 1000) -> None:
        self.tracker = Tracker(read, "toy", timings or Timings(), keep)

    def see(self, second: float, text: str, facts: Facts = UP) -> TerminalState:
        return self.tracker.feed(Look(Screen(text, ""), moment(second), facts))

    def miss(self, second: float, why: str = "no answer in time", facts: Facts = UP) -> TerminalState:
        return self.tracker.feed(Look(Unanswered(why), moment(second), facts))

    def prompt(self, second: float, turn_id: str = "") -> str:
        return self.tracker.note_prompt(moment(second), turn_id)

    @property
    def told(self) -> list[tuple[float, str]]:
        return [((entry.at - EPOCH).total_seconds(), entry.summary) for entry in self.tracker.history]
