"""Every command line that cannot be understood ends with 64, says so on standard error, and touches nothing."""

import json

import pytest

from reconciler.cli import help_text, main, tree
from reconciler.cli.argv import ALONE
from reconciler.cli.grammar import Command, Option

COMMANDS = {command.path: command for command in help_text.commands()}
VALUED = [
    pytest.param(command, option, id=f"{command.path} {option.names[-1]}")
    for command in COMMANDS.values()
    for option in command.every()
    if option.metavar and not option.alone and option.names[-1] not in ALONE
]
JUDGED = [
    pytest.param(command, option, id=f"{command.path} {option.names[-1]}")
    for command in COMMANDS.values()
    for option in command.every()
    if option.kind != "text"
]


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_an_unknown_option(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([*command.path.split(), "--no-such-option"]) == 64
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith(f"error[usage.error]: {command.path} has no option --no-such-option\n")


@pytest.mark.parametrize(("command", "option"), VALUED)
def test_a_missing_value(command: Command, option: Option, capsys: pytest.CaptureFixture[str]) -> None:
    for name in option.names:
        assert main.main([*command.path.split(), name]) == 64
        assert f"{name} needs a value" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "option"), JUDGED)
def test_a_value_of_another_kind(command: Command, option: Option, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([*command.path.split(), f"{option.names[-1]}=?"]) == 64
    assert "usage.error" in capsys.readouterr().err


@pytest.mark.parametrize("path", [c.path for c in COMMANDS.values() if any(a.least for a in c.arguments)])
def test_a_missing_argument(path: str) -> None:
    assert main.main(path.split()) == 64


@pytest.mark.parametrize("path", [p for p in tree.PATHS if "file" in {option.key for option in COMMANDS[p].options}])
def test_commands_on_declarations_want_some(path: str) -> None:
    assert main.main([path]) == 64


@pytest.mark.parametrize("word", sorted(tree.LATER))
def test_a_verb_of_a_later_release(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([word]) == 64
    assert "later release" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["aply"], "did you mean `houmao apply`?"),
        (["project", "int"], "did you mean `houmao project init`?"),
        (["lock"], ""),
        (["--frobnicate"], "options of a command come after its name"),
        (["--project-dir"], ""),
        (["get"], "houmao get instances"),
        (["get", "instances", "-w"], "later release"),
        (["get", "instance", "a", "role/b"], "kind/name"),
        (["get", "s"], "write more of it"),
        (["get", "instanses"], "did you mean instances?"),
        (["get", "all", "x"], "kind/name"),
        (["apply", "team.yaml"], "write -f team.yaml"),
        (["apply", "-f", "a", "-k", "b"], "composition"),
        (["apply", "-f", "a", "--parallelism=0"], ""),
        (["plan", "-f", "a", "-o", ".json"], "FILE.json"),
        (["plan", "-f", "a", "--expires", "1h"], "-o FILE.json"),
        (["apply", "plan.json", "--prune"], "houmao plan"),
        (["apply", "plan.json", "--dry-run"], "houmao show plan.json"),
        (["apply", "plan.json", "more.json"], "write -f more.json"),
        (["show"], ""),
        (["delete"], "houmao delete instance alice"),
        (["delete", "instances"], "-l"),
        (["wait", "instance/a"], "--for=condition=Ready"),
        (["wait", "instance/a", "--for=whatever"], "--for=condition=Ready"),
        (["explain", "nonsense"], "api-resources"),
        (["explain", "instance.nonsense"], ""),
        (["apply", "-f", "a", "--events=fd:x"], "fd:3"),
        (["apply", "-f", "a", "--events=-", "-o", "json"], "fd:N"),
        (["get", "instances", "-l", "a in b"], "key in (a,b)"),
    ],
    ids=" ".join,
)
def test_slips(words: list[str], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(words) == 64
    found = capsys.readouterr().err
    assert found.startswith("error[usage.")
    assert hint in found


def test_with_json_the_error_is_an_object_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["apply", "-o", "json", "--prun"]) == 64
    found = capsys.readouterr()
    assert json.loads(found.out) == {
        "error": {
            "code": "usage.error",
            "message": "apply has no option --prun",
            "hint": "did you mean --prune?",
            "ref": None,
            "position": None,
            "causes": [],
        }
    }
    assert "apply has no option --prun" in found.err
