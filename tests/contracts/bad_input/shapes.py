"""The published schemas, walked: where text may stand, and what a later release will take there."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.contracts.bad_input.machine import ROOT

Path = tuple[str, ...]
Shape = dict[str, Any]
KEY, VALUE, ITEM = "<key>", "<value>", "[]"


def kinds() -> dict[str, Shape]:
    """Each kind with its schema, compositions left out."""
    files = sorted((ROOT / "schemas" / "v1alpha1").glob("*.json"))
    return {file.stem: json.loads(file.read_text()) for file in files if file.stem not in ("all", "Overlay")}


def texts(shape: Shape, at: Path = ()) -> Iterator[tuple[Path, Shape]]:
    """Every place that may hold text, with the schema of that text; free-form places count."""
    if "anyOf" in shape:
        for each in shape["anyOf"]:
            yield from texts(each, at)
    elif "items" in shape:
        yield from texts(shape["items"], (*at, ITEM))
    elif "properties" in shape or isinstance(shape.get("additionalProperties"), dict):
        for name, inner in shape.get("properties", {}).items():
            yield from texts(inner, (*at, name))
        if isinstance(shape.get("additionalProperties"), dict):
            yield (*at, KEY), shape.get("propertyNames", {})
            yield from texts(shape["additionalProperties"], (*at, VALUE))
    elif shape.get("type") == "string" or not set(shape) - {"description", "default"}:
        yield at, shape


def takes(shape: Shape, text: str) -> bool:
    """Whether the schema lets this text stand there."""
    return "enum" not in shape and "const" not in shape and bool(re.search(shape.get("pattern", ""), text))


def later(shape: Shape, at: Path = ()) -> Iterator[Path]:
    """Every field that is refused because a later release brings it."""
    if "items" in shape:
        yield from later(shape["items"], (*at, ITEM))
    for name, inner in shape.get("properties", {}).items():
        if inner.get("not") == {}:
            yield (*at, name)
        else:
            yield from later(inner, (*at, name))
