"""What a command loads is what it costs: exact, per command, in a fresh process (performance-budget §2, §7)."""

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import TEAM, Program, program
from tests.conftest import WaitUntil

PROBE = """\
import sys
before = set(sys.modules)
from reconciler.cli.main import main
code = main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.write("\\n" + repr((code, sorted(set(sys.modules) - before))))
"""
THIRD_PARTY = {
    "click", "deepdiff", "httpx", "libtmux", "platformdirs", "pydantic", "pydantic_core", "rich", "ruamel",
    "shellingham", "tenacity", "textual", "typer", "yaml", "_yaml",
}  # fmt: skip
CONSTANTS = {"reconciler.model.names", "reconciler.model.tuples"}
"""Parts of the model that every command may load: they import nothing themselves."""
NOT_FOR_LOOKING = {"asyncio", "concurrent", "dataclasses", "difflib", "logging", "socket", "subprocess", "tempfile"}
AT_ONCE = {"reconciler", "reconciler.cli", "reconciler.cli.main", "reconciler.cli.tree"}


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, wait_until: WaitUntil) -> Iterator[Program]:
    """A team that runs where there is tmux; one that is declared Stopped elsewhere."""
    with program(tmp_path_factory.mktemp("imports"), wait_until) as found:
        stopped = TEAM.replace("{specialistRef: coder}", "{specialistRef: coder, state: Stopped}")
        found.write("team.yaml", TEAM if shutil.which("tmux") else stopped)
        ran = found("apply", "-f", "team.yaml", "--yes")
        assert ran.code == 0, ran.err
        yield found


def loaded(team: Program, *words: str) -> tuple[int, set[str]]:
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, *words],
        cwd=team.work,
        env={**team.env, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    code, names = ran.stderr.rsplit("\n", 1)[1][1:-1].split(", ", 1)
    return int(code), set(json.loads(names.replace("'", '"')))


def roots(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    "words", [["--version"], ["--help"], ["apply", "--help"], ["project", "init", "-h"]], ids=" ".join
)
def test_what_is_answered_at_once_loads_nothing(team: Program, words: list[str]) -> None:
    assert loaded(team, *words) == (0, AT_ONCE)


@pytest.mark.parametrize("words", [["aply"], ["apply", "--prun"], ["get"], ["plan", "-f"], ["-x"]], ids=" ".join)
def test_a_usage_error_loads_the_parser_and_no_more(team: Program, words: list[str]) -> None:
    code, names = loaded(team, *words)
    assert code == 64
    assert roots(names) & (THIRD_PARTY | NOT_FOR_LOOKING | {"json", "sqlite3"}) == set()
    own = {name for name in names if name.startswith("reconciler.")}
    layers = {name.split(".")[1] for name in own}
    assert layers <= {"cli", "declare", "app", "model"}
    assert {name for name in own if name.startswith("reconciler.model.")} <= CONSTANTS
    assert {name for name in own if name.startswith("reconciler.declare.")} <= {"reconciler.declare.suggest"}
    assert {name for name in own if name.startswith("reconciler.app.")} <= {
        "reconciler.app.gate",
        "reconciler.app.discovery",
    }


@pytest.mark.parametrize(
    "words",
    [
        ["get", "instances"],
        ["get", "all"],
        ["get", "instances", "-o", "json"],
        ["get", "--unmanaged"],
        ["lock", "status"],
        ["__complete", "bash", "get", "instances", ""],
        ["__complete", "bash", "apply", "--pru"],
        ["__complete", "bash", "project", "easy", "specialist", "create", "--tool", ""],
        ["agents", "global", "list"],
        ["agents", "global", "list", "--state", "all", "-o", "json"],
        ["top", "--once"],
        ["top", "-o", "json"],
    ],
    ids=" ".join,
)
def test_looking_loads_no_third_party_code(team: Program, words: list[str]) -> None:
    code, names = loaded(team, *words)
    assert code == 0
    assert roots(names) & (THIRD_PARTY | NOT_FOR_LOOKING) == set()


@pytest.mark.tmux
@pytest.mark.parametrize("verb", ["plan", "apply"])
def test_a_plan_with_nothing_to_do_ends_at_the_gate(team: Program, verb: str) -> None:
    code, names = loaded(team, verb, "-f", "team.yaml")
    assert code == 0
    own = {name for name in names if name.startswith("reconciler")}
    app = {"reconciler.app", "reconciler.app.gate", "reconciler.app.discovery"}
    assert own == AT_ONCE | app | {"reconciler.model", "reconciler.model.names"}
    assert roots(names) & (THIRD_PARTY | NOT_FOR_LOOKING | {"json", "typing", "re", "inspect"}) == set()


def test_a_full_plan_loads_no_server_terminal_or_web_library(team: Program) -> None:
    code, names = loaded(team, "plan", "-f", "team.yaml", "-o", "json")
    assert code == 0
    assert roots(names) & {"typer", "click", "libtmux", "httpx", "rich", "deepdiff", "tenacity", "ruamel"} == set()


def test_the_terminal_library_is_for_the_live_view_alone() -> None:
    package = Path(__file__).parents[2] / "reconciler"
    named = {
        file.relative_to(package).as_posix()
        for file in package.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        for name in imported(node)
        if name.partition(".")[0] == "textual" or name == "reconciler.cli.top.live"
    }
    assert named == {"cli/commands/top.py", "cli/top/live.py"}


def imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []
