"""YAML text of a JSON value, the same text for the same value: block style, order kept, doubtful strings quoted.

For files the program itself writes (manifest, compatibility view). A string is written plainly only when every YAML
version reads it back as that string.
"""

import json
import re
from collections.abc import Mapping

from reconciler.model.json import Json

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./+-]*(?: [A-Za-z0-9_./+-]+)*")
# What one YAML version or another takes for something else than a string.
_WORDS = frozenset(["", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"])
_UNPRINTED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_NUMBERLIKE = re.compile(r"[0-9.+-]")


def dumps(value: Mapping[str, Json]) -> str:
    """The whole document, ending in a line break."""
    if not value:
        return "{}\n"
    lines: list[str] = []
    _mapping(lines, "", value)
    return "\n".join(lines) + "\n"


def scalar(value: bool | int | float | str | None) -> str:
    """One scalar on one line."""
    if isinstance(value, str) and _is_plain(value):
        return value
    if isinstance(value, str):
        return _quoted(value)
    return json.dumps(value)


def _quoted(text: str) -> str:
    """Double quotes with JSON's escapes, which are YAML's; what YAML does not print is escaped as well."""
    return _UNPRINTED.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(text, ensure_ascii=False))


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS and not _NUMBERLIKE.match(text)


def _mapping(lines: list[str], indent: str, value: Mapping[str, Json]) -> None:
    for key, item in value.items():
        _entry(lines, f"{indent}{scalar(key)}:", indent, item)


def _entry(lines: list[str], head: str, indent: str, item: Json) -> None:
    if isinstance(item, dict) and item:
        lines.append(head)
        _mapping(lines, indent + "  ", item)
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
        return _UNPRINTED.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(item, ensure_ascii=False))
    return scalar(item)
