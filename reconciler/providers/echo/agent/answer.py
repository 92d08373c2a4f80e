"""What a prompt is answered with, the same in a terminal and headless.

A turn is an iterator: text is a line to print, a number is seconds to wait. Whoever runs the turn does the waiting,
so the terminal can look at its keyboard meanwhile.
"""

from __future__ import annotations

import os
import signal
import time

from .conversation import Conversation
from .home import FOREVER, LONGEST_S, Home

TYPE_CHECKING = False  # the name type checkers know, without importing typing
if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASS", "CREDENTIAL", "AUTH", "PRIVATE", "COOKIE", "DSN")


class TurnFailed(Exception):
    """The turn ended with an error, which is its text."""


class Agent:
    """What both faces share: home, conversation, model, and what a prompt is answered with."""

    def __init__(self, home: Home, conversation: Conversation, model: str | None) -> None:
        self.home, self.behaviour, self.conversation = home, home.behaviour, conversation
        self.model = model or home.model
        self.turns_here = 0
        self.crash_at = time.monotonic() + self.behaviour.crash_seconds
        self.api_key = "set" if os.environ.get("ECHO_API_KEY") else "unset"

    def begin_anew(self) -> None:
        """Leave the conversation for a new one. Raises SetupError."""
        self.conversation = Conversation(self.home.path, None)

    def wait(self, seconds: float) -> None:
        """Sleep while nothing else is to be watched; the scripted crash comes even then."""
        end = time.monotonic() + seconds
        if self.crash_at < FOREVER and self.crash_at <= end:
            time.sleep(max(0.0, self.crash_at - time.monotonic()))
            raise SystemExit(self.behaviour.crash_code)
        while seconds == FOREVER:
            signal.pause()
        time.sleep(seconds)

    def start(self) -> None:
        """Do what the script wants before the first prompt."""
        if self.behaviour.hang:
            self.wait(FOREVER)
        self.wait(self.behaviour.start_delay)

    def answer(self, prompt: str) -> Iterator[str | float]:
        """Yield the answer: text is a line to print, a number is seconds to wait. Raises TurnFailed, SystemExit."""
        before = self.conversation.turns
        try:
            self.conversation.record(prompt)
        except OSError as error:
            raise TurnFailed(f"cannot record the prompt: {error.strerror}") from None
        yield self.behaviour.turn_delay
        word, _, rest = prompt.partition(" ")
        rest = rest.strip()
        match word:
            case "stall" if not rest:
                yield FOREVER
            case "slow" if (seconds := number(rest)) is not None:
                yield seconds
                yield f"waited {rest} s"
            case "lines" if rest.isdecimal() and len(rest) < 8:
                yield from (f"line {count}" for count in range(1, int(rest) + 1))
            case "fail":
                raise TurnFailed(rest or "failed")
            case "role" if not rest:
                yield self.home.role or "(no role)"
            case "history" if not rest:
                yield f"{before} turns"
            case "env" if rest and "\n" not in rest:
                yield shown(rest)
            case "crash" if not rest or (rest.isdecimal() and len(rest) < 4 and int(rest) < 256):
                raise SystemExit(int(rest or 7))
            case _:
                yield prompt

    def finished(self) -> None:
        """Count a turn of this process, and crash when the script says that was the last."""
        self.turns_here += 1
        if self.turns_here >= self.behaviour.crash_turns:
            raise SystemExit(self.behaviour.crash_code)


def number(text: str) -> float | None:
    """Seconds from prompt text, or None when it is no such number."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds <= LONGEST_S else None


def shown(name: str) -> str:
    """An environment variable as it may be printed: one that looks secret, by name or as a URL with a login, never."""
    value = os.environ.get(name)
    if value is None:
        return "<unset>"
    secret = any(word in name.upper() for word in SECRET_WORDS) or ("://" in value and "@" in value)
    return "<set>" if secret else value
