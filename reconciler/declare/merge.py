"""Strategic merge: a patch laid over a document, list by list as the schema says, each value keeping its origin.

Mappings merge key by key and null removes a key; a set takes the patch's items beside its own; a keyed list merges
items of one key; a sequence, and whatever the schema does not know, is replaced.
"""

from reconciler.declare.content import Home
from reconciler.declare.node import Entries, Items, Node, Struct
from reconciler.declare.reader import Document
from reconciler.model.field import ListKind
from reconciler.model.json import Json, JsonMap, canonical
from reconciler.model.resource import Path, Position


class Composed:
    """A document that patches may change. `value` is its own; positions of patched values lead to the patch."""

    __slots__ = ("_document", "_home", "_origins", "file", "index", "value")

    def __init__(self, document: Document, home: Home) -> None:
        self._document = document
        self._home = home
        self.file = document.file
        self.index = document.index
        self.value: JsonMap = document.value
        self._origins: dict[Path, tuple[Composed, Path]] = {}

    def position(self, path: Path) -> Position:
        """Where the value at `path` was written."""
        written, inner = self._origin(path)
        return written._document.position(inner)

    def key_position(self, path: Path) -> Position:
        """Where the key of the value at `path` was written."""
        written, inner = self._origin(path)
        return written._document.key_position(inner)

    def home(self, path: Path) -> Home:
        """Where a relative path at `path` begins: beside the file that wrote it."""
        return self._origin(path)[0]._home

    def came_from(self, path: Path, patch: "Composed", at: Path) -> None:
        """The value at `path` was written by `patch` at `at`."""
        for below in [known for known in self._origins if known[: len(path)] == path]:
            del self._origins[below]
        self._origins[path] = patch._origin(at)

    def _origin(self, path: Path) -> tuple["Composed", Path]:
        for length in range(len(path), 0, -1):
            found = self._origins.get(path[:length])
            if found is not None:
                return found[0], (*found[1], *path[length:])
        return self, path


def merge(target: Composed, patch: JsonMap, spec: Struct | None, origin: Composed, at: Path) -> None:
    """Lay a partial document over `target`; `at` is where the patch stands in `origin`."""
    for name, value in patch.items():
        if name in ("apiVersion", "kind"):
            continue
        here: Path = (name,)
        if isinstance(value, dict) and isinstance(target.value.get(name), dict):
            inner = target.value[name]
            assert isinstance(inner, dict)
            _mapping(target, inner, value, spec if name == "spec" else None, here, origin, (*at, name))
        else:
            target.value[name] = _own(value)
            target.came_from(here, origin, (*at, name))


def _mapping(
    target: Composed, into: JsonMap, patch: JsonMap, node: Node | None, here: Path, origin: Composed, at: Path
) -> None:
    for key, value in patch.items():
        path, source = (*here, key), (*at, key)
        below = _below(node, key)
        existing = into.get(key)
        if value is None:
            into.pop(key, None)
        elif isinstance(existing, dict) and isinstance(value, dict):
            _exclusive(into, key, node)
            _mapping(target, existing, value, below, path, origin, source)
        elif isinstance(existing, list) and isinstance(value, list) and isinstance(below, Items):
            into[key] = _list(target, existing, value, below, path, origin, source)
        else:
            _exclusive(into, key, node)
            into[key] = _own(value)
            target.came_from(path, origin, source)


def _exclusive(into: JsonMap, key: str, node: Node | None) -> None:
    """A patch that gives `promptFile` takes `prompt` away: of fields that exclude one another the patch's stays."""
    from reconciler.declare.rules import AtMostOne, ExactlyOne

    for rule in node.rules if isinstance(node, Struct) else ():
        if isinstance(rule, AtMostOne | ExactlyOne) and key in rule.names:
            for other in rule.names:
                if other != key:
                    into.pop(other, None)


def _list(
    target: Composed, existing: list[Json], patch: list[Json], node: Items, here: Path, origin: Composed, at: Path
) -> list[Json]:
    if node.kind is ListKind.SEQUENCE:
        target.came_from(here, origin, at)
        return [_own(item) for item in patch]
    out = list(existing)
    if node.kind is ListKind.SET:
        known = {canonical(node.item.canonical(item)) for item in existing}
        for index, item in enumerate(patch):
            if canonical(node.item.canonical(item)) not in known:
                target.came_from((*here, len(out)), origin, (*at, index))
                out.append(_own(item))
        return out
    spots = {node.key_of(item): index for index, item in enumerate(existing)}
    for index, item in enumerate(patch):
        spot = spots.get(node.key_of(item))
        own = out[spot] if spot is not None else None
        if spot is not None and isinstance(own, dict) and isinstance(item, dict):
            _mapping(target, own, item, node.item, (*here, spot), origin, (*at, index))
        else:
            target.came_from((*here, len(out)), origin, (*at, index))
            out.append(_own(item))
    return out


def _below(node: Node | None, key: str) -> Node | None:
    if isinstance(node, Struct):
        member = node.members.get(key)
        return member.node if member else None
    return node.value if isinstance(node, Entries) else None


def _own(value: Json) -> Json:
    # A patch may be laid over several documents, which must not share a mapping.
    if isinstance(value, dict):
        return {key: _own(item) for key, item in value.items() if item is not None}
    return [_own(item) for item in value] if isinstance(value, list) else value
