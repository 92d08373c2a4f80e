"""Where each field of a resource was written, worked out when somebody asks.

A thousand documents have tens of thousands of positions, of which a plan shows a few: so a `Positions` keeps the
document, and for a generated child the prefixes by which its paths differ from its owner's.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Protocol

from reconciler.model.json import Json
from reconciler.model.resource import Path, Position, dotted

_STEP = re.compile(r"\[([0-9]+)\]|([^.\[\]]+)")


class Written(Protocol):
    """What a document can be asked: its values, and where they were written."""

    @property
    def value(self) -> dict[str, Json]: ...

    @property
    def file(self) -> str: ...

    @property
    def index(self) -> int: ...

    def position(self, path: Path) -> Position: ...

    def key_position(self, path: Path) -> Position: ...


class Positions(Mapping[str, Position]):
    """Dotted path (`spec.env.FOO`) to the position of its key; only paths that were written are in it."""

    __slots__ = ("_document", "_moved")

    def __init__(self, document: Written, moved: tuple[tuple[str, str], ...] = ()) -> None:
        self._document = document
        self._moved = moved

    def __getitem__(self, path: str) -> Position:
        steps = self._written(path)
        if steps is None:
            raise KeyError(path)
        return self._document.key_position(steps)

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self._written(path) is not None

    def __iter__(self) -> Iterator[str]:
        return (dotted(path) for path in _paths(self._document.value, ()))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _written(self, path: str) -> Path | None:
        """The path in the document, or None where nothing was written."""
        value: Json = self._document.value
        steps: list[str | int] = []
        rest = self._original(path)
        while rest:
            if isinstance(value, dict):
                step = _key(value, rest)
                if step is None:
                    return None
                steps.append(step)
                value, rest = value[step], rest[len(step) :].removeprefix(".")
            elif isinstance(value, list) and (found := _STEP.match(rest)) and found[1] and int(found[1]) < len(value):
                steps.append(int(found[1]))
                value, rest = value[int(found[1])], rest[found.end() :].removeprefix(".")
            else:
                return None
        return tuple(steps)

    def _original(self, path: str) -> str:
        if not self._moved or not path.startswith("spec."):
            return path
        below = path[5:]
        for prefix, original in self._moved:
            if not prefix:
                return f"spec.{original}.{below}"
            if below == prefix or below.startswith((f"{prefix}.", f"{prefix}[")):
                moved = original + below[len(prefix) :]
                return f"spec.{moved}" if moved else "metadata.name"
        return path


def _key(value: dict[str, Json], rest: str) -> str | None:
    """The key that `rest` begins with; keys of the operator's own may have dots in them."""
    first = _STEP.match(rest)
    if first and first[2] in value and not any(key.startswith(f"{first[2]}.") for key in value):
        return first[2]
    fitting = [key for key in value if key and (rest == key or rest.startswith((f"{key}.", f"{key}[")))]
    return max(fitting, key=len, default=None)


def _paths(value: Json, path: Path) -> Iterator[Path]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*path, key)
        yield from _paths(item, (*path, key))
