"""Where every node of a document was written: a flat tape, and the places it unrolls to.

    scalar    offset, text
    mapping   offset, MAP, (key, offset of the key, value)*, END
    sequence  offset, SEQ, value*, END

Offsets count characters of the file's text. Appending to it costs the builder two list appends a node; `Places` is
built from it only when somebody asks for a position. A tape ends anywhere where its file
could not be read on.
"""

from enum import Enum

from reconciler.model.resource import Path
from reconciler.model.tuples import NamedTuple


class Shape(Enum):
    """What is not a scalar, and where it ends."""

    MAP = "{"
    SEQ = "["
    END = "]"


Cell = int | str | Shape


class Place(NamedTuple):
    """Offsets of a node and of its key (of an item or a root: of the node), and a scalar's text."""

    key: int
    value: int
    text: str | None


class Places:
    """Every path of a document; where a key is given twice, the first one."""

    __slots__ = ("by_path", "path_of")

    def __init__(self, tape: list[Cell]) -> None:
        self.by_path: dict[Path, Place] = {}
        self.path_of: dict[int, Path] = {}
        """Index in the tape, of a key or of a value's offset, to path."""
        open_shapes: list[tuple[Path, Shape]] = []
        items: list[int] = []
        spot = 0
        while spot < len(tape):
            if tape[spot] is Shape.END:
                open_shapes.pop()
                items.pop()
                spot += 1
                continue
            path: Path = ()
            key = -1
            if open_shapes:
                above, shape = open_shapes[-1]
                if shape is Shape.MAP:
                    path = (*above, str(tape[spot]))
                    self.path_of[spot] = path
                    key = _offset(tape, spot + 1)
                    spot += 2
                else:
                    path = (*above, items[-1])
                    items[-1] += 1
            value = _offset(tape, spot) if spot < len(tape) else key
            what = tape[spot + 1] if spot + 1 < len(tape) else None
            text = what if isinstance(what, str) else None
            self.path_of[spot] = path
            self.by_path.setdefault(path, Place(value if key < 0 else key, value, text))
            if isinstance(what, Shape):
                open_shapes.append((path, what))
                items.append(0)
            spot += 2

    def nearest(self, path: Path) -> Place:
        """The place of `path`, or of its nearest ancestor that was written."""
        while path and path not in self.by_path:
            path = path[:-1]
        return self.by_path[path]


def first_place(tape: list[Cell], path: Path) -> Place | None:
    """The place of one path of mapping keys, read off the tape, which is a fraction of `Places`; None where it is not
    found that way.

    Of a plan's hundred resources each is asked where its name stands, and few are asked anything else.
    """
    spot, key = 0, -1
    for part in path:
        if spot + 1 >= len(tape) or tape[spot + 1] is not Shape.MAP:
            return None
        spot += 2
        while spot + 2 < len(tape) and tape[spot] is not Shape.END and tape[spot] != part:
            spot = _behind(tape, spot + 2)
        if spot + 2 >= len(tape) or tape[spot] is Shape.END:
            return None
        key = _offset(tape, spot + 1)
        spot += 2
    what = tape[spot + 1] if spot + 1 < len(tape) else None
    value = _offset(tape, spot)
    return Place(value if key < 0 else key, value, what if isinstance(what, str) else None)


def _behind(tape: list[Cell], spot: int) -> int:
    """Where the cells of the value at `spot` end."""
    depth = 0
    for at in range(spot + 1, len(tape)):
        cell = tape[at]
        if isinstance(cell, Shape):
            depth += -1 if cell is Shape.END else 1
        if depth == 0:
            return at + 1
    return len(tape)


def _offset(tape: list[Cell], spot: int) -> int:
    cell = tape[spot]
    assert isinstance(cell, int)
    return cell
