"""Whatever is written, reading answers; what is written well comes back as it was, from the place where it stands."""

import json
from typing import Literal

import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.declare.events import engine, pure_engine
from reconciler.declare.reader import DEFAULT, Document, read, read_with
from reconciler.declare.scalars import NUMERIC_STARTS, WORDS, Refusal, number, resolve
from reconciler.model.json import Json, JsonMap
from reconciler.model.resource import Path

# A key of more than 1,024 characters is no key to a YAML parser unless it is marked with a question mark.
CHARACTERS = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufffe\uffff\ufeff"
)
TEXT = st.text(CHARACTERS)
KEYS = TEXT.filter(lambda key: len(key) < 200)
NUMBERS = st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=25
)
TREES = st.dictionaries(KEYS, VALUES, max_size=5)

SNIPPETS = st.sampled_from([
    *"\n\n\n  :-?,[]{}#&*!|>'\"%@`\t\\ab19~.",
    *("a: ", "- ", "---\n", "...\n", "? ", "|\n", "\r\n", "<<: ", "*a", "&a ", "!!int ", "yes", "null", "2024-01-01"),
    *("0x1", ".inf", "\ufeff", "\u2028", "\x00", "é", "😀", "\\ud83d\\ude00"),
])  # fmt: skip
SCRIBBLES = st.lists(SNIPPETS, max_size=40).map("".join)


def same(left: Json, right: Json) -> bool:
    """Equal, and of equal types all the way down: 1, 1.0 and true are three values here."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def read_one(text: str) -> Document:
    found, problems = read(text, "f.yaml")
    assert problems == []
    (document,) = found
    return document


def paths_of(value: Json, path: Path = ()) -> list[Path]:
    inner: list[tuple[str | int, Json]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(each for part, item in inner for each in paths_of(item, (*path, part)))]


def offset_of(text: str, line: int, column: int) -> int:
    """The offset of a position, from 1, in a text whose lines end in line feeds."""
    return sum(len(each) + 1 for each in text.split("\n")[: line - 1]) + column - 1


@given(TREES, st.sampled_from([None, 1, 3]), st.booleans())
def test_json_comes_back_as_it_was_written(tree: JsonMap, indent: int | None, ascii_only: bool) -> None:
    assert same(read_one(json.dumps(tree, indent=indent, ensure_ascii=ascii_only)).value, tree)


@given(TREES, st.sampled_from(['"', "'"]), st.booleans(), st.integers(20, 200), st.integers(2, 6))
def test_quoting_style_layout_and_width_change_nothing(
    tree: JsonMap, style: Literal['"', "'"], flow: bool, width: int, indent: int
) -> None:
    text = yaml.safe_dump(
        tree,
        default_style=style,
        default_flow_style=flow,
        width=width,
        indent=indent,
        allow_unicode=True,
        sort_keys=False,
    )
    # A dumper may write a long key with a question mark; what it writes is YAML all the same.
    assert same(read_one(text).value, tree)


@given(TREES, st.booleans())
def test_every_position_points_at_what_it_is_the_position_of(tree: JsonMap, ascii_only: bool) -> None:
    text = json.dumps(tree, indent=1, ensure_ascii=ascii_only)
    document = read_one(text)
    decoder = json.JSONDecoder()
    value_at: Json
    for path in paths_of(tree):
        expected: Json = tree
        for part in path:
            expected = expected[part]  # type: ignore[index, call-overload]
        place, key_place = document.position(path), document.key_position(path)
        value_at, _ = decoder.raw_decode(text, offset_of(text, place.line, place.column))
        assert same(value_at, expected)
        key_at, _ = decoder.raw_decode(text, offset_of(text, key_place.line, key_place.column))
        assert key_at == path[-1] if path and isinstance(path[-1], str) else key_place == place


@given(TREES, st.sampled_from(["# note\n", "\n", "   \n", "  #\n"]), st.sampled_from(["\n", "\r\n", "\r"]))
def test_comments_blank_lines_and_line_ends_change_nothing(tree: JsonMap, noise: str, end: str) -> None:
    lines = json.dumps(tree, indent=1, ensure_ascii=False).split("\n")
    assert same(read_one(f"\n{noise}".join(lines).replace("\n", end)).value, tree)


@given(SCRIBBLES)
def test_any_text_has_an_answer_and_every_problem_a_place_in_it(text: str) -> None:
    found, problems = read(text, "f.yaml")
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    places = [problem.position for problem in problems]
    assert places == sorted(place for place in places if place is not None)
    for problem in problems:
        assert problem.message
        assert problem.hint
        assert problem.rule
        assert problem.position is not None
        assert 1 <= problem.position.line <= len(lines)
        assert 1 <= problem.position.column <= len(lines[problem.position.line - 1]) + 1
    for document in found:
        json.dumps(document.value, allow_nan=False)
        for path in paths_of(document.value):
            assert document.position(path).line <= len(lines)


@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(data: bytes) -> None:
    found, problems = read(data, "f.yaml")
    assert all(problem.position is not None for problem in problems)
    assert all(isinstance(document.value, dict) for document in found)


@given(TREES, st.data())
def test_a_file_that_was_cut_off_has_an_answer(tree: JsonMap, data: st.DataObject) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True)
    read(text[: data.draw(st.integers(0, len(text)))], "f.yaml")


@given(TREES)
def test_both_parsers_read_the_same_values_from_the_same_places(tree: JsonMap) -> None:
    text = json.dumps(tree, indent=2, ensure_ascii=False)
    ((by_library,), none) = read_with(engine(), text, "f.yaml", DEFAULT)
    ((by_python,), nor_here) = read_with(pure_engine(), text, "f.yaml", DEFAULT)
    assert none == nor_here == []
    assert same(by_library.value, by_python.value)
    for path in paths_of(tree):
        assert by_library.position(path) == by_python.position(path)
        assert by_library.text(path) == by_python.text(path)


@given(st.text("+-.0123456789eExXoOabfinINFTtZz:_ ~", min_size=1, max_size=24))
def test_only_a_word_or_a_number_is_anything_but_text(text: str) -> None:
    value = resolve(text)
    if text not in WORDS and text[0] not in NUMERIC_STARTS:
        assert value == text
    if isinstance(value, float):
        assert value == float(text)
    if type(value) is int:
        assert value == int(text, 0 if text.startswith(("0o", "0x")) else 10)
    assert isinstance(value, Refusal) or text in WORDS or value == number(text)
