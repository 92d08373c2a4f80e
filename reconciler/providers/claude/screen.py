"""What Claude Code's screen says. Its title stays the same through a turn and tells nothing."""

from reconciler.build import screen as table
from reconciler.ports.provider import ScreenState
from reconciler.ports.tmux import Screen

SIGNS = table.Signs(
    # Submitted prompts begin with the same glyph: only one right below a rule is the box.
    box=r"^─{20,}\n❯",
    busy_screen=r"esc to interrupt",
    asking=(
        r"Do you trust the files in this folder|Quick safety check|trust this folder",
        r"Detected a custom API key",
        r"Make auto mode your default",
        r"Choose the text style that looks best|Select login method",
        r"Do you want to proceed\?|Would you like to proceed\?",
        r"Bypass Permissions mode.*\n(?:.*\n)*.*Yes, I accept",
    ),
    crashed=(
        r"Unable to connect to Anthropic services",
        r"cannot be used with root/sudo",
        r"No conversation found to continue",
    ),
)


def read(screen: Screen) -> ScreenState:
    """The state of one captured screen."""
    return table.read(SIGNS, screen)
