"""The program as a person runs it: its own process, in a fresh directory, with a private home, registry and tmux."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests import warm

TEAM = """\
apiVersion: houmao/v1alpha1
kind: Specialist
metadata: {name: coder, labels: {team: core}}
spec: {provider: echo, prompt: You write code.}
---
apiVersion: houmao/v1alpha1
kind: Instance
metadata: {name: alice, labels: {team: core}}
spec: {specialistRef: coder}
"""


class Ran(NamedTuple):
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Program:
    """`houmao` in one directory."""

    def __init__(self, here: Path, sockets: Path) -> None:
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(here / "home"),
            "HOUMAO_GLOBAL_REGISTRY_DIR": str(here / "registry"),
            "TMUX_TMPDIR": str(sockets),
            "LANG": "C.UTF-8",
            "CI": "1",
        }
        for name in ("home", "work"):
            (here / name).mkdir()
        self.work = here / "work"

    def __call__(self, *words: str, stdin: str | None = None, env: dict[str, str] | None = None) -> Ran:
        ran = warm.run(
            ["-m", "reconciler", *words],
            cwd=self.work,
            env={**self.env, "PYTHONPATH": str(Path(__file__).parents[2]), **(env or {})},
            stdin=None if stdin is None else stdin.encode(),
        )
        return Ran(ran.returncode, warm.text_of(ran.stdout), warm.text_of(ran.stderr))

    def write(self, name: str, text: str) -> Path:
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def given(self, text: str = TEAM) -> None:
        """Declare it in team.yaml and apply it."""
        self.write("team.yaml", text)
        ran = self("apply", "-f", "team.yaml", "--yes", "--wait", "--timeout=30s")
        assert ran.code == 0, ran

    def tmux(self, *words: str) -> str:
        return subprocess.run(["tmux", *words], env=self.env, capture_output=True, text=True).stdout


@contextmanager
def program(here: Path, wait_until: Callable[..., object]) -> Iterator[Program]:
    """A program whose tmux server ends with the test. The path of a socket has about a hundred bytes: it is short."""
    with tempfile.TemporaryDirectory(prefix="tmux-") as sockets:
        found = Program(here, Path(sockets))
        yield found
        if shutil.which("tmux") is None:
            return
        server = found.tmux("display-message", "-p", "#{pid}").strip()
        found.tmux("kill-server")
        if server:
            wait_until(lambda: not Path(f"/proc/{server}").exists(), what="the end of the private tmux server")


@pytest.fixture
def houmao(tmp_path: Path, wait_until: Callable[..., object]) -> Iterator[Program]:
    with program(tmp_path, wait_until) as found:
        yield found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, wait_until: Callable[..., object]) -> Iterator[Program]:
    """One applied team, for tests that only look."""
    with program(tmp_path_factory.mktemp("running"), wait_until) as found:
        found.given()
        yield found
