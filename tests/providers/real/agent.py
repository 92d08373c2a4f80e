"""A vendor CLI set up from its recipe in a folder of its own, started in a private terminal, driven by its signs."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.providers.real.recipes import COMMON_ENV, Recipe, rendered, substituted
from tests.providers.real.terminal import SIZE, Terminal

KEY = "loopback-made-up-key-0123456789"
START_S = 60.0
TURN_S = 60.0
AGAIN_S = 1.0
LEAVE_S = 5.0
CLEAR_S = 0.3
"""Before and after C-u; sooner, a CLI that still redraws loses the key."""


class Agent:
    """Home and working directory of one CLI; `start` gives a terminal that may be started again to resume."""

    def __init__(self, recipe: Recipe, root: Path, bin_dir: Path, url: str, role: str) -> None:
        self.recipe = recipe
        self.root = root.resolve()
        self.cwd = self.root / "project"
        self.bin_dir = bin_dir
        values = {
            "root": str(self.root),
            "cwd": str(self.cwd),
            "url": url,
            "key": KEY,
            "key_tail": KEY[-20:],
            "role": role,
        }
        self.home = Path(substituted(recipe.home, values))
        self.values = values | {"home": str(self.home)}
        for folder in (self.cwd, self.root / "home", self.root / "tmp", self.home):
            folder.mkdir(parents=True, exist_ok=True)
        self.write_home()

    def write_home(self) -> None:
        """Done once: the CLIs add to some of these files at run time, and a resumed start keeps what they added."""
        for path, text in rendered(self.recipe, self.values).items():
            target = self.home / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")

    def env(self) -> dict[str, str]:
        """The whole environment of the process, built from nothing."""
        node = shutil.which("node")
        paths = [str(self.bin_dir), *([str(Path(node).parent)] if node else []), "/usr/local/bin", "/usr/bin", "/bin"]
        wanted = {**COMMON_ENV, **self.recipe.env, **(self.recipe.root_env if os.geteuid() == 0 else {})}
        env = {name: substituted(value, self.values) for name, value in wanted.items()}
        return env | {self.recipe.home_env: str(self.home), "PATH": ":".join(dict.fromkeys(paths))}

    def start(self, argv: Sequence[str] | None = None, size: tuple[int, int] = SIZE) -> Terminal:
        words = tuple(argv or self.recipe.argv)
        return Terminal((str(self.bin_dir / words[0]), *words[1:]), self.env(), self.cwd, size)

    def busy(self, terminal: Terminal) -> bool:
        return self.recipe.signs.busy(*terminal.look())

    def ready(self, terminal: Terminal) -> bool:
        return self.recipe.signs.ready(*terminal.look())

    def wait_ready(self, terminal: Terminal, timeout_s: float = START_S) -> None:
        terminal.wait(f"{self.recipe.name} ready", lambda: self.ready(terminal), timeout_s)

    def ask(self, terminal: Terminal, text: str) -> None:
        """Submit one line and see it leave the box: a CLI that still resumes may swallow the first Enter."""
        terminal.paste(text)
        # Behind the glyph of the box: a footer may show a path with the same word in it.
        terminal.wait_screen(rf"^\W{{1,8}}{re.escape(text[:40])}", TURN_S)
        threading.Event().wait(self.recipe.submit_delay_s)
        deadline = time.monotonic() + TURN_S
        while not self._submitted(terminal):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{text!r} stayed in the box:\n{terminal.screen()}")

    def _submitted(self, terminal: Terminal) -> bool:
        """Press Enter, and look for a while whether the box is empty again, or the program busy or ended."""
        terminal.press("Enter")

        def gone() -> bool:
            screen, title = terminal.look()
            boxed = re.search(self.recipe.signs.box, screen, re.MULTILINE) is not None
            return boxed or self.recipe.signs.busy(screen, title) or terminal.ended()

        try:
            terminal.wait("empty again", gone, AGAIN_S)
        except TimeoutError:
            return False
        return True

    def leave(self, terminal: Terminal) -> None:
        """Quit, and once more where an idle box came back instead of an end (Gemini, rarely)."""
        deadline = time.monotonic() + TURN_S
        self.ask(terminal, self.recipe.quit)
        while not terminal.ended():
            try:
                terminal.wait(f"{self.recipe.name} ended", terminal.ended, LEAVE_S)
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise
                if self.ready(terminal):
                    self.ask(terminal, self.recipe.quit)

    def clear(self, terminal: Terminal) -> None:
        """Empty the prompt box: an interrupt may have put the prompt back into it."""
        pause = threading.Event()
        pause.wait(CLEAR_S)
        terminal.press("C-u")
        pause.wait(CLEAR_S)
