"""Strict YAML: the bytes of one file to plain values that remember where each of them was written.

The file's text is judged first (`source`), then the parser's events are built into dicts and lists (`build`), plain
scalars by the core rules of `scalars`. Whatever YAML allows and a person regrets is a `Problem` with a position, and
reading goes on, so that one run tells everything; only a syntax error or a broken limit ends a file.

A position costs nothing until somebody asks for it (`tape`).
"""

from itertools import islice

from reconciler.declare.events import Engine, engine, quoted
from reconciler.declare.source import Source, decode
from reconciler.declare.tape import Cell, Places, first_place
from reconciler.model.errors import Problem
from reconciler.model.json import Json
from reconciler.model.resource import Path, Position
from reconciler.model.tuples import NamedTuple

C_PARSER: bool
"""Whether the C library parses; the pure parser reads the same texts, some nine times slower."""


class Limits(NamedTuple):
    """What one file may cost; a breach is a problem, never a hang (R-LOAD-5)."""

    nodes: int = 100_000
    """Values after aliases are expanded; a key counts with its value."""
    depth: int = 64
    """Mappings and sequences inside one another."""
    bytes: int = 16 * 2**20
    """Size of the file, and of its text after aliases are expanded."""
    problems: int = 1_000
    """How many problems of one file are worth telling."""


DEFAULT = Limits()


class Document:
    """One YAML document that is a mapping, its values, and where each was written.

    `value` is plain JSON data; `index` counts the documents of the file from 0, empty ones left out. Positions are
    worked out from the tape on the first question, and do not change when `value` is changed.
    """

    __slots__ = ("_places", "_source", "_tape", "file", "index", "value")

    def __init__(self, value: dict[str, Json], source: Source, index: int, tape: list[Cell]) -> None:
        self.value = value
        self.file = source.file
        self.index = index
        self._source = source
        self._tape = tape
        self._places: Places | None = None

    def position(self, path: Path) -> Position:
        """Where the value at `path` begins; where there is none, its nearest ancestor."""
        place = first_place(self._tape, path) if self._places is None else None
        return self._source.position((place or self._at().nearest(path)).value)

    def key_position(self, path: Path) -> Position:
        """Where the key of the value at `path` begins (of an item, the item), or that of its nearest ancestor."""
        return self._source.position(self._at().nearest(path).key)

    def text(self, path: Path) -> str | None:
        """The text a scalar was written with, without its quotes: `010`, `True`; None where there is no scalar."""
        place = self._at().by_path.get(path)
        return place.text if place else None

    def _at(self) -> Places:
        if self._places is None:
            self._places = Places(self._tape)
        return self._places

    def __repr__(self) -> str:
        return f"Document({self.file!r}, {self.index})"


def read(
    text: bytes | str, file: str, limits: Limits = DEFAULT, good_keys: dict[str, str] | None = None
) -> tuple[list[Document], list[Problem]]:
    """Every document of a file that is a mapping, and every problem of the file, in order of position.

    Documents with problems are among them, so that later stages may report theirs in the same run: a caller that goes
    on to act looks at the problems first. `file` is the name to show in positions. A reader of many files gives one
    `good_keys` for all: most keys come in every file, and are checked once.
    """
    return read_with(engine(), text, file, limits, good_keys)


def read_with(
    using: Engine, text: bytes | str, file: str, limits: Limits = DEFAULT, good_keys: dict[str, str] | None = None
) -> tuple[list[Document], list[Problem]]:
    """`read` with a parser of the caller's choice."""
    from reconciler.declare.build import Builder

    decoded = _decoded(text, file, limits)
    if isinstance(decoded, Problem):
        return [], [decoded]
    source = Source(file, decoded)
    problems = [
        Problem(
            "declare.yaml.control_character",
            f"U+{ord(found.character):04X} is a control character",
            "remove it, or write it as an escape in double quotes",
            found.position,
            rule="R-LOAD-4",
        )
        for found in islice(source.controls(), limits.problems + 1)
    ]
    builder = Builder(using.parser(source.text), source, limits, {} if good_keys is None else good_keys)
    documents = [Document(built.value, source, built.ordinal, built.tape) for built in builder.documents()]
    problems += builder.problems
    tabs = _tabs(using, source, limits)
    if tabs:
        # The parser's own word for it comes at the same place, and is not helpful.
        at = {problem.position for problem in tabs}
        problems = tabs + [each for each in problems if each.code != "declare.yaml.syntax" or each.position not in at]
    problems.sort(key=lambda problem: problem.position or Position(file, 0, 0))
    if len(problems) > limits.problems:
        last = problems[limits.problems - 1]
        told = f"{file} has more problems than are told here"
        problems[limits.problems :] = [
            Problem("declare.yaml.too_many_problems", told, "mend these first", last.position)
        ]
    return documents, problems


def _decoded(text: bytes | str, file: str, limits: Limits) -> str | Problem:
    """The text of a file, or why it cannot be had."""
    if len(text) > limits.bytes or (isinstance(text, str) and len(text.encode(errors="replace")) > limits.bytes):
        message = f"{file} has more than {limits.bytes} bytes"
        return Problem("declare.yaml.too_large", message, "split the file", Position(file, 1, 1), rule="R-LOAD-5")
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    decoded = decode(text, file)
    if isinstance(decoded, str):
        return decoded
    message = f"{file} is {decoded.seems}, not UTF-8"
    return Problem("declare.yaml.encoding", message, "save it as UTF-8", decoded.position, rule="R-LOAD-4")


def _tabs(using: Engine, source: Source, limits: Limits) -> list[Problem]:
    """A problem for each tab that indents a line; in block scalars and quotes a tab is content."""
    found = list(islice(source.indenting_tabs(), limits.problems + 1))
    if not found:
        return []
    # Read a second time, for the ranges of quoted text: files with such a tab are rare, and every other one is spared
    # the bookkeeping.
    content = quoted(using.parser(source.text), len(source.text), limits.depth)
    ranges = iter(content.ranges)
    begin, end = next(ranges, (0, 0))
    problems = []
    for offset in found:
        while end <= offset and (following := next(ranges, None)) is not None:
            begin, end = following
        if begin <= offset < end or (offset >= content.known and offset != content.stopped):
            continue
        problems.append(
            Problem(
                "declare.yaml.tab",
                "a tab indents this line",
                "indent with spaces; a block text that begins with a tab says its indentation itself, as in |2",
                source.position(offset),
                rule="R-LOAD-4",
            )
        )
    return problems


def __getattr__(name: str) -> bool:
    if name == "C_PARSER":
        return engine().compiled
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
