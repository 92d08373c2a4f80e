"""The turns of a headless agent as they happen, for its pane: told by the files of a turn, and by nothing else.

Whoever submits a turn need not be there to show it, and what was over before the pane was opened is not shown again.
"""

from collections.abc import Iterator

from reconciler.build import turn
from reconciler.model.json import JsonMap
from reconciler.model.tuples import NamedTuple
from reconciler.ports.clock import Clock
from reconciler.ports.files import FileMissing, FilesReader, Stamp
from reconciler.ports.provider import Provider

POLL_S = 0.25


class Begun(NamedTuple):
    """A turn began."""

    turn_id: str


class Happened(NamedTuple):
    """One event of a turn, in the keys of all providers."""

    turn_id: str
    event: JsonMap


class Over(NamedTuple):
    """A turn is over, with the status its program left with."""

    turn_id: str
    code: int


Told = Begun | Happened | Over


class Turns:
    """The turns below one session root that were not over at `since`, in seconds; each look tells what is new."""

    __slots__ = ("_clock", "_files", "_folder", "_over", "_provider", "_running", "_seen")

    def __init__(self, files: FilesReader, clock: Clock, provider: Provider, root: str, since: int) -> None:
        self._files, self._clock, self._provider = files, clock, provider
        self._folder = f"{root}/{turn.ARTIFACTS}"
        self._running: dict[str, int] = {}
        self._seen: dict[str, Stamp] = {}
        self._over = {name for name in self._names() if self._ended_before(name, since)}

    def look(self) -> Iterator[Told]:
        """What happened since the last look."""
        for name in self._names():
            if name in self._over:
                continue
            if name not in self._running:
                self._running[name] = 0
                yield Begun(name)
            code = self._code(name)  # looked at first: what was written before it is read below
            yield from self._fresh(name)
            if code is not None:
                self._over.add(name)
                del self._running[name]
                yield Over(name, code)

    def follow(self) -> Iterator[Told]:
        """For ever."""
        while True:
            yield from self.look()
            self._clock.sleep(POLL_S)

    def _fresh(self, name: str) -> Iterator[Told]:
        path = f"{self._folder}/{name}/{turn.STDOUT}"
        stamp = self._files.stamp(path)
        if stamp is None or stamp == self._seen.get(name):
            return
        self._seen[name] = stamp
        at_utc = self._clock.now_utc().isoformat(timespec="seconds")
        number = int(name.rpartition("-")[2]) if name.rpartition("-")[2].isdecimal() else 0
        events = turn.canonical(self._provider, self._files.read(path), number=number, at_utc=at_utc)
        for event in events[self._running[name] :]:
            yield Happened(name, event)
        self._running[name] = max(len(events), self._running[name])

    def _names(self) -> list[str]:
        if self._files.stamp(self._folder) is None:
            return []
        return [name.rstrip("/") for name in self._files.names(self._folder) if name.endswith("/")]

    def _ended_before(self, name: str, since: int) -> bool:
        stamp = self._files.stamp(f"{self._folder}/{name}/{turn.EXITCODE}")
        return stamp is not None and stamp.mtime_ns < since * 10**9

    def _code(self, name: str) -> int | None:
        try:
            text = self._files.read(f"{self._folder}/{name}/{turn.EXITCODE}").decode(errors="replace").strip()
        except FileMissing:
            return None
        return int(text) if text.isdecimal() else -1
