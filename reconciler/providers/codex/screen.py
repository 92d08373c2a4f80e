"""What Codex's screen says. Its working line disappears while an answer streams; the spinner in its title does not.

The prompt box is the lowest `›` in the first column, when nothing but its own text and the status lines come below. A
submitted prompt has the same mark, and so has the choice in a menu, which is numbered.
"""

import re
from collections.abc import Sequence

from reconciler.build import screen as shared
from reconciler.ports.reading import DialogKind, Reading, Tri, TurnResult
from reconciler.ports.tmux import Screen

PLACEHOLDER = "Ask Codex to do anything"
BOX = re.compile(r"^›(?: |$)")
CHOICE = re.compile(r"^[›>] \d+\. ")
STATUS = re.compile(
    r"^  (?:.*\? for shortcuts|.* · [~/]|.*← for agents|tab to queue message|esc again to edit|.*again to quit)"
)
SPINNER = re.compile(r"^[\u2800-\u28ff]")
WORKING = re.compile(r"^• \S.* \(\d.* • esc to interrupt\)")
OWN = re.compile(r"^  Worked for .+ • \d|^[▀▄─━]{10,}$")
"""Lines that are no part of an answer."""
DONE = re.compile(r"^  Worked for .+ • \d")
MARK = re.compile(r"^(?:[•■⚠] |› (?!\d+\. ))")
INTERRUPTED = "■ Conversation interrupted"
CRASHED = re.compile(r"^(?:Error: |error: unexpected argument)")
LEAVING = re.compile(r"^(?:Token usage: |To continue this session, run:)")
"""What it says when it leaves: a question that stands above is nobody's any more, or was somebody's words."""
LOADING = re.compile(r"^\s+>_ OpenAI Codex ")
DIALOGS: tuple[shared.DialogSign, ...] = (
    (DialogKind.LOGIN, re.compile(r"Choose how you want to use Codex|Sign in with ChatGPT")),
    (DialogKind.TRUST, re.compile(r"Trust this folder\?|Hooks need review")),
    (DialogKind.UPDATE, re.compile(r"^(?:✨ ?)?Update available|^Meet .+\n(?:.*\n)*.*Try new model", re.MULTILINE)),
    (
        DialogKind.PERMISSION,
        re.compile(r"Would you like to (?:run the following command|make the following edits|grant)"),
    ),
    (
        DialogKind.OTHER,
        re.compile(
            r"^[›>] \d+\. |(?:^|· )(?:press )?enter(?:/esc)? (?:to )?(?:continue|confirm|select|submit)",
            re.MULTILINE | re.I,
        ),
    ),
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
    turning = SPINNER.match(seen.title) is not None
    at, box = _box(lines)
    loading = _loading(lines)
    if box is None or loading:
        below = shared.after(shared.after(lines, MARK), LEAVING)
        return shared.Found(
            said=lines,
            busy=Tri.YES if turning else Tri.NO,
            asking=shared.question(DIALOGS, below),
            crashed=seen.ended or shared.shows(CRASHED, below),
            starting=not lines or loading or (len(lines) < 8 and shared.shows(LOADING, lines)),
            result=TurnResult.UNKNOWN if lines else TurnResult.NONE,
            moving=(seen.title,) if turning else (),
        )
    said = lines[:at]
    while said and not said[-1]:
        said = said[:-1]
    working = said[-1:] if said and WORKING.match(said[-1]) else ()
    # An agent may have said the very words of the working line: without the spinner they prove nothing.
    busy = Tri.YES if turning else Tri.UNKNOWN if working else Tri.NO
    return shared.Found(
        said=said[:-1] if working else said,
        box=box,
        busy=busy,
        result=_newest(said),
        anomalies=("title_disagrees",) if busy is Tri.UNKNOWN else (),
        moving=(seen.title, *working),
    )


def _loading(lines: Sequence[str]) -> bool:
    """Whether its banner says so: what stands in the box then is no prompt, it may be its last words."""
    at = shared.last(lines, LOADING)
    return at >= 0 and [line.strip() for line in lines[at + 1 : at + 2]] == ["loading"]


def _box(lines: Sequence[str]) -> tuple[int, str | None]:
    """(where the prompt box begins, its text); None where the lowest mark is no prompt box."""
    at = shared.last(lines, BOX)
    if at < 0:
        return at, None
    below = lines[at + 1 :]
    status = shared.last(below, re.compile(r"^$")) + 1
    if not shared.shows(STATUS, below[status:]) or any(line and not line.startswith("  ") for line in below):
        return at, None
    if CHOICE.match(lines[at]) and not shared.shows(re.compile(r" · [~/]"), below[status:]):
        return at, None
    text = "\n".join([lines[at][1:].strip(), *(line.strip() for line in below[:status])]).strip()
    return at, "" if text == PLACEHOLDER else text


def _newest(said: Sequence[str]) -> TurnResult:
    """How the newest turn ended, from the lowest mark that tells."""
    for line in reversed(said):
        if DONE.match(line):
            return TurnResult.SUCCESS
        if line.startswith(INTERRUPTED):
            return TurnResult.INTERRUPTED
        if line.startswith("■ "):
            return TurnResult.KNOWN_FAILURE
        if line.startswith(("• ", "› ")):
            return TurnResult.UNKNOWN
    return TurnResult.NONE
