"""The recorded screens are read as what they are; what an agent wrote above its prompt box is no dialog."""

import json
from pathlib import Path

import pytest

from reconciler.build.helper import HEADLESS_READY
from reconciler.ports.provider import ScreenState
from reconciler.ports.tmux import Screen
from reconciler.providers import discover

HERE = Path(__file__).parent
RECORDED = sorted(path for path in HERE.glob("*/screens/*.txt"))
STATES = {
    "busy": ScreenState.BUSY,
    "busy-silent": ScreenState.BUSY,
    "done": ScreenState.IDLE,
    "error": ScreenState.IDLE,
    "interrupted": ScreenState.IDLE,
    "ready": ScreenState.IDLE,
    "tool": ScreenState.IDLE,
}
DIALOGS = (
    "Do you trust the files in this folder?",
    "Trust this folder?",
    "Detected a custom API key",
    "How would you like to authenticate",
    "Sign in with ChatGPT",
)


def screen_of(path: Path) -> Screen:
    titles = json.loads((path.parent / "titles.json").read_text(encoding="utf-8"))
    return Screen(path.read_text(encoding="utf-8"), titles[path.stem])


def name_of(path: Path) -> str:
    return f"{path.parents[1].name}-{path.stem}"


@pytest.mark.parametrize("path", RECORDED, ids=name_of)
def test_a_recorded_screen_is_read(path: Path) -> None:
    provider = discover()[path.parents[1].name]
    wanted = ScreenState.ASKING if path.stem.startswith("dialog-") else STATES[path.stem]
    assert provider.screen(screen_of(path)) is wanted


@pytest.mark.parametrize("path", [path for path in RECORDED if path.stem in STATES], ids=name_of)
def test_an_agent_that_quotes_a_dialog_asks_nothing(path: Path) -> None:
    provider, screen = discover()[path.parents[1].name], screen_of(path)
    quoted = Screen("\n".join([*DIALOGS, screen.text]), screen.title)
    assert provider.screen(quoted) is STATES[path.stem]


ECHO = {
    ScreenState.IDLE: [("conversation 8fb2d7c9c9cb2a91\necho>\n\n\n", "echo: ready"), ("echo> typed\n", "echo: ready")],
    ScreenState.BUSY: [("● slow 3\nslow: 1\n… working (esc to interrupt)  [1 queued]\n\n", "echo: busy")],
    ScreenState.ASKING: [("This folder is not trusted: /w\nDo you trust this folder? (y/N)\n", "echo: asking")],
    ScreenState.CRASHED: [("echo-agent: ECHO_HOME is not set; it names the agent's home directory\n", "host")],
    ScreenState.UNKNOWN: [("echo>\nsome other program\n", "echo: ready"), ("echo>\n", "host")],
}


@pytest.mark.parametrize(("state", "text", "title"), [(s, *pair) for s, pairs in ECHO.items() for pair in pairs])
def test_the_screens_of_echo(state: ScreenState, text: str, title: str) -> None:
    assert discover()["echo"].screen(Screen(text, title)) is state


@pytest.mark.parametrize("name", ["claude", "codex", "echo", "gemini"])
def test_a_headless_agent_between_turns_is_idle(name: str) -> None:
    assert discover()[name].screen(Screen(f"{HEADLESS_READY}\n\n\n", "host")) is ScreenState.IDLE
