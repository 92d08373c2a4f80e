"""An echo agent as the build makes it, in a real tmux: ready, busy, asked to leave, back in its conversation."""

from __future__ import annotations

import os
import shlex
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.files_local import LocalFiles
from reconciler.build.assemble import Assembled, Site, assemble
from reconciler.model.ref import Uid
from reconciler.model.tree import Entry, Tree
from reconciler.ports.build import BuildRequest, Host, Materials
from reconciler.ports.provider import PromptMode
from reconciler.ports.reading import ScreenState
from reconciler.ports.tmux import Screen
from reconciler.providers import discover
from tests.conftest import WaitUntil

pytestmark = pytest.mark.tmux
ECHO = discover()["echo"]
LAZY = Tree({"behaviour.json": Entry(data=b'{"turn_delay": 0.2}')})


class Pane:
    """One agent in a tmux server of its own."""

    def __init__(self, built: Assembled, workdir: Path) -> None:
        self._socket = f"echo-{uuid.uuid4().hex[:12]}"
        env = [word for name, value in built.env for word in ("-e", f"{name}={value}")]
        self._tmux("-f", os.devnull, "new-session", "-d", "-s", "a", "-c", str(workdir), *env, shlex.join(built.argv))

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-u", "-L", self._socket, *words], capture_output=True, text=True, check=False)
        return done.stdout

    def screen(self) -> Screen:
        return Screen(
            self._tmux("capture-pane", "-p"), self._tmux("display-message", "-p", "#{pane_title}").rstrip("\n")
        )

    def state(self) -> ScreenState:
        return ECHO.reading(self.screen()).state

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def gone(self) -> bool:
        return self._tmux("list-panes", "-a") == ""

    def close(self) -> None:
        self._tmux("kill-server")


@pytest.fixture
def panes() -> Iterator[list[Pane]]:
    started: list[Pane] = []
    yield started
    for pane in started:
        pane.close()


def built(root: Path, mode: PromptMode = PromptMode.UNATTENDED, *, headless: bool = False) -> Assembled:
    request = BuildRequest("/agents", "echo", (), "default", operator_prompt_mode=mode)
    materials = Materials("coder", "You write code.", LAZY, {}, None, ECHO.adapter)
    home = root / "it's a home"
    site = Site(Uid("0" * 32), "agent-1", "home", str(home), str(root / "m.yaml"), str(root), "")
    host = Host(ECHO.executable(""), str(root / "work dir"))
    (root / "work dir").mkdir()
    made = assemble(request, materials, ECHO, site=site, host=host, headless=headless)
    LocalFiles().write_tree(str(home), made.everything())
    return made


def test_it_is_ready_then_busy_then_gone_then_back(tmp_path: Path, panes: list[Pane], wait_until: WaitUntil) -> None:
    made = built(tmp_path)
    panes.append(first := Pane(made, tmp_path / "work dir"))
    wait_until(lambda: first.state() is ScreenState.IDLE, what="ready")
    first.press("stall", "Enter")
    wait_until(lambda: first.state() is ScreenState.BUSY, what="busy")
    for batch in ECHO.stop_keys:
        first.press(*batch)
    wait_until(first.gone, what="gone")

    panes.append(second := Pane(made, tmp_path / "work dir"))
    wait_until(lambda: second.state() is ScreenState.IDLE, what="ready again")
    assert "resumed " in second.screen().text
    home = LocalFiles().found(str(tmp_path / "it's a home")) or ()
    found = {entry.path: entry.digest for entry in home}
    assert {path: found[path] for path in made.manifest["runtime"]["entries"]} == made.manifest["runtime"]["entries"]  # type: ignore[index, call-overload]


def test_as_is_it_asks(tmp_path: Path, panes: list[Pane], wait_until: WaitUntil) -> None:
    panes.append(pane := Pane(built(tmp_path, PromptMode.AS_IS), tmp_path / "work dir"))
    wait_until(lambda: pane.state() is ScreenState.ASKING, what="asking")


def test_headless_it_waits_for_turns_and_takes_them(tmp_path: Path, panes: list[Pane], wait_until: WaitUntil) -> None:
    made = built(tmp_path, headless=True)
    panes.append(pane := Pane(made, tmp_path / "work dir"))
    wait_until(lambda: pane.state() is ScreenState.IDLE, what="waiting")
    for turn in ("one", "two"):
        done = subprocess.run(
            [*made.argv, f"echo {turn}"], cwd=tmp_path / "work dir", capture_output=True, text=True, check=True
        )
        assert turn in done.stdout
