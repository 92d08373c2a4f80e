"""The YAML parser's events, pulled one at a time: libyaml's where it is there, else the pure one's.

Nothing here composes: libyaml's own composer dies of 25,000 nested brackets and is quadratic before that (R-LOAD-5).
PyYAML is imported when the first text is read, because a plan with nothing changed never reads one.
"""

from collections.abc import Callable
from functools import cache
from typing import Protocol, cast

from reconciler.model.tuples import NamedTuple


class Mark(Protocol):
    """A place in the text; `index` counts characters from 0."""

    index: int


class Event(Protocol):
    """Any event of the parser; it has those attributes below the marks that its class has."""

    start_mark: Mark
    end_mark: Mark
    anchor: str | None
    tag: str | None
    value: str
    style: str | None
    """Of a plain scalar `''` from the C parser and None from the other."""


class Parser(Protocol):
    """A parser that is asked for one event after another; raises `YAMLError` where the text is not YAML."""

    def get_event(self) -> Event: ...


class Engine(NamedTuple):
    """A way to parse, and whether it is the C library's."""

    parser: Callable[[str], Parser]
    compiled: bool


@cache
def engine() -> Engine:
    """The fastest parser of this installation; asked for every file, so looked up once."""
    try:
        from yaml._yaml import CParser
    except ImportError:
        return pure_engine()
    return Engine(cast(Callable[[str], Parser], CParser), compiled=True)


def pure_engine() -> Engine:
    """PyYAML's own parser, some nine times slower, which every installation has."""
    from yaml import parser, reader, scanner

    class PureParser(reader.Reader, scanner.Scanner, parser.Parser):
        """The three parts that make events; none of those that make nodes or values."""

        def __init__(self, text: str) -> None:
            reader.Reader.__init__(self, text)
            scanner.Scanner.__init__(self)
            parser.Parser.__init__(self)

    return Engine(cast(Callable[[str], Parser], PureParser), compiled=False)


class Quoted(NamedTuple):
    """The ranges of text, by offset, in which a tab is content."""

    ranges: list[tuple[int, int]]
    known: int
    """Nothing is known from this offset on."""
    stopped: int = -1
    """The offset of the character the parser would not take, -1 where it took all."""


def quoted(parser: Parser, end: int, depth: int) -> Quoted:
    """Where block scalars and quoted ones stand in a text of `end` characters, as far as parser and `depth` allow."""
    from yaml import YAMLError
    from yaml.events import (
        MappingEndEvent,
        MappingStartEvent,
        ScalarEvent,
        SequenceEndEvent,
        SequenceStartEvent,
        StreamEndEvent,
    )

    last: type[object] = StreamEndEvent
    scalar: type[object] = ScalarEvent
    opens: tuple[type[object], ...] = (MappingStartEvent, SequenceStartEvent)
    closes: tuple[type[object], ...] = (MappingEndEvent, SequenceEndEvent)
    ranges: list[tuple[int, int]] = []
    level = 0
    try:
        while (kind := type(event := parser.get_event())) is not last:
            if kind is scalar:
                if event.style:
                    ranges.append((event.start_mark.index, event.end_mark.index))
            elif kind in opens:
                level += 1
                if level > depth:
                    return Quoted(ranges, event.start_mark.index)
            elif kind in closes:
                level -= 1
    except YAMLError as error:
        stopped: Mark | None = getattr(error, "problem_mark", None)
        opened: Mark | None = getattr(error, "context_mark", None)
        if stopped is None:
            return Quoted(ranges, 0)
        # Of a scalar that is never closed the parser says where it began: what follows may be its text.
        if opened is None or "scalar" not in (getattr(error, "context", None) or ""):
            opened = stopped
        return Quoted(ranges, opened.index, stopped.index)
    return Quoted(ranges, end)
