"""`${var}` in the texts of composed documents (R-LOAD-7): declared variables only, and `$${` for a plain `${`."""

import re
from collections.abc import Iterator, Mapping

from reconciler.model.json import Json
from reconciler.model.resource import Path

_USE = re.compile(r"\$\$\{|\$\{([^{}]*)\}")
NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$(?!\n)"


def substitute(value: Json, values: Mapping[str, str], path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Put the variables into every text below `value`, in place; yields each use of one that is not declared.

    What a variable holds is not looked at again: `${` in it stays. Keys are not touched.
    """
    items: list[tuple[str | int, Json]]
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    else:
        return
    for key, item in items:
        if not isinstance(item, str):
            yield from substitute(item, values, (*path, key))
        elif "${" in item:
            for found in _USE.finditer(item):
                if found[1] is not None and found[1] not in values:
                    yield (*path, key), found[1]
            value[key] = _USE.sub(lambda use: _one(use, values), item)  # type: ignore[index]


def _one(use: "re.Match[str]", values: Mapping[str, str]) -> str:
    return "${" if use[1] is None else values.get(use[1], use[0])
