"""YAML text of a JSON value, the same text for the same value: block style, order kept, doubtful strings quoted.

For files the program itself writes (manifest, compatibility view). A string is written plainly only when every YAML
version reads it back as that string.
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
        else:
            _entry(lines, f"{indent}{_short(key)}:", indent, item)


@lru_cache(maxsize=512)
def _block(indent: str, text: str) -> str:
    """The lines of a mapping, by its JSON: most mappings in a hundred manifests are equal, and JSON is made in C."""
    lines: list[str] = []
    _mapping(lines, indent, json.loads(text))
    return "\n".join(lines)


def _entry(lines: list[str], head: str, indent: str, item: Json) -> None:
    if isinstance(item, dict) and item:
        lines.append(head)
        if indent:
            lines.append(_block(indent + "  ", _json(item)))
        else:  # what is of this agent alone is somewhere in each of these
            _mapping(lines, "  ", item)
    elif isinstance(item, list) and item:
        if all(not isinstance(each, (dict, list)) for each in item):
            lines.append(head + " [" + ", ".join(_flow(each) for each in item) + "]")
            return
        lines.append(head)
        for each in item:
            _item(lines, indent, each)
    else:
        lines.append(f"{head} {_flow(item)}")


def _item(lines: list[str], indent: str, item: Json) -> None:
    if not isinstance(item, dict) or not item:
        lines.append(f"{indent}- {_flow(item)}")
        return
    inner: list[str] = []
    _mapping(inner, indent + "  ", item)
    inner[0] = f"{indent}- {inner[0].lstrip(' ')}"
    lines += inner


def _flow(item: Json) -> str:
    """An empty collection, a scalar, or a list inside a list; JSON is YAML."""
    if isinstance(item, (dict, list)):
        return _quoted(item) if item else "{}" if isinstance(item, dict) else "[]"
    return scalar(item)
