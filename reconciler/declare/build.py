"""Parser events to plain values and a tape of where they stand, with everything refused that a person would regret.

One `Builder` reads one file; keys that were good in one are good in all, and looked up. It asks the parser for one
event at a time, checks depth and count at each, and stops asking at the first breach. The loops of `_mapping` and
`_sequence` handle untagged scalars in line, because nine nodes of ten are such; everything rarer goes through `_node`.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

from yaml import YAMLError, events

from reconciler.declare import syntax
from reconciler.declare.anchor import Anchor
from reconciler.declare.events import Event, Parser
from reconciler.declare.scalars import NUMERIC_STARTS, TAG_PREFIX, WORDS, Refusal, number, refused_tag, resolve, tagged
from reconciler.declare.source import Source
from reconciler.declare.tape import Cell, Places, Shape
from reconciler.model.errors import Problem
from reconciler.model.json import Json
from reconciler.model.resource import dotted
from reconciler.model.tuples import NamedTuple

if TYPE_CHECKING:
    from reconciler.declare.reader import Limits

# The classes of events, compared by identity because nothing is cheaper.
_ALIAS: type[object] = events.AliasEvent
_DOCUMENT: type[object] = events.DocumentStartEvent
_MAP_END: type[object] = events.MappingEndEvent
_MAP: type[object] = events.MappingStartEvent
_SCALAR: type[object] = events.ScalarEvent
_SEQ_END: type[object] = events.SequenceEndEvent
_SEQ: type[object] = events.SequenceStartEvent
_STREAM_END: type[object] = events.StreamEndEvent

_TAGS: dict[type[object], str] = {_MAP: f"{TAG_PREFIX}map", _SEQ: f"{TAG_PREFIX}seq"}
_ODD_STARTS = NUMERIC_STARTS | {"<"}
"""First characters of keys that need a second look."""

_ANY_KEY = "?"
"""Stands in paths for a key that is not text."""

_FINE_AS_KEYS = ("declare.yaml.ambiguous_word", "declare.yaml.timestamp")
"""`on:` and `2024-01-01:` are text to everybody who reads them as keys."""

_DUPLICATE = "declare.yaml.duplicate_key"
_NOT_A_MAPPING = Refusal(
    "declare.yaml.not_a_mapping",
    "this document is not a mapping",
    "a document begins with keys such as apiVersion and kind; instead of a list, write documents with --- between",
)
_MERGE = Refusal(
    "declare.yaml.merge_key",
    "merge keys (<<) are not part of YAML 1.2",
    "write the fields out, or quote the key if it is a name",
)
_COMPLEX = Refusal(
    "declare.yaml.complex_key", "a key must be text, not a mapping or a list", "write a plain word as the key"
)

_BREACH_HINTS = {
    "too_deep": "write it flatter",
    "too_many_nodes": "split the file, or repeat less by aliases",
    "too_large": "split the file, or repeat less by aliases",
}


class Built(NamedTuple):
    """A document whose root is a mapping."""

    value: dict[str, Json]
    ordinal: int
    tape: list[Cell]


class _Fault(NamedTuple):
    """A problem before its offset became a position and its spot on the tape a path (-1: of no node)."""

    spot: int
    offset: int
    why: Refusal
    rule: str


class _Breach(Exception):
    """The file costs more than its limits; the parser is not asked for more."""


class Builder:
    """Reads one file: iterate `documents` to its end, then look at `problems`."""

    __slots__ = (
        "_anchors",
        "_faults",
        "_good_keys",
        "_limits",
        "_nodes_left",
        "_pull",
        "_room",
        "_source",
        "_tape",
        "problems",
    )

    def __init__(self, parser: Parser, source: Source, limits: "Limits", good_keys: dict[str, str]) -> None:
        self.problems: list[Problem] = []
        self._pull = parser.get_event
        self._source = source
        self._limits = limits
        self._nodes_left = limits.nodes
        self._room = limits.bytes - len(source.text)
        self._good_keys = good_keys
        self._anchors: dict[str, Anchor | None] = {}
        self._faults: list[_Fault] = []
        self._tape: list[Cell] = []

    def documents(self) -> Iterator[Built]:
        """The documents in order; ends early at a syntax error or a breach, having said so."""
        index = 0
        try:
            while type(event := self._pull()) is not _STREAM_END:
                if type(event) is not _DOCUMENT:
                    continue
                event = self._pull()
                if type(event) is _SCALAR and not (event.value or event.style or event.tag):
                    continue
                self._anchors = {}
                self._tape = []
                value = self._node(event, 1)
                if isinstance(value, dict):
                    yield Built(value, index, self._tape)
                else:
                    self._fault(0, event.start_mark.index, _NOT_A_MAPPING, "R-MOD-1")
                index += 1
                self._tell()
        except _Breach:
            pass
        except YAMLError as error:
            self._faults.append(_Fault(-1, *syntax.explain(error), "R-LOAD-4"))
        self._tell()

    def _node(self, event: Event, depth: int) -> Json:
        """Any node; `depth` is its own if it is a mapping or a sequence."""
        kind = type(event)
        offset: int = event.start_mark.index
        if kind is _ALIAS:
            return self._alias(event.anchor or "", offset, depth)
        tape = self._tape
        spot = len(tape)
        tape.append(offset)
        nodes_before = self._nodes_left
        self._count(offset)
        value: Json
        if kind is _SCALAR:
            tape.append(event.value)
            value = self._scalar(event, spot)
        else:
            if depth > self._limits.depth:
                self._breach(offset, "too_deep", f"mappings and lists are nested more than {self._limits.depth} deep")
            if event.tag is not None and event.tag not in ("!", _TAGS[kind]):
                self._fault(spot, offset, refused_tag(event.tag))
            if event.anchor is not None:
                self._anchors[event.anchor] = None
            value = self._mapping(depth) if kind is _MAP else self._sequence(depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = Anchor(value, spot + 1, len(tape), nodes_before - self._nodes_left)
        return value

    def _mapping(self, depth: int) -> dict[str, Json]:
        pull, tape, good = self._pull, self._tape, self._good_keys
        put = tape.append
        result: dict[str, Json] = {}
        put(Shape.MAP)
        while True:
            event = pull()
            kind = type(event)
            if kind is _SCALAR:
                key = good.get(event.value)
                if key is None or event.tag is not None or event.anchor is not None:
                    key = self._key(event)
                put(key)
                put(event.start_mark.index)
            elif kind is _MAP_END:
                put(Shape.END)
                return result
            else:
                key = self._odd_key(event, depth)
                if key is None:
                    self._node(pull(), depth + 1)
                    continue
            if key in result:
                self._fault(len(tape) - 2, event.start_mark.index, Refusal(_DUPLICATE, key, "keep one of the two"))
            event = pull()
            if type(event) is _SCALAR and event.tag is None and event.anchor is None:
                text = event.value
                put(event.start_mark.index)
                put(text)
                self._nodes_left -= 1
                if self._nodes_left < 0:
                    self._count_breach(event.start_mark.index)
                value: Json = text
                if not event.style and (text in WORDS or text[0] in NUMERIC_STARTS):
                    value = self._plain(text)
            else:
                value = self._node(event, depth + 1)
            if key not in result:
                result[key] = value

    def _sequence(self, depth: int) -> list[Json]:
        pull, tape = self._pull, self._tape
        put = tape.append
        result: list[Json] = []
        put(Shape.SEQ)
        while True:
            event = pull()
            kind = type(event)
            if kind is _SCALAR and event.tag is None and event.anchor is None:
                text = event.value
                put(event.start_mark.index)
                put(text)
                self._nodes_left -= 1
                if self._nodes_left < 0:
                    self._count_breach(event.start_mark.index)
                if not event.style and (text in WORDS or text[0] in NUMERIC_STARTS):
                    result.append(self._plain(text))
                else:
                    result.append(text)
            elif kind is _SEQ_END:
                put(Shape.END)
                return result
            else:
                result.append(self._node(event, depth + 1))

    def _plain(self, text: str) -> Json:
        """What an untagged plain scalar means; the one just put on the tape. Its text, where it is refused."""
        value = WORDS[text] if text in WORDS else number(text)
        if not isinstance(value, Refusal):
            return value
        spot = len(self._tape) - 2
        offset = self._tape[spot]
        assert isinstance(offset, int)
        self._fault(spot, offset, value)
        return text

    def _scalar(self, event: Event, spot: int) -> Json:
        """What a scalar of any style and tag means; its text, where it is refused."""
        text: str = event.value
        if event.tag is not None:
            value = tagged(event.tag, text)
        else:
            value = text if event.style else resolve(text)
        if not isinstance(value, Refusal):
            return value
        self._fault(spot, event.start_mark.index, value)
        return text

    def _key(self, event: Event) -> str:
        """The text of a scalar key, about to be put on the tape."""
        text: str = event.value
        if event.anchor is None and event.tag is None and text not in WORDS and text[0] not in _ODD_STARTS:
            return self._good_keys.setdefault(text, text)
        if event.anchor is not None:
            self._anchors[event.anchor] = Anchor.of_key(text)
        offset = event.start_mark.index
        if event.tag is not None:
            value = tagged(event.tag, text)
            if isinstance(value, Refusal):
                self._fault(len(self._tape), offset, value)
                return text
        else:
            value = resolve(text)
            if isinstance(value, Refusal) and value.code in _FINE_AS_KEYS:
                value = text
            if isinstance(value, str) and text != "<<":
                # Quoted or not, this key is good wherever it comes again; one string serves all its places.
                return self._good_keys.setdefault(text, text)
            if event.style:
                return text
        if text == "<<" and not event.style:
            self._fault(len(self._tape), offset, _MERGE)
        elif not isinstance(value, str):
            self._fault(len(self._tape), offset, _not_text(text))
        return text

    def _odd_key(self, event: Event, depth: int) -> str | None:
        """A key that is no scalar, put on the tape with its offset; None where it cannot be text."""
        tape, spot, offset = self._tape, len(self._tape), event.start_mark.index
        if type(event) is _ALIAS:
            known = self._anchors.get(event.anchor or "")
            if known is not None and known.word is not None:
                tape += [known.word, offset]
                return known.word
        tape += [_ANY_KEY, offset]
        self._fault(spot, offset, _COMPLEX)
        self._node(event, depth + 1)
        tape += [_ANY_KEY, offset]
        return None

    def _alias(self, name: str, offset: int, depth: int) -> Json:
        """A copy of the node that `name` anchors; the tape says where the parts of the original stand."""
        tape = self._tape
        spot = len(tape)
        anchor = self._anchors.get(name)
        if anchor is None:
            tape += [offset, ""]
            self._count(offset)
            if name in self._anchors:
                why = Refusal("declare.yaml.recursive_alias", f"*{name[:60]} contains itself", "write the value out")
            else:
                why = Refusal(
                    "declare.yaml.unknown_alias",
                    f"nothing before this is anchored as &{name[:60]}",
                    "quote a text that begins with *",
                )
            self._fault(spot, offset, why)
            return None
        self._count(offset, anchor.nodes)
        cells = anchor.cells(tape)
        tape.append(offset)
        tape += cells
        self._room -= anchor.size
        if self._room < 0:
            self._breach(
                offset, "too_large", f"the file has more than {self._limits.bytes} bytes with its aliases expanded"
            )
        if anchor.height and depth + anchor.height - 1 > self._limits.depth:
            self._breach(offset, "too_deep", f"mappings and lists are nested more than {self._limits.depth} deep")
        return anchor.copy()

    def _count(self, offset: int, nodes: int = 1) -> None:
        self._nodes_left -= nodes
        if self._nodes_left < 0:
            self._count_breach(offset)

    def _count_breach(self, offset: int) -> NoReturn:
        self._breach(
            offset, "too_many_nodes", f"the file has more than {self._limits.nodes} values with its aliases expanded"
        )

    def _breach(self, offset: int, code: str, message: str) -> NoReturn:
        self._fault(-1, offset, Refusal(f"declare.yaml.{code}", message, _BREACH_HINTS[code]), "R-LOAD-5")
        raise _Breach

    def _fault(self, spot: int, offset: int, why: Refusal, rule: str = "R-LOAD-4") -> None:
        self._faults.append(_Fault(spot, offset, why, rule))
        if len(self.problems) + len(self._faults) > self._limits.problems:
            raise _Breach

    def _tell(self) -> None:
        """Turn the faults of the document just read into problems with position and path."""
        if not self._faults:
            return
        places = Places(self._tape)
        for fault in self._faults:
            path = places.path_of.get(fault.spot, ())
            code, message, hint = fault.why
            position = self._source.position(fault.offset)
            if code == _DUPLICATE:
                first = self._source.position(places.by_path[path].key)
                message = f"the key {_short(message)} is given twice: at {first} and at {position}"
            self.problems.append(Problem(code, message, hint, position, dotted(path), fault.rule))
        self._faults = []


def _not_text(text: str) -> Refusal:
    if not text or text == "~":
        return Refusal("declare.yaml.key_type", "a key is missing before this colon", "write the key")
    return Refusal("declare.yaml.key_type", f"the key {_short(text)} is not text", f'quote it: "{text[:40]}"')


def _short(key: str) -> str:
    return repr(key if len(key) <= 60 else f"{key[:60]}…")
