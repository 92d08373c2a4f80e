"""`--events`: what happens during a run as JSON lines (R §18). Numbers are gap-free, the last line is the summary."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from io import FileIO
from threading import Lock

from reconciler.cli.grammar import Usage
from reconciler.model.json import JsonMap

VERSION = 1


class Events:
    """One stream. `where` is `-`, `fd:N` or a file, which is replaced; threads may write at the same time."""

    __slots__ = ("_now", "_out", "_owned", "_run", "_seq", "_taken")

    def __init__(self, where: str, now: Callable[[], datetime]) -> None:
        self._out, self._owned = _opened(where)
        self._now = now
        self._run: str | None = None
        self._seq = 0
        self._taken = Lock()

    def emit(self, kind: str, fields: JsonMap) -> None:
        """One whole line, written at once: a crash can damage no line but the last."""
        import json

        from reconciler.cli.json_text import harmless

        with self._taken:
            if kind == "run_start" and isinstance(run := fields.get("run"), str):
                self._run = run
            self._seq += 1
            stamp = self._now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            line: JsonMap = {"v": VERSION, "ts": stamp, "run": self._run, "seq": self._seq, "type": kind, **fields}
            data = (harmless(json.dumps(line, ensure_ascii=False, separators=(",", ":"))) + "\n").encode()
            while data:
                data = data[os.write(self._out, data) :]

    def summary(self, exit_code: int, fields: JsonMap) -> None:
        """The last line."""
        self.emit("summary", {"exit_code": exit_code, **fields})
        if self._owned is not None:
            self._owned.close()


def _opened(where: str) -> tuple[int, FileIO | None]:
    if where == "-":
        return 1, None
    if where.startswith("fd:"):
        number = where.removeprefix("fd:")
        if not number.isdecimal():
            raise Usage(f"--events cannot write to {where!r}", "write a file name, - or fd:3")
        try:
            os.write(int(number), b"")
        except OSError as error:
            raise Usage(f"--events cannot write to {where!r}: {error.strerror}") from error
        return int(number), None
    try:
        found = FileIO(where, "w")
    except OSError as error:
        raise Usage(f"--events cannot write to {where!r}: {error.strerror}") from error
    return found.fileno(), found
