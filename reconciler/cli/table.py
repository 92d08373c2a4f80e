"""Tables: aligned columns in a pipe, the same with colour on a terminal."""

from collections.abc import Sequence

from reconciler.cli.complain import printable
from reconciler.cli.screen import Screen

GAP = "   "


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], screen: Screen, *, bare: bool = False) -> None:
    """Columns as wide as their widest cell; on a terminal through rich, which colours and folds. `bare`: no header."""
    clean = [[printable(cell).replace("\n", " ") for cell in row] for row in rows]
    if screen.terminal and not bare:
        _rich(headers, clean, screen)
        return
    widths = [len(header) if not bare else 0 for header in headers]
    for row in clean:
        widths = [max(width, len(cell)) for width, cell in zip(widths, row, strict=True)]
    for row in ([list(headers)] if not bare else []) + clean:
        screen.line(GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


GOOD = frozenset({"True", "Running", "healthy", "ok"})
BAD = frozenset({"False", "degraded", "stale", "Failed"})


def _rich(headers: Sequence[str], rows: Sequence[Sequence[str]], screen: Screen) -> None:
    """The same columns; what is well is green, what is not is red."""
    from io import StringIO

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold" if screen.colour else "")
    for index, header in enumerate(headers):
        shown.add_column(header, no_wrap=index == 0, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell, style=_style(cell) if screen.colour else "") for cell in row))
    held = StringIO()
    console = Console(
        file=held, width=screen.width, force_terminal=screen.colour, color_system="standard" if screen.colour else None,
        highlight=False,
    )  # fmt: skip
    console.print(shown)
    for line in held.getvalue().rstrip("\n").split("\n"):
        screen.line(line.rstrip())


def _style(cell: str) -> str:
    return "green" if cell in GOOD else "red" if cell in BAD else "yellow" if cell == "Unknown" else ""


def pairs(rows: Sequence[tuple[str, str]], screen: Screen, *, indent: int = 0) -> None:
    """`name:   value` lines."""
    width = max((len(name) for name, _ in rows), default=0) + 1
    for name, value in rows:
        first, *others = screen.wrapped(value, 0) or [""]
        screen.line(f"{' ' * indent}{printable(name) + ':':<{width}} {first}".rstrip())
        for line in others:
            screen.line(" " * (indent + width + 1) + line)
