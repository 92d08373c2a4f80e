"""JSON is written as the standard library writes it, sooner."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.json_text import indented, on_one_line, printed
from reconciler.model.json import Json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
)


@given(VALUES)
def test_any_value_is_written_as_the_standard_library_indents_it(value: Json) -> None:
    assert indented(value) == json.dumps(value, indent=2, ensure_ascii=False)


@pytest.mark.parametrize("value", ["a\nb", "\x1b", "é", "\u2028", '"', {}, [], {"a": []}, [[{}]], True, 1, 1.0, None])
def test_small_ones(value: Json) -> None:
    assert indented(value) == json.dumps(value, indent=2, ensure_ascii=False)


@given(VALUES)
def test_what_is_printed_says_the_same_and_holds_nothing_that_a_terminal_obeys(value: Json) -> None:
    for text in (printed(value), on_one_line(value)):
        assert json.loads(text) == value
        assert text.replace("\n", "").isprintable()
    assert "\n" not in on_one_line(value)
