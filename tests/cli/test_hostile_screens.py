"""What an agent's terminal says is shown as text by logs and tables, whatever it is."""

import io

import pytest

from reconciler.cli.complain import printable
from reconciler.cli.screen import Screen
from reconciler.cli.table import pairs, table

HOSTILE = {
    "escape": "\x1b[2J\x1b[31mgone",
    "title": "\x1b]0;other title\x07",
    "clipboard": "\x1b]52;c;cm0gLXJm\x1b\\",
    "eight bit": "\x9b2J\x9d0;x\x9c",
    "bidi": "look \u202egnp.exe\u2066 ok\u2069",
    "nothing to see": "a\u200bb\ufeffc\u2028d",
    "half a pair": "a\ud800b",
    "rewritten": "yes\rno \b\b\x7f",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    out = io.StringIO()
    table(("A",), [[text]], Screen(out))
    pairs([("Last", text)], Screen(out))

    for shown in (printable(text), out.getvalue()):
        shown.encode()
        assert shown.replace("\n", "").isprintable(), ascii(shown)


def test_a_line_of_a_megabyte_fits_a_terminal_and_comes_out_whole_elsewhere() -> None:
    long = "x" * (1 << 20) + "\x1b[2J"
    fitted, whole = io.StringIO(), io.StringIO()
    table(("A", "B"), [[long, "b"]], Screen(fitted, terminal=True, colour=False, width=80))
    table(("A", "B"), [[long, "b"]], Screen(whole))

    assert max(map(len, fitted.getvalue().splitlines())) <= 80
    assert len(whole.getvalue()) > 1 << 20
    assert printable(long).endswith(r"\x1b[2J")
    assert "\x1b" not in fitted.getvalue() + whole.getvalue()
