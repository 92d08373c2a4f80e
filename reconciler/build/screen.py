"""What the readers of the providers' screens share: a picture cut to size, and a reading made from what was found.

A reader looks for the prompt box where its program draws it, at the lower end, and takes the rest for what was said:
an agent may have written anything there, also a prompt box, a spinner or the words of a dialog. Only marks the program
itself puts in the first columns count, the lowest first. Without a box the order is crash, question, work, start-up;
a picture in which nothing is found is unknown, never ready.
"""

import re
from collections.abc import Iterable, Sequence

from reconciler.build.helper import HEADLESS_READY
from reconciler.model.tuples import NamedTuple
from reconciler.ports.reading import Dialog, DialogKind, Reading, Surface, Tri, TurnResult, digest_of
from reconciler.ports.tmux import Screen

MOST_LINES = 400
WIDEST = 1000
TAIL = 8
"""How many of the newest lines tell whether something was said; older ones scroll away while somebody types."""
LONGEST_DIALOG = 2000

_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160))) | {9: " ", 0xA0: " "}

DialogSign = tuple[DialogKind, re.Pattern[str]]


class Picture(NamedTuple):
    """A capture as readers want it: no blank end, no trailing blanks, no control characters, of bounded size."""

    lines: tuple[str, ...]
    title: str

    @property
    def headless(self) -> bool:
        """The launch helper waits for a turn: there is no program to type at."""
        return bool(self.lines) and self.lines[-1].startswith(HEADLESS_READY)

    @property
    def ended(self) -> bool:
        """tmux says so below the last screen of a program that left."""
        return bool(self.lines) and self.lines[-1].startswith("Pane is dead (")


def picture(screen: Screen) -> Picture:
    """The newest lines of a capture, cleaned."""
    end = screen.text[-MOST_LINES * WIDEST :].rstrip()
    lines = end.split("\n")[-MOST_LINES:] if end else []
    return Picture(tuple(map(_clean, lines)), _clean(screen.title).strip())


def _clean(line: str) -> str:
    line = line[:WIDEST]
    return (line if line.isprintable() else line.translate(_CONTROLS)).rstrip()


class Found(NamedTuple):
    """What a reader made out."""

    said: Sequence[str] = ()
    """The lines above the prompt box, without those that move."""
    box: str | None = None
    """Text in the prompt box, without its placeholder; None where there is no box."""
    queued: bool = False
    """A prompt waits behind the running turn."""
    busy: Tri = Tri.NO
    asking: Dialog | None = None
    crashed: bool = False
    starting: bool = False
    result: TurnResult = TurnResult.UNKNOWN
    anomalies: tuple[str, ...] = ()
    moving: Sequence[str] = ()
    """The parts that move while it works."""


def above_the_box(found: Found | None, own: re.Pattern[str]) -> Sequence[str]:
    """What was said, the oldest line first, without the lines that match `own`; nothing where there is no box."""
    if found is None or found.box is None:
        return ()
    return [line for line in found.said if not own.match(line)]


def reading(found: Found) -> Reading:
    """The one way from what was found to what may be concluded."""
    said = [line for line in found.said if line.strip()]
    pulse = digest_of("\n".join(found.moving)) if found.moving and found.busy is Tri.YES else ""
    common = Reading(
        result=found.result if found.busy is not Tri.YES else TurnResult.NONE,
        anomalies=found.anomalies,
        body=digest_of("\n".join(said[-TAIL:])),
        lines=len(said),
        pulse=pulse,
    )
    if found.box is not None:
        waits = Tri.YES if found.box or found.queued else Tri.NO
        ready = {Tri.YES: Tri.NO, Tri.NO: Tri.YES, Tri.UNKNOWN: Tri.UNKNOWN}[found.busy]
        surface = Surface(Tri.YES, Tri.YES if found.box else Tri.NO, ready, waits)
        return common._replace(surface=surface, busy=found.busy)
    if found.crashed:
        return common._replace(surface=Surface(Tri.NO, Tri.NO, Tri.NO, Tri.UNKNOWN), busy=Tri.NO, crashed=True)
    if found.asking is not None:
        closed = Surface(Tri.NO, Tri.NO, Tri.NO, Tri.UNKNOWN)
        return common._replace(surface=closed, busy=Tri.UNKNOWN, asking=found.asking)
    if found.busy is Tri.YES:
        return common._replace(surface=Surface(ready_posture=Tri.NO), busy=Tri.YES)
    if found.starting:
        return common._replace(surface=Surface(ready_posture=Tri.NO), starting=True)
    return common._replace(anomalies=(*found.anomalies, "unknown_screen"))


HEADLESS = Reading(surface=Surface(Tri.NO, Tri.NO, Tri.NO, Tri.NO), busy=Tri.NO, result=TurnResult.NONE)
"""Nothing runs and nothing can be typed: turns start by another way."""


def question(signs: Iterable[DialogSign], lines: Sequence[str], frame: str = "") -> Dialog | None:
    """The first dialog whose sign the lines show, with their text; `frame` are characters that draw its border."""
    shown = [line.strip(frame + " ") for line in lines]
    text = "\n".join(line for line in shown if line)
    joined = " ".join(text.split())  # a narrow terminal breaks sentences anywhere
    for kind, sign in signs:
        if sign.search(text) or sign.search(joined):
            return Dialog(kind, text[:LONGEST_DIALOG])
    return None


def after(lines: Sequence[str], mark: re.Pattern[str]) -> Sequence[str]:
    """The lines below the lowest one with the mark; all of them where none has it."""
    lowest = last(lines, mark)
    return lines[lowest + 1 :]


def last(lines: Sequence[str], mark: re.Pattern[str]) -> int:
    """The lowest line with the mark, or -1."""
    return next((at for at in range(len(lines) - 1, -1, -1) if mark.search(lines[at])), -1)


def shows(sign: re.Pattern[str], lines: Sequence[str]) -> bool:
    """Whether one of the lines has it."""
    return any(sign.search(line) for line in lines)
