"""Every example is applied, twice, on a real private tmux: the agents come up, and the second time nothing is written.

The files apply alone and together on one machine, so they share no name and refer to nothing outside themselves.
"""

import os
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from reconciler.app.apply import apply, delete
from reconciler.app.plan import validate
from reconciler.app.request import PlanFlags, RunFlags, Source
from reconciler.app.session import Flags
from reconciler.model.action import Plan
from reconciler.model.outcome import Report, Result
from tests.conftest import WaitUntil

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "houmao"
FILES = sorted(EXAMPLES.glob("*.yaml"))
READY_WITHIN_S = 60.0


class Machine(NamedTuple):
    """A project, a registry and a tmux server of their own."""

    project: Path
    registry: Path
    socket: Path

    @property
    def flags(self) -> Flags:
        return Flags(project_dir=str(self.project), tmux_socket=str(self.socket))

    def apply(self, *sources: Path) -> Report:
        return apply(
            self.flags,
            Source(tuple(str(source) for source in sources)),
            PlanFlags(),
            RunFlags(wait=True, timeout_s=READY_WITHIN_S),
            confirm=lambda plan: False,
            shown=lambda plan: None,
            emit=lambda event, data: None,
        )

    def delete(self, *sources: Path) -> Report:
        return delete(
            self.flags,
            (),
            Source(tuple(str(source) for source in sources)),
            cascade="yes",
            force_destroy=(),
            selector="",
            how=RunFlags(yes=True, timeout_s=READY_WITHIN_S),
            confirm=lambda plan: True,
            shown=lambda plan: None,
            emit=lambda event, data: None,
        )

    def sessions(self) -> list[str]:
        listing = subprocess.run(
            ["tmux", "-S", self.socket, "list-sessions", "-F", "#{session_name}"],
            capture_output=True,
            text=True,
            timeout=10,
        )
        return listing.stdout.splitlines()

    def processes(self) -> list[str]:
        """Processes whose environment names this project's overlay: the agents, with or without a terminal."""
        needle = f"HOUMAO_MANIFEST_PATH={self.project}/".encode()
        return [
            entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit() and needle in environment(entry)
        ]

    def written(self) -> dict[str, tuple[int, int, bytes]]:
        """Mode, time and bytes of everything under overlay, registry and source, SQLite's -wal and -shm excepted."""
        found = {}
        for top in (self.project, self.registry, EXAMPLES):
            for path in sorted(top.rglob("*")):
                if not path.name.endswith(("-wal", "-shm")):
                    stat = path.lstat()
                    data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
                    found[str(path)] = (stat.st_mode, stat.st_mtime_ns if path.is_file() else 0, data)
        return found


def environment(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    for name in [name for name in os.environ if name.startswith("HOUMAO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOUMAO_GLOBAL_REGISTRY_DIR", str(tmp_path / "registry"))
    # A socket's path has about a hundred bytes, and pytest's own directories can be longer.
    with tempfile.TemporaryDirectory(prefix="tmux-") as directory:
        found = Machine(tmp_path / "project", tmp_path / "registry", Path(directory) / "socket")
        found.project.mkdir()
        try:
            yield found
        finally:
            subprocess.run(["tmux", "-S", found.socket, "kill-server"], capture_output=True, timeout=10)


def declared(*sources: Path) -> Counter[str]:
    found = validate(Flags(), Source(tuple(str(source) for source in sources)))
    assert found.problems == ()
    assert found.warnings == ()
    return Counter(str(ref) for ref in found.resources)


def verbs(plan: Plan) -> set[str]:
    return {action.verb.value for action in plan.actions}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_example_is_valid_on_its_own(file: Path) -> None:
    assert declared(file)


def test_no_name_is_used_by_two_files() -> None:
    together = declared(EXAMPLES)
    apart = sum((declared(file) for file in FILES), Counter())
    assert together == apart


def test_the_demo_has_four_agents_of_two_specialists() -> None:
    """What `make demo` promises."""
    kinds = Counter(ref.partition("/")[0] for ref in declared(EXAMPLES))
    assert kinds["Instance"] >= 4
    assert kinds["Specialist"] >= 2


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_example_says_how_it_is_applied(file: Path) -> None:
    name = file.relative_to(ROOT).as_posix()
    assert re.search(rf"^#   houmao apply -f {re.escape(name)}$", file.read_text(), re.MULTILINE)


@pytest.mark.tmux
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_example_applied_twice_does_nothing_the_second_time(file: Path, machine: Machine) -> None:
    first = machine.apply(file)
    assert first.exit_code == 0
    assert verbs(first.plan) == {"create"}
    assert {outcome.result for outcome in first.outcomes} == {Result.SETTLED}
    assert first.remaining == ()

    before = machine.written()
    second = machine.apply(file)

    assert second.plan.empty
    assert second.exit_code == 0
    assert machine.written() == before


@pytest.mark.tmux
def test_all_examples_apply_after_one_another_and_together(machine: Machine) -> None:
    for file in FILES:
        assert machine.apply(file).exit_code == 0
    agents = [ref for ref in declared(EXAMPLES) if ref.startswith("Instance/")]
    assert len(machine.sessions()) == len(agents)

    before = machine.written()
    together = machine.apply(EXAMPLES)

    assert together.plan.empty
    assert together.plan.notices == ()
    assert machine.written() == before


@pytest.mark.tmux
def test_what_the_demo_brings_up_it_takes_down(machine: Machine, wait_until: WaitUntil) -> None:
    assert machine.apply(EXAMPLES).exit_code == 0
    assert len(machine.processes()) >= 4

    taken_down = machine.delete(EXAMPLES)

    assert taken_down.exit_code == 0
    assert machine.sessions() == []
    wait_until(lambda: not machine.processes(), what="no agent is left")
