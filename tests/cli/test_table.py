"""Tables: plain in a pipe, coloured and fitted on a terminal."""

import io
import re

from reconciler.cli.screen import Screen
from reconciler.cli.table import pairs, table

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
