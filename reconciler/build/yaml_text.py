"""YAML text of a JSON value, the same text for the same value: order kept, doubtful strings quoted.

Two levels are laid out as blocks, what is deeper stands on its line as JSON, which is made in C: a manifest is written
for every agent that is started. For files the program itself writes (manifest, compatibility view). A string is
written plainly only when every YAML version reads it back as that string.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache

from reconciler.model.json import Json

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+-]*(?: [A-Za-z0-9_./+-]+)*")
# What one YAML version or another takes for something else than a string.
_WORDS = frozenset(["", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"])
_UNPRINTED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SHORT = 128
"""Texts up to this length are remembered: of the keys, file names and digests of a hundred manifests most are equal."""
_json = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` makes an encoder for every call that names an option


def dumps(value: Mapping[str, Json]) -> str:
    """The whole document, ending in a line break."""
    if not value:
        return "{}\n"
    lines: list[str] = []
    _mapping(lines, "", value)
    return "\n".join(lines) + "\n"


def scalar(value: bool | int | float | str | None) -> str:
    """One scalar on one line."""
    if isinstance(value, str):
        return _short(value) if len(value) <= _SHORT else _text(value)
    if isinstance(value, int):
        return str(value) if not isinstance(value, bool) else "true" if value else "false"
    return "null" if value is None else _json(value)


def _text(text: str) -> str:
    """Plain where every YAML version reads it back as that string, else in double quotes."""
    if _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS:
        return text
    return _quoted(text)


_short = lru_cache(maxsize=4096)(_text)


def _quoted(value: Json) -> str:
    """JSON, which is YAML, double quotes and escapes included; what YAML does not print is escaped as well."""
    text = _json(value)
    return text if text.isprintable() else _UNPRINTED.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _mapping(lines: list[str], indent: str, value: Mapping[str, Json]) -> None:
    for key, item in value.items():
        if isinstance(item, str) and len(item) <= _SHORT:  # most are: a call less for each
            lines.append(f"{indent}{_short(key)}: {_short(item)}")
        elif isinstance(item, dict) and item and not indent:
            lines.append(f"{_short(key)}:")
            _mapping(lines, "  ", item)
        else:
            lines.append(f"{indent}{_short(key)}: {_flow(item)}")


def _flow(item: Json) -> str:
    """A scalar, or a collection as JSON, which is YAML."""
    return _quoted(item) if isinstance(item, (dict, list)) else scalar(item)
