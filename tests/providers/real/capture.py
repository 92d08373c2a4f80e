"""Record what each CLI shows in the situations a driver must tell apart, for the tests that need no vendor program.

    python -m tests.providers.real.capture [claude codex gemini] [--only PART]

writes tests/providers/<cli>/screens/<situation>.txt and titles.json beside them. What each screen is expected to read
as stands in readings.json, which people write: no program may agree with itself. The folder of the run is replaced by
/home/user, padded where the line had room, so columns stay where they were.
"""

from __future__ import annotations

import argparse
import getpass
import json
import re
import socket
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.loopback.install import bin_dir, cache_prefix, lacking
from tests.loopback.server import LoopbackServer
from tests.providers.real.agent import Agent
from tests.providers.real.recipes import RECIPES
from tests.providers.real.situations import QUESTIONS, SIZES, ask_for, conversation
from tests.providers.real.terminal import Terminal

PROVIDERS = Path(__file__).parents[1]
ROLE = "You are a careful reviewer. role-mark:alpha-7"
NEUTRAL = "/home/user"


class Album:
    """The screens of one CLI, masked, by situation."""

    def __init__(self, name: str) -> None:
        self.folder = PROVIDERS / name / "screens"
        self.root = ""
        self.titles: dict[str, str] = {}
        if (self.folder / "titles.json").exists():
            self.titles = json.loads((self.folder / "titles.json").read_text(encoding="utf-8"))

    def take(self, situation: str, terminal: Terminal) -> None:
        screen, title = terminal.look()
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{situation}.txt").write_text(masked(screen, self.root), encoding="utf-8")
        self.titles[situation] = masked_title(title, self.root)
        titles = json.dumps(self.titles, ensure_ascii=False, indent=2, sort_keys=True)
        (self.folder / "titles.json").write_text(titles + "\n", encoding="utf-8")
        print(f"{self.folder.parent.name}: {situation}", flush=True)


def masked(text: str, root: str) -> str:
    """Nothing of the machine: its paths, its name, its user, and ids of conversations."""
    room = len(root) - len(NEUTRAL)
    padded = re.compile(re.escape(root) + r"(\S*)(?= {3})")
    text = padded.sub(lambda found: NEUTRAL + found.group(1) + " " * room, text)
    text = text.replace(root, NEUTRAL)
    text = re.sub(rf"\b{re.escape(getpass.getuser())}@", "user@", text)
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "00000000-0000-4000-8000-000000000000", text)


def masked_title(title: str, root: str) -> str:
    """Until a program sets a title, tmux shows the name of the machine."""
    title = masked(title, root).rstrip()
    return "" if title == socket.gethostname() else title


def record(name: str, only: str = "") -> bool:
    """Every situation of one CLI, or one part of them; whether all of it worked."""
    whole = True
    with tempfile.TemporaryDirectory(prefix="houmao-capture-", ignore_cleanup_errors=True) as folder:
        # Short and without a word of its own: a narrow terminal may break the path where no mask finds it.
        root = Path(folder).resolve()
        album = Album(name)
        with LoopbackServer() as server:

            def fresh(part: str) -> Agent:
                album.root = str(root / part / "user")
                return Agent(RECIPES[name], root / part / "user", bin_dir(cache_prefix()), server.url, ROLE)

            for part, bring_about in {
                **{suffix or "-110": partial(conversation, suffix=suffix, server=server) for suffix in SIZES},
                **{question.situation: partial(ask_for, question) for question in QUESTIONS[name]},
            }.items():
                if only in ("", part):
                    try:
                        bring_about(agent=fresh(part), take=album.take)
                    except TimeoutError as error:
                        print(f"{name}: {part} was not seen to its end: {error}", file=sys.stderr, flush=True)
                        whole = False
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.providers.real.capture")
    parser.add_argument("names", nargs="*", default=sorted(RECIPES), metavar="cli")
    parser.add_argument("--only", default="", metavar="PART", help="-110, -80, -200, or a dialog")
    said = parser.parse_args(argv)
    reason = lacking(cache_prefix())
    if reason is not None:
        print(f"capture: {reason}", file=sys.stderr)
        return 1
    whole = [record(name, said.only) for name in said.names]
    return 0 if all(whole) else 1


if __name__ == "__main__":
    raise SystemExit(main())
