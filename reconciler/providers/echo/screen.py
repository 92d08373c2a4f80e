"""What echo's screen says: the title names the state, and the last row must agree with it."""

from reconciler.build import screen as table
from reconciler.ports.provider import ScreenState
from reconciler.ports.tmux import Screen

SIGNS = table.Signs(
    box=r"^echo>(?: .*)?\s*\Z",
    idle_title=r"^echo: ready$",
    busy_screen=r"^… working \(esc to interrupt\).*\s*\Z",
    busy_title=r"^echo: busy$",
    asking=(r"^Do you trust this folder\? \(y/N\).*\s*\Z",),
    asking_title=r"^echo: asking$",
    crashed=(r"^echo-agent: ",),
)


def read(screen: Screen) -> ScreenState:
    """The state of one captured screen."""
    return table.read(SIGNS, screen)
