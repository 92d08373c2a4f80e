"""The interactive face: a footer row that is always last, and everything else scrolling above it.

The footer is the prompt when idle (`echo> `, the sign of readiness), the working line when busy and the question when
asking. It takes exactly one row and is rewritten in place, so a screen never shows two states at once. The window
title says the same: `echo: ready`, `echo: busy`, `echo: asking`, and before the first footer `echo: starting`.
"""

from __future__ import annotations

import os
import select
import signal
import termios
import time

from .answer import Agent, TurnFailed
from .home import CONTROLS, FOREVER, SetupError
from .keys import Keys, Line

TYPE_CHECKING = False  # the name type checkers know, without importing typing
if TYPE_CHECKING:
    from collections.abc import Iterator

PROMPT = "echo> "
WORKING = "… working (esc to interrupt)"
ANEW = "/new"
QUESTION = "Do you trust this folder? (y/N) "
ESCAPE_WAIT_S = 0.05  # a lone ESC is the key only when no sequence follows within this time
LINES_PER_STEP = 64  # input is looked at between two such batches, so a long answer can be interrupted


class Terminal:
    """One agent on one terminal, from its first row to its last."""

    def __init__(self, agent: Agent, *, resumed: bool) -> None:
        self._agent, self._resumed = agent, resumed
        self._keys, self._line, self._queue = Keys(), Line(), list[str]()
        self._turn: Iterator[str | float] | None = None
        self._resume_at = 0.0  # monotonic seconds at which the turn goes on
        self._asking = False
        self._alive = True  # whether the terminal is still there
        self._title, self._said = "", ""

    def run(self) -> int:
        """Hold the conversation until it is left; the terminal gets its own settings back whatever happens."""
        before = termios.tcgetattr(0)
        try:
            self._raw()
            self._write("\x1b]0;echo: starting\x07")
            self._agent.start()
            self._write("\x1b[?2004h")
            return self._loop()
        finally:
            self._write(f"\r\x1b[K{self._said}\x1b[?2004l")
            try:
                termios.tcsetattr(0, termios.TCSANOW, before)
            except termios.error:  # the terminal is gone, and its settings with it
                pass

    def _raw(self) -> None:
        """Every key as it is pressed, none with a meaning to the terminal; output keeps its line ends."""
        mode = termios.tcgetattr(0)
        mode[0] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON | termios.ISTRIP)
        mode[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN)
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(0, termios.TCSANOW, mode)

    def _loop(self) -> int:
        wake = self._wake_on_signals()
        self._asking = not self._agent.home.trusted
        if self._asking:
            self._say(f"This folder is not trusted: {self._agent.home.workdir}")
        else:
            self._greet()
        flush_at = FOREVER
        while True:
            self._paint()
            now = time.monotonic()
            due = min(self._agent.crash_at, flush_at, self._resume_at if self._turn else FOREVER)
            ready = select.select([0, wake] if self._alive else [wake], [], [], timeout(due - now))[0]
            if time.monotonic() >= self._agent.crash_at:
                return self._agent.behaviour.crash_code
            if self._turn and time.monotonic() >= self._resume_at:
                self._step(self._turn)
            if wake in ready and signal.SIGINT in os.read(wake, 64) and not self._interrupt():
                return 128 + signal.SIGINT
            keys: list[tuple[str, str]] = []
            if 0 in ready:
                keys = self._keys.feed(self._read())
                flush_at = time.monotonic() + ESCAPE_WAIT_S if self._keys.half else FOREVER
            elif time.monotonic() >= flush_at:
                keys, flush_at = self._keys.flush(), FOREVER
            for key, text in keys:
                code = self._answer_question(key, text) if self._asking else self._press(key, text)
                if code is not None:
                    return code

    def _wake_on_signals(self) -> int:
        """From here on SIGINT is a key and a new window size repaints; both end a `select` through a pipe."""
        wake, end = os.pipe()
        os.set_blocking(end, False)
        signal.set_wakeup_fd(end, warn_on_full_buffer=False)
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGWINCH, lambda *_: None)
        return wake

    def _read(self) -> bytes:
        """What was typed; without a terminal there is nothing to do but leave, or live on when told to ignore HUP."""
        try:
            data = os.read(0, 65536)
        except OSError:
            data = b""
        if not data:
            self._alive = False
            if "HUP" not in self._agent.behaviour.ignored:
                raise SystemExit(128 + signal.SIGHUP)
        return data

    def _greet(self) -> None:
        agent, talk = self._agent, self._agent.conversation
        self._say(f"echo-agent · model {agent.model} · reasoning {agent.home.reasoning} · API key {agent.api_key}")
        if agent.behaviour.greeting:
            self._say(agent.behaviour.greeting)
        self._say(f"resumed {talk.id} ({talk.turns} turns)" if self._resumed else f"conversation {talk.id}")

    def _answer_question(self, key: str, text: str) -> int | None:
        """Only y goes on; no is also what Enter means."""
        if key in ("enter", "escape", "interrupt", "eof") or (key == "text" and text[0] in "nN"):
            self._say("not trusted")
            return 1
        if key == "text" and text[0] in "yY":
            self._asking = False
            self._greet()
        return None

    def _press(self, key: str, text: str) -> int | None:
        """One key outside the dialog; an exit code when it leaves."""
        match key:
            case "eof" if not self._line.text:
                return 0
            case "escape":
                self._interrupt()
            case "interrupt":
                if not self._interrupt():
                    self._line.take()
            case "enter":
                prompt = self._line.take()
                if prompt == "/exit":
                    return 0
                if prompt:
                    self._queue.append(prompt)
                    self._next()
            case _:
                self._line.edit(key, text)
        return None

    def _interrupt(self) -> bool:
        """Stop the running turn; False when none runs."""
        if not self._turn:
            return False
        self._end("interrupted")
        return True

    def _next(self) -> None:
        """Begin the next prompt of the queue, unless one is still being answered."""
        if self._turn or not self._queue:
            return
        prompt = self._queue.pop(0)
        if prompt == ANEW:
            self._anew()
            self._next()
            return
        self._turn, self._resume_at = self._agent.answer(prompt), 0.0
        self._say("● " + prompt.replace("\n", "\n  "))
        self._step(self._turn)  # as far as its first wait: a prompt shown is a prompt recorded

    def _anew(self) -> None:
        """A new conversation; where there can be none, the old one goes on."""
        try:
            self._agent.begin_anew()
        except SetupError as error:
            self._say(f"error: {error}")
            return
        self._say(f"conversation {self._agent.conversation.id}")

    def _step(self, turn: Iterator[str | float]) -> None:
        """Let the turn go on until it wants to wait, or until the keyboard deserves a look."""
        lines: list[str] = []
        end = ""
        try:
            while len(lines) < LINES_PER_STEP:
                part = next(turn)
                if isinstance(part, float):
                    self._resume_at = time.monotonic() + part
                    break
                lines.append(part)
        except StopIteration:
            end = "✓ done"
        except TurnFailed as error:
            end = f"error: {error}"
        if lines:
            self._say("\n".join(lines))
        if end:
            self._end(end)

    def _end(self, text: str) -> None:
        self._turn = None
        self._say(text)
        self._agent.finished()
        self._next()

    def _say(self, text: str) -> None:
        """Have text printed above the footer, together with it, before the next look at the keyboard."""
        self._said += text.translate(CONTROLS) + "\n"

    def _paint(self) -> None:
        state = "asking" if self._asking else "busy" if self._turn else "ready"
        title = "" if state == self._title else f"\x1b]0;echo: {state}\x07"
        self._title = state
        said, self._said = self._said, ""
        self._write(f"\r\x1b[K{said}{self._footer()}{title}")

    def _footer(self) -> str:
        """The last row; what is being typed scrolls sideways so that the cursor stays in view."""
        if self._asking:
            return row(QUESTION, "", "")
        line = self._line
        before, after = line.text[: line.at], line.text[line.at :]
        if not self._turn:
            return row(PROMPT, before, after)
        waiting = f"  [{len(self._queue)} queued]" if self._queue else ""
        return row(f"{WORKING}{waiting}  " if line.text else WORKING + waiting, before, after)

    def _write(self, text: str) -> None:
        data = text.encode(errors="replace")
        while data and self._alive:
            try:
                data = data[os.write(1, data) :]
            except OSError:  # nobody is looking any more; reading will tell what to do about it
                return


def timeout(seconds: float) -> float | None:
    """A wait as `select` wants it: None for ever."""
    return None if seconds == FOREVER else max(0.0, seconds)


def width(text: str) -> int:
    """Columns a text takes."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def row(label: str, before: str, after: str) -> str:
    """One row: a label and as much of the text around the cursor as fits beside it, the cursor left in its place."""
    try:
        columns = os.get_terminal_size(1).columns or 80
    except OSError:
        columns = 80
    room = columns - 1 - width(label)
    if room <= 0:
        return label[: columns - 1]
    before = before[-room:].replace("\n", "⏎").replace("\t", " ")
    after = after[:room].replace("\n", "⏎").replace("\t", " ")
    while width(before) > room:
        before = before[1:]
    while after and width(before) + width(after) > room:
        after = after[:-1]
    return f"{label}{before}{after}" + (f"\x1b[{width(after)}D" if after else "")
