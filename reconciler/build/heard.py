"""Reading a provider's event lines: values out of JSON that may be anything."""

from reconciler.model.json import Json, JsonMap
from reconciler.model.resource import at_path


def text(line: Json, path: str) -> str:
    """The text at a dotted path, or empty."""
    found = at_path(line, path)
    return found if isinstance(found, str) else ""


def parts(line: Json, path: str) -> list[JsonMap]:
    """The objects in the list at a dotted path."""
    found = at_path(line, path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def some(line: JsonMap, *keys: str) -> JsonMap:
    """Those of the keys that are there."""
    return {key: line[key] for key in keys if line.get(key) is not None}
