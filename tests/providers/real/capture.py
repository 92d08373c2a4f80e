"""Record what each CLI shows in the states a driver must tell apart, for the tests that need no vendor program.

    python -m tests.providers.real.capture [claude codex gemini]

writes tests/providers/<cli>/screens/<state>.txt and titles.json beside them. The folder of the run is replaced by
/home/user, padded where the line had room, so columns stay where they were.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.loopback.install import bin_dir, cache_prefix, lacking
from tests.loopback.server import LoopbackServer
from tests.providers.real.agent import START_S, TURN_S, Agent
from tests.providers.real.recipes import RECIPES, JsonObject
from tests.providers.real.terminal import Terminal

PROVIDERS = Path(__file__).parents[1]
ROLE = "You are a careful reviewer. role-mark:alpha-7"
NEUTRAL = "/home/user"


class Album:
    """The screens of one CLI, masked, by state."""

    def __init__(self, name: str, root: Path) -> None:
        self.folder = PROVIDERS / name / "screens"
        self.root = str(root)
        self.titles: dict[str, str] = {}

    def take(self, state: str, terminal: Terminal) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{state}.txt").write_text(self._masked(terminal.screen()), encoding="utf-8")
        # Until a program sets a title, tmux shows the name of the machine.
        title = self._masked(terminal.title()).rstrip()
        self.titles[state] = "" if title == socket.gethostname() else title
        print(f"{self.folder.parent.name}: {state}", flush=True)

    def _masked(self, text: str) -> str:
        room = len(self.root) - len(NEUTRAL)
        padded = re.compile(re.escape(self.root) + r"(\S*)(?= {3})")
        text = padded.sub(lambda found: NEUTRAL + found.group(1) + " " * room, text)
        text = text.replace(self.root, NEUTRAL)
        return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "00000000-0000-4000-8000-000000000000", text)

    def close(self) -> None:
        titles = json.dumps(self.titles, ensure_ascii=False, indent=2, sort_keys=True)
        (self.folder / "titles.json").write_text(titles + "\n", encoding="utf-8")


def conversation(agent: Agent, album: Album, server: LoopbackServer) -> None:
    with agent.start() as terminal:
        agent.wait_ready(terminal)
        album.take("ready", terminal)
        agent.ask(terminal, "slow 4")
        server.wait_for(lambda entry: entry["prompt"] == "slow 4", TURN_S)
        terminal.wait("busy", lambda: agent.busy(terminal), TURN_S)
        terminal.wait_screen(r"word9 ", TURN_S)
        album.take("busy", terminal)
        server.wait_for_prompt("slow 4", TURN_S)
        agent.wait_ready(terminal, TURN_S)
        album.take("done", terminal)
        agent.ask(terminal, "slow 61")
        terminal.wait_screen(r"word45\b", TURN_S)
        terminal.press("Escape")
        terminal.wait_screen(agent.recipe.signs.interrupted, TURN_S)
        agent.wait_ready(terminal, TURN_S)
        album.take("interrupted", terminal)
        agent.clear(terminal)
        agent.ask(terminal, "shell printf 42")
        server.wait_for(lambda entry: entry["result"] is not None and entry["ended"], TURN_S)
        agent.wait_ready(terminal, TURN_S)
        album.take("tool", terminal)
        agent.ask(terminal, "http 400")
        server.wait_for(lambda entry: entry["status"] == 400 and entry["ended"], TURN_S)
        terminal.wait_screen(r"asked for by the prompt", TURN_S)
        agent.wait_ready(terminal, TURN_S)
        album.take("error", terminal)
        agent.ask(terminal, "stall")
        server.wait_for(lambda entry: entry["answer"] == "stall", TURN_S)
        terminal.wait("busy", lambda: agent.busy(terminal), TURN_S)
        album.take("busy-silent", terminal)
        terminal.press("Escape")
        server.wait_for(lambda entry: entry["answer"] == "stall" and entry["ended"], TURN_S)
        agent.wait_ready(terminal, TURN_S)
        agent.clear(terminal)
        agent.leave(terminal)


def dialog(agent: Agent, album: Album, state: str, text: str, spoil: Callable[[Agent], None]) -> None:
    """Start with a home that lacks one setting, and record what that brings up."""
    spoil(agent)
    with agent.start() as terminal:
        terminal.wait_screen(text, START_S)
        terminal.wait_still(TURN_S)
        album.take(state, terminal)


def without(path: str, *keys: str) -> Callable[[Agent], None]:
    """Take one (nested) key out of a JSON file of the home."""

    def spoil(agent: Agent) -> None:
        file = agent.home / path
        value: JsonObject = json.loads(file.read_text(encoding="utf-8"))
        inner = value
        for key in keys[:-1]:
            inner = inner[key]
        del inner[keys[-1]]
        file.write_text(json.dumps(value), encoding="utf-8")

    return spoil


def without_lines(path: str, pattern: str) -> Callable[[Agent], None]:
    def spoil(agent: Agent) -> None:
        file = agent.home / path
        text = re.sub(pattern, "", file.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        file.write_text(text, encoding="utf-8")

    return spoil


def foreign_repository(agent: Agent) -> None:
    """A project that brings its own configuration and that nobody has trusted yet."""
    without_lines("config.toml", r"^\[projects\..*?trusted\"\n")(agent)
    (agent.cwd / ".git").mkdir(exist_ok=True)
    (agent.cwd / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    (agent.cwd / ".git" / "objects").mkdir(exist_ok=True)
    (agent.cwd / ".git" / "refs").mkdir(exist_ok=True)
    (agent.cwd / ".codex").mkdir(exist_ok=True)
    (agent.cwd / ".codex" / "config.toml").write_text('model_reasoning_effort = "low"\n', encoding="utf-8")


DIALOGS: dict[str, list[tuple[str, str, Callable[[Agent], None]]]] = {
    "claude": [
        ("dialog-trust", r"trust", without(".claude.json", "projects")),
        ("dialog-api-key", r"Detected a custom API key", without(".claude.json", "customApiKeyResponses")),
        ("dialog-bypass", r"Bypass Permissions mode", without("settings.json", "skipDangerousModePermissionPrompt")),
        ("dialog-auto-mode", r"auto mode your default", without(".claude.json", "hasSeenAutoDefaultNudge")),
    ],
    "codex": [
        ("dialog-trust", r"Trust this folder", foreign_repository),
        ("dialog-sign-in", r"Choose how you want", without_lines("config.toml", r"^model_provider = .*?\n")),
    ],
    "gemini": [
        ("dialog-trust", r"Do you trust", without(".gemini/settings.json", "security", "folderTrust")),
        ("dialog-sign-in", r"How would you like", without(".gemini/settings.json", "security", "auth")),
    ],
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.providers.real.capture")
    parser.add_argument("names", nargs="*", default=sorted(RECIPES), metavar="cli")
    names = parser.parse_args(argv).names
    reason = lacking(cache_prefix())
    if reason is not None:
        print(f"capture: {reason}", file=sys.stderr)
        return 1
    for name in names:
        with tempfile.TemporaryDirectory(prefix="houmao-capture-", ignore_cleanup_errors=True) as folder:
            root = Path(folder).resolve() / "agent"
            album = Album(name, root)
            with LoopbackServer() as server:

                def fresh(part: str, at: Path = root, of: str = name, url: str = server.url) -> Agent:
                    return Agent(RECIPES[of], at / part / "user", bin_dir(cache_prefix()), url, ROLE)

                album.root = str(root / "talk" / "user")
                conversation(fresh("talk"), album, server)
                for state, text, spoil in DIALOGS[name]:
                    album.root = str(root / state / "user")
                    dialog(fresh(state), album, state, text, spoil)
            album.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
