"""Text and keys on their way to the agent's pane: what to type, and what tmux's answer means."""

import re
from collections.abc import Sequence

from reconciler.app.gateway.served import Place
from reconciler.model.errors import ReconcilerError
from reconciler.model.ref import Uid
from reconciler.model.tuples import NamedTuple
from reconciler.ports.tmux import Answer, Done, Failed, Judged, Paste, Refused, Screen, Stroke, Strokes, Tmux

NAMES = ("BSpace", "C-c", "C-d", "C-u", "C-z", "Down", "Enter", "Escape", "Left", "Right", "Tab", "Up")
_TOKEN = re.compile(r"<\[([^<>\[\]\s]+)\]>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Typed(NamedTuple):
    """What came of it. Neither `done` nor `unknown`: certainly nothing was typed."""

    done: bool
    unknown: bool = False
    why: str = ""
    moved: bool = False
    """Only the screen changed since it was judged."""


class KeysFault(ReconcilerError):
    """A key sequence that is none; nothing is sent."""

    code = "gateway.invalid_keys"


def prompt_fault(text: str) -> str | None:
    """Why a text is no prompt, as the end of a sentence; None when it is one."""
    if not text.strip():
        return "is blank"
    if any((char < " " and char not in "\n\t") or "\x7f" <= char <= "\x9f" for char in text):
        return "holds a control character"
    if any("\ud800" <= char <= "\udfff" for char in text):
        return "holds half a surrogate pair, which is no text"
    return None


def keys_of(sequence: str, *, escape: bool, enter: bool = False) -> tuple[Stroke, ...]:
    """Keys of a sequence (`/model<[Enter]><[Down]>`); with `escape` all of it is literal. Raises KeysFault.

    `enter` adds an Enter where the sequence does not end with one.
    """
    if not sequence:
        raise KeysFault("the key sequence is empty")
    strokes: list[Stroke] = []
    at = 0
    for found in () if escape else _TOKEN.finditer(sequence):
        name = found.group(1)
        if name not in NAMES:
            raise KeysFault(f"{found.group()!r} names no key; there are: {', '.join(NAMES)}")
        strokes += _literal(sequence[at : found.start()])
        strokes.append(Stroke(name))
        at = found.end()
    strokes += _literal(sequence[at:])
    if enter and strokes[-1] != Stroke("Enter"):
        strokes.append(Stroke("Enter"))
    return tuple(strokes)


def _literal(text: str) -> list[Stroke]:
    if _CONTROL.search(text) or any("\ud800" <= char <= "\udfff" for char in text):
        raise KeysFault("literal text holds a control character; write keys as tokens, such as <[Enter]>")
    return [Stroke(text, literal=True)] if text else []


def type_prompt(tmux: Tmux, uid: Uid, place: Place, screen: Screen | None, label: str, text: str) -> Typed:
    """Paste and submit, if the pane still shows `screen` (None: whatever it shows)."""
    return _typed(tmux.deliver(Paste(Judged(place.pane_id, uid, place.pid, screen), label, text, enter=True)))


def type_keys(tmux: Tmux, uid: Uid, place: Place, strokes: Sequence[Stroke]) -> Typed:
    """Type keys, whatever the pane shows, as long as the agent's own program runs in it."""
    return _typed(tmux.deliver(Strokes(Judged(place.pane_id, uid, place.pid), tuple(strokes))))


def _typed(answer: Answer) -> Typed:
    match answer:
        case Done():
            return Typed(True)
        case Refused(why, moved):
            return Typed(False, why=why, moved=moved)
        case Failed(why, unknown):
            return Typed(False, unknown, why)
        case _:
            return Typed(False, unknown=True, why="tmux gave an answer that is none")
