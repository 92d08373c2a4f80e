"""A place to measure in: a fresh HOME, a private tmux server, stub providers, and a fleet of `n` agents.

The provider is a stub, a script that prints a prompt and waits: what is measured is what an orchestrator costs. Both
the project and a floor start the same one. Sessions and processes are real at every size.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from types import TracebackType
from typing import Any

from bench.measure import Sample, Wrong, run

PROVIDER = "claude"
STUB = "#!/bin/sh\nprintf '> '\nread -r line\n"
HOUMAO = os.path.join(os.path.dirname(sys.executable), "houmao")
FLOORS = os.path.join(os.path.dirname(__file__), "floors")
PER_SPECIALIST = 20
"""How many instances share a specialist."""
GONE_S = 60.0


class Fleet:
    """One directory with everything in it; `n` instances are declared, one document a file."""

    def __init__(self, n: int = 0) -> None:
        self.n = n
        self.root = tempfile.mkdtemp(prefix="hb-", dir=_place())
        for name in ("home", "tmux", "bin", "project"):
            os.mkdir(f"{self.root}/{name}")
        self.project = f"{self.root}/project"
        self.source = f"{self.project}/fleet"
        self.database = f"{self.root}/floor/database"
        self.stub = f"{self.root}/bin/{PROVIDER}"
        with open(self.stub, "w") as stream:
            stream.write(STUB)
        os.chmod(self.stub, 0o755)
        self.env = {
            "HOME": f"{self.root}/home",
            "HOUMAO_GLOBAL_REGISTRY_DIR": f"{self.root}/registry",
            "LANG": "C.UTF-8",
            "PATH": f"{self.root}/bin:{os.environ.get('PATH', os.defpath)}",
            "TMUX_TMPDIR": f"{self.root}/tmux",
        }
        self.socket = f"{self.root}/tmux/tmux-{os.getuid()}/default"
        os.makedirs(os.path.dirname(self.socket), 0o700)
        self._declare()

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def documents(self) -> int:
        """How many resources are declared, specialists included."""
        return self.n + _specialists(self.n) if self.n else 0

    def houmao(self, *words: str, code: int = 0) -> Sample:
        """One fresh run of the project's program."""
        return run((HOUMAO, *words), env=self.env, cwd=self.project, code=code)

    def floor(self, name: str, *words: str, code: int = 0) -> Sample:
        """One fresh run of a floor, by the same interpreter."""
        return run((sys.executable, f"{FLOORS}/{name}.py", *words), env=self.env, cwd=self.project, code=code)

    def bring_up(self) -> None:
        """Apply everything with the project, and record for the floors what they compare with."""
        self.houmao("apply", "-f", self.source, "--yes", "--timeout=1200s", "--parallelism=64")
        self.must_run()
        self._record()

    def must_run(self) -> None:
        """As many sessions and live processes as are declared; else Wrong."""
        rows = [
            row.split("\t") for row in self.tmux("list-panes", "-a", "-F", "#{pane_pid}\t#{pane_dead}").splitlines()
        ]
        alive = [pid for pid, dead in rows if dead == "0" and os.path.exists(f"/proc/{pid}")]
        if len(alive) != self.n or len(rows) != self.n:
            raise Wrong(f"{len(alive)} of {self.n} agents run, in {len(rows)} panes")

    def must_be_applied(self) -> None:
        """Rows written, and nothing left to do; else Wrong."""
        with sqlite3.connect(f"{self.project}/.houmao/catalog.sqlite") as catalog:
            rows = catalog.execute("SELECT count(*) FROM resource WHERE kind = 'Instance'").fetchone()[0]
        if rows != self.n:
            raise Wrong(f"{rows} of {self.n} rows are written")
        self.houmao("plan", "-f", self.source, "--detailed-exitcode")

    def comment(self) -> "Comment":
        """While it lasts, one source file of many has another comment: nothing means anything else."""
        return Comment(f"{self.source}/agent-0000.yaml")

    def tmux(self, *words: str) -> str:
        """Ask the private server; raises Wrong when it does not answer."""
        done = subprocess.run(("tmux", "-S", self.socket, *words), env=self.env, capture_output=True, text=True)
        if done.returncode:
            raise Wrong(f"tmux: {done.stderr.strip()}")
        return done.stdout

    def end_server(self) -> None:
        """Kill the private server with every agent in it, and wait until it is gone."""
        asked = subprocess.run(
            ("tmux", "-S", self.socket, "display-message", "-p", "#{pid}", ";", "kill-server"),
            env=self.env,
            capture_output=True,
            text=True,
        )
        pid = asked.stdout.strip()
        deadline = time.monotonic() + GONE_S
        while pid.isdigit() and os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
            time.sleep(0.01)

    def close(self) -> None:
        """End what runs and remove what was written."""
        try:
            self.end_server()
        finally:
            shutil.rmtree(self.root, ignore_errors=True)

    def _declare(self) -> None:
        os.mkdir(self.source)
        for number in range(_specialists(self.n)):
            self._write(
                f"worker-{number:02}",
                "kind: Specialist\n"
                f"metadata:\n  name: worker-{number:02}\n  labels:\n    team: team-{number % 5}\n"
                f"spec:\n  provider: {PROVIDER}\n  promptMode: as_is\n  env:\n    SHIFT: day\n"
                f"  prompt: |\n    You are one of many workers, number {number} of your kind.\n"
                "    Do what you are asked, say what you did, and leave the rest alone.\n",
            )
        for number in range(self.n):
            self._write(
                f"agent-{number:04}",
                "kind: Instance\n"
                f"metadata:\n  name: agent-{number:04}\n  labels:\n    team: team-{number % 5}\n    shift: day\n"
                f"  annotations:\n    contact: somebody-{number}@example.com\n"
                f"spec:\n  specialistRef: worker-{number // PER_SPECIALIST:02}\n  state: Running\n"
                "  resume:\n    mode: tool_last_or_new\n",
            )

    def _write(self, name: str, text: str) -> None:
        with open(f"{self.source}/{name}.yaml", "w") as stream:
            stream.write(f"# {name}, declared for a benchmark.\napiVersion: houmao/v1alpha1\n{text}")

    def _record(self) -> None:
        """What the floors of looking compare with: the same facts the project recorded for itself."""
        import yaml

        os.makedirs(os.path.dirname(self.database), exist_ok=True)
        form = "#{@houmao_uid}\t#{session_id}\t#{pane_pid}"
        panes = [row.split("\t") for row in self.tmux("list-panes", "-a", "-F", form).splitlines()]
        with sqlite3.connect(f"{self.project}/.houmao/catalog.sqlite") as catalog:
            names = dict(catalog.execute("SELECT uid, name FROM resource WHERE kind = 'Instance'"))
        bodies = self._bodies()
        agents = [(uid, names[uid], session, pid, _ticks(pid), bodies.get(uid, "")) for uid, session, pid in panes]
        files, documents = [], []
        for name in sorted(os.listdir(self.source)):
            path = f"{self.source}/{name}"
            with open(path, "rb") as stream:
                data = stream.read()
            files.append((path, hashlib.blake2b(data).hexdigest()))
            document = yaml.load(data, yaml.CSafeLoader)
            body = json.dumps(document, sort_keys=True, separators=(",", ":"))
            ref = f"{document['kind']}/{document['metadata']['name']}"
            documents.append((ref, hashlib.sha256(body.encode()).hexdigest(), body))
        database = sqlite3.connect(self.database)
        with database:
            database.execute("CREATE TABLE file (path TEXT PRIMARY KEY, digest TEXT)")
            database.execute("CREATE TABLE document (ref TEXT PRIMARY KEY, digest TEXT, body TEXT)")
            database.execute(
                "CREATE TABLE agent (uid TEXT PRIMARY KEY, name TEXT, session TEXT, pid TEXT, ticks TEXT, body TEXT)"
            )
            database.executemany("INSERT INTO file VALUES (?, ?)", files)
            database.executemany("INSERT INTO document VALUES (?, ?, ?)", documents)
            database.executemany("INSERT INTO agent VALUES (?, ?, ?, ?, ?, ?)", agents)
        database.close()

    def _bodies(self) -> dict[str, str]:
        """What a list of agents as JSON says of each, by uid."""
        shown = json.loads(self.houmao("get", "instances", "-o", "json").out)["items"]
        return {item["metadata"]["uid"]: json.dumps(_unobserved(item)) for item in shown}


class Comment:
    """A file with a comment more, put back to the byte, and to its time, at the end."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._found = os.stat(path)
        with open(path) as stream:
            self._text = stream.read()

    def __enter__(self) -> None:
        with open(self._path, "w") as stream:
            stream.write(f"# Looked at again.\n{self._text}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with open(self._path, "w") as stream:
            stream.write(self._text)
        os.utime(self._path, ns=(self._found.st_atime_ns, self._found.st_mtime_ns))


def _place() -> str:
    """In memory where that is possible, for one sample must not slow the next: ext4 makes new files up to ten times
    slower for minutes after others were deleted, stepping over those. Short, for a socket's path has a hundred bytes.
    """
    return "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else "/tmp"


def _unobserved(item: dict[str, Any]) -> dict[str, Any]:
    """An agent as `get -o json` shows it, without what only a look can tell."""
    seen = ("phase", "health", "healthReason", "conditions")
    return {**item, "status": {key: value for key, value in item["status"].items() if key not in seen}}


def _specialists(n: int) -> int:
    return -(-n // PER_SPECIALIST)


def _ticks(pid: str) -> str:
    with open(f"/proc/{pid}/stat", "rb") as stream:
        return stream.read().rpartition(b")")[2].split()[19].decode()
