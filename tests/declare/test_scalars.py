"""Plain scalars mean what YAML 1.2 says, and what YAML 1.1 would have made of them is refused or text."""

import math

import pytest

from reconciler.declare.scalars import Refusal, Scalar, resolve, tagged


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_null_has_five_spellings(text: str) -> None:
    assert resolve(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False)],
)
def test_a_boolean_has_three_spellings_each(text: str, value: bool) -> None:
    assert resolve(text) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-0", 0),
        ("+12", 12),
        ("-7", -7),
        ("010", 10),  # eight in YAML 1.1
        ("0o17", 15),
        ("0x1F", 31),
        ("0xff", 255),
    ],
)
def test_an_integer_is_decimal_octal_or_hexadecimal(text: str, value: int) -> None:
    found = resolve(text)
    assert (found, type(found)) == (value, int)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.5", 1.5), ("1.", 1.0), (".5", 0.5), ("-.5", -0.5), ("1e3", 1000.0), ("+1.5E-2", 0.015), ("0.0", 0.0)],
)
def test_a_float_needs_a_point_or_an_exponent(text: str, value: float) -> None:
    found = resolve(text)
    assert (found, type(found)) == (value, float)


@pytest.mark.parametrize(
    "text",
    [
        "1:30",  # ninety in YAML 1.1
        "190:20:30",
        "1_000",
        "0b101",
        "0o8",
        "0xg",
        "-0x1",
        "+",
        "-",
        ".",
        "..",
        "e5",
        "1e",
        "1.2.3",
        "./path",
        "-flag",
        "١٢",  # digits, but not YAML's
        "1\n",
        "y",
        "N",
        "tRUE",
        "nULL",
        "yEs",
        "inf",
        "nan",
        "=",
        "<<",
        "2024-1-1",
        "12:30:00",
        "2024-01-01-release",
    ],
)
def test_everything_else_is_text(text: str) -> None:
    assert resolve(text) == text


@pytest.mark.parametrize("text", ["yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF"])
def test_words_that_are_booleans_to_some_are_refused_with_both_ways_out(text: str) -> None:
    found = resolve(text)
    assert isinstance(found, Refusal)
    assert found.code == "declare.yaml.ambiguous_word"
    assert f'"{text}"' in found.hint
    assert ("true" if text.lower() in ("yes", "on") else "false") in found.hint


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01",
        "2024-1-1 1:02:03",
        "2024-01-01T00:00:00Z",
        "2024-01-01t00:00:00.25+02:00",
        "2024-01-01 00:00:00 -5",
    ],
)
def test_a_date_is_refused(text: str) -> None:
    found = resolve(text)
    assert isinstance(found, Refusal)
    assert (found.code, found.hint) == ("declare.yaml.timestamp", "quote it")


@pytest.mark.parametrize("text", [".inf", "-.INF", "+.Inf", ".nan", ".NaN", ".NAN", "1e999", "-1e999"])
def test_a_number_that_is_not_finite_is_refused(text: str) -> None:
    found = resolve(text)
    assert isinstance(found, Refusal)
    assert found.code == "declare.yaml.not_finite"


@pytest.mark.parametrize("text", ["9" * 310, "9" * 1_000_000, "0x" + "f" * 300, "0x" + "f" * 99_999, "0o" + "7" * 999])
def test_an_integer_that_python_could_not_print_or_divide_is_refused(text: str) -> None:
    found = resolve(text)
    assert isinstance(found, Refusal)
    assert found.code == "declare.yaml.number_too_long"


def test_the_longest_integer_that_is_read_still_has_a_finite_float() -> None:
    found = resolve("8" * 308)
    assert isinstance(found, int)
    assert math.isfinite(float(found))


CORE = "tag:yaml.org,2002:"


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        (f"{CORE}str", "5", "5"),
        (f"{CORE}str", "yes", "yes"),
        ("!", "5", "5"),
        (f"{CORE}int", "5", 5),
        (f"{CORE}float", "5", 5.0),
        (f"{CORE}bool", "True", True),
        (f"{CORE}null", "", None),
    ],
)
def test_a_core_tag_decides(tag: str, text: str, value: Scalar) -> None:
    found = tagged(tag, text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("!foo", "5"),
        ("!int", "5"),
        ("int", "5"),
        (f"{CORE}python/object/apply:os.system", "x"),
        (f"{CORE}timestamp", "2024-01-01"),
        (f"{CORE}binary", "aGk="),
        (f"{CORE}int", "5.0"),
        (f"{CORE}int", "true"),
        (f"{CORE}bool", "1"),
        (f"{CORE}null", "nothing"),
        (f"{CORE}map", "x"),
    ],
)
def test_another_tag_or_one_that_lies_is_refused(tag: str, text: str) -> None:
    found = tagged(tag, text)
    assert isinstance(found, Refusal)
    assert found.code == "declare.yaml.tag"
