"""The conversation: numbered prompts that survive the process, so that a later one can resume."""

from __future__ import annotations

import os

from .home import SetupError, read_object


def write_whole(path: str, text: str) -> None:
    """Replace a file in one step: a reader sees the old text or the new."""
    with open(f"{path}.{os.getpid()}.tmp", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(file.name, path)


class Conversation:
    """A numbered row of prompts: its count in `conversations/<id>.json`, every prompt in `history.jsonl`."""

    def __init__(self, home: str, resume: str | None) -> None:
        self.history, self.folder = os.path.join(home, "history.jsonl"), os.path.join(home, "conversations")
        self.id, self.turns = os.urandom(8).hex(), 0
        if resume is not None:
            self.id = self._latest() if resume == "latest" else resume
            path = self._path()
            if not self.id or self.id.strip("0123456789abcdef") or not os.path.isfile(path):
                raise SetupError(f"no conversation to resume: {resume}")
            turns = read_object(path).get("turns")
            if not isinstance(turns, int) or turns < 0:
                raise SetupError(f"{path}: turns must be a whole number")
            self.turns = turns
        try:
            os.makedirs(self.folder, exist_ok=True)
            self._save()
            write_whole(os.path.join(self.folder, "latest"), self.id + "\n")
        except OSError as error:
            raise SetupError(f"cannot write the conversation: {error}") from None

    def _path(self) -> str:
        return os.path.join(self.folder, f"{self.id}.json")

    def _latest(self) -> str:
        try:
            with open(os.path.join(self.folder, "latest"), encoding="utf-8") as file:
                return file.read().strip()
        except (OSError, ValueError):
            return ""

    def _save(self) -> None:
        write_whole(self._path(), f'{{"id": "{self.id}", "turns": {self.turns}}}\n')

    def record(self, prompt: str) -> None:
        """Count and append one prompt; the count goes first, so a number is never used twice. Raises OSError."""
        import json

        self.turns += 1
        self._save()
        line = json.dumps({"conversation": self.id, "turn": self.turns, "prompt": prompt}) + "\n"
        with open(self.history, "a", encoding="ascii") as file:
            file.write(line)
