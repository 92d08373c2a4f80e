"""The homes and launch lines the build makes, with the vendors' own programs, against the loopback model server."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from reconciler.adapters.files_local import LocalFiles
from reconciler.build.assemble import Assembled, Site, assemble
from reconciler.model.ref import Uid
from reconciler.model.secret import Secret
from reconciler.ports.build import AuthMaterial, BuildRequest, Host, Materials, ModelConfig
from reconciler.ports.reading import ScreenState
from reconciler.ports.tmux import Screen
from reconciler.providers import discover
from tests.loopback.fixtures import loopback
from tests.loopback.install import bin_dir, cache_prefix, lacking
from tests.loopback.server import LoopbackServer
from tests.providers import golden
from tests.providers.real.terminal import Terminal

__all__ = ["loopback"]

pytestmark = [pytest.mark.providers, pytest.mark.tmux]
START_S = 60.0
KEY = "loopback-made-up-key-0123456789"
MODELS = {"claude": None, "codex": "loopback-model", "gemini": "gemini-2.5-pro"}


class Made:
    """One agent built by the product, written to disk, ready to be started again and again."""

    def __init__(self, name: str, root: Path, server: LoopbackServer, *, headless: bool = False) -> None:
        reason = lacking(cache_prefix())
        if reason is not None:
            pytest.skip(reason)
        self.provider, self.workdir = discover()[name], root / "project"
        self.workdir.mkdir()
        self.server, self.home = server, root / "home-1"
        self.built = self._assembled(root, headless)
        LocalFiles().write_tree(str(self.home), self.built.everything())

    def _assembled(self, root: Path, headless: bool) -> Assembled:
        name = self.provider.name
        url = f"{self.server.url}/v1" if name == "codex" else self.server.url
        auth = AuthMaterial("creds", "0" * 32, {golden.KEYS[name]: Secret(KEY), golden.URLS[name]: Secret(url)})
        request = BuildRequest(
            agent_def_dir=str(root),
            tool=name,
            skills=(),
            setup="default",
            auth="creds",
            preset_model_config=ModelConfig(MODELS[name], 2),
            persistent_env_records={
                "HTTPS_PROXY": self.server.url,
                "HTTP_PROXY": self.server.url,
                "NO_PROXY": "127.0.0.1,localhost",
            },
        )
        setup = self.provider.setups["default"]
        materials = Materials("coder", "You review. role-mark:alpha-7", setup, {}, auth, self.provider.adapter)
        site = Site(Uid("0" * 32), "agent-1", "home-1", str(self.home), str(root / "m.yaml"), str(root), "")
        program = self.provider.executable(str(bin_dir(cache_prefix()) / name))
        host = Host(program, str(self.workdir), search_path=os.environ["PATH"], root=os.geteuid() == 0)
        return assemble(request, materials, self.provider, site=site, host=host, headless=headless)

    def start(self) -> Terminal:
        return Terminal(
            self.built.argv, {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **dict(self.built.env)}, self.workdir
        )

    def state(self, terminal: Terminal) -> ScreenState:
        return self.provider.reading(Screen(*terminal.look())).state

    def wait(self, terminal: Terminal, state: ScreenState) -> None:
        terminal.wait(f"{self.provider.name} {state}", lambda: self.state(terminal) is state, START_S)

    def ask(self, terminal: Terminal, prompt: str) -> None:
        """Submit a prompt; the first Enter may come too early for a program that has just drawn its box."""
        terminal.wait_still(START_S)
        since = len(self.server.log)
        terminal.paste(prompt)
        terminal.wait_still(START_S)
        terminal.press("Enter")
        # Asked for, not answered: what the screen shows meanwhile is looked at.
        self.server.wait_for(lambda entry: entry["prompt"] == prompt and not entry["wants_json"], START_S, since)

    def leave(self, terminal: Terminal) -> None:
        for batch in self.provider.stop_keys:
            terminal.press(*batch)
            terminal.wait_still(START_S)
        terminal.wait("ended", terminal.ended, START_S)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_it_becomes_ready_answers_as_told_leaves_and_resumes(
    name: str, tmp_path: Path, loopback: LoopbackServer
) -> None:
    made = Made(name, tmp_path, loopback)
    with made.start() as terminal:
        made.wait(terminal, ScreenState.IDLE)
        made.ask(terminal, "role")
        terminal.wait_screen(r"role: alpha-7", START_S)
        made.wait(terminal, ScreenState.IDLE)
        made.ask(terminal, "slow 3")
        made.wait(terminal, ScreenState.BUSY)
        made.wait(terminal, ScreenState.IDLE)
        made.leave(terminal)

    with made.start() as terminal:
        made.wait(terminal, ScreenState.IDLE)
        terminal.wait_screen(r"role: alpha-7", START_S)

    disk = {entry.path: entry.digest for entry in LocalFiles().found(str(made.home)) or ()}
    runtime = made.built.manifest["runtime"]
    assert isinstance(runtime, dict)
    entries = runtime["entries"]
    assert isinstance(entries, dict)
    assert {path: disk[path] for path in entries} == entries, "the program rewrote a file that is compared"


@pytest.mark.parametrize("name", sorted(MODELS))
def test_headless_turns_go_on_with_one_conversation(name: str, tmp_path: Path, loopback: LoopbackServer) -> None:
    made = Made(name, tmp_path, loopback, headless=True)
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **dict(made.built.env)}
    for prompt in ("role", "echo second"):
        words = [*made.built.argv, prompt]
        done = subprocess.run(
            words, cwd=made.workdir, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=START_S
        )
        assert done.returncode == 0, done.stderr
    turns = [entry for entry in loopback.turns() if entry["prompt"] == "echo second"]
    assert turns
    assert "role" in turns[-1]["earlier"]
