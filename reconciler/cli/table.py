"""Tables: aligned columns in a pipe, the same with colour on a terminal, drawn where fancy was asked for."""

from collections.abc import Sequence

from reconciler.cli.complain import printable
from reconciler.cli.screen import Screen

GAP = "   "
CLOSE = "  "
"""Between columns on a terminal."""
SHORTEST = 8
"""Cells that are shortened keep as much."""


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    screen: Screen,
    *,
    bare: bool = False,
    fit: bool = True,
    spare: Sequence[str] = (),
) -> None:
    """Columns as wide as their widest cell; on a terminal what is well is green, and what is not is red.

    `bare` leaves the header out. On a terminal that is too narrow the columns `spare` are left out, the first of them
    first, and with `fit` the widest cells are shortened.
    """
    clean: Sequence[Sequence[str]] = [
        row if "".join(row).isprintable() else [on_one_line(cell) for cell in row] for row in rows
    ]
    if screen.lively and not bare:
        headers, clean = _without(headers, clean, screen, spare)
        (_rich if screen.style == "fancy" else _shown)(headers, clean, screen, fit=fit)
        return
    shown = clean if bare else [headers, *clean]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    form = GAP.join(f"{{:<{width}}}" for width in widths)
    for row in shown:
        screen.line(form.format(*row).rstrip())


def _without(
    headers: Sequence[str], rows: Sequence[Sequence[str]], screen: Screen, spare: Sequence[str]
) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """The columns there is room for."""
    gap, edge = (3, 4) if screen.style == "fancy" else (len(CLOSE), 0)
    for name in spare:
        widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
        if not screen.width or sum(widths) + gap * (len(widths) - 1) + edge <= screen.width or name not in headers:
            continue
        kept = [at for at, header in enumerate(headers) if header != name]
        headers, rows = [headers[at] for at in kept], [[row[at] for at in kept] for row in rows]
    return headers, rows


def _shown(headers: Sequence[str], rows: Sequence[Sequence[str]], screen: Screen, *, fit: bool) -> None:
    """Columns on a terminal."""
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    while fit and screen.width and sum(widths) + len(CLOSE) * (len(widths) - 1) > screen.width:
        widest = max(range(len(widths)), key=lambda at: (widths[at] - len(headers[at]), at))
        if widths[widest] <= max(len(headers[widest]), SHORTEST):
            break
        widths[widest] -= 1
    for row in (headers, *rows):
        cells: list[str] = []
        for cell, width in zip(row, widths, strict=True):
            text = cell if len(cell) <= width or not fit else f"{cell[: width - 1]}…"
            shade = "bold" if row is headers else style_of(cell)
            cells.append(screen.paint(text, shade) + " " * max(0, width - len(text)))
        line = CLOSE.join(cells).rstrip()
        screen.line(line if screen.colour or not fit or not screen.width else line[: screen.width])


def on_one_line(cell: str) -> str:
    """Text from outside for one cell: nothing a terminal would obey, and no line break."""
    return printable(cell).replace("\n", " ")


GOOD = frozenset({"True", "Running", "healthy", "ok"})
BAD = frozenset({"False", "degraded", "stale", "Failed"})


def _rich(headers: Sequence[str], rows: Sequence[Sequence[str]], screen: Screen, *, fit: bool) -> None:
    """The same columns, drawn."""
    from io import StringIO

    from rich.box import ROUNDED
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(
        box=ROUNDED, header_style="bold" if screen.colour else "", border_style="dim" if screen.colour else ""
    )
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    for header, width in zip(headers, widths, strict=True):
        whole = header != headers[-1]
        shown.add_column(header, no_wrap=True, overflow="ellipsis", min_width=width if whole else len(header))
    for row in rows:
        shown.add_row(*(Text(cell, style=style_of(cell) if screen.colour else "") for cell in row))
    held = StringIO()
    needed = sum(widths) + 3 * len(widths) + 1
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
        under = indent + width + 1
        first, *others = screen.wrapped(value, under) or [""]
        label = f"{printable(name) + ':':<{width}}"
        shown = screen.paint(label, "bold") if screen.style == "fancy" else label
        screen.line(f"{' ' * indent}{shown} {first[under:]}".rstrip())
        for line in others:
            screen.line(line)


def in_words(value: "Json") -> str:
    """A value of data for people: nested ones as `name=value`; only data is complete."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case dict():
            said = [(name, part) for name, part in value.items() if part not in (None, [], {})]
            return ", ".join(f"{name}={_inside(part)}" for name, part in said) or "none"
        case list():
            plain = all(not isinstance(part, dict | list) for part in value)
            return (", ".join(map(in_words, value)) or "none") if plain else f"[{len(value)} items]"
    return str(value)


def _inside(value: "Json") -> str:
    return f"({in_words(value)})" if isinstance(value, dict) else in_words(value)


TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.model.json import Json
