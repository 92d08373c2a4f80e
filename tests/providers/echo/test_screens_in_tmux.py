"""The echo agent in a real tmux, in every situation of its corpus: today's screens read as the recorded ones.

python -m tests.providers.echo.test_screens_in_tmux     records the corpus anew
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.ports.tmux import Screen
from reconciler.providers.echo.screen import read
from tests.providers.corpus import HERE, readings, said_of
from tests.providers.echo.conftest import PROGRAM
from tests.providers.real.capture import NEUTRAL
from tests.providers.real.terminal import Terminal

pytestmark = pytest.mark.tmux
DEADLINE_S = 30.0
SIZES = {"": (110, 36), "-80": (80, 24), "-200": (200, 50)}
QUOTE = "● Quoted:\necho>\n✓ done\n… working (esc to interrupt)\nDo you trust this folder? (y/N)\necho>"
Take = Callable[[str, Terminal], None]


def start(root: Path, size: tuple[int, int], **config: object) -> Terminal:
    """The agent in a home of its own, on a private tmux server."""
    home, work = root / "home", root / "work"
    for folder in (home, work):
        folder.mkdir(parents=True, exist_ok=True)
    (home / "config.json").write_text(json.dumps({"version": 1, **config}), encoding="utf-8")
    env = {"PATH": os.defpath, "LANG": "C.UTF-8", "ECHO_HOME": str(home), "TMPDIR": str(root)}
    return Terminal((sys.executable, "-S", "-E", str(PROGRAM)), env, work, size)


def conversation(root: Path, take: Take, suffix: str) -> None:
    """From start to end."""
    with start(root, SIZES[suffix], approval="never") as terminal:

        def shot(situation: str, title: str, shows: str) -> None:
            def there() -> bool:
                screen, found = terminal.look()
                return found == title and shows in screen

            terminal.wait(f"{situation}: {title}, {shows!r}", there, DEADLINE_S)
            take(situation + suffix, terminal)

        shot("ready", "echo: ready", "echo>")
        terminal.paste("typed words")
        shot("typed", "echo: ready", "echo> typed words")
        terminal.press("C-u")
        terminal.paste("你好世界 👩‍💻 " + "wide words " * 30)
        shot("typed-wide", "echo: ready", "wide words")
        terminal.press("C-u")
        terminal.paste("first line\nsecond line")
        shot("typed-lines", "echo: ready", "first line⏎second line")
        terminal.press("Enter")
        shot("done", "echo: ready", "✓ done")
        terminal.paste(QUOTE)
        terminal.press("Enter")
        shot("quoting", "echo: ready", "● ● Quoted:")
        terminal.paste("fail over")
        terminal.press("Enter")
        shot("error", "echo: ready", "error: over")
        terminal.paste("stall")
        terminal.press("Enter")
        shot("busy", "echo: busy", "… working")
        terminal.paste("next")
        shot("busy-typed", "echo: busy", "…  next".replace("…", "(esc to interrupt)"))
        terminal.press("Enter")
        shot("queued", "echo: busy", "[1 queued]")
        terminal.paste("more")
        shot("queued-typed", "echo: busy", "[1 queued]  more")
        terminal.press("C-u")
        terminal.press("Escape")
        shot("interrupted-next", "echo: ready", "● next")
        terminal.paste("stall")
        terminal.press("Enter")
        terminal.wait_screen("● stall\n… working", DEADLINE_S)
        terminal.press("Escape")
        shot("interrupted", "echo: ready", "interrupted\necho>")
        terminal.paste("/exit")
        terminal.press("Enter")
        terminal.wait("ended", terminal.ended, DEADLINE_S)
        take("left" + suffix, terminal)


def dialogs(root: Path, take: Take) -> None:
    """An untrusted folder, and a home that is no home."""
    with start(root / "asks", SIZES[""], approval="ask") as terminal:
        terminal.wait_screen("Do you trust", DEADLINE_S)
        terminal.wait("asking", lambda: terminal.title() == "echo: asking", DEADLINE_S)
        take("dialog-trust", terminal)
    with start(root / "broken", SIZES[""], version="none") as terminal:
        terminal.wait("ended", terminal.ended, DEADLINE_S)
        take("crashed", terminal)


def everything(root: Path, take: Take) -> None:
    """All of the corpus."""
    for suffix in SIZES:
        conversation(root / f"talk{suffix}", take, suffix)
    dialogs(root, take)


@pytest.mark.parametrize("suffix", SIZES)
def test_the_screens_of_today_read_as_the_recorded_ones(suffix: str, tmp_path: Path) -> None:
    seen = {}

    def take(situation: str, terminal: Terminal) -> None:
        screen, title = terminal.look()
        seen[situation] = said_of(read(Screen(screen, title)))

    conversation(tmp_path, take, suffix)
    left = seen.pop("left" + suffix)
    assert left["state"] in ("crashed", "unknown")  # tmux does not always say below the picture that the pane is dead
    recorded = readings("echo")
    assert seen == {situation: recorded[situation] for situation in seen}
    assert len(seen) == 13


def test_its_dialogs_read_as_the_recorded_ones(tmp_path: Path) -> None:
    seen = {}

    def take(situation: str, terminal: Terminal) -> None:
        screen, title = terminal.look()
        seen[situation] = said_of(read(Screen(screen, title)))

    dialogs(tmp_path, take)
    assert seen.pop("crashed")["state"] in ("crashed", "unknown")  # as above
    assert seen == {"dialog-trust": readings("echo")["dialog-trust"]}


def record() -> None:
    """Write the corpus."""
    folder = HERE / "echo" / "screens"
    folder.mkdir(exist_ok=True)
    titles: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as root:

        def take(situation: str, terminal: Terminal) -> None:
            screen, title = terminal.look()
            text = screen.replace(str(Path(root).resolve()), NEUTRAL)
            (folder / f"{situation}.txt").write_text(text, encoding="utf-8")
            titles[situation] = title if title.startswith("echo: ") else ""

        everything(Path(root).resolve(), take)
    text = json.dumps(titles, ensure_ascii=False, indent=2, sort_keys=True)
    (folder / "titles.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    record()
