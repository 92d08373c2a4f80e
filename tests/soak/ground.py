"""Where a soak happens: a world on real tmux with a disk small enough to be filled, and the programs started on it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import cast

from reconciler.ports.bundle import Ports
from reconciler.ports.files import DiskFull, Files
from reconciler.testing.faults import WRITES
from reconciler.testing.real_world import RealWorld, until

TOLD = re.compile(r"^error\[([\w.]+)\]", re.MULTILINE)
ROOT = Path(__file__).parents[2]
DISK_MB = 24
PATIENCE_S = 180.0
FOREIGN = ("mine", "HOUMAO-alice-1", "crew-0")
"""Sessions of a person: one by another name, two by names that ours could have."""
CODES = frozenset({0, 1, 3, 4, 5, 6, 64, 130, 143, -signal.SIGKILL})
"""Exit codes of R-CLI-4, and what a shell says of a program that was killed."""


class Program:
    """One `houmao …` under way."""

    def __init__(self, process: "subprocess.Popen[bytes]", words: tuple[str, ...], said: Path) -> None:
        self.process = process
        self.words = words
        self._said = said

    @property
    def running(self) -> bool:
        """Whether it is not over yet."""
        return self.process.poll() is None

    def tell(self, number: int) -> None:
        """A signal, if it still runs."""
        if self.running:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def end(self, within_s: float = PATIENCE_S) -> tuple[int, str]:
        """Its exit code, and what it complained of; -1 where it had to be killed for never ending."""
        try:
            code = self.process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = -1
        return code, self._said.read_text(errors="replace")


class Quota(RealWorld):
    """For where no small disk can be mounted: what is applied by the soak itself finds no room from some write on."""

    room: int | None = None

    def _twin(self, ports: Ports) -> Ports:
        ports = super()._twin(ports)
        return ports if self.room is None else ports._replace(files=cast(Files, _Bounded(ports.files, self)))


class _Bounded:
    """Files with so much room for writes."""

    def __init__(self, files: Files, world: Quota) -> None:
        self._files = files
        self._world = world

    def __getattr__(self, name: str) -> object:
        if name in WRITES["files"] and self._world.room is not None:
            self._world.room -= 1
            if self._world.room < 0:
                raise DiskFull("no room is left", hint="free some space")
        return getattr(self._files, name)


class Ground:
    """The world, its small disk, and the sessions of somebody else."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="soak-"))
        self.aside = Path(tempfile.mkdtemp(prefix="soak-logs-"))
        size = ("-o", f"size={DISK_MB}m,mode=700")
        mount = ("mount", "-t", "tmpfs", *size, "soak", str(self.root))
        able = not os.environ.get("SOAK_NO_MOUNT")
        self.small_disk = able and subprocess.run(mount, capture_output=True, check=False).returncode == 0
        self.world = Quota(self.root)
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root / "home"),
            "HOUMAO_GLOBAL_REGISTRY_DIR": str(self.world.registry),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
        }
        self.codes: Counter[tuple[str, int, str]] = Counter()
        """Verb, exit code and the code of the error it told."""
        self.findings: list[str] = []
        self._started = 0
        for name in FOREIGN:
            self.world.foreign_session(name)
        self.theirs = self.foreign()

    def start(self, *words: str, source: bool = False) -> Program:
        """`houmao …` as people start it; what it says goes to another disk."""
        self._started += 1
        said = self.aside / f"{self._started}-{words[0]}"
        where = ["--project-dir", str(self.root), "--tmux-socket", str(self.world.tmux_socket)]
        where += ["-f", str(self.world.source), "-R"] if source else []
        with said.open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "reconciler", *words, *where],
                cwd=self.aside,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=err,
            )
        return Program(process, words, said)

    def ended(self, program: Program) -> int:
        """Wait for it, count its exit code, and keep what no program may say."""
        code, said = program.end()
        told = TOLD.search(said)
        self.codes[program.words[0], code, told.group(1) if told and code > 0 else ""] += 1
        if code not in CODES or "Traceback" in said:
            self.findings.append(f"houmao {' '.join(program.words)} ended with {code}: {said[-1500:]}")
        return code

    def foreign(self) -> dict[str, str]:
        """What runs in sessions that are not ours, by session."""
        with suppress(AssertionError):
            rows = self.world.tmux("list-panes", "-a", "-F", "#{session_name} #{pane_pid}").splitlines()
            return {name: pid for name, _, pid in (row.partition(" ") for row in rows) if name in FOREIGN}
        return {}

    def killed(self) -> list[str]:
        """Sessions of somebody else that are gone, or run something else."""
        now = self.foreign()
        return sorted(name for name, pid in self.theirs.items() if now.get(name) != pid)

    def fill(self) -> None:
        """Leave no room on the disk; where it is not ours alone, only an apply made here finds none."""
        if not self.small_disk:
            self.world.room = self._started % 9
            try:
                self.world.when_applied(lock_timeout_s=1.0)
            finally:
                self.world.room = None
            return
        with suppress(OSError), (self.root / "filler").open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)

    def free(self) -> None:
        """Make room again."""
        (self.root / "filler").unlink(missing_ok=True)

    def close(self) -> None:
        """End everything that was started here, and leave no file."""
        self.free()
        for process in self.world._own():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        until(lambda: not self.world._own(), "programs of the soak do not end", 60)
        self.world.close()
        if self.small_disk:
            subprocess.run(("umount", str(self.root)), capture_output=True, check=False)
            with suppress(OSError):
                self.root.rmdir()
        for path in self.aside.iterdir():
            path.unlink()
        self.aside.rmdir()
