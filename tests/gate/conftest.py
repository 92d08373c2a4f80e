"""One fleet in sync on real tmux, and both answers to whether it still is: the gate's and the full plan's."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from reconciler.testing.kept import Kept
from tests import warm
from tests.cli.conftest import Program, Ran, program

ROOT = Path(__file__).parents[2]

FLEET = """\
apiVersion: houmao/v1alpha1
kind: AuthProfile
metadata: {name: work}
spec: {provider: echo, source: {env: {ECHO_API_KEY: {file: key.txt}}}}
---
apiVersion: houmao/v1alpha1
kind: AuthProfile
metadata: {name: spare}
spec: {provider: echo, source: {env: {ECHO_API_KEY: {env: SPARE_KEY}}}}
---
apiVersion: houmao/v1alpha1
kind: Setup
metadata: {name: plain}
spec: {provider: echo, path: setups/plain}
---
apiVersion: houmao/v1alpha1
kind: Skill
metadata: {name: review}
spec: {path: skills/review}
---
apiVersion: houmao/v1alpha1
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, promptFile: prompts/coder.md, setupRef: plain, skillRefs: [review], authRef: work}
---
apiVersion: houmao/v1alpha1
kind: Instance
metadata: {name: alice}
spec: {specialistRef: coder}
---
apiVersion: houmao/v1alpha1
kind: Instance
metadata: {name: bob}
spec: {specialistRef: coder, state: Stopped}
"""

FILES = {
    "src/fleet.yaml": FLEET,
    "src/notes.txt": "not a declaration\n",
    "src/more/empty.txt": "a directory below\n",
    "src/prompts/real.md": "You write code.\n",
    "src/prompts/next.md": "You write prose.\n",
    "src/setups/plain/greeting.txt": "hello\n",
    "src/skills/review/SKILL.md": "---\nname: review\ndescription: Looks twice.\n---\nLook twice.\n",
    "src/skills/review/deep/inside/list.txt": "one\ntwo\n",
    "key.txt": "not-a-real-key\n",
}

SOURCE = ("-f", "src", "-R")


ASK = """\
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))  # what reads without end shall fail, not the machine
from reconciler.app.gate import try_gate
print(try_gate(sys.argv[1:]), file=sys.stderr)
"""

LISTING = """\
import json, sys
from reconciler.app import columns, look, steady
from reconciler.app.session import Flags, open_session

def shown(items, now):
    cells = columns.of("Instance", items, wide=True)
    return [[item.to_json(), *(cell(item, now) for _, cell in cells)] for item in items]

fleet = steady.fleet(Flags(), specs=True, least=int(sys.argv[1]))
if fleet is None:
    print("null")
else:
    full = look.at(open_session(Flags()), kinds=("Instance",), probe=False)
    print(json.dumps([shown(fleet.items, fleet.now), shown(full, fleet.now)]))
"""


PANES = "#{session_id} #{session_name} #{session_created} #{window_id} #{pane_id} #{pane_pid} #{pane_dead}"
HELD = """\
show-options -s
show-options -g
show-options -gw
show-environment -g
show-options -t SESSION
show-options -w -t SESSION
show-options -p -t SESSION
show-environment -t SESSION
"""


class Answer(NamedTuple):
    """What a person and a script see of a plan."""

    code: int
    out: str


class Fleet:
    """alice runs, bob is declared stopped; everything that a gate could look at is there."""

    def __init__(self, houmao: Program) -> None:
        self.houmao = houmao
        self.work = houmao.work
        self.overlay = houmao.work / ".houmao"
        self.registry = Path(houmao.env["HOUMAO_GLOBAL_REGISTRY_DIR"])
        self.env: dict[str, str] = {"SPARE_KEY": "none"}
        self.cwd = houmao.work
        self.words: tuple[str, ...] = ("plan", *SOURCE, "--detailed-exitcode")

    def up(self) -> None:
        """Bring it up; the apply that does it leaves the gate's record."""
        for name, text in FILES.items():
            self.houmao.write(name, text)
        (self.work / "src/prompts/coder.md").symlink_to("real.md")
        self.apply()
        assert self.gate_answers() == 0, "the gate knows nothing of a fleet that is in sync"

    def apply(self, *words: str) -> Ran:
        """Apply the source in full."""
        ran = self.run(("apply", *(words or SOURCE), "--yes"), gate=False)
        assert ran.returncode == 0, ran
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def run(self, words: tuple[str, ...], *, gate: bool) -> "subprocess.CompletedProcess[str]":
        """One command line as a process of its own."""
        extra = {} if gate else {"HOUMAO_NO_GATE": "1"}
        return self._warm(["-m", "reconciler", *words], extra)

    def answer(self, *, gate: bool) -> Answer:
        """The plan's exit code and what it prints."""
        ran = self.run(self.words, gate=gate)
        assert "Traceback" not in ran.stderr, ran.stderr
        return Answer(ran.returncode, ran.stdout)

    def gate_answers(self, first: str = "") -> int | None:
        """What the gate itself says to the words: an exit code, or None for "make the plan in full".

        `first` is what the program does before it asks.
        """
        ran = self._warm(["-c", first + ASK, *self.words])
        assert ran.returncode == 0, ran.stderr
        return None if ran.stderr.strip() == "None" else int(ran.stderr)

    def listed(self, least: int = 1, env: dict[str, str] | None = None) -> tuple[list[Any], list[Any]] | None:
        """Every instance as a steady fleet shows it, and as a look in full does; None where it is not steady."""
        ran = self._warm(["-c", LISTING, str(least)], env)
        assert ran.returncode == 0, ran.stderr
        found = json.loads(ran.stdout)
        return None if found is None else (found[0], found[1])

    def traced(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """The command, with every file it opens for writing and every program it starts told on standard error."""
        return self._python([str(Path(__file__).with_name("traced.py")), *words])

    def tmux(self, *words: str) -> str:
        """tmux's own client; it must do what it is told."""
        ran = subprocess.run(["tmux", *words], env=self.houmao.env, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    def session(self) -> str:
        """Session id of alice."""
        return self.tmux("list-sessions", "-f", "#{@houmao_uid}", "-F", "#{session_id}")

    def pane(self, what: str) -> str:
        """A format of alice's agent pane."""
        return self.tmux("list-panes", "-t", self.session(), "-F", what)

    def uid(self, name: str) -> str:
        """Uid of an instance, from the catalog."""
        import sqlite3

        database = sqlite3.connect(self.overlay / "catalog.sqlite")
        try:
            (found,) = database.execute(
                "SELECT uid FROM resource WHERE kind = 'Instance' AND name = ?", (name,)
            ).fetchone()
        finally:
            database.close()
        return str(found)

    def record(self) -> Path:
        """alice's registry record."""
        (found,) = (self.registry / "live_agents").glob("*/record.json")
        return found

    def path(self, name: str) -> Path:
        """A file of the work directory."""
        return self.work / name

    def python(self, text: str) -> "subprocess.CompletedProcess[str]":
        """A program of a few lines, where the commands are run."""
        return self._python(["-c", text])

    def _python(self, words: list[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *words], cwd=self.cwd, env=self._env({}), capture_output=True, text=True, timeout=60
        )

    def _warm(self, words: list[str], env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        ran = warm.run(words, cwd=self.cwd, env=self._env(env or {}))
        return subprocess.CompletedProcess(ran.args, ran.returncode, warm.text_of(ran.stdout), warm.text_of(ran.stderr))

    def _env(self, more: dict[str, str]) -> dict[str, str]:
        return {**self.houmao.env, "PYTHONPATH": str(ROOT), **self.env, **more}


def snapshot(*tops: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Mode, mtime, inode and bytes of everything below, but for SQLite's -wal and -shm and what their coming moves."""
    found: dict[str, tuple[int, int, int, bytes]] = {}
    for top in tops:
        for path in sorted([top, *top.rglob("*")]):
            if path.name.endswith(("-wal", "-shm")):
                continue
            stat = path.lstat()
            data = os.readlink(path).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
            found[str(path)] = (stat.st_mode, 0 if path.name == ".houmao" else stat.st_mtime_ns, stat.st_ino, data)
    return found


class Stand:
    """Fleets in sync, one after the other: what a test did to one is undone where files can undo it, or it goes."""

    def __init__(self, make: Callable[[], AbstractContextManager[Program]]) -> None:
        self._make = make
        self._over = ExitStack()
        self._found: tuple[Program, dict[str, str], Kept, list[str]] | None = None

    def fleet(self) -> Fleet:
        """A fleet that nobody has touched, and a gate that says so."""
        if self._found is not None:
            houmao, env, kept, seen = self._found
            kept.back()
            houmao.env = dict(env)
            again = Fleet(houmao)
            if _held(again) == seen and again.gate_answers() == 0:
                return again
            self.struck()
        houmao = self._over.enter_context(self._make())
        env = dict(houmao.env)
        made = Fleet(houmao)
        made.up()
        seen = _held(made)
        assert seen
        self._found = houmao, env, Kept(houmao.work.parent), seen
        return made

    def struck(self) -> None:
        """None is left."""
        self._found = None
        self._over.close()


def _held(fleet: Fleet) -> list[str]:
    """All that tmux holds, and who runs because of it."""
    try:
        alice = fleet.session()
        words = [word for line in HELD.splitlines() for word in (";", *line.replace("SESSION", alice).split())]
        told = fleet.tmux("list-panes", "-a", "-F", PANES, *words)
    except AssertionError:
        return []
    return [*told.splitlines(), *(process.name for process in _processes(fleet))]


def _processes(fleet: Fleet) -> Iterator[Path]:
    """Everything that was started from where this fleet's tmux is, tmux itself too."""
    for process in sorted(Path("/proc").glob("[0-9]*")):
        try:
            if os.fsencode(fleet.houmao.env["TMUX_TMPDIR"]) in (process / "environ").read_bytes():
                yield process
        except OSError:
            continue


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory, wait_until: Callable[..., object]) -> Iterator[Stand]:
    found = Stand(lambda: program(tmp_path_factory.mktemp("fleet"), wait_until))
    try:
        yield found
    finally:
        found.struck()


@pytest.fixture
def fleet(stand: Stand) -> Iterator[Fleet]:
    """A fleet in sync, and a gate that says so."""
    found = stand.fleet()
    try:
        yield found
    finally:
        _wake(found)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory, wait_until: Callable[..., object]) -> Iterator[Fleet]:
    """The same for tests that change nothing but what they ask."""
    with program(tmp_path_factory.mktemp("still"), wait_until) as houmao:
        found = Fleet(houmao)
        found.up()
        yield found


def _wake(fleet: Fleet) -> None:
    """A tmux server that a test stopped goes on, or its end would wait for ever."""
    for process in _processes(fleet):
        try:
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state == "T":
            os.kill(int(process.name), signal.SIGCONT)


__all__ = ["FLEET", "SOURCE", "Answer", "Fleet", "snapshot"]
