"""What Claude Code's screen says. Its title stays the same through a turn and tells nothing.

The prompt box lies between two rules, the lower one followed by nothing but its footer. What is said begins in the
first column with a mark (`❯` prompt, `●` answer, a star for the working line and for the line of a finished turn) and
goes on indented: nothing the agent writes can stand in the first column. The footer's `esc to interrupt` goes away
while somebody types, the working line does not.
"""

import re
from collections.abc import Sequence

from reconciler.build import screen as shared
from reconciler.ports.reading import DialogKind, Reading, Tri, TurnResult
from reconciler.ports.tmux import Screen

RULE = re.compile(r"^─{10,}")
MOST_FOOTER = 16
QUEUED = "Press up to edit queued messages"
EXAMPLE = re.compile(r'^Try ".*"$', re.DOTALL)
"""The dimmed example in an empty box; a capture has no colours to tell it from typed text."""
STAR = re.compile(r"^[·✢*✶✻✽] ")
WORKING = re.compile(r"^[·✢*✶✻✽] (?!.* · done ).*(?:…|retrying in )")
OWN = re.compile(r"^✻ .* for |^  ⎿  Tip: |^[▀▄─━]{10,}$")
"""Lines that are no part of an answer."""
DONE = re.compile(r"^✻ .* for .* · done ")
MARK = re.compile(r"^(?:[●·✢*✶✻✽] |❯ (?!\d+\. ))")
INTERRUPTED = re.compile(r"^\s+⎿\s+Interrupted · ")
WAITING = re.compile(r"^\s+⎿\s+Queued · ")
CRASHED = re.compile(
    r"^\W{0,4}(?:Unable to connect to Anthropic services|.*cannot be used with root/sudo|No conversation found to)"
)
DIALOGS: tuple[shared.DialogSign, ...] = (
    (
        DialogKind.TRUST,
        re.compile(r"Do you trust the files in this folder|Quick safety check|Yes, I trust this folder"),
    ),
    (
        DialogKind.LOGIN,
        re.compile(r"Detected a custom API key|Select login method"),
    ),
    (DialogKind.PERMISSION, re.compile(r"^(?:Do|Would) you (?:want|like) to .*\?$|Yes, I accept", re.MULTILINE)),
    (DialogKind.OTHER, re.compile(r"Make auto mode your default|Choose the text style that looks best")),
    (DialogKind.OTHER, re.compile(r"^❯ \d+\. |Enter to (?:confirm|select|save)|Esc to (?:cancel|close)", re.MULTILINE)),
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
    rules = [at for at, line in enumerate(lines) if RULE.match(line)][-2:]
    box, footer = _box(lines, rules)
    if box is None:
        below = shared.after(lines, MARK)
        return shared.Found(
            said=lines,
            busy=Tri.NO,
            asking=shared.question(DIALOGS, [line for line in below if not RULE.match(line)]),
            crashed=seen.ended or shared.shows(CRASHED, below),
            starting=not lines,
            result=TurnResult.UNKNOWN if lines else TurnResult.NONE,
        )
    said = _said(lines[: rules[0]])
    working = [line for line in said if WORKING.match(line)]
    result, works = _newest(said)
    busy = works or any("esc to interrupt" in line for line in footer)
    return shared.Found(
        said=[line for line in said if not WORKING.match(line)],
        box="" if box == QUEUED or EXAMPLE.match(box) else box,
        queued=box == QUEUED or (busy and shared.shows(WAITING, said)),
        busy=Tri.YES if busy else Tri.NO,
        result=result,
        moving=working,
    )


def _box(lines: Sequence[str], rules: Sequence[int]) -> tuple[str | None, Sequence[str]]:
    """(text in the prompt box, its footer); None where the lowest two rules hold no prompt."""
    if len(rules) < 2:
        return None, ()
    upper, lower = rules
    inside, footer = lines[upper + 1 : lower], [line for line in lines[lower + 1 :] if line]
    framed = bool(inside) and re.match(r"❯(?: |$)", inside[0]) is not None
    if (
        not framed
        or len(footer) > MOST_FOOTER
        or any(not line.startswith("  ") for line in (*inside[1:], *footer) if line)
    ):
        return None, ()
    return "\n".join([inside[0][1:].strip(), *(line.strip() for line in inside[1:])]).strip(), footer


def _said(lines: Sequence[str]) -> Sequence[str]:
    """Without the hints that are set to the right just above the box."""
    end = len(lines)
    while end and (not lines[end - 1] or lines[end - 1].startswith(" " * 8)):
        end -= 1
    return lines[:end]


def _newest(said: Sequence[str]) -> tuple[TurnResult, bool]:
    """(how the newest turn ended, whether it still works), from the lowest mark that tells."""
    for line in reversed(said):
        if DONE.match(line):
            return TurnResult.SUCCESS, False
        if WORKING.match(line):
            return TurnResult.NONE, True
        if INTERRUPTED.match(line):
            return TurnResult.INTERRUPTED, False
        if line.startswith("● "):
            return (TurnResult.KNOWN_FAILURE if line.startswith("● API Error") else TurnResult.UNKNOWN), False
        if line.startswith("❯ "):
            return TurnResult.UNKNOWN, False
    return TurnResult.NONE, False
