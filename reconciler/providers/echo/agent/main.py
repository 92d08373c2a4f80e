"""From arguments to one of the two faces.

Flow: arguments -> `Home` (config, role, behaviour) -> `Conversation` -> `headless` or `Terminal`. Both faces take a
turn from `Agent.answer`, so a prompt means the same in either. Output holds no clock and nothing random but the
conversation id.
"""

from __future__ import annotations

import os
import signal

from .answer import Agent
from .conversation import Conversation
from .home import SIGNALS, Home, SetupError

TYPE_CHECKING = False  # the name type checkers know, without importing typing
if TYPE_CHECKING:
    from types import FrameType

VERSION = "echo-agent 1.0.0"
USAGE = "usage: echo-agent [--version] [--model M] [--resume latest|ID] [--headless PROMPT]"
FLAGS = ("--model", "--resume", "--headless")


def main(arguments: list[str]) -> int:
    """Run the agent; returns its exit code: 0, 1 for a failed or refused run, 2 for wrong arguments or home."""
    try:
        flags = parsed(arguments)
        if flags is None:
            os.write(1, f"{VERSION}\n".encode())
            return 0
        return run(flags)
    except SetupError as error:
        os.write(2, f"echo-agent: {error}\n".encode(errors="replace"))
        return 2
    except BrokenPipeError:
        return 1


def parsed(arguments: list[str]) -> dict[str, str] | None:
    """Flags and their values; None when only the version is asked for."""
    flags: dict[str, str] = {}
    rest = iter(arguments)
    for flag in rest:
        if flag == "--version":
            return None
        if flag not in FLAGS:
            raise SetupError(f"unknown argument {flag!r}\n{USAGE}")
        value = next(rest, "").strip()
        if not value:
            raise SetupError(f"{flag} needs a value\n{USAGE}")
        flags[flag] = value
    return flags


def run(flags: dict[str, str]) -> int:
    """Read the home, obey what the script says about the start, and show one of the two faces."""
    home = Home()
    obey_signals(home.behaviour.ignored)
    if home.behaviour.crash_at_start is not None:
        return home.behaviour.crash_at_start
    prompt, resume = flags.get("--headless"), flags.get("--resume")
    if prompt is None and not (os.isatty(0) and os.isatty(1)):
        raise SetupError("stdin and stdout must be a terminal; use --headless PROMPT without one")
    if prompt is not None and not home.trusted:
        raise SetupError(f"{home.workdir} is not among trusted_workdirs, and headless there is nobody to ask")
    agent = Agent(home, Conversation(home.path, resume), flags.get("--model"))
    if prompt is not None:
        from .headless import headless

        return headless(agent, prompt)
    from .terminal import Terminal

    return Terminal(agent, resumed=resume is not None).run()


def obey_signals(ignored: frozenset[str]) -> None:
    """Ignore what the script says; leave on the others with 128 + number, through the code that tidies the terminal."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    for name, number in SIGNALS.items():
        signal.signal(number, signal.SIG_IGN if name in ignored else leave)
