"""A machine of its own for one test: project, home, registry and tmux server, driven by the real command line.

Nothing of the caller's environment that houmao or tmux would follow gets through. `untouched()` is the whole of what a
refused run may not change: bytes, modes and times of every file, what tmux holds, and which agents run.
"""

import ctypes
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests import warm

PROGRAM = (sys.executable, "-m", "reconciler")
ROOT = Path(__file__).parents[3]
LIMIT_S = 60
LIBC = ctypes.CDLL(None, use_errno=True)
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
HEADER = "apiVersion: houmao/v1alpha1\n"


class Ran(NamedTuple):
    """What one command line did."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def error(self) -> dict[str, object]:
        """The object of `-o json`, whole: nothing else is on standard output."""
        document = json.loads(self.out)
        assert list(document) == ["error"], document
        found: dict[str, object] = document["error"]
        assert list(found)[:5] == ["code", "message", "hint", "ref", "position"], found
        assert isinstance(found["causes"], list)
        return found

    def refuses(self, code: int, *words: str) -> "Ran":
        """It ended with that exit code and said all of this on standard error."""
        assert self.code == code, self
        for word in words:
            assert word in self.err, f"{word!r} is not said in:\n{self.err}"
        return self

    def succeeds(self) -> "Ran":
        assert self.code == 0, f"exit {self.code}\n{self.out}\n{self.err}"
        return self


class Machine:
    """See the module. Every path is below `top` but tmux's, whose socket needs a short one."""

    def __init__(self, top: Path, tmux: Path) -> None:
        self.top, self.tmux = top, tmux
        self.project, self.home, self.registry = top / "project", top / "home", top / "registry"
        for directory in (self.project, self.home, self.registry):
            directory.mkdir(parents=True)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HOUMAO_", "TMUX", "XDG_", "PYTHON"))}
        self.environment = {
            **kept,
            "HOME": str(self.home),
            "HOUMAO_GLOBAL_REGISTRY_DIR": str(self.registry),
            "TMUX_TMPDIR": str(tmux),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "200",
            "CI": "",
        }

    @property
    def overlay(self) -> Path:
        return self.project / ".houmao"

    def write(self, name: str, content: str | bytes) -> Path:
        """A file of the project; a declaration may leave out its first line."""
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def declare(self, name: str, *documents: str) -> Path:
        """A file of documents, each given without its `apiVersion`."""
        return self.write(name, "---\n".join(HEADER + document.lstrip("\n") for document in documents))

    def collect(self, name: str, documents: Sequence[Mapping[str, object]]) -> Path:
        """A file of documents given as data, each on one line of its own: the n-th is on line 2n."""
        full = ({"apiVersion": "houmao/v1alpha1", **document} for document in documents)
        return self.write(name, "".join(f"---\n{json.dumps(each)}\n" for each in full))

    def run(
        self,
        *words: str,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        wrapper: Sequence[str] = (),
        bound: bool = False,
    ) -> Ran:
        """One command line of houmao. `wrapper` goes in front of it; `bound`: permission bits bind it, also as root."""
        cwd, env = cwd or self.project, {**self.environment, **(environment or {})}
        if not wrapper and not bound:
            ran = warm.run([*PROGRAM[1:], *words], cwd=cwd, env=env, stdin=stdin, timeout=LIMIT_S)
            return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())
        ran = subprocess.run(
            [*wrapper, *PROGRAM, *words],
            input=stdin,
            cwd=cwd,
            env=env,
            capture_output=True,
            timeout=LIMIT_S,
            preexec_fn=obey_permissions if bound and os.geteuid() == 0 else None,
        )
        return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())

    def ask_tmux(self, *words: str) -> list[str]:
        """Lines of tmux's answer; none where no server runs."""
        answer = subprocess.run(
            ["tmux", *words], cwd=self.top, env=self.environment, capture_output=True, text=True, timeout=10
        )
        return answer.stdout.splitlines()

    def sessions(self) -> list[str]:
        return sorted(self.ask_tmux("list-sessions", "-F", "#{session_id} #{session_name} #{session_created}"))

    def agents(self) -> list[str]:
        """Process ids of the agents that were started from this project."""
        needle = f"HOUMAO_MANIFEST_PATH={self.project}/".encode()
        return sorted(entry.name for entry in processes() if needle in read(entry / "environ"))

    def untouched(self) -> dict[str, object]:
        """Everything a refused run leaves as it is, SQLite's -wal and -shm excepted."""
        found: dict[str, object] = {"tmux": self.sessions(), "agents": self.agents()}
        for path in [self.top, *sorted(self.top.rglob("*"))]:
            if path.name.endswith(("-wal", "-shm")):
                continue
            try:
                stat = path.lstat()
            except FileNotFoundError:
                continue  # an agent writes its own conversations meanwhile; what else is missing, the other look tells
            if path.is_symlink():
                found[str(path)] = (stat.st_mode, os.readlink(path))
            elif path.is_file():
                found[str(path)] = (stat.st_mode, stat.st_mtime_ns, stat.st_ino, path.read_bytes())
            else:
                found[str(path)] = stat.st_mode
        return found


def obey_permissions() -> None:
    """In a child about to become a program: root's right to pass over permission bits is gone for good."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        if LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "permission bits cannot be made to bind this user")


def processes() -> list[Path]:
    return [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def read(path: Path) -> bytes:
    """Bytes of a file below /proc; none of a process that is gone."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


@contextmanager
def machine(top: Path) -> Iterator[Machine]:
    """A fresh machine below `top`; whatever tmux holds at the end is ended."""
    with tempfile.TemporaryDirectory(prefix="tmux-") as directory:
        found = Machine(top, Path(directory))
        try:
            yield found
        finally:
            found.ask_tmux("kill-server")


@contextmanager
def unchanged(machine: Machine) -> Iterator[None]:
    """The world after the block is the world before it; what an agent adds to its conversations is its own doing."""
    before = machine.untouched()
    yield
    after = machine.untouched()
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    changed = {name for name in changed if name not in after or "/conversations" not in name}
    assert not changed, f"a refused run touched {sorted(changed)}"
