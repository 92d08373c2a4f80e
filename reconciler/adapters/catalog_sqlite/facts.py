"""Values at dotted paths of a canonical spec, and how a value fits a column."""

import json

from reconciler.model.json import Json, JsonMap, canonical, parse_map

Stored = None | int | float | str


class Nothing:
    """What a column says when it says nothing: then `spec_payload` speaks."""

    __slots__ = ()


NOTHING = Nothing()
Answer = Json | Nothing

LONG_NAMES = {"claude": "claude_code", "gemini": "gemini_cli"}
SHORT_NAMES = {long: short for short, long in LONG_NAMES.items()}
"""A provider's name as other programs write it, to the one in a spec (R-MOD-12)."""

MARK: JsonMap = {"digest": None}
"""In `spec_payload`, in place of a payload whose digest and size are in `content_refs`."""

_INT64 = 2**63


def at(spec: Json, path: str) -> Answer:
    """The value at `path`, or NOTHING."""
    value = spec
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return NOTHING
        value = value[part]
    return value


def put(spec: JsonMap, path: str, value: Json) -> None:
    """Set the value at `path`; maps on the way are made, other values on the way replaced."""
    *parents, last = path.split(".")
    here = spec
    for part in parents:
        below = here.get(part)
        if not isinstance(below, dict):
            below = here[part] = {}
        here = below
    here[last] = value


def drop(spec: JsonMap, path: str) -> None:
    """Remove the value at `path`; the maps on the way stay, even when empty."""
    *parents, last = path.split(".")
    here: Json = spec
    for part in parents:
        if not isinstance(here, dict):
            return
        here = here.get(part)
    if isinstance(here, dict):
        here.pop(last, None)


def fit(form: str, value: Answer) -> Answer:
    """The value as the column holds it, or NOTHING where it does not fit and stays in `spec_payload`.

    Forms: `text`, `int`, `flag` (in JSON only), `object` (a non-empty map), `json` (anything but null), `provider`.
    """
    if value is None or isinstance(value, Nothing):
        return NOTHING
    match form:
        case "text":
            return value if isinstance(value, str) else NOTHING
        case "int":
            whole = isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64
            return value if whole else NOTHING
        case "flag":
            return value if isinstance(value, bool) else NOTHING
        case "object":
            return value if isinstance(value, dict) and value else NOTHING
        case "provider":
            return LONG_NAMES.get(value, value) if isinstance(value, str) else NOTHING
        case _:
            return value


def unfit(form: str, value: Json) -> Answer:
    """What a column's value means in a spec; values of another type, written by others, are shown as they are."""
    if value is None:
        return NOTHING
    if form == "object" and value == {}:
        return NOTHING
    if form == "provider" and isinstance(value, str):
        return SHORT_NAMES.get(value, value)
    return value


def is_digest(value: Answer) -> bool:
    """Whether a value stands for bytes: `{"digest", "size"}`, or the mark in place of it."""
    return isinstance(value, dict) and "digest" in value


def stored(value: Json) -> Stored:
    """A JSON value as SQLite keeps it: maps and lists as canonical text."""
    return canonical(value) if isinstance(value, dict | list) else value


def from_text(text: object) -> Json:
    """A JSON column; text that is no JSON, written by others, is that text."""
    if text is None or text == "{}":
        return {}
    try:
        value: Json = json.loads(str(text))
    except ValueError:
        return str(text)
    return value


def copy(spec: JsonMap) -> JsonMap:
    """A deep copy that is JSON for certain."""
    return parse_map(canonical(spec))
