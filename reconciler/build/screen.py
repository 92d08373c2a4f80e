"""Reading a screen by a table of signs; each provider brings the table, nobody brings code.

Where the prompt box is drawn, only the signs of work are asked: an agent may have written anything above it, also the
words of a dialog. Without the box the order is crash, question, work, start-up. A screen no sign matches is unknown,
never ready.
"""

import re

from reconciler.build.helper import HEADLESS_READY
from reconciler.model.tuples import NamedTuple
from reconciler.ports.provider import ScreenState
from reconciler.ports.tmux import Screen


class Signs(NamedTuple):
    """Regular expressions, multi-line, over what the screen shows and over the window title; "" looks for nothing."""

    box: str
    """Screen: the prompt box is drawn."""
    idle_title: str = ""
    busy_screen: str = ""
    busy_title: str = ""
    asking: tuple[str, ...] = ()
    """Screen: dialogs that wait for an operator."""
    asking_title: str = ""
    crashed: tuple[str, ...] = ()
    starting: tuple[str, ...] = ()


def read(signs: Signs, screen: Screen) -> ScreenState:
    """The state of one captured screen."""
    text, title = screen.text, screen.title
    busy = _shows(signs.busy_screen, text) or _shows(signs.busy_title, title)
    if _shows(signs.box, text) and (busy or not signs.idle_title or _shows(signs.idle_title, title)):
        return ScreenState.BUSY if busy else ScreenState.IDLE
    if any(_shows(sign, text) for sign in signs.crashed):
        return ScreenState.CRASHED
    if any(_shows(sign, text) for sign in signs.asking) or _shows(signs.asking_title, title):
        return ScreenState.ASKING
    if busy:
        return ScreenState.BUSY
    if any(line.startswith(HEADLESS_READY) for line in text.splitlines()):
        return ScreenState.IDLE
    if not text.strip() or any(_shows(sign, text) for sign in signs.starting):
        return ScreenState.STARTING
    return ScreenState.UNKNOWN


def _shows(sign: str, text: str) -> bool:
    return bool(sign) and re.search(sign, text, re.MULTILINE) is not None
