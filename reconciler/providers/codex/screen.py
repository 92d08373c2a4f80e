"""What Codex's screen says. Its working line disappears while an answer streams; the spinner in its title does not."""

from reconciler.build import screen as table
from reconciler.ports.provider import ScreenState
from reconciler.ports.tmux import Screen

SIGNS = table.Signs(
    # Menus use the glyph too: the placeholder is what tells.
    box=r"^› Ask Codex to do anything",
    busy_screen=r"^• Working \(.*esc to interrupt\)",
    busy_title=r"^[⠀-⣿] ",
    asking=(
        r"Choose how you want to use Codex|Sign in with ChatGPT",
        r"Trust this folder\?",
        r"^\s*(?:› \d\. )?Try new model|Meet .+\n(?:.*\n)*.*Try new model",
        r"Hooks need review",
        r"Would you like to run the following command\?|Would you like to make the following edits\?",
    ),
    crashed=(r"^Error: ", r"^error: unexpected argument"),
)


def read(screen: Screen) -> ScreenState:
    """The state of one captured screen."""
    return table.read(SIGNS, screen)
