"""A fleet of one vendor agent, declared in YAML and handled through the `houmao` command alone.

Everything is private: HOME, registry, project, tmux server. Keys are made up and reach the agent the way a person's
would, out of the environment of the command; the model is the loopback server.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from tests.loopback.server import Entry, LoopbackServer
from tests.providers.real.terminal import Terminal

ROOT = Path(__file__).parents[3]
KEY = "loopback-made-up-key-0123456789"
START_S = 90.0
"""Node programs on a busy two-core machine; a deadline, not an expectation."""
COMMAND_S = 110
LEAVE_S = 5.0
ENTER_S = 2.0


class Vendor(NamedTuple):
    """What a declaration of this provider says differently."""

    name: str
    variables: Mapping[str, str]
    """Variable of the credential -> the variable of the caller it is taken from."""
    model: str = ""
    setup: str = ""
    """A configuration file of its own for a Setup; `${url}` is the model server."""


CODEX_CONFIG = """\
model = "loopback-model"
model_provider = "loopback"

[model_providers.loopback]
name = "Loopback"
base_url = "${url}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
"""

VENDORS: Mapping[str, Vendor] = {
    vendor.name: vendor
    for vendor in (
        Vendor("claude", {"ANTHROPIC_API_KEY": "MADE_UP_KEY", "ANTHROPIC_BASE_URL": "MADE_UP_URL"}),
        Vendor("codex", {"OPENAI_API_KEY": "MADE_UP_KEY"}, setup=CODEX_CONFIG),
        Vendor(
            "gemini",
            {"GEMINI_API_KEY": "MADE_UP_KEY", "GOOGLE_GEMINI_BASE_URL": "MADE_UP_URL"},
            model="gemini-2.5-pro",
        ),
    )
}

DOCUMENTS = """\
apiVersion: houmao/v1alpha1
kind: AuthProfile
metadata: {{name: made-up}}
spec:
  provider: {name}
  source: {{env: {source}}}
---
apiVersion: houmao/v1alpha1
kind: Specialist
metadata: {{name: reviewer}}
spec:
  provider: {name}
  prompt: {prompt}
  authRef: made-up
  env: {{HTTPS_PROXY: "{url}", HTTP_PROXY: "{url}", NO_PROXY: "127.0.0.1,localhost"}}
{more}
---
apiVersion: houmao/v1alpha1
kind: Instance
metadata: {{name: alice}}
spec: {{specialistRef: reviewer, readiness: [process, prompt]}}
"""

SETUP = """\
---
apiVersion: houmao/v1alpha1
kind: Setup
metadata: {{name: loopback}}
spec: {{provider: {name}, path: setup}}
"""


class Fleet:
    """A context manager; leaving it ends the tmux server and every process of the project."""

    def __init__(self, vendor: Vendor, root: Path, server_url: str, programs: Path | None) -> None:
        """`programs` is the folder of the vendors' programs; None stands for a machine that has none."""
        self.vendor, self.url = vendor, server_url
        self.root = root.resolve()
        self.project = self.root / "project"
        self.source = self.project / "fleet.yaml"
        # A socket's path has about a hundred bytes, and pytest's own directories can be longer.
        self._sockets = tempfile.TemporaryDirectory(prefix="tmux-")
        for folder in (self.project, self.root / "home", self.root / "registry"):
            folder.mkdir(parents=True)
        self.environment = {
            "PATH": os.pathsep.join(self._path(programs)),
            "HOME": str(self.root / "home"),
            "LANG": "C.UTF-8",
            "TMUX_TMPDIR": self._sockets.name,
            "HOUMAO_GLOBAL_REGISTRY_DIR": str(self.root / "registry"),
            "MADE_UP_KEY": KEY,
            "MADE_UP_URL": server_url,
        }

    def _path(self, programs: Path | None) -> list[str]:
        """Without `programs`, a folder that holds tmux and nothing else of this machine's."""
        if programs is not None:
            node = shutil.which("node")
            folders = [str(programs), *([str(Path(node).parent)] if node else [])]
            tmux = shutil.which("tmux")
            return list(dict.fromkeys([*folders, *([str(Path(tmux).parent)] if tmux else []), "/usr/bin", "/bin"]))
        bare = self.root / "bare"
        bare.mkdir()
        for name in ("tmux", "sh", "ps"):
            found = shutil.which(name)
            if found is not None:
                (bare / name).symlink_to(found)
        return [str(bare)]

    def declare(self, prompt: str) -> None:
        """Write the source: credential, specialist with this prompt, one instance, and a Setup where it needs one."""
        vendor = self.vendor
        more = [f"  model: {vendor.model}"] if vendor.model else []
        if vendor.setup:
            more.append("  setupRef: loopback")
            (self.project / "setup").mkdir(exist_ok=True)
            (self.project / "setup" / "config.toml").write_text(vendor.setup.replace("${url}", self.url))
        # JSON is YAML too.
        text = DOCUMENTS.format(
            name=vendor.name,
            source=json.dumps({name: {"env": where} for name, where in vendor.variables.items()}),
            prompt=json.dumps(prompt),
            url=self.url,
            more="\n".join(more),
        )
        self.source.write_text(text + (SETUP.format(name=vendor.name) if vendor.setup else ""))

    def houmao(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command in the project; no key may be in its output."""
        command = [sys.executable, "-m", "reconciler", *words]
        done = subprocess.run(
            command,
            cwd=self.project,
            env={**self.environment, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        assert KEY not in done.stdout + done.stderr, f"{words}: the key is in the output"
        return done

    def apply(self) -> subprocess.CompletedProcess[str]:
        return self.houmao("apply", "-f", self.source.name, "--wait", "--timeout", f"{START_S:g}s")

    def planned(self) -> list[tuple[str, str, list[str]]]:
        """(verb, ref, reason codes) of what a plan would do."""
        plan = json.loads(self.houmao("plan", "-f", self.source.name, "-o", "json").stdout)
        return [(item["verb"], item["ref"], [reason["code"] for reason in item["reasons"]]) for item in plan["actions"]]

    def instance(self) -> dict[str, Any]:
        """The one instance, as `get instances -o json` lists it."""
        done = self.houmao("get", "instances", "-o", "json")
        assert done.returncode == 0, done.stderr
        (item,) = json.loads(done.stdout)["items"]
        found: dict[str, Any] = item
        return found

    def terminal(self) -> Terminal:
        """The agent's terminal, as whoever attaches to it would have it. A relaunch makes another one."""
        return Terminal.found("default", self.environment)

    def tmux(self, *words: str) -> str:
        """What tmux says; nothing where no server runs."""
        command = ["tmux", *words]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False).stdout

    def processes(self) -> list[int]:
        """Living processes whose environment names this project. Where there is no /proc, none can be told."""
        needle = os.fsencode(self.root)
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if needle in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
        return found

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.tmux("kill-server")
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._sockets.cleanup()


def ask(terminal: Terminal, server: LoopbackServer, prompt: str) -> Entry:
    """Submit a prompt and see it answered; Enter again where it came too early for a box that had just been drawn."""
    terminal.wait_still(START_S)
    since = len(server.log)
    terminal.paste(prompt)
    terminal.wait_still(START_S)

    def submitted() -> bool:
        terminal.press("Enter")
        try:
            server.wait_for(lambda entry: entry["prompt"] == prompt and not entry["wants_json"], ENTER_S, since)
        except TimeoutError:
            return False
        return True

    terminal.wait(f"asked {prompt!r}", submitted, START_S)
    return server.wait_for_prompt(prompt, START_S, since)
