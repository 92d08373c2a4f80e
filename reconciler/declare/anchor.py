"""A node that may be repeated by aliases, and what each repetition costs.

An alias is expanded to a copy, so that nothing read shares a mapping with something else. That is why it is counted
first: ten lines of aliases to aliases stand for more values than there is memory (R-LOAD-5).
"""

from reconciler.declare.tape import Cell, Shape
from reconciler.model.json import Json


class Anchor:
    """An anchored value, `nodes` values large, and its cells `tape[start:end]`, those after its offset."""

    __slots__ = ("_cells", "_value", "end", "height", "nodes", "size", "start")

    def __init__(self, value: Json, start: int, end: int, nodes: int) -> None:
        self._value = value
        self._cells: list[Cell] | None = None
        self.start = start
        self.end = end
        self.nodes = nodes
        self.height = 0
        """Mappings and lists inside one another, this one included; known after `cells` was asked for, as `size` is."""
        self.size = 0
        """Bytes of text, keys included."""

    @classmethod
    def of_key(cls, key: str) -> "Anchor":
        """The anchor of a mapping's key, which is on the tape in another order."""
        anchor = cls(key, 0, 1, 1)
        anchor.cells([key])
        return anchor

    @property
    def word(self) -> str | None:
        """The value, where it is text."""
        return self._value if isinstance(self._value, str) else None

    def cells(self, tape: list[Cell]) -> list[Cell]:
        """What a repetition puts on the tape behind its own offset; measured and kept at the first one."""
        if self._cells is None:
            self._cells = tape[self.start : self.end]
            level = 0
            for cell in self._cells:
                if isinstance(cell, str):
                    self.size += len(cell) if cell.isascii() else len(cell.encode())
                elif isinstance(cell, Shape):
                    level += -1 if cell is Shape.END else 1
                    self.height = max(self.height, level)
        return self._cells

    def copy(self) -> Json:
        """The value, sharing no mapping or list with the original or another copy."""
        return _copy(self._value)


def _copy(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value
