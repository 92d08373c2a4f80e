"""Where text goes and what it may hold: colour where it is seen, nothing that a terminal would obey from outside."""

import sys
from collections.abc import Callable
from typing import TextIO

from reconciler.cli.complain import printable
from reconciler.cli.grammar import Args

COLOURS = {"red": "31", "green": "32", "yellow": "33", "magenta": "35", "cyan": "36", "dim": "2", "bold": "1"}
NARROW = 80
NARROWEST = 20
"""Room for text that is indented further than a terminal is wide."""


class Screen:
    """One output stream: `colour`, `width` and `height` say what it can show; 0 is without end, as in a pipe.

    `terminal` says whether a person may be asked there; `style` is `plain` or `fancy` where one was chosen.
    """

    __slots__ = ("_head", "_out", "colour", "height", "style", "terminal", "width")

    def __init__(
        self,
        out: TextIO,
        *,
        terminal: bool = False,
        colour: bool = False,
        width: int = 0,
        height: int = 0,
        style: str = "",
    ) -> None:
        self._out = out
        self._head: Callable[[], str] | None = None
        self.height = height
        self.terminal = terminal
        self.colour = colour
        self.width = width
        self.style = style

    @property
    def lively(self) -> bool:
        """Whether it shows what a terminal can: tables that fit it, and what goes on right now."""
        return self.style == "fancy" or (self.terminal and self.style != "plain")

    def paint(self, text: str, colour: str) -> str:
        """`text` in a colour where there is any; it is escaped first."""
        plain = printable(text)
        return f"\x1b[{COLOURS[colour]}m{plain}\x1b[0m" if self.colour and colour and plain else plain

    def on(self, out: TextIO) -> "Screen":
        """The same for text that is looked at before it is shown."""
        return Screen(
            out, terminal=self.terminal, colour=self.colour, width=self.width, height=self.height, style=self.style
        )

    def headed(self, head: Callable[[], str] | None) -> None:
        """What is asked for once, for a line before the next one; nothing is shown where none follows."""
        self._head = head

    def line(self, text: str = "") -> None:
        """One line. `text` holds our own words, `paint`ed or `printable` ones."""
        if self._head is not None:
            head, self._head = self._head(), None
            self._out.write(head + "\n")
        self._out.write(text + "\n")

    def flush(self) -> None:
        """Show it now."""
        self._out.flush()

    def wrapped(self, text: str, indent: int) -> list[str]:
        """`text` in lines that fit, each indented; a word that is too long for one, a path, is broken where it can."""
        space = " " * indent
        plain = printable(text)
        if not self.width:
            return [space + line for line in plain.split("\n")]
        room = max(self.width - indent, NARROWEST)
        lines: list[str] = []
        for paragraph in plain.split("\n"):
            line = ""
            for word in paragraph.split(" "):
                if line and len(line) + 1 + len(word) > room:
                    lines.append(space + line)
                    line = word
                else:
                    line = f"{line} {word}" if line else word
                while len(line) > room:
                    at = _break(line, room)
                    lines.append(space + line[:at])
                    line = line[at:]
            lines.append(space + line)
        return lines


def _break(word: str, room: int) -> int:
    """Where a word that is longer than `room` is broken: behind a separator, if one comes late enough."""
    for separators in ("/", "-_.:,="):
        at = max(word.rfind(each, 0, room) for each in separators) + 1
        if at > room // 3:
            return at
    return room


def stdout(args: Args) -> Screen:
    """Standard output as it is: colour on a terminal unless NO_COLOR or --no-color say otherwise."""
    return _screen(sys.stdout, args)


def stderr(args: Args) -> Screen:
    """Standard error: where talk goes when standard output carries data."""
    return _screen(sys.stderr, args)


def _screen(out: TextIO, args: Args) -> Screen:
    terminal, style = out.isatty(), args.style if args.style in ("plain", "fancy") else ""
    if style == "plain" or not (terminal or style):
        return Screen(out, terminal=terminal, style=style)
    from os import get_terminal_size

    from reconciler.app.settings import environment

    found = environment()
    # What is written on the line wins over NO_COLOR, which wins over a style that is only usual here.
    wanted = args.flag("print_fancy") or (not found.get("NO_COLOR") and found.get("TERM") != "dumb")
    colour = wanted and not args.flag("no_color")
    if not terminal:
        return Screen(out, colour=colour, style=style)
    try:
        size = get_terminal_size(out.fileno())
        width, height = size.columns or NARROW, size.lines
    except OSError:
        width, height = NARROW, 0
    return Screen(out, terminal=True, colour=colour, width=width, height=height, style=style)


def data_format(args: Args) -> str:
    """`json`, `yaml`, `name`, `jsonpath=…`, or what else was asked with `-o`; empty for the text meant for people."""
    found = args.text("output")
    if args.flag("print_json") or (args.style == "json" and not found):
        return "json"
    return "" if found in ("table", "text", "wide") else found


def piped_format(args: Args, out: Screen) -> str:
    """The same for commands that answer JSON in a pipe and text on a terminal, unless a style was chosen."""
    lines = out.terminal or args.style or args.text("output") == "text"
    return data_format(args) or ("" if lines else "json")


def is_wide(args: Args) -> bool:
    """Whether `-o wide` was asked for."""
    return args.text("output") == "wide"
