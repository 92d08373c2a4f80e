"""Tables: plain in a pipe, coloured and fitted on a terminal."""

import io
import re

from reconciler.cli.screen import Screen
from reconciler.cli.table import in_words, pairs, table

HEADERS = ("NAME", "READY", "SESSION")
ROWS = [["alice", "True", "HOUMAO-alice-1795231784694"], ["bob", "False", ""]]


def printed(*, terminal: bool, width: int = 0, bare: bool = False, fit: bool = True) -> str:
    out = io.StringIO()
    table(HEADERS, ROWS, Screen(out, terminal=terminal, colour=terminal, width=width), bare=bare, fit=fit)
    return out.getvalue()


def test_a_pipe_gets_aligned_columns() -> None:
    assert printed(terminal=False) == (
        "NAME    READY   SESSION\n"
        "alice   True    HOUMAO-alice-1795231784694\n"
        "bob     False\n"
    )  # fmt: skip


def test_without_headers() -> None:
    assert printed(terminal=False, bare=True).splitlines()[0] == "alice   True    HOUMAO-alice-1795231784694"


def test_a_terminal_gets_colour_and_no_line_is_too_long() -> None:
    text = printed(terminal=True, width=30)
    assert "\x1b[32mTrue" in text
    assert "\x1b[31mFalse" in text
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
    assert [line.split()[0] for line in lines] == ["NAME", "alice", "bob"]
    assert max(map(len, lines)) <= 30


def test_wide_is_never_shortened() -> None:
    assert "HOUMAO-alice-1795231784694" in printed(terminal=True, width=30, fit=False)


def test_control_characters_are_escaped_in_cells() -> None:
    out = io.StringIO()
    table(("A",), [["x\x1b]0;title\x07"]], Screen(out))
    assert out.getvalue() == "A\nx\\x1b]0;title\\x07\n"


def test_pairs_fold_long_values_under_themselves() -> None:
    out = io.StringIO()
    pairs([("Name", "alice"), ("Files", "a\nb")], Screen(out), indent=2)
    assert out.getvalue() == "  Name:  alice\n  Files: a\n         b\n"


def test_a_path_is_broken_behind_a_separator_and_no_line_is_too_long() -> None:
    out = io.StringIO()
    path = "/srv/fleet/.houmao/runtime/homes/echo-brain-20261128-060504Z-bdba4a87"
    pairs([("Home", f"present {path}"), ("No", "x" * 90)], Screen(out, terminal=True, width=40), indent=2)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 40
    assert lines[0] == "  Home: present"
    assert all(line.endswith(("/", "-")) for line in lines[1:3])
    assert "".join(line.strip() for line in lines[1:4]) == path
    assert {len(line) - len(line.lstrip()) for line in lines[1:4]} == {8}


def test_a_narrow_terminal_does_without_what_can_be_spared() -> None:
    out = io.StringIO()
    table(HEADERS, ROWS, Screen(out, terminal=True, width=20), spare=("SESSION",))
    assert out.getvalue().splitlines() == ["NAME   READY", "alice  True", "bob    False"]
    out = io.StringIO()
    table(HEADERS, ROWS, Screen(out, terminal=True, width=60), spare=("SESSION",))
    assert "SESSION" in out.getvalue()


def test_values_in_words() -> None:
    assert in_words({"a": True, "b": None, "c": {"d": 1, "e": []}, "f": ["x", 2]}) == "a=yes, c=(d=1), f=x, 2"
    assert in_words([{"a": 1}]) == "[1 items]"
    assert in_words(None) == in_words([]) == in_words({}) == "none"
