"""The text of one file, before it is YAML: its encoding, its characters, its lines.

The parser counts in characters; `Source` keeps the text so that an offset becomes a line and a column only when
somebody asks. What can be judged on the text alone is judged here: encoding, control characters, tabs that indent.
"""

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from reconciler.model.resource import Position
from reconciler.model.tuples import NamedTuple

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_INDENTING_TAB = re.compile(r"(?:^|(?<=[\r\n])) *\t")
# What YAML does not print, and three characters that some readers take for the end of a line and others do not.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")

# Two escapes that stand for one character, after as many escaped backslashes as there are.
_PAIR = re.compile(r"(?<!\\)(?P<escaped>(?:\\\\)*)(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})")
_CUT = len(r"\ud83d\ude00") - 1


class Control(NamedTuple):
    """One character that may not stand in a file as it is."""

    position: Position
    character: str


class Source:
    """A file's text as the parser gets it, and where its characters stand in the file."""

    __slots__ = ("_clean", "_cuts", "_starts", "_written", "file", "text")

    def __init__(self, file: str, written: str) -> None:
        self.file = file
        self._written = written
        self._starts: list[int] | None = None
        self._clean = _CONTROL.search(written) is None
        self.text, self._cuts = _joined(written if self._clean else _CONTROL.sub("\ufffd", written))

    def position(self, offset: int) -> Position:
        """Line and column, from 1, of the character of `text` at `offset`, which may be the end of it."""
        return self._at(offset + _CUT * bisect_left(self._cuts, offset))

    def controls(self) -> Iterator[Control]:
        """Every character that must be written as an escape; lazily, for a hostile file has nothing else.

        `text` has a replacement character for each of them, so that reading can go on.
        """
        if self._clean:
            return iter(())
        return (Control(self._at(found.start()), found.group()) for found in _CONTROL.finditer(self._written))

    def indenting_tabs(self) -> Iterator[int]:
        """The offset in `text` of each first tab that stands after nothing but spaces on its line; lazily."""
        if "\t" not in self.text:
            return iter(())
        return (found.end() - 1 for found in _INDENTING_TAB.finditer(self.text))

    def _at(self, written: int) -> Position:
        """The position of a character of the file itself."""
        if self._starts is None:
            self._starts = [0, *(found.end() for found in _LINE_BREAK.finditer(self._written))]
        line = bisect_right(self._starts, written)
        return Position(self.file, line, written - self._starts[line - 1] + 1)


class Undecodable(NamedTuple):
    """Bytes that are not UTF-8: where, and what they seem to be."""

    position: Position
    seems: str


def decode(data: bytes, file: str) -> str | Undecodable:
    """UTF-8 bytes as text, without a byte order mark."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:
        return Undecodable(Position(file, 1, 1), "UTF-16, UTF-32 or no text")
    body = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        good = body[: error.start].decode()
        return Undecodable(Source(file, good).position(len(good)), "in another encoding")


def _joined(text: str) -> tuple[str, list[int]]:
    """The text with each surrogate pair of a JSON file as the one character it means, and the offsets of those.

    JSON writes what lies beyond 16 bits as two escapes, `\\ud83d\\ude00`, which YAML parsers refuse. Only a text that
    is JSON as a whole is touched: there a pair cannot be anything else.
    """
    if not text.startswith(("{", " ", "\n", "\r", "\t")) or _PAIR.search(text) is None or not _is_json(text):
        return text, []
    parts: list[str] = []
    cuts: list[int] = []
    end = length = 0
    for found in _PAIR.finditer(text):
        kept = text[end : found.start()] + found["escaped"]
        parts += [kept, json.loads(f'"{found["pair"]}"')]
        length += len(kept) + 1
        cuts.append(length - 1)
        end = found.end()
    return "".join([*parts, text[end:]]), cuts


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
