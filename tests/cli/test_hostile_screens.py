"""What an agent's terminal says is shown as text by logs and tables, whatever it is."""

import io
import json
import re
import sys
from collections.abc import Callable

import pytest

from reconciler.cli import main, places
from reconciler.cli.complain import printable
from reconciler.cli.screen import Screen
from reconciler.cli.table import pairs, table
from reconciler.declare.reader import read
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.plugin import fake_world

__all__ = ["fake_world"]

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


FLEET = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, prompt: You write code.}
---
kind: Instance
metadata: {name: alice}
spec: {specialistRef: coder}
"""
SHOWN = "\n".join(HOSTILE.values())
OURS = re.compile(r"\x1b\[[0-9;]*m")
"""The colours this program paints with."""
Run = Callable[..., str]


@pytest.fixture
def says(fake_world: FakeWorld, monkeypatch: pytest.MonkeyPatch) -> Run:
    """What a command prints about alice, whose terminal shows everything that is hostile, in UTF-8 as it is strict."""
    fake_world.given(FLEET)
    assert fake_world.when_applied().settled
    monkeypatch.setattr(places, "flags", lambda args: fake_world.flags)

    def run(*words: str, shows: str = SHOWN, ended: bool = False) -> str:
        pane = fake_world.pane_of("alice")
        pane.text, pane.title, pane.dead = shows, shows.replace("\n", " "), ended
        streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for _ in range(2)]
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", streams[0])
            patch.setattr(sys, "stderr", streams[1])
            code = main.main([*words])
        said = ""
        for stream in streams:
            stream.flush()
            said += stream.buffer.getvalue().decode()  # type: ignore[attr-defined]
        assert code == 0, said
        return said

    return run


COMMANDS = (
    "logs alice",
    "describe instance alice",
    "agents single --agent-name alice state",
    "get instances",
    "top --once",
)


@pytest.mark.parametrize("form", ["", "--print-plain", "--print-fancy", "--print-json", "-o yaml"])
def test_no_command_prints_what_a_terminal_obeys(says: Run, form: str) -> None:
    for command in COMMANDS:
        if (command, form) == ("logs alice", "-o yaml"):
            continue
        said = says(*command.split(), *form.split())
        if form == "--print-fancy":
            said = OURS.sub("", said)
        odd = {ascii(char) for char in said if not char.isprintable() and char != "\n"}
        assert odd <= ({ascii("\u200b")} if form == "-o yaml" else set()), (command, odd)


def test_logs_says_all_of_it_as_text_and_as_data(says: Run) -> None:
    lines = [line.rstrip() for line in SHOWN.split("\n")]

    assert says("logs", "alice").splitlines() == [printable(line) for line in lines]
    assert OURS.sub("", says("logs", "alice", "--print-fancy")).splitlines() == [printable(line) for line in lines]
    assert json.loads(says("logs", "alice", "--print-json"))["lines"] == lines
    followed = says("logs", "-f", "alice", ended=True).splitlines()
    assert followed == [*map(printable, lines), "Instance/alice has ended"]
    as_data = says("logs", "-f", "alice", "--print-json", ended=True)
    assert as_data.replace("\n", "").isprintable()
    assert json.loads(as_data)["lines"] == lines


@pytest.mark.parametrize("form", ["", "--print-fancy", "--print-json"])
def test_a_megabyte_on_one_line_is_told_whole_by_logs_and_cut_by_the_others(says: Run, form: str) -> None:
    long = "x" * (1 << 20) + "\x1b[2J"

    assert len(says("logs", "alice", *form.split(), shows=long)) > 1 << 20
    for command in COMMANDS[1:]:
        said = says(*command.split(), *form.split(), shows=long)
        assert len(said) < 100_000, command
        assert "\x1b[2J" not in said


def test_describe_as_yaml_says_the_same(says: Run) -> None:
    documents, problems = read(says("describe", "instance", "alice", "-o", "yaml").encode(), "said")

    assert problems == []
    assert "look \u202egnp.exe\u2066 ok\u2069" in json.dumps(documents[0].value, ensure_ascii=False)
