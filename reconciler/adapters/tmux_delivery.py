"""Text and keys for an agent's program, under the condition that its pane still is what was judged (R-TMX-2, R-TMX-5).

The condition and what it guards are one command of the tmux server, which reads no pane's output in between. It holds
when the pane is the agent's and alive, its program is the same process, and it shows what was judged:

- title, cursor, sizes, the length of the history and the second of the last output are equal;
- each line of the screen is where it was: the first line that matches it has the number it had.

For a pane that was quiet for a second, the equal second alone proves that not a byte came. What stays undecidable: what
the program has decided and not yet written, what it has written and tmux not yet read, and, within the second of an
output, the change of a repeated or blank line that moves neither the cursor nor any other line.
"""

import re

from reconciler.adapters.tmux_requests import owner
from reconciler.adapters.tmux_syntax import compared, equal, every, quote
from reconciler.ports.tmux import Delivery, Judged, Paste, Screen, Strokes

STAMP = (
    "#{cursor_x} #{cursor_y} #{pane_width} #{pane_height} #{alternate_on} #{history_size} #{history_bytes} "
    "#{window_activity}"
)
"""What tmux counts of a pane; expands to digits and spaces."""
SCREEN_BYTES = 9_000
"""How much of one command line the lines of a screen may take; beyond that the upper ones are left out."""
_LONG, _HEAD, _TAIL = 120, 80, 30


class Line:
    """One delivery in tmux's words: `whys` says what is wrong for each part of the condition, in order."""

    __slots__ = ("tag", "whys", "words")

    def __init__(self, request: Delivery, tag: str) -> None:
        parts = _parts(request.at)
        conditions = [condition for condition, _ in parts]
        seen = [_shown(request.at.screen)] if request.at.screen is not None else []
        pane = request.at.pane_id
        drop = f"delete-buffer -b {buffer(request)} ; " if isinstance(request, Paste) else ""
        told = f"{tag} refused {''.join(conditions)}"
        self.tag = tag
        self.whys = [why for _, why in parts]
        self.words: tuple[str, ...] = (
            *(("load-buffer", "-b", buffer(request), "-", ";") if isinstance(request, Paste) else ()),
            *("if-shell", "-F", "-t", pane, every([*conditions, *seen])),
            f"{_commands(request)} ; display-message -p {quote(f'{tag} done')}",
            f"{drop}display-message -p -t {quote(pane)} {quote(told)}",
        )


def buffer(request: Paste) -> str:
    """The buffer of one paste: named after the agent's uid, and shared with no other sender."""
    return f"houmao-{request.at.uid}-{request.label}"


def _parts(at: Judged) -> list[tuple[str, str]]:
    pane = at.pane_id
    return [
        (equal("pane_id", pane), f"there is no pane {pane}"),
        *owner(at.uid),
        (equal("@houmao_pane", "agent"), f"pane {pane} is not the agent's"),
        (equal("pane_dead", "0"), f"the program in pane {pane} has ended"),
        (equal("pane_pid", str(at.pid)), f"another program runs in pane {pane} than process {at.pid}"),
        (equal("pane_input_off", "0"), f"input to pane {pane} is switched off"),
    ]


def _shown(screen: Screen) -> str:
    """The condition that the pane still shows this screen."""
    looked, expected = ["#{pane_title}"], [compared(screen.title)]
    if screen.stamp:
        looked.append(STAMP)
        expected.append(screen.stamp)
    # Blanks alone: tmux cuts off no other space, and a program may end a line with one that does not break.
    lines = [line.rstrip(" ") for line in screen.text.split("\n")]
    asked: set[str] = set()
    size = 0
    for line in reversed(lines):
        pattern = _pattern(line)
        if pattern in asked:
            continue
        asked.add(pattern)
        size += len(pattern.encode()) + 20
        if size > SCREEN_BYTES:
            break
        looked.append(f"#{{C/r:{pattern}}}")
        expected.append(str(next(number for number, other in enumerate(lines, 1) if re.search(pattern, other))))
    return f"#{{==:{'|'.join(looked)},{'|'.join(expected)}}}"


def _pattern(line: str) -> str:
    """A whole line as a regular expression that tmux and `re` read alike: a character that means something to tmux,
    its formats or the expression may be any one character, and the middle of a long line anything."""
    plain = [char if char.isalnum() or char in " _" else "." for char in line]
    if len(plain) > _LONG:
        plain = [*plain[:_HEAD], ".*", *plain[-_TAIL:]]
    return "".join(["^", *plain, "$"])


def _commands(request: Delivery) -> str:
    # A pane in copy mode would take the keys itself; -q leaves every mode and does nothing outside of one.
    pane = quote(request.at.pane_id)
    said = [f"copy-mode -q -t {pane}"]
    match request:
        case Paste():
            said.append(f"paste-buffer -p -r -d -b {buffer(request)} -t {pane}")
            said += [f"send-keys -t {pane} Enter"] if request.enter else []
        case Strokes():
            said += [f"send-keys -t {pane} {'-l ' if key.literal else ''}-- {quote(key.text)}" for key in request.keys]
    return " ; ".join(said)
