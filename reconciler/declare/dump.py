"""Values to YAML that the strict reader takes back unchanged, in an order people expect: for `export`.

Block style; text that would be read as something else is quoted, longer text becomes a literal block.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from reconciler.declare.scalars import resolve
from reconciler.model.json import Json, JsonMap
from reconciler.model.resource import API_VERSION

ENVELOPE = ("apiVersion", "kind", "metadata", "spec")
_METADATA = ("name", "labels", "annotations")
# What needs no quotes in block style: no indicator first, no `: `, no ` #`, nothing odd at the end.
_PLAIN = re.compile(r"[A-Za-z0-9_./~+-][A-Za-z0-9_./~+@()=,-]*(?:[ :][A-Za-z0-9_./~+@()=,-]+)*")
# What readers of YAML 1.1 make a number of, such as 1:30, or a truth value.
_OLD = re.compile(r"[-+]?[0-9][0-9_:.,]*|[yYnN]")
# Written out, what turns the direction of text could show another text than it is.
_BLOCK = re.compile(
    r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]*"
)
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]")


def to_yaml(documents: Iterable[Mapping[str, Json]]) -> str:
    """Documents as one YAML text; `apiVersion`, `kind`, `metadata`, `spec` in this order, other keys as they come."""
    return "---\n".join("".join(f"{line}\n" for line in _mapping(_ordered(each, ENVELOPE), 0)) for each in documents)


def document(
    kind: str,
    name: str,
    spec: JsonMap,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> JsonMap:
    """One document around a spec."""
    metadata: JsonMap = {"name": name}
    for key, entries in (("labels", labels), ("annotations", annotations)):
        if entries:
            metadata[key] = dict(sorted(entries.items()))
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _ordered(value: Mapping[str, Json], first: tuple[str, ...]) -> JsonMap:
    out = {key: value[key] for key in first if key in value}
    out.update((key, item) for key, item in value.items() if key not in out)
    metadata = out.get("metadata")
    if isinstance(metadata, dict) and first is ENVELOPE:
        out["metadata"] = _ordered(metadata, _METADATA)
    return out


def _mapping(value: JsonMap, depth: int) -> Iterator[str]:
    pad = "  " * depth
    for key, item in value.items():
        name = f"{pad}{_text(key)}:"
        if isinstance(item, dict) and item:
            yield name
            yield from _mapping(item, depth + 1)
        elif isinstance(item, list) and item:
            yield name
            yield from _sequence(item, depth)
        else:
            yield from _leaf(f"{name} ", item, depth + 1)


def _sequence(value: list[Json], depth: int) -> Iterator[str]:
    pad = "  " * depth
    for item in value:
        if isinstance(item, dict | list) and item:
            inner = _mapping(item, depth + 1) if isinstance(item, dict) else _sequence(item, depth + 1)
            # The first line of the item stands beside its dash, which is as wide as one indentation.
            yield f"{pad}- {next(inner)[len(pad) + 2 :]}"
            yield from inner
        else:
            yield from _leaf(f"{pad}- ", item, depth + 1)


def _leaf(start: str, value: Json, depth: int) -> Iterator[str]:
    if not isinstance(value, str) or "\n" not in value or not _fits_block(value):
        yield start + _scalar(value)
        return
    body = value.rstrip("\n")
    ends = len(value) - len(body)
    yield start + ("|-" if ends == 0 else "|" if ends == 1 else "|+")
    for line in (value if ends < 2 else value[:-1]).removesuffix("\n" if ends == 1 else "").split("\n"):
        yield "  " * depth + line if line else ""


def _fits_block(text: str) -> bool:
    """Whether a literal block holds the text: something in it, its first line not indented, all of it printable."""
    return text.strip() != "" and text[0] not in " \t\n" and _BLOCK.fullmatch(text) is not None


def _scalar(value: Json) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list):
        return "[]"
    return "null" if value is None else json.dumps(value)


def _text(text: str) -> str:
    """Plain where the reader takes it for this text and nothing else; in double quotes elsewhere."""
    plain = len(text) <= 120 and _PLAIN.fullmatch(text) is not None and not text.startswith(("-", "..."))
    if plain and resolve(text) == text and not _OLD.fullmatch(text):
        return text
    return _ESCAPED.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    """As YAML writes it; half of a pair, which it has no way to write, as the sign for what is no text."""
    code = ord(found.group())
    return "\\ufffd" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}"


def to_lines(value: Json, indent: int) -> list[str]:
    """A value as lines of block style, for an editor: a mapping or list indented, a long text from its `|` on."""
    pad = " " * indent
    if isinstance(value, dict) and value:
        return [pad + line for line in _mapping(value, 0)]
    if isinstance(value, list) and value:
        return [pad + line for line in _sequence(value, 0)]
    first, *rest = _leaf("", value, 0)
    return [first, *(pad + line if line else "" for line in rest)]


def flow(value: Json, *, like: str = "", inside: bool = False) -> str:
    """A value on one line: in the quotes of the one it replaces, and safe `inside` braces and brackets."""
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{flow(key, inside=True)}: {flow(item, inside=True)}" for key, item in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(flow(item, inside=True) for item in value) + "]"
    if not isinstance(value, str):
        return _scalar(value)
    plain = _text(value)
    if like == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if like == '"' or (inside and not plain.startswith('"') and any(mark in plain for mark in ",[]{}")):
        return plain if plain.startswith('"') else json.dumps(value, ensure_ascii=False)
    return plain
