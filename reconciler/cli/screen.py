"""Where text goes and what it may hold: colour on a terminal only, nothing that a terminal would obey from outside."""

import sys
from typing import TextIO

from reconciler.cli.complain import printable
from reconciler.cli.grammar import Args

COLOURS = {"red": "31", "green": "32", "yellow": "33", "magenta": "35", "cyan": "36", "dim": "2", "bold": "1"}
NARROW = 80


class Screen:
    """One output stream: `colour` and `width` say what it can show; width 0 is without end, as in a pipe."""

    __slots__ = ("_out", "colour", "terminal", "width")

    def __init__(self, out: TextIO, *, terminal: bool = False, colour: bool = False, width: int = 0) -> None:
        self._out = out
        self.terminal = terminal
        self.colour = colour
        self.width = width

    def paint(self, text: str, colour: str) -> str:
        """`text` in a colour where there is any; it is escaped first."""
        plain = printable(text)
        return f"\x1b[{COLOURS[colour]}m{plain}\x1b[0m" if self.colour and colour and plain else plain

    def line(self, text: str = "") -> None:
        """One line. `text` holds our own words, `paint`ed or `printable` ones."""
        self._out.write(text + "\n")

    def flush(self) -> None:
        """Show it now."""
        self._out.flush()

    def wrapped(self, text: str, indent: int) -> list[str]:
        """`text` in lines that fit, each indented; a word that is too long stays whole."""
        space = " " * indent
        plain = printable(text)
        if not self.width:
            return [space + line for line in plain.split("\n")]
        lines: list[str] = []
        for paragraph in plain.split("\n"):
            line = ""
            for word in paragraph.split(" "):
                if line and indent + len(line) + 1 + len(word) > self.width:
                    lines.append(space + line)
                    line = word
                else:
                    line = f"{line} {word}" if line else word
            lines.append(space + line)
        return lines


def stdout(args: Args) -> Screen:
    """Standard output as it is: colour on a terminal unless NO_COLOR or --no-color say otherwise."""
    return _screen(sys.stdout, args)


def stderr(args: Args) -> Screen:
    """Standard error: where talk goes when standard output carries data."""
    return _screen(sys.stderr, args)


def _screen(out: TextIO, args: Args) -> Screen:
    if not out.isatty():
        return Screen(out)
    from os import get_terminal_size

    from reconciler.app.settings import environment

    found = environment()
    colour = not args.flag("no_color") and not found.get("NO_COLOR") and found.get("TERM") != "dumb"
    try:
        width = get_terminal_size(out.fileno()).columns or NARROW
    except OSError:
        width = NARROW
    return Screen(out, terminal=True, colour=colour, width=width)


def data_format(args: Args) -> str:
    """`json`, `yaml`, `name`, `jsonpath=…`, or what else was asked with `-o`; empty for the text meant for people."""
    if args.flag("print_json"):
        return "json"
    found = args.text("output")
    return "" if found in ("table", "text", "wide") else found


def is_wide(args: Args) -> bool:
    """Whether `-o wide` was asked for."""
    return args.text("output") == "wide"
