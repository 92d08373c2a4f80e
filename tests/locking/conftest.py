"""Several programs on one overlay: real processes, real tmux, a real lock."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from reconciler.testing.plugin import fake_world, real_world
from reconciler.testing.real_world import RealWorld, until
from tests.fleets import declared

ROOT = Path(__file__).parents[2]


class Program:
    """One command under way."""

    def __init__(self, process: "subprocess.Popen[str]", held: Path) -> None:
        self._process = process
        self._held = held
        self.pid = process.pid

    @property
    def state(self) -> str:
        """The letter of the process table."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._process.poll() is not None

    def is_stopped(self) -> None:
        """Wait until it has stopped itself."""
        until(lambda: self.ended or self.state == "T", "it never came to its fault point")
        assert not self.ended, self.end()

    def is_held(self) -> None:
        """Wait until it waits at its fault point."""
        until(lambda: self.ended or self._held.exists(), "it never came to its fault point")
        assert not self.ended, self.end()

    def let_go(self) -> None:
        """Let it go on from there."""
        self._held.unlink()

    def tell(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def was_told(self) -> None:
        """Wait until a signal has reached it: a second one sent too soon would be the same to it."""
        until(lambda: self.ended or self._held.with_name("held.told").exists(), "the signal never reached it")

    def end(self) -> tuple[int, str, str]:
        """Wait for its end: exit code, what it printed, what it complained of."""
        out, err = self._process.communicate(timeout=60)
        assert "Traceback" not in err, err
        return self._process.returncode, out, err

    def close(self) -> None:
        """Leave nothing of it."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.communicate()


class Overlay:
    """A world, and programs on it as people start them."""

    def __init__(self, world: RealWorld) -> None:
        self.world = world
        self.held = world.root / "held"
        self.programs: list[Program] = []
        declared(world)

    @property
    def lock(self) -> Path:
        """The lock's file."""
        return self.world.overlay / "lock"

    @property
    def token(self) -> int:
        """The token of the newest writer."""
        lease = self.world.look().catalog.lease()
        return lease.token if lease else 0

    def start(self, *words: str, source: Path | None = None) -> Program:
        """`houmao …` as it ships, with the place it works on added."""
        return self._start(["-m", "reconciler", *words], source)

    def start_apply(self, *words: str, source: Path | None = None) -> Program:
        """`houmao apply --yes …`."""
        return self.start("apply", "--yes", *words, source=source)

    def start_pausing(self, point: str, phase: str, how: str, *words: str) -> Program:
        """An apply that stops or waits at a fault point."""
        return self._start(["-m", "tests.locking.houmao_at", point, phase, how, "--", "apply", "--yes", *words], None)

    def state(self) -> dict[str, object]:
        """All that a writer could change: files, rows, sessions, processes.

        The catalog counts by what it says: whoever closes it last moves what is committed into it. What the
        agents themselves write into their homes does not count, nor the time of a directory whose entries are the same.
        """
        reader = self.world.look()
        files = {
            name: found if found[3] else found[:1]
            for name, found in self.world.bytes().items()
            if name != ".houmao/catalog.sqlite" and "/conversations" not in name
        }
        return {
            **files,
            "runs": reader.catalog.runs(100),
            **{f"row {row.ref}": row for row in reader.catalog.inventory()},
            **{f"pane {pane.pane_id}": pane._replace(window_id="") for pane in self.world.panes},
            "intents": reader.catalog.intents(),
            "revision": reader.catalog.revision(),
            "token": self.token,
        }

    def unchanged_since(self, before: dict[str, object]) -> None:
        """Nothing was committed, killed, started or published."""
        after = self.state()
        assert {
            key: (before.get(key), after.get(key)) for key in before | after if before.get(key) != after.get(key)
        } == {}

    def converges(self) -> None:
        """One apply more, and nothing is left to do or to wonder at."""
        report = self.world.when_applied()
        assert report.settled, report.outcomes
        assert self.world.running == {"alice", "bob"}
        assert self.world.when_planned().in_sync
        assert len(self.world.panes) == 2
        assert all(len(self.world.processes_of(name)) == 1 for name in ("alice", "bob"))

    def _start(self, words: list[str], source: Path | None, *, source_needed: bool = True) -> Program:
        where = ["--project-dir", str(self.world.root), "--tmux-socket", str(self.world.tmux_socket)]
        if source_needed and "get" not in words:
            where += ["-f", str(source or self.world.source)]
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.world.root / "home"),
            "HOUMAO_GLOBAL_REGISTRY_DIR": str(self.world.registry),
            "HELD": str(self.held),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
        }
        process = subprocess.Popen(
            [sys.executable, *words, *where],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.programs.append(Program(process, self.held))
        return self.programs[-1]


@pytest.fixture
def overlay(real_world: RealWorld) -> Iterator[Overlay]:
    """Declared, nothing applied."""
    made = Overlay(real_world)
    try:
        yield made
    finally:
        for program in made.programs:
            program.close()


__all__ = ["Overlay", "Program", "fake_world", "real_world"]
