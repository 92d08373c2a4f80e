"""Completion: what is offered, and that real shells offer it."""

import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli import tree
from reconciler.cli.commands.completion import SCRIPTS
from reconciler.cli.complete import KIND_OF, NAMED_BY, completions
from reconciler.declare.catalogue import Catalogue
from tests.cli.conftest import TEAM, Program, program
from tests.conftest import WaitUntil

STOPPED = TEAM.replace("{specialistRef: coder}", "{specialistRef: coder, state: Stopped}")


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, wait_until: WaitUntil) -> Iterator[Program]:
    """A team that stands still, and `houmao` on PATH."""
    here = tmp_path_factory.mktemp("completion")
    with program(here, wait_until) as found:
        found.given(STOPPED)
        folder = here / "bin"
        folder.mkdir()
        script = folder / "houmao"
        root = Path(__file__).parents[2]
        script.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(root))} exec {sys.executable} -m reconciler "$@"\n')
        script.chmod(0o755)
        found.env["PATH"] = f"{folder}:{found.env['PATH']}"
        yield found


def texts(*words: str) -> list[str]:
    return [found.text for found in completions(words)]


def test_every_word_of_every_command_is_offered_where_it_can_stand() -> None:
    for path in tree.PATHS:
        words = path.split()
        for count, word in enumerate(words):
            before = words[:count]
            if " ".join(before) in tree.INSIDE:
                before = [*before, "codex"]
            assert word in texts(*before, ""), path
            assert texts(*before, word[:1]) == [one for one in texts(*before, "") if one.startswith(word[:1])]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["agents", "s"], ["single", "self"]),
        (["agents", "single", "--agent-"], ["--agent-id", "--agent-name"]),
        (["agents", "single", "--agent-name", "x", "st"], ["state", "stop"]),
        (["project", "specialist", "cr"], ["create"]),
        (["project", "credentials", "c"], ["claude", "codex"]),
        (["get", "instances", "-o", "j"], ["json", "jsonpath="]),
        (["get", "instances", "--output=j"], ["--output=json", "--output=jsonpath="]),
        (["apply", "-f", "x", "--prune-"], ["--prune-limit"]),
        (["apply", "--prune", "--pru"], ["--prune-limit"]),
        (["apply", "-f", ""], []),
        (["apply", "--no-w"], ["--no-wait"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["explain", "launch"], ["launchprofile"]),
        (["aply", ""], []),
        (["apply", "--no-such", ""], []),
        (["--no-such", ""], []),
        ([], [*dict.fromkeys(path.split()[0] for path in (*tree.GROUPS, *tree.PATHS))]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_the_tables_say(words: list[str], found: list[str]) -> None:
    assert texts(*words) == found


def test_the_kinds_that_names_are_looked_up_for_exist() -> None:
    assert {*KIND_OF.values(), *NAMED_BY.values()} <= set(Catalogue().names())
    assert set(NAMED_BY) <= set(tree.GROUPS)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["get", "instances", ""], ["alice"]),
        (["get", "specialist", "c"], ["coder"]),
        (["describe", "instance/"], ["instance/alice"]),
        (["describe", "specialist/coder", "in"], ["instance/alice"]),
        (["logs", ""], ["alice"]),
        (["stop", "a"], ["alice"]),
        (["stop", "instance/a"], ["instance/alice"]),
        (["agents", "single", "--agent-name", ""], ["alice"]),
        (["adopt", "bea", "--specialist", ""], ["coder"]),
        (["project", "easy", "specialist", "get", "--name", ""], ["coder"]),
        (["project", "easy", "specialist", "create", "--name", ""], []),
        (["plan", "-f", "x", "--target", "specialist/"], ["specialist/coder"]),
        (["--project-dir", ".", "logs", ""], ["alice"]),
        (["logs", "--project-dir=/nowhere", ""], []),
        (["get", "nonsense", ""], []),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_names_come_from_the_catalog(team: Program, words: list[str], found: list[str]) -> None:
    ran = team("__complete", "zsh", *words)
    assert (ran.code, ran.err, ran.lines) == (0, "", found)


def test_fish_is_told_what_a_word_is(team: Program) -> None:
    assert "--prune-limit\tAllow up to N removals by prune." in team("__complete", "fish", "apply", "--prune-").lines


def test_a_catalog_that_cannot_be_read_completes_nothing(tmp_path: Path, wait_until: WaitUntil) -> None:
    with program(tmp_path, wait_until) as found:
        found("project", "init")
        (found.work / ".houmao" / "catalog.sqlite").write_bytes(b"no database" * 1000)
        ran = found("__complete", "bash", "logs", "")
        assert (ran.code, ran.out, ran.err) == (0, "", "")


@pytest.mark.parametrize("shell", sorted(SCRIPTS))
def test_the_script_is_printed(team: Program, shell: str) -> None:
    assert team("completion", shell).out == SCRIPTS[shell]
    assert team("completion", shell, "--print-json").data == {"shell": shell, "script": SCRIPTS[shell]}


def test_another_shell_is_refused(team: Program) -> None:
    ran = team("completion", "csh")
    assert (ran.code, ran.out) == (64, "")
    assert "it is one of bash, zsh, fish" in ran.err


def in_shell(team: Program, *words: str) -> str:
    ran = subprocess.run(words, cwd=team.work, env=team.env, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, ""), ran
    return ran.stdout


needs = {
    shell: pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed here") for shell in SCRIPTS
}


@needs["bash"]
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("houmao lock ''", ["status"]),
        ("houmao get instances ''", ["alice"]),
        ("houmao get instances --output = js", ["json", "jsonpath="]),
        ("houmao get instances --output =", ["json", "yaml", "name", "table", "wide", "jsonpath=", "custom-columns="]),
        ("houmao describe instance/", ["instance/alice"]),
    ],
)
def test_bash_asks_and_is_answered(team: Program, words: str, found: list[str]) -> None:
    """The words as bash hands them over: it takes a word apart at `=`."""
    script = [
        "source <(houmao completion bash)",
        f"COMP_WORDS=({words})",
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))",
        "_houmao houmao",
        'printf "%s\\n" "${COMPREPLY[@]}"',
    ]
    assert in_shell(team, "bash", "--norc", "-c", "\n".join(script)).split() == found


@needs["bash"]
def test_a_person_presses_tab_in_bash(team: Program) -> None:
    """A real terminal: the line is typed, tab is pressed, and the shell runs what came of it."""
    typed = "source <(houmao completion bash)\nhoumao explai\tspecialis\t | head -n 1; exit\n"
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "--norc", "-i"],
        cwd=team.work,
        env={**team.env, "TERM": "dumb", "PS1": "> ", "HISTFILE": ""},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    seen = b""
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:
        pass  # the shell has left its terminal
    finally:
        os.close(ours)
    assert shell.wait(60) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode())
    assert "houmao explain specialist  | head -n 1" in text
    first = team("explain", "specialist").lines[0]
    assert first in text


@needs["zsh"]
def test_zsh_reads_the_script_and_is_answered(team: Program) -> None:
    script = (
        "autoload -Uz compinit; compinit -u -D; source <(houmao completion zsh); "
        "compadd() { until [[ $1 == -- ]] { shift }; shift; print -l -- $@ }; "
        "words=(houmao get instances ''); CURRENT=4; _houmao; print -- $_comps[houmao]"
    )
    assert in_shell(team, "zsh", "-f", "-c", script).split()[-2:] == ["alice", "_houmao"]


@needs["fish"]
def test_fish_reads_the_script_and_is_answered(team: Program) -> None:
    script = "houmao completion fish | source; complete -C 'houmao get instances '"
    assert in_shell(team, "fish", "--no-config", "-c", script).split() == ["alice"]
