"""A small jsonpath, kubectl's way: `{.items[*].metadata.name}`, text around it, `{range .items[*]}…{end}`.

Steps are `.name`, `['any name']`, `[3]`, `[-1]`, `[1:3]`, `[*]`, `..name` and `[?(@.a=="b")]`. Several results are
separated by a space. A path that finds nothing gives nothing; a template that cannot be read is a usage error.
"""

import re
from collections.abc import Iterator, Sequence

from reconciler.cli.grammar import Usage
from reconciler.model.json import Json, canonical
from reconciler.model.tuples import NamedTuple


class Name(NamedTuple):
    """`.name`, of a map."""

    key: str


class Slice(NamedTuple):
    """`[3]`, `[1:3]`, of a list."""

    start: int | None
    stop: int | None
    single: bool


class Every(NamedTuple):
    """`[*]` or `.*`."""


class Deep(NamedTuple):
    """`..name`, at any depth."""

    key: str


class Where(NamedTuple):
    """`[?(@.a=="b")]`: those for which the comparison holds."""

    path: "tuple[Step, ...]"
    sign: str
    value: Json


Step = Name | Slice | Every | Deep | Where
_STEP = re.compile(
    r"\.\.(?P<deep>[\w-]+)|\.(?P<name>[\w-]+)|\.(?P<all>\*)|\[(?P<every>\*)\]|\[(?P<index>-?\d+)\]"
    r"|\[(?P<from>-?\d*):(?P<to>-?\d*)\]|\[(?P<quote>['\"])(?P<quoted>.*?)(?P=quote)\]"
    r"|\[\?\(@(?P<left>[^=!<>)]*?)\s*(?:(?P<sign>==|!=)\s*(?P<right>[^)]*?))?\)\]"
)
_PIECE = re.compile(r"\{(range\s+[^}]*|end|'[^']*'|\"[^\"]*\"|[^{}]*)\}|([^{}]+)")


def steps(text: str) -> tuple[Step, ...]:
    """`.items[*].name` as steps; raises Usage where it cannot be read."""
    rest = text.strip().removeprefix("$").removeprefix("@")
    if rest and rest[0] not in ".[":
        rest = f".{rest}"
    if rest == ".":
        return ()
    found: list[Step] = []
    while rest:
        match = _STEP.match(rest)
        if match is None:
            raise Usage(f"jsonpath cannot be read at {rest!r}", "write something like {.items[*].metadata.name}")
        found.append(_step(match))
        rest = rest[match.end() :]
    return tuple(found)


def _step(match: re.Match[str]) -> Step:
    if match["deep"]:
        return Deep(match["deep"])
    if match["name"]:
        return Name(match["name"])
    if match["all"] or match["every"]:
        return Every()
    if match["index"]:
        return Slice(int(match["index"]), None, True)
    if match["quote"]:
        return Name(match["quoted"])
    if match["left"] is not None:
        return Where(steps(match["left"]), match["sign"] or "", _literal(match["right"] or ""))
    return Slice(int(match["from"]) if match["from"] else None, int(match["to"]) if match["to"] else None, False)


def _literal(text: str) -> Json:
    from reconciler.model.json import parse

    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1]
    try:
        return parse(text) if text else None
    except ValueError as error:
        raise Usage(f"jsonpath cannot compare with {text!r}", 'write ?(@.name=="value")') from error


def find(path: Sequence[Step], value: Json) -> list[Json]:
    """Every value at a path, in document order."""
    found = [value]
    for step in path:
        found = [inner for outer in found for inner in _taken(step, outer)]
    return found


def _taken(step: Step, value: Json) -> Iterator[Json]:
    match step:
        case Name(key):
            if isinstance(value, dict) and key in value:
                yield value[key]
        case Deep(key):
            yield from _deep(key, value)
        case Every():
            yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        case Slice(start, stop, single):
            if isinstance(value, list):
                yield from _sliced(value, start, stop, single=single)
        case Where(path, sign, wanted):
            for inner in value if isinstance(value, list) else ():
                left = find(path, inner)
                if (not sign and left) or (sign == "==" and wanted in left) or (sign == "!=" and wanted not in left):
                    yield inner


def _sliced(value: list[Json], start: int | None, stop: int | None, *, single: bool) -> list[Json]:
    if not single or start is None:
        return value[start:stop]
    return [value[start]] if -len(value) <= start < len(value) else []


def _deep(key: str, value: Json) -> Iterator[Json]:
    if isinstance(value, dict):
        if key in value:
            yield value[key]
        for inner in value.values():
            yield from _deep(key, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _deep(key, inner)


def expand(template: str, value: Json) -> str:
    """The template with every `{path}` replaced by what it finds."""
    if "{" not in template:
        template = f"{{{template}}}"
    pieces = _pieces(template)
    text, left = _expanded(pieces, value)
    if left:
        raise Usage("jsonpath has an {end} without a {range}")
    return text


def _pieces(template: str) -> list[str]:
    pieces: list[str] = []
    rest = template
    while rest:
        match = _PIECE.match(rest)
        if match is None:
            raise Usage(f"jsonpath cannot be read at {rest!r}", "every { needs its }")
        pieces.append(match[0])
        rest = rest[match.end() :]
    return pieces


def _expanded(pieces: list[str], value: Json) -> tuple[str, list[str]]:
    text = ""
    while pieces:
        piece, *pieces = pieces
        inner = piece[1:-1].strip()
        if not piece.startswith("{"):
            text += piece
        elif inner == "end":
            return text, ["{end}", *pieces]
        elif inner.startswith("range"):
            here = find(steps(inner.removeprefix("range")), value)
            after: list[str] | None = None
            for item in here or [None]:
                part, after = _expanded(list(pieces), item)
                text += part if here else ""
            if not after:
                raise Usage("jsonpath has a {range} without an {end}")
            pieces = after[1:]
        elif inner[:1] in ("'", '"'):
            text += inner[1:-1].encode().decode("unicode_escape")
        else:
            text += " ".join(_text(found) for found in find(steps(inner), value))
    return text, []


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return canonical(value)


def columns(text: str, items: Sequence[Json]) -> tuple[list[str], list[list[str]]]:
    """`NAME:.metadata.name,AGE:.status.age` as headers and rows; `<none>` where a path finds nothing."""
    wanted: list[tuple[str, tuple[Step, ...]]] = []
    for column in _split(text):
        header, colon, path = column.partition(":")
        if not header or not colon or not path:
            raise Usage(f"custom-columns cannot be read at {column!r}", "write NAME:.metadata.name,KIND:.kind")
        wanted.append((header, steps(path.removeprefix("{").removesuffix("}"))))
    rows = [[",".join(_text(found) for found in find(path, item)) or "<none>" for _, path in wanted] for item in items]
    return [header for header, _ in wanted], rows


def _split(text: str) -> list[str]:
    """At commas outside brackets."""
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char in "[(") - (char in "])")
        if char == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def texts(path: str, value: Json) -> tuple[str, ...]:
    """What a single path finds, each as text: for comparisons."""
    return tuple(_text(found) for found in find(steps(path.removeprefix("{").removesuffix("}")), value))
