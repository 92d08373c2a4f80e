"""What Gemini's screen says. Start dialogs show the idle title too: only box and title together are readiness."""

from reconciler.build import screen as table
from reconciler.ports.provider import ScreenState
from reconciler.ports.tmux import Screen

SIGNS = table.Signs(
    box=r"^\s*[│|]?\s*[*>]\s+Type your message",
    idle_title=r"^◇  Ready",
    busy_screen=r"esc to cancel",
    busy_title=r"^✦  Working…",
    asking=(
        r"Do you trust the files in this folder|Do you trust this folder",
        r"How would you like to authenticate",
        r"A potential loop was detected",
        r"Apply this change\?|Allow execution of|Do you want to proceed\?",
    ),
    crashed=(r"An unexpected critical error occurred",),
    starting=(r"Waiting for MCP servers to initialize", r"Initializing\.\.\."),
)


def read(screen: Screen) -> ScreenState:
    """The state of one captured screen."""
    return table.read(SIGNS, screen)
