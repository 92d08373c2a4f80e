"""`--print-plain`, `--print-fancy` and `--print-json` on every command, and the variable that says what is usual."""

import os
import pty
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli import grammar, help_text, main, screen
from reconciler.cli.argv import normalised
from reconciler.cli.grammar import Args, Command, Usage
from tests import warm
from tests.cli.conftest import TEAM, Program, program
from tests.conftest import WaitUntil

COMMANDS = {command.path: command for command in help_text.commands()}
STYLES = ("json", "plain", "fancy")
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
STOPPED = TEAM.replace("{specialistRef: coder}", "{specialistRef: coder, state: Stopped}")
TEXTS = (
    ("get", "instances"), ("get", "all", "-o", "wide"), ("describe", "specialist/coder"), ("project", "status"),
    ("project", "easy", "specialist", "list"), ("project", "easy", "specialist", "get", "--name", "coder"),
    ("api-resources",), ("plan", "-f", "other.yaml"),
)  # fmt: skip


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, wait_until: WaitUntil) -> Iterator[Program]:
    """A team that stands still: looked at, never changed."""
    with program(tmp_path_factory.mktemp("styles"), wait_until) as found:
        found.write("other.yaml", STOPPED.replace("You write code.", "You write tests."))
        found.given(STOPPED)
        yield found


def on_a_terminal(team: Program, *words: str, env: dict[str, str] | None = None) -> str:
    """What a terminal of any width would be sent."""
    ours, theirs = pty.openpty()
    try:
        done = warm.start(
            ["-m", "reconciler", *words],
            cwd=team.work,
            env={**team.env, "TERM": "xterm", "PYTHONPATH": str(Path(__file__).parents[2]), **(env or {})},
            into=(theirs, theirs, theirs),
        )
    finally:
        os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:
        pass  # the end of a terminal that nobody holds any more
    finally:
        os.close(ours)
    assert done.wait() == (0, [])
    return seen.decode().replace("\r\n", "\n")


def timeless(text: str) -> str:
    """Two runs are not of the same second, and an age of more digits moves what stands behind it."""
    return re.sub(r" *\b\d+[smh]\b *", " AGE ", text)


def parsed(command: Command, style: str) -> Args:
    _, *words = shlex.split(command.examples[0].line)
    found, rest = main.understood([*words, f"--print-{style}"])
    assert found == command
    valued = {name for option in command.every() if option.metavar for name in option.names}
    return grammar.parse(command, normalised(rest, valued))


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_command_takes_each_of_them(command: Command) -> None:
    for style in STYLES:
        args = parsed(command, style)
        assert args.style == style
        assert screen.data_format(args) == "json" or style != "json"


def test_two_of_them_exclude_one_another() -> None:
    with pytest.raises(Usage, match="--print-json and --print-fancy exclude"):
        grammar.parse(COMMANDS["get"], ["instances", "--print-fancy", "--print-json"])


@pytest.mark.parametrize("words", TEXTS, ids=" ".join)
def test_plain_is_the_same_text_on_a_terminal_and_in_a_pipe(team: Program, words: tuple[str, ...]) -> None:
    piped = team(*words, "--print-plain")
    assert piped.code == 0, piped
    assert piped.out
    assert piped.out.isascii() or not re.search("[─-╿]", piped.out)
    assert "\x1b" not in piped.out
    assert timeless(on_a_terminal(team, *words, "--print-plain")) == timeless(piped.out)
    assert timeless(on_a_terminal(team, *words, env={"HOUMAO_CLI_PRINT_STYLE": "plain"})) == timeless(piped.out)


@pytest.mark.parametrize("words", TEXTS, ids=" ".join)
def test_fancy_is_coloured_in_a_pipe_and_says_the_same(team: Program, words: tuple[str, ...]) -> None:
    plain, fancy = team(*words, "--print-plain"), team(*words, "--print-fancy")
    assert "\x1b[" in fancy.out
    assert fancy.code == 0

    def said(text: str) -> list[str]:
        return re.sub("[─-╿]", " ", timeless(ESCAPE.sub("", text))).split()

    assert said(fancy.out) == said(plain.out)


def test_fancy_tables_are_drawn(team: Program) -> None:
    fancy = team("get", "instances", "--print-fancy")
    lines = [ESCAPE.sub("", line) for line in fancy.lines]
    assert (lines[0][0], lines[0][-1], lines[1].split()[1], lines[-1][0]) == ("╭", "╮", "NAME", "╰")
    assert len({len(line) for line in lines}) == 1
    bare = team("get", "instances", "--print-fancy", "--no-color")
    assert timeless(bare.out) == timeless("\n".join(lines) + "\n")


def test_what_is_written_wins_over_what_is_usual(team: Program) -> None:
    json, fancy = {"HOUMAO_CLI_PRINT_STYLE": "json"}, {"HOUMAO_CLI_PRINT_STYLE": "fancy"}
    assert team("get", "instances", env=json).data == team("get", "instances", "-o", "json").data
    assert team("get", "instances", "-o", "name", env=json).lines == ["instance/alice"]
    assert timeless(team("get", "instances", "--print-plain", env=json).out) == timeless(team("get", "instances").out)
    assert "\x1b[" in team("get", "instances", env=fancy).out
    assert "\x1b[" not in team("get", "instances", env={**fancy, "NO_COLOR": "1"}).out
    assert "\x1b[" in team("get", "instances", "--print-fancy", env={"NO_COLOR": "1"}).out


def test_what_is_usual_holds_for_plans_and_errors_too(team: Program) -> None:
    usual = {"HOUMAO_CLI_PRINT_STYLE": "json"}
    assert team("plan", "-f", "team.yaml", env=usual).data["actions"] == []
    assert team("describe", "role/nobody", env=usual).data["error"]["code"]
    assert team("aply", env=usual).data["error"]["code"] == "usage.error"
    assert team("aply", "--print-plain", env=usual).out == ""


def test_a_style_nobody_knows_is_refused(team: Program) -> None:
    ran = team("get", "instances", env={"HOUMAO_CLI_PRINT_STYLE": "loud"})
    assert (ran.code, ran.out) == (64, "")
    assert "HOUMAO_CLI_PRINT_STYLE cannot be 'loud'" in ran.err
