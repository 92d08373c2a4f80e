"""`events.jsonl` of a gateway: what happened, one JSON object a line.

No line holds what a prompt said or what a screen showed: ids, states and numbers alone.
"""

import threading

from reconciler.app.gateway.told import Told
from reconciler.model.json import JsonMap, canonical
from reconciler.ports.clock import Clock
from reconciler.ports.gateway import Log
from reconciler.ports.screen import utc_text


class Journal:
    """Writes what is told, in the background of whoever tells it."""

    def __init__(self, log: Log, clock: Clock, told: Told) -> None:
        self._log, self._clock = log, clock
        self._turn = threading.Lock()
        self._told = told
        self._seen = 0
        self._leave = told.listen(self._follow)

    def say(self, kind: str, body: JsonMap) -> None:
        """One line."""
        with self._turn:
            self._line(kind, body)

    def close(self) -> None:
        """No more lines."""
        self._leave()

    def _follow(self) -> None:
        with self._turn:
            for event in self._told.after(self._seen):
                self._seen = event.number
                self._line(event.kind, event.body)

    def _line(self, kind: str, body: JsonMap) -> None:
        self._log.line(canonical({"at_utc": utc_text(self._clock.now_utc()), "event": kind, **body}))
