"""Two configurations into one: ours wins key by key, the other's keys stay."""

from collections.abc import Mapping

from reconciler.model.json import Json, JsonMap


def merged(under: Mapping[str, Json], over: Mapping[str, Json]) -> JsonMap:
    """Maps are merged in depth; anything else of `over` replaces what `under` has. Neither is changed."""
    out = dict(under)
    for key, value in over.items():
        below = out.get(key)
        out[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return out


def without(value: Mapping[str, Json], *paths: tuple[str, ...]) -> JsonMap:
    """A copy that lacks the given key paths; absent ones are no error."""
    out = dict(value)
    for path in paths:
        head, rest = path[0], path[1:]
        below = out.get(head)
        if not rest:
            out.pop(head, None)
        elif isinstance(below, dict):
            out[head] = without(below, rest)
    return out


def at(value: Json, *path: str) -> Json:
    """The value at a key path, or None."""
    here = value
    for key in path:
        if not isinstance(here, dict):
            return None
        here = here.get(key)
    return here
