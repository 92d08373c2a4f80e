"""Hand a text or keys to an agent's program: what tmux is told, in which order, and what its answers mean.

Nothing here decides whether a prompt is welcome (`app.messages` does); here it is made sure that it goes in only while
the pane is what was judged, and that whoever asks learns what became of it: delivered, undelivered or unknown.

    paste and Enter in one step             where the provider takes both at once
    paste ─ pause ─ look again ─ Enter      elsewhere; a question that came up meanwhile is never answered by Enter
"""

from reconciler.app.sight import read
from reconciler.model.ref import Uid
from reconciler.model.tuples import NamedTuple
from reconciler.ports.clock import Clock
from reconciler.ports.provider import Provider
from reconciler.ports.reading import ScreenState
from reconciler.ports.requests import Outcome
from reconciler.ports.tmux import (
    Answer,
    Delivery,
    Done,
    Failed,
    Judged,
    Paste,
    Refused,
    Screen,
    Stroke,
    Strokes,
    Tmux,
    Unanswered,
)

TRIES = 6
"""How often Enter is tried again on a screen that moves between the look and the key."""
MOVES_S = 0.05


class Handed(NamedTuple):
    """What became of it. `moved`: nothing was sent, only because the screen is not the judged one any more."""

    outcome: Outcome
    detail: str = ""
    moved: bool = False


class Terminal(NamedTuple):
    """One agent's terminal, and what it takes to type there."""

    tmux: Tmux
    clock: Clock
    provider: Provider
    pane: str
    uid: Uid
    pid: int

    def at(self, screen: Screen | None) -> Judged:
        """The pane as it was judged."""
        return Judged(self.pane, self.uid, self.pid, screen)

    def look(self) -> Screen | Unanswered:
        """What it shows now."""
        return self.tmux.capture(self.pane)


def text_fault(text: str) -> str | None:
    """Why a text cannot be a prompt, as the end of a sentence; None when it can."""
    if not text.strip():
        return "is blank"
    if any((char < " " and char not in "\n\t") or "\x7f" <= char <= "\x9f" for char in text):
        return "holds a control character, which a terminal would take for a key"
    if any("\ud800" <= char <= "\udfff" for char in text):
        return "holds bytes that are no text"
    return None


def prompt(terminal: Terminal, screen: Screen | None, label: str, text: str) -> Handed:
    """Paste a prompt and submit it; `screen` as it was judged, None to type whatever it shows."""
    at_once = terminal.provider.submit_pause_s == 0
    handed = _handed(terminal, Paste(terminal.at(screen), label, text, enter=at_once))
    if at_once or handed.outcome is not Outcome.DELIVERED:
        return handed
    terminal.clock.sleep(terminal.provider.submit_pause_s)
    return _enter(terminal, forced=screen is None)


def keys(terminal: Terminal, screen: Screen | None, strokes: tuple[Stroke, ...]) -> Handed:
    """Type keys in order."""
    return _handed(terminal, Strokes(terminal.at(screen), strokes))


def _enter(terminal: Terminal, *, forced: bool) -> Handed:
    """Submit what was pasted, unless something that Enter would answer is on the screen by now."""
    key = (Stroke("Enter"),)
    for tries in range(TRIES):
        screen = terminal.look()
        if isinstance(screen, Unanswered):
            return Handed(Outcome.UNDELIVERED, f"it was pasted and not submitted: {screen.why}")
        state = read(terminal.provider, screen).state
        if not forced and state in (ScreenState.ASKING, ScreenState.CRASHED):
            return Handed(Outcome.UNDELIVERED, f"it was pasted and not submitted: the screen is {state.value} now")
        last = forced or tries == TRIES - 1
        # A screen that never rests (a spinner, a clock) gets its Enter all the same: it asks nothing.
        handed = _handed(terminal, Strokes(terminal.at(None if last else screen), key))
        if not handed.moved:
            break
        terminal.clock.sleep(MOVES_S)
    if handed.outcome is Outcome.UNDELIVERED:
        return Handed(Outcome.UNDELIVERED, f"it was pasted and not submitted: {handed.detail}")
    return handed


def _handed(terminal: Terminal, request: Delivery) -> Handed:
    return meaning(terminal.tmux.deliver(request))


def meaning(answer: Answer) -> Handed:
    """What an answer of tmux says about the delivery."""
    match answer:
        case Done():
            return Handed(Outcome.DELIVERED)
        case Refused(why, moved):
            return Handed(Outcome.UNDELIVERED, why, moved)
        case Failed(why, unknown):
            return Handed(Outcome.UNKNOWN if unknown else Outcome.UNDELIVERED, why)
        case _:
            return Handed(Outcome.UNKNOWN, "tmux gave an answer that is none")
