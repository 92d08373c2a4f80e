"""Help is shipped text, made from the tables; what it promises can be typed."""

import shlex
from pathlib import Path

import pytest

from reconciler.cli import grammar, help_text, main, tree
from reconciler.cli.argv import normalised
from reconciler.cli.grammar import Command

ROOT = Path(__file__).parents[2]
COMMANDS = {command.path: command for command in help_text.commands()}


def test_every_text_is_what_the_tables_say() -> None:
    shipped = {path.stem: path.read_text() for path in (ROOT / "reconciler" / "cli" / "help").glob("*.txt")}
    assert shipped == help_text.help_texts(), "run `make docs`"


def test_the_reference_page_is_what_the_tables_say() -> None:
    assert (ROOT / "docs" / "reference" / "cli.md").read_text() == help_text.reference(), "run `make docs`"


def test_the_tree_names_every_command_module() -> None:
    folder = ROOT / "reconciler" / "cli" / "commands"
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(tree.PATHS.values())
    assert list(COMMANDS) == list(tree.PATHS)


def test_the_options_known_before_the_tables_are_those_of_the_tables() -> None:
    assert set(tree.VALUED) == {name for option in grammar.GLOBAL if option.metavar for name in option.names}


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_the_program_explains_itself(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(words) == 0
    assert capsys.readouterr().out == help_text.help_texts()["houmao"]


@pytest.mark.parametrize("path", [*tree.PATHS, *tree.GROUPS])
def test_help_of_every_command(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    for line in ([*path.split(), "--help"], ["--project-dir", "x", *path.split(), "-h"], ["help", *path.split()]):
        assert main.main(line) == 0
        assert capsys.readouterr().out == help_text.help_texts()[path.replace(" ", "-")]


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_example_fits_its_command(command: Command) -> None:
    assert command.examples
    for example in command.examples:
        program, *words = shlex.split(example.line)
        path, ahead, rest = main.named(words)
        assert (program, path) == ("houmao", command.path)
        valued = {name for option in command.every() if option.metavar for name in option.names}
        grammar.parse(command, normalised([*ahead, *rest], valued))


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_no_spelling_means_two_things(command: Command) -> None:
    names = [name for option in command.every() for name in (*option.names, *option.off)]
    assert len(names) == len(set(names))
    keys = [option.key for option in command.every()] + [argument.key for argument in command.arguments]
    assert len(keys) == len(set(keys))


def test_no_line_of_help_is_wider_than_a_page() -> None:
    long = [line for text in help_text.help_texts().values() for line in text.splitlines() if len(line) > 104]
    assert long == []
