"""The situations a driver must tell apart, each brought about in a real CLI; whoever takes part is shown the terminal.

Used twice: to record the corpus, and to check that today's screens still read as the recorded ones do.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from tests.loopback.server import LoopbackServer
from tests.providers.real.agent import LEAVE_S, START_S, TURN_S, Agent
from tests.providers.real.recipes import JsonObject
from tests.providers.real.terminal import SIZE, Terminal

Take = Callable[[str, Terminal], None]
SIZES: dict[str, tuple[int, int]] = {"": SIZE, "-80": (80, 24), "-200": (200, 50)}
"""Suffix of a situation -> columns and rows."""
SETTLE_S = 8.0
WIDE = "echo 你好世界 👩‍💻 naïve " + "wide words " * 12
LINES = "first line\nsecond line\necho third"


def quoting(columns: int) -> str:
    """A prompt whose answer shows every CLI's prompt box, spinner and questions."""
    return "\n".join(
        [
            "Quoted:",
            "─" * columns,
            "❯ ",
            "─" * columns,
            "  ⏵⏵ bypass permissions on · esc to interrupt",
            "✻ Thinking… (3s · ↓ 19 tokens)",
            "› Ask Codex to do anything",
            "• Working (3s • esc to interrupt)",
            " *   Type your message or @path/to/file",
            " ⠹ Thinking... (esc to cancel, 1s)",
            "Do you want to proceed?",
            "❯ 1. Yes",
            "Trust this folder?",
            "› 1. Trust and continue",
            "echo>",
        ]
    )


def conversation(agent: Agent, take: Take, server: LoopbackServer, suffix: str = "") -> None:
    """From start to quit and once more, resumed."""
    size, since = SIZES[suffix], len(server.log)
    full = not suffix
    with agent.start(size=size) as terminal:

        def shot(situation: str) -> None:
            take(situation + suffix, terminal)

        def typed(text: str, situation: str, shows: str) -> None:
            terminal.paste(text)
            terminal.wait_screen(shows, TURN_S)
            settle(terminal)
            shot(situation)

        if full:
            terminal.wait("drawing", lambda: terminal.screen().strip() != "", START_S)
            shot("start")
        agent.wait_ready(terminal)
        settle(terminal, 20)
        shot("ready")
        typed("echo typed words", "typed", r"^\W{1,8}echo typed words")
        agent.clear(terminal)
        typed(WIDE, "typed-wide", r"你好世界")
        for _ in range(3):
            agent.clear(terminal)
        agent.wait_ready(terminal)
        settle(terminal)
        shot("cleared")
        typed(LINES, "typed-lines", r"^\s+echo third")
        terminal.press("Enter")
        server.wait_for(lambda entry: "third" in entry["prompt"] and entry["ended"], TURN_S, since)
        agent.wait_ready(terminal, TURN_S)
        agent.ask(terminal, "slow 4.4")
        server.wait_for(lambda entry: entry["prompt"] == "slow 4.4", TURN_S, since)
        terminal.wait("busy", lambda: agent.busy(terminal), TURN_S)
        terminal.wait_screen(r"word9 ", TURN_S)
        shot("busy")
        if full:
            terminal.paste("echo next")
            terminal.wait_screen(r"^\W{1,8}echo next", TURN_S)
            shot("busy-typed")
            agent.clear(terminal)
        server.wait_for_prompt("slow 4.4", TURN_S, since)
        agent.wait_ready(terminal, TURN_S)
        settle(terminal)
        shot("done")
        agent.ask(terminal, "slow 61")
        terminal.wait_screen(r"word45\b", TURN_S)
        terminal.press("Escape")
        terminal.wait_screen(agent.recipe.signs.interrupted, TURN_S)
        agent.wait_ready(terminal, TURN_S)
        shot("interrupted")
        agent.clear(terminal)
        agent.ask(terminal, "shell printf 42")
        server.wait_for(lambda entry: entry["result"] is not None and entry["ended"], TURN_S, since)
        agent.wait_ready(terminal, TURN_S)
        settle(terminal)
        shot("tool")
        agent.ask(terminal, "http 400")
        server.wait_for(lambda entry: entry["status"] == 400 and entry["ended"], TURN_S, since)
        terminal.wait_screen(r"asked for by the prompt", TURN_S)
        agent.wait_ready(terminal, TURN_S)
        settle(terminal)
        shot("error")
        if full:
            silence(agent, terminal, server, shot)
        echoed(terminal, server, quoting(size[0]))
        shot("quoting")
        if full:
            leave(agent, terminal)
            shot("left")
    if full:
        with agent.start(agent.recipe.resume, size) as terminal:
            terminal.wait_screen(agent.recipe.signs.box, START_S)
            settle(terminal, 40)
            take("resumed", terminal)


def echoed(terminal: Terminal, server: LoopbackServer, text: str) -> None:
    """Have a long text said; the recipes' signs may take it for prompt boxes, so the picture's rest is waited for."""
    since = len(server.log)
    terminal.paste(text)
    settle(terminal, 20)
    terminal.press("Enter")
    server.wait_for(lambda entry: text.splitlines()[-1] in entry["prompt"] and entry["ended"], TURN_S, since)
    settle(terminal, 30)


def settle(terminal: Terminal, looks: int = 6) -> None:
    """Let the picture come to rest; one that never does (a status line that blinks) is as good."""
    with contextlib.suppress(TimeoutError):
        terminal.wait_still(SETTLE_S, looks)


def leave(agent: Agent, terminal: Terminal) -> None:
    """Quit without a look at the screen, which may be full of prompt boxes."""
    terminal.paste(agent.recipe.quit)
    settle(terminal)
    deadline = time.monotonic() + TURN_S
    while not terminal.ended() and time.monotonic() < deadline:
        terminal.press("Enter")
        with contextlib.suppress(TimeoutError):
            terminal.wait("ended", terminal.ended, LEAVE_S)


def silence(agent: Agent, terminal: Terminal, server: LoopbackServer, shot: Callable[[str], None]) -> None:
    """A model that says nothing: busy all the same, a prompt queued behind it, then interrupted."""
    since = len(server.log)
    agent.ask(terminal, "stall")
    server.wait_for(lambda entry: entry["answer"] == "stall", TURN_S, since)
    terminal.wait("busy", lambda: agent.busy(terminal), TURN_S)
    shot("busy-silent")
    if agent.recipe.name != "codex":  # which hands it to the running turn at once
        terminal.paste("echo next")
        terminal.wait_screen(r"^\W{1,8}echo next", TURN_S)
        settle(terminal)
        terminal.press("Enter")
        terminal.wait_screen(r"Queued", TURN_S)
        shot("queued")
    terminal.press("Escape")
    server.wait_for(lambda entry: entry["answer"] == "stall" and entry["ended"], TURN_S, since)
    agent.wait_ready(terminal, TURN_S)
    settle(terminal)
    agent.clear(terminal)
    agent.ask(terminal, "stall")
    terminal.wait("busy", lambda: agent.busy(terminal), TURN_S)
    terminal.press("Escape")
    terminal.wait("idle", lambda: not agent.busy(terminal), TURN_S)
    settle(terminal)
    shot("interrupted-silent")
    agent.clear(terminal)


class Question(NamedTuple):
    """A dialog, how to bring it up, and what then stands on the screen."""

    situation: str
    shows: str
    spoil: Callable[[Agent], None]
    prompt: str = ""
    argv: Sequence[str] = ()
    ends: bool = False
    """The program leaves by itself."""


def ask_for(question: Question, agent: Agent, take: Take) -> None:
    """Start with a home that lacks something (and prompt), and take what that brings up."""
    question.spoil(agent)
    with agent.start(question.argv or None) as terminal:
        if question.prompt:
            agent.wait_ready(terminal)
            settle(terminal, 20)
            if question.prompt.startswith("/"):  # a program that is not quite up sends a command to its model
                agent.ask(terminal, "echo first")
                terminal.wait_screen(r"^\W+first$", TURN_S)
                agent.wait_ready(terminal)
                settle(terminal)
            terminal.paste(question.prompt)
            settle(terminal)
            submit(terminal, question.shows)
        if question.ends:
            # Its last words may be gone again: leaving the alternate screen can wipe them off.
            terminal.wait("ended", terminal.ended, START_S)
        else:
            terminal.wait_screen(question.shows, START_S)
        settle(terminal)
        take(question.situation, terminal)


def submit(terminal: Terminal, shows: str) -> None:
    """Enter, again only where nothing came of it: a second one would answer the question."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        terminal.press("Enter")
        with contextlib.suppress(TimeoutError):
            terminal.wait_screen(shows, 2 * LEAVE_S)
            return


def nothing(agent: Agent) -> None:
    """The home as it is."""


def edited(path: str, change: Callable[[JsonObject], None]) -> Callable[[Agent], None]:
    """A JSON file of the home, changed."""

    def spoil(agent: Agent) -> None:
        file = agent.home / path
        value: JsonObject = json.loads(file.read_text(encoding="utf-8"))
        change(value)
        file.write_text(json.dumps(value), encoding="utf-8")

    return spoil


def without(path: str, *keys: str) -> Callable[[Agent], None]:
    """Take one (nested) key out of a JSON file of the home."""

    def change(value: JsonObject) -> None:
        for key in keys[:-1]:
            value = value[key]
        del value[keys[-1]]

    return edited(path, change)


def replaced(path: str, pattern: str, new: str = "") -> Callable[[Agent], None]:
    """A text file of the home with every match replaced."""

    def spoil(agent: Agent) -> None:
        file = agent.home / path
        text = re.sub(pattern, new, file.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        file.write_text(text, encoding="utf-8")

    return spoil


def foreign_repository(agent: Agent) -> None:
    """A project that brings its own configuration and that nobody has trusted yet."""
    replaced("config.toml", r"^\[projects\..*?trusted\"\n")(agent)
    (agent.cwd / ".git").mkdir(exist_ok=True)
    (agent.cwd / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    (agent.cwd / ".git" / "objects").mkdir(exist_ok=True)
    (agent.cwd / ".git" / "refs").mkdir(exist_ok=True)
    (agent.cwd / ".codex").mkdir(exist_ok=True)
    (agent.cwd / ".codex" / "config.toml").write_text('model_reasoning_effort = "low"\n', encoding="utf-8")


def newer_version(agent: Agent) -> None:
    """Codex believes to have heard of a newer version of itself."""
    replaced("config.toml", r"check_for_update_on_startup = false", "check_for_update_on_startup = true")(agent)
    heard = {"latest_version": "9.0.0", "last_checked_at": datetime.now(UTC).isoformat().replace("+00:00", "Z")}
    (agent.home / "version.json").write_text(json.dumps(heard), encoding="utf-8")


def hooked(agent: Agent) -> None:
    """Codex finds a hook nobody has trusted."""
    hook = {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]}}
    (agent.home / "hooks.json").write_text(json.dumps(hook), encoding="utf-8")


def _asks_first(settings: JsonObject) -> None:
    settings["permissions"]["defaultMode"] = "default"


def _detects_loops(settings: JsonObject) -> None:
    settings["model"]["disableLoopDetection"] = False


CHOICE = {
    "questions": [
        {
            "question": "Which colour?",
            "header": "Colour",
            "multiSelect": False,
            "options": [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}],
        }
    ]
}

ASKING_CONFIG = '"on-request"\nsandbox_mode = "read-only"'
ESCALATED = {"cmd": "touch x", "sandbox_permissions": "require_escalated", "justification": "May I?"}

QUESTIONS: dict[str, list[Question]] = {
    "claude": [
        Question("dialog-trust", r"trust", without(".claude.json", "projects")),
        Question("dialog-api-key", r"Detected a custom API key", without(".claude.json", "customApiKeyResponses")),
        Question(
            "dialog-bypass", r"Bypass Permissions mode", without("settings.json", "skipDangerousModePermissionPrompt")
        ),
        Question("dialog-auto-mode", r"auto mode your default", without(".claude.json", "hasSeenAutoDefaultNudge")),
        Question("dialog-permission", r"Do you want to proceed", edited("settings.json", _asks_first), "shell touch x"),
        Question("dialog-question", r"Enter to select", nothing, f"tool AskUserQuestion {json.dumps(CHOICE)}"),
        Question("dialog-menu", r"Select model", nothing, "/model"),
        Question("dialog-theme", r"Choose the text style", without(".claude.json", "hasCompletedOnboarding")),
        Question("crashed", r"No conversation found", nothing, argv=("claude", "--continue"), ends=True),
    ],
    "codex": [
        Question("dialog-trust", r"Trust this folder", foreign_repository),
        Question("dialog-sign-in", r"Choose how you want", replaced("config.toml", r"^model_provider = .*?\n")),
        Question("dialog-update", r"Update available", newer_version),
        Question("dialog-model", r"Meet ", replaced("config.toml", "loopback-model", "gpt-5.5")),
        Question("dialog-hooks", r"Hooks need review", hooked),
        Question(
            "dialog-permission",
            r"Would you like to",
            replaced("config.toml", r'"never"\nsandbox_mode = "danger-full-access"', ASKING_CONFIG),
            f"tool exec_command {json.dumps(ESCALATED)}",
        ),
        Question("dialog-menu", r"Select Model", nothing, "/model"),
        Question(
            "crashed", r"Error loading configuration", replaced("config.toml", '"never"', '"untrusted"'), ends=True
        ),
    ],
    "gemini": [
        Question("dialog-trust", r"Do you trust", without(".gemini/settings.json", "security", "folderTrust")),
        Question("dialog-sign-in", r"How would you like", without(".gemini/settings.json", "security", "auth")),
        Question("dialog-permission", r"Allow execution", nothing, "shell touch x", ("gemini", "-m", "gemini-2.5-pro")),
        Question(
            "dialog-loop",
            r"A potential loop",
            edited(".gemini/settings.json", _detects_loops),
            "echo " + "the same words again and again. " * 60,
        ),
        Question("dialog-menu", r"Select Model", nothing, "/model"),
    ],
}
