"""What Gemini's screen says: title and text tell the same, and where they do not, nobody knows.

The prompt box is a band between a line of `▄` and one of `▀`, a rule with the mode above it and the footer below. A
submitted prompt is drawn in such a band too, without rule and footer. Start dialogs show the idle title: the title
alone is no readiness.
"""

import re
from collections.abc import Sequence

from reconciler.build import screen as shared
from reconciler.ports.reading import DialogKind, Reading, Tri, TurnResult
from reconciler.ports.tmux import Screen

PLACEHOLDER = "Type your message or @path/to/file"
TOP, BOTTOM = re.compile(r"^▄{10,}$"), re.compile(r"^▀{10,}$")
RULE = re.compile(r"^─{10,}$")
MOST_FOOTER = 8
SPINNER = re.compile(r"^ [\u2800-\u28ff] .*\(esc to cancel")
QUEUED = re.compile(r"^  Queued \(press ")
MARK = re.compile(r"^(?:[✦ℹ✕] |▀{10,}$)")
OWN = re.compile(r"^[▀▄─━]{10,}$")
"""Lines that are no part of an answer."""
FRAME = "│╭╮╰╯─"
CRASHED = re.compile(r"^An unexpected critical error occurred")
STARTING = re.compile(r"Initializing\.\.\.|Waiting for MCP servers to initialize")
DIALOGS: tuple[shared.DialogSign, ...] = (
    (DialogKind.TRUST, re.compile(r"Do you trust (?:the files in )?this folder")),
    (DialogKind.LOGIN, re.compile(r"How would you like to authenticate")),
    (
        DialogKind.PERMISSION,
        re.compile(r"Apply this change\?|Allow execution of|Do you want to proceed\?|^● 1\. Allow once", re.MULTILINE),
    ),
    (DialogKind.UPDATE, re.compile(r"Gemini CLI update available")),
    (DialogKind.OTHER, re.compile(r"^(?:● |❯ )\d+\. |Use Enter to select|Press Esc to close", re.MULTILINE)),
)


def read(screen: Screen) -> Reading:
    """What one capture says."""
    found = _found(screen)
    return shared.reading(found) if found is not None else shared.HEADLESS


def said(screen: Screen) -> Sequence[str]:
    """What was said above the prompt box, the oldest line first, without what the program tells of its own work."""
    return shared.above_the_box(_found(screen), OWN)


def _found(screen: Screen) -> shared.Found | None:
    """What there is to see; None where nothing runs between turns."""
    seen = shared.picture(screen)
    if seen.headless:
        return None
    lines = seen.lines
    titled = {"✦": Tri.YES, "◇": Tri.NO}.get(seen.title[:1], Tri.UNKNOWN)
    rule, box = _box(lines)
    if box is None:
        below = shared.after(lines, MARK)
        return shared.Found(
            said=lines,
            busy=Tri.YES if titled is Tri.YES else Tri.NO,
            asking=shared.question(DIALOGS, below, FRAME),
            crashed=seen.ended or shared.shows(CRASHED, below),
            starting=not lines or shared.shows(STARTING, below),
            result=TurnResult.UNKNOWN if lines else TurnResult.NONE,
        )
    said = _said(lines[:rule])
    spinning = [line for line in lines[len(said) : rule] if SPINNER.match(line)]
    busy = Tri.YES if spinning or titled is Tri.YES else titled
    agree = titled is (Tri.YES if spinning else Tri.NO)
    return shared.Found(
        said=said,
        box=box,
        queued=busy is Tri.YES and shared.shows(QUEUED, said[-12:]),
        busy=busy,
        result=_newest(said),
        anomalies=() if agree else ("title_disagrees",),
        moving=spinning,
    )


def _box(lines: Sequence[str]) -> tuple[int, str | None]:
    """(the rule above the prompt box, its text); None where the lowest band is no prompt box."""
    top = shared.last(lines, TOP)
    rule = shared.last(lines[: max(top, 0)], RULE)
    bottom = next((at for at in range(top + 1, len(lines)) if BOTTOM.match(lines[at])), -1)
    # In a small terminal a redrawn footer may leave an older one below it, with its edge.
    footer = [line for line in lines[bottom + 1 :] if line and not BOTTOM.match(line)]
    if top < 0 or bottom < 0 or rule < 0 or top - rule > 3 or len(footer) > MOST_FOOTER:
        return -1, None
    inside = lines[top + 1 : bottom]
    mode = inside and re.match(r" [*>](?: |$)", inside[0])
    if not mode or any(not line.startswith(" ") or line.strip()[0] in FRAME for line in footer):
        return -1, None
    text = "\n".join([inside[0][2:].strip(), *(line.strip() for line in inside[1:])]).strip()
    return rule, "" if text == PLACEHOLDER else text


def _said(lines: Sequence[str]) -> Sequence[str]:
    """Without the rows of hints and spinner just above the rule: one blank in front, or set to the right."""
    end = len(lines)
    while end and (not lines[end - 1] or re.match(r" \S| {8}", lines[end - 1])):
        end -= 1
    return lines[:end]


def _newest(said: Sequence[str]) -> TurnResult:
    """How the newest turn ended, from the lowest mark that tells."""
    for line in reversed(said):
        if line.startswith("ℹ Request cancelled"):
            return TurnResult.INTERRUPTED
        if line.startswith(("✕ ", "ℹ This request failed")):
            return TurnResult.KNOWN_FAILURE
        if line.startswith("✦ "):
            return TurnResult.SUCCESS
        if BOTTOM.match(line):
            return TurnResult.UNKNOWN
    # The beginning of a long answer has scrolled away; an interrupt or an error would stand at its end.
    return TurnResult.SUCCESS if said and said[-1].startswith("  ") else TurnResult.NONE
