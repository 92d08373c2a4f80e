"""A YAML text as a tree of places: where each key and value begins and ends, character by character.

Made from the events of ruamel.yaml's round-trip parser, which count every character as it stands in the file, line ends
included, and tell aliases from what they stand for. Only a file that is about to be edited is read this way.
"""

from collections.abc import Iterator
from typing import Any

from reconciler.model.errors import ReconcilerError
from reconciler.model.tuples import NamedTuple


class CannotEdit(ReconcilerError):
    """A file cannot be edited so that only what was asked for changes."""

    code = "writeback.refused"
    exit_code = 6


class Node:
    """One value: `kind` is `map`, `list`, `scalar` or `alias`. `body` is where it begins behind an anchor or tag."""

    __slots__ = ("anchor", "body", "end", "flow", "items", "kind", "start", "style", "tagged", "text")

    def __init__(self, kind: str, start: int, end: int, body: int) -> None:
        self.kind = kind
        self.start = start
        self.end = end
        self.body = body
        self.flow = False
        self.anchor: str | None = None
        self.tagged = False
        self.text = ""
        self.style = ""
        self.items: list[tuple[Node | None, Node]] = []

    def get(self, key: str) -> "tuple[Node, Node] | None":
        """Key and value of an entry of a map."""
        for name, value in self.items:
            if name is not None and name.kind == "scalar" and name.text == key:
                return name, value
        return None

    def last(self) -> int:
        """The end of the last character that belongs to it, trailing white space left out."""
        if self.items and not self.flow:
            name, value = self.items[-1]
            return max(value.last(), name.end if name is not None else 0)
        return self.end


class Place(NamedTuple):
    """One document of a file that is a map, whose kind and name are these."""

    kind: str
    name: str
    root: Node


def documents(text: str) -> list[Place]:
    """The maps of a file that have a kind and a name; raises CannotEdit for what is no YAML."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        roots = [*_roots(iter(YAML(typ="rt", pure=True).parse(text)), text)]
    except YAMLError as error:
        raise CannotEdit(f"the file cannot be read: {error}", hint="mend it first") from error
    found: list[Place] = []
    for root in roots:
        kind, metadata = root.get("kind"), root.get("metadata")
        name = metadata[1].get("name") if metadata is not None else None
        if kind is not None and name is not None:
            found.append(Place(kind[1].text, name[1].text, root))
    return found


def _roots(events: Iterator[Any], text: str) -> Iterator[Node]:
    for event in events:
        if type(event).__name__ == "DocumentStartEvent":
            root = _node(next(events), events, text)
            if root.kind == "map":
                yield root


def _node(event: Any, events: Iterator[Any], text: str) -> Node:
    """The value that begins with an event; the reader has bounded its depth already."""
    name, start, end = type(event).__name__, event.start_mark.index, event.end_mark.index
    if name == "AliasEvent":
        return Node("alias", start, end, start)
    node = Node({"MappingStartEvent": "map", "SequenceStartEvent": "list"}.get(name, "scalar"), start, end, start)
    node.anchor = event.anchor
    tag = getattr(event, "ctag", None) if getattr(event, "ctag", None) is not None else getattr(event, "tag", None)
    node.tagged = tag is not None and str(tag) not in ("", "None")
    node.body = _behind_properties(text, start, end)
    if node.kind == "scalar":
        node.text, node.style = str(event.value), event.style or ""
        if node.style in ("|", ">"):
            # Blank lines behind a block belong to nobody; what stands on its last line is the block's.
            last = start + len(text[start:end].rstrip())
            line = text.find("\n", last)
            node.end = line - (text[line - 1] == "\r") if 0 <= line < end else end
        return node
    node.flow = bool(event.flow_style)
    closing = f"{name.removesuffix('StartEvent')}EndEvent"
    while type(inner := next(events)).__name__ != closing:
        first = _node(inner, events, text)
        node.items.append((first, _node(next(events), events, text)) if node.kind == "map" else (None, first))
    node.end = inner.end_mark.index
    return node


def _behind_properties(text: str, start: int, end: int) -> int:
    at = start
    while at < end and text[at] in "&!":
        while at < end and not text[at].isspace():
            at += 1
        while at < end and text[at].isspace():
            at += 1
    return at
