"""The distribution says one version, ships its data, and can be installed again exactly."""

import os
import re
import subprocess
import tomllib
from fnmatch import fnmatch
from importlib.metadata import entry_points
from pathlib import Path

import reconciler

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]


def pins() -> dict[str, str]:
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    return {canonical(line.partition("==")[0]): line for line in lines}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_version_is_the_same_wherever_it_is_written() -> None:
    assert reconciler.__version__ == PROJECT["version"]


def test_both_programs_are_the_same_program() -> None:
    scripts = {script.name: script.value for script in entry_points(group="console_scripts")}
    assert scripts["houmao"] == scripts["houmao-mgr"] == "reconciler.cli.main:program"


def test_every_data_file_of_the_package_is_shipped() -> None:
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"]["*"]
    files = [path for path in (ROOT / "reconciler").rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}]
    assert [path for path in files if not any(fnmatch(path.name, pattern) for pattern in patterns)] == []


def test_every_folder_with_code_is_a_package() -> None:
    """A folder without `__init__.py` is invisible to the import contracts."""
    folders = {path.parent for path in (ROOT / "reconciler").rglob("*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_the_lock_is_nothing_but_exact_pins() -> None:
    assert [line for line in pins().values() if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []


def test_the_lock_covers_what_the_project_asks_for() -> None:
    asked = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"] + PYPROJECT["build-system"]["requires"]
    names = {canonical(re.split(r"[<>=!~;\[ ]", requirement)[0]) for requirement in asked}
    assert names - pins().keys() == set()


def test_make_alone_prints_every_target() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    assert [line.split()[0] for line in shown.splitlines()] == phony[1].split()


def test_scripts_can_be_run() -> None:
    scripts = [ROOT / ".ci" / "run", *(ROOT / "tools").glob("*.sh")]
    assert [path for path in scripts if not os.access(path, os.X_OK)] == []
