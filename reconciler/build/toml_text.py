"""TOML text of a JSON-like mapping, the same text for the same value.

Scalars of a table come before its sub-tables; keys keep the order they are given in. Only what configurations hold is
written: strings, integers, floats, booleans, arrays, tables. TOML has no null: asking for one is an error.
"""

import json
import math
import re
from collections.abc import Mapping

from reconciler.model.json import Json

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dumps(value: Mapping[str, Json]) -> str:
    """The whole document; raises ValueError for a null or a number that TOML cannot say."""
    lines: list[str] = []
    _table(lines, (), value)
    return "\n".join(lines).strip("\n") + "\n"


def literal(value: Json) -> str:
    """One value on one line, as it may follow `key =` or `-c key=` on a command line."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _float(value)
        case str():
            return _string(value)
        case list():
            return "[" + ", ".join(literal(item) for item in value) + "]"
        case dict():
            pairs = ", ".join(f"{key_text(key)} = {literal(item)}" for key, item in value.items())
            return "{ " + pairs + " }" if pairs else "{}"
        case None:
            raise ValueError("TOML has no null")


def key_text(key: str) -> str:
    """A key as it must be written: bare where it may be."""
    return key if _BARE.fullmatch(key) else _string(key)


def _table(lines: list[str], path: tuple[str, ...], value: Mapping[str, Json]) -> None:
    plain = {key: item for key, item in value.items() if not _is_table(item)}
    if path and (plain or not value):
        lines += ["", "[" + ".".join(map(key_text, path)) + "]"]
    lines += [f"{key_text(key)} = {literal(item)}" for key, item in plain.items()]
    for key, item in value.items():
        if isinstance(item, dict):
            _table(lines, (*path, key), item)
        elif _is_table(item) and isinstance(item, list):
            for each in item:
                _array_table(lines, (*path, key), each)


def _array_table(lines: list[str], path: tuple[str, ...], value: Json) -> None:
    assert isinstance(value, dict)
    lines += ["", "[[" + ".".join(map(key_text, path)) + "]]"]
    # Tables inside an element stay inline: `[a.b]` after `[[a]]` would be right too, but harder to read.
    lines += [f"{key_text(key)} = {literal(item)}" for key, item in value.items()]


def _is_table(value: Json) -> bool:
    if isinstance(value, dict):
        return True
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _float(value: float) -> str:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return repr(value) if any(mark in repr(value) for mark in ".e") else f"{value!r}.0"


def _string(value: str) -> str:
    """A basic string. JSON's escapes are TOML's, but for DEL and the lone surrogates nobody can write."""
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError("TOML text must be valid Unicode")
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
