"""The layers hold, and every rule about them can be seen to bite.

A contract nobody ever saw broken may be a contract that checks nothing. So each one is broken on purpose, in a copy of
the tree with one import added, and must be the only one to complain.
"""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "reconciler"
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = {contract["name"]: contract for contract in LINTER["contracts"]}

# contract -> the files of one violation, by module path below `reconciler/`
VIOLATIONS = {
    "Imports point down the stack": {
        "model/probe": "import reconciler.ports.probe",
        "ports/probe": "",
    },
    "Adapters know ports and model, nothing above": {
        "adapters/probe": "import reconciler.declare.probe",
        "declare/probe": "",
    },
    "Only the composition root chooses adapters": {
        "app/probe": "import reconciler.adapters.probe",
        "adapters/probe": "",
    },
    "Inside the stack nobody touches the world directly": {"engine/probe": "import subprocess"},
    "Model and ports speak the standard library": {"ports/probe": "import dataclasses"},
    "Providers are strangers to each other": {
        "providers/probe_left/__init__": "import reconciler.providers.probe_right",
        "providers/probe_right/__init__": "",
    },
    "Kinds may borrow a schema, never in a circle": {
        "kinds/probe_left": "import reconciler.kinds.probe_right",
        "kinds/probe_right": "import reconciler.kinds.probe_left",
    },
    "The test kit stays out of production code": {
        "app/probe": "import reconciler.testing.probe",
        "testing/probe": "",
    },
}


class Verdict(NamedTuple):
    """What import-linter said: the contracts it named broken, its exit code, and all of its text."""

    broken: set[str]
    exit_code: int
    text: str


def lint(tree: Path) -> Verdict:
    program = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([program, "--no-logo", "--no-cache"], cwd=tree, capture_output=True, text=True)
    return Verdict(set(re.findall(r"^(.+?) BROKEN", run.stdout, re.MULTILINE)), run.returncode, run.stdout + run.stderr)


def test_the_tree_keeps_every_contract() -> None:
    verdict = lint(ROOT)
    assert verdict.exit_code == 0, verdict.text
    assert f"{len(CONTRACTS)} kept, 0 broken" in verdict.text


def test_every_contract_has_its_violation() -> None:
    assert VIOLATIONS.keys() == CONTRACTS.keys()


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_deliberate_violation_breaks_its_contract(contract: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(PACKAGE, tmp_path / "reconciler", ignore=shutil.ignore_patterns("__pycache__"))
    for module, text in VIOLATIONS[contract].items():
        file = tmp_path / "reconciler" / f"{module}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")

    verdict = lint(tmp_path)

    assert verdict.exit_code == 1, verdict.text
    assert verdict.broken == {contract}, verdict.text


def test_a_new_layer_joins_the_contracts_that_list_layers() -> None:
    """Lists of modules cannot name what does not exist yet, so they are checked here when it does."""
    packages = {f"reconciler.{path.name}" for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    edge = {f"reconciler.{name}" for name in ("adapters", "app", "cli", "servers", "testing")}
    inside = set(CONTRACTS["Inside the stack nobody touches the world directly"]["source_modules"])
    above = set(CONTRACTS["Adapters know ports and model, nothing above"]["forbidden_modules"])
    assert packages - edge - inside == set()
    assert above == inside - {f"reconciler.{name}" for name in ("model", "ports", "kinds", "providers")}


# What no import shows: methods that reach the disk from a path value.

EDGE = ("adapters/", "testing/", "app/gate.py", "app/settings.py", "providers/echo/agent/", "providers/echo/program.py")
DISK = {
    "exists", "is_dir", "is_file", "iterdir", "lstat", "mkdir", "open", "read_bytes", "read_text", "rglob", "rmdir",
    "stat", "symlink_to", "touch", "unlink", "write_bytes", "write_text",
}  # fmt: skip
PORTS = {path.stem for path in (PACKAGE / "ports").glob("*.py")} | {"self", "cls"}


def disk_calls(source: str) -> Iterator[str]:
    """`line: call` for each call that reaches the disk past a port; `ports.files.stat(...)` is the way to write it."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="open")):
                yield f"{node.lineno}: open()"
            case ast.Call(func=ast.Attribute(value=receiver, attr=name)) if name in DISK:
                text = ast.unparse(receiver)
                if text.rpartition(".")[2].lstrip("_") not in PORTS:
                    yield f"{node.lineno}: {text}.{name}()"


def test_nobody_inside_reaches_the_disk_through_a_path() -> None:
    files = {str(path.relative_to(PACKAGE)): path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}
    inside = {name: text for name, text in files.items() if not name.startswith(EDGE)}
    assert [f"{name}:{call}" for name, text in inside.items() for call in disk_calls(text)] == []


def test_a_disk_call_is_seen_and_a_port_call_is_not() -> None:
    assert list(disk_calls("(root / 'a').read_text()\nopen('b')")) == ["1: root / 'a'.read_text()", "2: open()"]
    assert list(disk_calls("ports.files.stat(path)\nself._files.exists(path)")) == []


# A kind borrows the schema of another kind, and nothing else of it.


def kinds() -> set[str]:
    """The modules and folders of `kinds/` that have a `handler`; the others are what the kinds share."""
    files = [*(PACKAGE / "kinds").glob("*.py"), *(PACKAGE / "kinds").glob("*/__init__.py")]
    has_handler = re.compile(r"^handler\b|^from .* import .*\bhandler\b", re.MULTILINE)
    return {
        file.stem if file.stem != "__init__" else file.parent.name
        for file in files
        if has_handler.search(file.read_text())
    }


def borrowed(source: str, others: set[str]) -> Iterator[str]:
    """`line: name` for each import of another kind that is neither its module `schema` nor a `...Spec` of it."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=aliases):
                names = [alias.name for alias in aliases]
            case ast.ImportFrom(module=str(module), names=aliases):
                names = [f"{module}.{alias.name}" for alias in aliases]
            case _:
                continue
        for name in names:
            match name.split("."):
                case ["reconciler", "kinds", _, "schema", *_]:
                    continue
                case ["reconciler", "kinds", _, spec] if spec.endswith("Spec"):
                    continue
                case ["reconciler", "kinds", other, *_] if other in others:
                    yield f"{node.lineno}: {name}"


def test_a_kind_imports_of_another_kind_its_schema_alone() -> None:
    known = kinds()
    found = []
    for path in sorted((PACKAGE / "kinds").rglob("*.py")):
        name = path.relative_to(PACKAGE / "kinds").with_suffix("")
        if name.parts[0] in known:
            found += [f"{name}:{line}" for line in borrowed(path.read_text(), known - {name.parts[0]})]
    assert found == []


def test_borrowing_more_than_a_schema_is_seen() -> None:
    assert list(borrowed("from reconciler.kinds.role import handler", {"role"})) == ["1: reconciler.kinds.role.handler"]
    assert list(borrowed("import reconciler.kinds.role.plan", {"role"})) == ["1: reconciler.kinds.role.plan"]
    assert list(borrowed("from reconciler.kinds.role.schema import Text", {"role"})) == []
    assert list(borrowed("from reconciler.kinds.role import RoleSpec", {"role"})) == []
    assert list(borrowed("from reconciler.kinds.shared import anything", {"role"})) == []
