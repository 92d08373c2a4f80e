"""What a watch looks at next, and when. Values and a clock; nothing here reads the world.

`Queue` holds what has to be looked at again: once each, by priority, some of it later. `Settling` says when a source
that is being saved may be compiled (R-WAT-3). A waker can only put a key into the queue: what is then done is decided
by looking, so a lost or a spurious one changes latency and nothing else (R-WAT-1).
"""

import hashlib
from enum import IntEnum

from reconciler.model.tuples import NamedTuple
from reconciler.ports.clock import Clock

TIMER_S = 60.0
JITTER = 0.1
NEAR_S = 0.020
"""Events on several files within this time are one burst; a file that stands still for as long is whole."""
QUIET_S = 0.100
"""A burst is over when nothing came for this long."""
LIMIT_S = 1.0
"""What is saved without an end is compiled as it stands after this."""


class Priority(IntEnum):
    """Who goes first (R-WAT-2)."""

    REQUEST = 0
    LIVENESS = 1
    SOURCE = 2
    TIMER = 3


class Key(NamedTuple):
    """Something to look at: `kind` is what it is, `name` which one."""

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" if self.name else self.kind


class _Entry(NamedTuple):
    """A queued key: how urgent, from when on, and who came first among equals."""

    priority: Priority
    due: float
    number: int


class Queue:
    """Keys to look at. Each is in it once, and worked on by one at a time.

    A key that is put in again keeps the higher priority and the earlier time. One that is put in while it is worked on
    comes back when that work is done.
    """

    __slots__ = ("_again", "_clock", "_count", "_entries", "_working", "waited_s")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._count = 0
        self._entries: dict[Key, _Entry] = {}
        self._working: set[Key] = set()
        self._again: dict[Key, tuple[Priority, float]] = {}
        self.waited_s = 0.0
        """How long what was taken last had been due."""

    def add(self, key: Key, priority: Priority, delay_s: float = 0.0) -> None:
        """Look at `key`, not before `delay_s` from now."""
        due = self._clock.monotonic() + max(0.0, delay_s)
        if key in self._working:
            before = self._again.get(key, (priority, due))
            self._again[key] = (min(priority, before[0]), min(due, before[1]))
            return
        self._put(key, priority, due)

    def take(self) -> Key | None:
        """The most urgent key whose time has come; `done` has to follow."""
        now = self._clock.monotonic()
        due = [
            (entry.priority, entry.due, entry.number, key) for key, entry in self._entries.items() if entry.due <= now
        ]
        if not due:
            return None
        _, since, _, key = min(due)
        self.waited_s = now - since
        del self._entries[key]
        self._working.add(key)
        return key

    def done(self, key: Key) -> None:
        """The work on `key` is over; it comes back if it was put in meanwhile."""
        self._working.discard(key)
        again = self._again.pop(key, None)
        if again is not None:
            self._put(key, *again)

    def drop(self, key: Key) -> None:
        """`key` need not be looked at any more."""
        self._entries.pop(key, None)
        self._again.pop(key, None)

    def due_in_s(self) -> float | None:
        """Seconds until something is due, 0 when it is already; None when nothing is queued."""
        if not self._entries:
            return None
        return max(0.0, min(entry.due for entry in self._entries.values()) - self._clock.monotonic())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def _put(self, key: Key, priority: Priority, due: float) -> None:
        before = self._entries.get(key)
        if before is None:
            self._count += 1
            self._entries[key] = _Entry(priority, due, self._count)
        else:
            self._entries[key] = _Entry(min(priority, before.priority), min(due, before.due), before.number)


class Settling:
    """When a source of which something was heard may be compiled.

    One file that was renamed into place, or closed by its writer, is whole: at once. One of which less is known has to
    stand still for a moment. Several files at a time, or a version control program at work: when all is quiet.
    """

    __slots__ = ("_burst", "_clock", "_first", "_last", "_path", "_whole")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._first: float | None = None
        self._last = float("-inf")
        self._path = ""
        self._whole = False
        self._burst = False

    @property
    def pending(self) -> bool:
        """Whether something was heard since the last compile began."""
        return self._first is not None

    def heard(self, path: str, *, whole: bool) -> None:
        """Something happened to `path`; `whole`: what stands there now is all that its writer had to say."""
        now = self._clock.monotonic()
        near = now - self._last <= NEAR_S
        # Also when the file before was compiled already: it was the first of many.
        self._burst = (self._burst and (near or self._first is not None)) or (near and path != self._path)
        if self._first is None:
            self._first = now
        self._last, self._path, self._whole = now, path, whole

    def ready_in_s(self, *, locked: bool) -> float | None:
        """Seconds until the compile may begin, 0 for now; None when there is nothing to compile.

        `locked`: a version control program is changing files.
        """
        if self._first is None:
            return None
        now = self._clock.monotonic()
        left = self._first + LIMIT_S - now
        if left <= 0:
            return 0.0
        if locked:
            return min(left, QUIET_S)
        if self._burst:
            still = QUIET_S
        elif self._whole:
            return 0.0
        else:
            still = NEAR_S
        return max(0.0, min(left, self._last + still - now))

    def begun(self) -> None:
        """A compile begins: it sees all that was heard so far."""
        self._first = None


def timer_s(seed: str, count: int, period_s: float = TIMER_S) -> float:
    """The `count`-th pause of the timer: `period_s`, a tenth more or less by a hash, so that watches spread."""
    fraction = int.from_bytes(hashlib.sha256(f"{seed}:{count}".encode()).digest()[:8], "big") / 2**64
    return period_s * (1 - JITTER + 2 * JITTER * fraction)
