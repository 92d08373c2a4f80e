"""Texts made to hurt: each is refused with a position, at once, and the parser is not asked for more."""

import tracemalloc
from collections.abc import Callable

import pytest

from reconciler.declare.events import Engine, Event, Parser, engine, pure_engine
from reconciler.declare.reader import DEFAULT, Limits, read, read_with
from reconciler.model.errors import Problem

MIB = 2**20


class Counting:
    """A parser that counts what it is asked for."""

    def __init__(self, parser: Parser) -> None:
        self.parser = parser
        self.asked = 0

    def get_event(self) -> Event:
        self.asked += 1
        return self.parser.get_event()


def counted(using: Engine, text: str, limits: Limits = DEFAULT) -> tuple[list[Problem], int]:
    """The problems of a text, and how many events were pulled for them."""
    made: list[Counting] = []

    def make(text: str) -> Parser:
        made.append(Counting(using.parser(text)))
        return made[-1]

    found, problems = read_with(Engine(make, using.compiled), text, "hostile.yaml", limits)
    assert found == []
    return problems, sum(each.asked for each in made)


def codes(problems: list[Problem]) -> set[str]:
    return {problem.code.removeprefix("declare.yaml.") for problem in problems}


ENGINES = pytest.mark.parametrize("make_engine", [engine, pure_engine])


@ENGINES
@pytest.mark.parametrize("count", [25_000, 200_000])
@pytest.mark.parametrize("part", ["[", "{", "{a: ", "- ", "? ", "[[[{a: ", "&a [", "!!seq ["])
def test_nesting_ends_at_the_limit_and_the_parser_is_asked_no_more(
    make_engine: Callable[[], Engine], count: int, part: str
) -> None:
    problems, asked = counted(make_engine(), part * count)
    assert "too_deep" in codes(problems)
    assert problems[-1].position is not None
    assert asked <= 3 * DEFAULT.depth + 5


def test_the_deepest_allowed_is_read_and_one_more_is_not() -> None:
    def nested(depth: int) -> str:
        return "a: " + "[" * (depth - 1) + "]" * (depth - 1)

    assert read(nested(64), "f")[1] == []
    assert codes(read(nested(65), "f")[1]) == {"too_deep"}


@ENGINES
def test_aliases_of_aliases_of_aliases_are_counted_before_they_are_expanded(make_engine: Callable[[], Engine]) -> None:
    text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
    text += "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    problems, _ = counted(make_engine(), text)
    assert codes(problems) == {"too_many_nodes"}


def test_one_long_text_repeated_is_counted_in_bytes() -> None:
    text = f"a: &a {'x' * MIB}\nb: [{','.join(['*a'] * 14)}]\n"
    assert read(text, "f")[1] == []
    problems = read(text + f"c: [{','.join(['*a'] * 2)}]\n", "f")[1]
    assert codes(problems) == {"too_large"}
    assert problems[0].position is not None
    assert problems[0].position.line == 3


def test_depth_is_counted_through_aliases() -> None:
    anchored = f"a: &a {'[' * 40}{']' * 40}\n"
    assert read(anchored + f"b: {'[' * 23}*a{']' * 23}\n", "f")[1] == []
    assert codes(read(anchored + f"b: {'[' * 24}*a{']' * 24}\n", "f")[1]) == {"too_deep"}


def test_many_values_are_refused_with_or_without_aliases() -> None:
    items = "- a\n" * 99_997  # and the list, the mapping, one more value
    assert read(f"b: 1\na:\n{items}", "f")[1] == []
    assert codes(read(f"b: 1\na:\n{items}- a\n", "f")[1]) == {"too_many_nodes"}
    assert codes(read("".join(f"k{n}: v\n" for n in range(100_000)), "f")[1]) == {"too_many_nodes"}


def test_the_limit_holds_for_the_whole_file_not_for_each_document() -> None:
    assert codes(read("a: [1, 2]\n---\nb: [3, 4]\n", "f", Limits(nodes=7))[1]) == {"too_many_nodes"}
    assert read("a: [1, 2]\n---\nb: [3, 4]\n", "f", Limits(nodes=8))[1] == []


@pytest.mark.parametrize("text", [b"# " + b"x" * (16 * MIB), "# " + "x" * (16 * MIB), "# " + "é" * (8 * MIB)])
def test_a_file_that_is_too_large_is_not_even_decoded(text: str | bytes) -> None:
    found, problems = read(text, "f")
    assert found == []
    assert codes(problems) == {"too_large"}


def test_the_largest_file_that_is_allowed_is_read() -> None:
    assert read(b"a: " + b"x" * (16 * MIB - 3), "f")[1] == []


def test_anchors_inside_anchors_cost_no_copies() -> None:
    text = "a: " + "".join(f"&n{n} [" for n in range(60)) + "x," * 90_000 + "]" * 60
    tracemalloc.start()
    try:
        assert read(text, "f")[1] == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40 * MIB


@pytest.mark.parametrize(
    "text",
    [
        "\x00" * 300_000,
        "\u2028\n" * 300_000,
        "{\n" + "\t\n" * 300_000 + "}",
        "a: [" + "yes," * 90_000 + "]",
        "a: 1\n" * 90_000,
        "".join(f"k{n}: 1\n" for n in range(40_000)) * 2,
        "- 1\n---\n" * 90_000,
        "1: a\n" * 90_000,
    ],
    ids=["nulls", "separators", "tabs", "words", "one key", "all keys twice", "no mappings", "numbers as keys"],
)
def test_a_file_that_is_nothing_but_mistakes_is_told_up_to_a_thousand(text: str) -> None:
    _, problems = read(text, "f")
    assert len(problems) == DEFAULT.problems + 1
    assert problems[-1].code == "declare.yaml.too_many_problems"


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "'" * 99_999,
        "a: " + '"' * 100_000,
        "a: " + "&" * 100_000,
        "a: " + "*" * 100_000,
        "a: " + "!" * 100_000,
        "%" * 100_000,
        "a: |" + "9" * 100_000,
        "a: " + "1" * 200_000 + "x",
        "a: " + "2024-01-01 " * 20_000,
        "a: " + "1 " * 100_000,
        "a: " + "." * 100_000,
        "\ufeff" * 1000,
        ":" * 100_000,
        ": " * 100_000,
        "?" * 100_000,
        "---\n" * 100_000,
        "--- " * 1000,
        "a: !<" + "x" * 100_000 + "> 1",
        "&" + "a" * 100_000 + " b: 1",
    ],
)
def test_odd_texts_end_in_an_answer(text: str) -> None:
    found, problems = read(text, "f")
    assert found or problems or text.strip("-\n") == "" or text.strip("\ufeff") == ""


def test_messages_do_not_repeat_a_long_text() -> None:
    _, problems = read(f"{'9' * 1000}: 1\n{'k' * 900}: 1\n{'k' * 900}: 2\nt: !{'t' * 900} 1\na: *{'a' * 900}\n", "f")
    assert codes(problems) == {"key_type", "duplicate_key", "tag", "unknown_alias"}
    assert all(len(problem.message) + len(problem.hint) < 400 for problem in problems)
