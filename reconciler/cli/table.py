"""Tables: aligned columns in a pipe, the same with colour on a terminal, drawn where fancy was asked for."""

from collections.abc import Sequence

from reconciler.cli.complain import printable
from reconciler.cli.screen import Screen

GAP = "   "


def table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], screen: Screen, *, bare: bool = False, fit: bool = True
) -> None:
    """Columns as wide as their widest cell; on a terminal through rich, which colours them.

    `bare` leaves the header out. `fit` shortens the last column to the width of the terminal.
    """
    clean = [row if "".join(row).isprintable() else [on_one_line(cell) for cell in row] for row in rows]
    if screen.lively and not bare:
        _rich(headers, clean, screen, fit=fit)
        return
    shown = clean if bare else [headers, *clean]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    form = GAP.join(f"{{:<{width}}}" for width in widths)
    for row in shown:
        screen.line(form.format(*row).rstrip())


def on_one_line(cell: str) -> str:
    """Text from outside for one cell: nothing a terminal would obey, and no line break."""
    return printable(cell).replace("\n", " ")


GOOD = frozenset({"True", "Running", "healthy", "ok"})
BAD = frozenset({"False", "degraded", "stale", "Failed"})


def _rich(headers: Sequence[str], rows: Sequence[Sequence[str]], screen: Screen, *, fit: bool) -> None:
    """The same columns; what is well is green, what is not is red."""
    from io import StringIO

    from rich.box import ROUNDED
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    style = "bold" if screen.colour else ""
    drawn = screen.style == "fancy"
    if drawn:
        shown = Table(box=ROUNDED, header_style=style, border_style="dim" if screen.colour else "")
    else:
        shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=style)
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    for header, width in zip(headers, widths, strict=True):
        whole = header != headers[-1]
        shown.add_column(header, no_wrap=True, overflow="ellipsis", min_width=width if whole else len(header))
    for row in rows:
        shown.add_row(*(Text(cell, style=style_of(cell) if screen.colour else "") for cell in row))
    held = StringIO()
    needed = sum(widths) + (3 * len(widths) + 1 if drawn else 2 * len(widths))
    console = Console(
        file=held,
        width=min(screen.width, needed) if fit and screen.width else needed,
        force_terminal=screen.colour,
        color_system="standard" if screen.colour else None,
        highlight=False,
    )
    console.print(shown)
    for line in held.getvalue().rstrip("\n").split("\n"):
        screen.line(line.rstrip())


def style_of(cell: str) -> str:
    """What is well is green, what is not is red, what nobody knows is yellow."""
    return "green" if cell in GOOD else "red" if cell in BAD else "yellow" if cell == "Unknown" else ""


def pairs(rows: Sequence[tuple[str, str]], screen: Screen, *, indent: int = 0) -> None:
    """`name:   value` lines."""
    width = max((len(name) for name, _ in rows), default=0) + 1
    for name, value in rows:
        first, *others = screen.wrapped(value, 0) or [""]
        label = f"{printable(name) + ':':<{width}}"
        shown = screen.paint(label, "bold") if screen.style == "fancy" else label
        screen.line(f"{' ' * indent}{shown} {first}".rstrip())
        for line in others:
            screen.line(" " * (indent + width + 1) + line)
