"""How often a watch has put something right unasked, and what follows from that. Pure; times are arguments.

A program that ends by itself is started again after ever longer pauses (R §11, CrashLoop). Everything else that has to
be put right more than three times in ten minutes is somebody else's doing: it is reported and left alone (R-DRF-4).
Another time than those ten minutes, and a shortest time between two repairs, can be declared.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from reconciler.engine import retry
from reconciler.model.action import Action, Code
from reconciler.model.errors import ErrorClass
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import at_path
from reconciler.model.tuples import NamedTuple

LIMIT = 3
WITHIN = timedelta(minutes=10)
"""More than `LIMIT` times within this is a fight; a program that ran for longer than this starts afresh."""


class Verdict(NamedTuple):
    """What to do about something that drifted: heal it now, or at `until`, or not at all (`fight`)."""

    until: datetime | None = None
    fight: int = 0
    """How often it was put right already, where that is too often."""
    exits: bool = False
    """Whether it waits because it keeps ending by itself."""


NOW = Verdict()


class Guard(NamedTuple):
    """What one resource says of its repairs."""

    within: timedelta = WITHIN
    interval: timedelta = timedelta(0)

    @property
    def memory(self) -> timedelta:
        """How long a repair has to be remembered."""
        return 2 * max(self.within, self.interval, WITHIN)


PLAIN = Guard()


def guard_of(spec: Json) -> Guard:
    """`drift.window` and `drift.interval` of a spec, over what holds without them."""
    window, interval = at_path(spec, "drift.window"), at_path(spec, "drift.interval")
    return Guard(
        timedelta(milliseconds=window) if isinstance(window, int) else WITHIN,
        timedelta(milliseconds=interval) if isinstance(interval, int) else timedelta(0),
    )


class Heals:
    """When what was put right; told apart by resource and by what was wrong with it."""

    __slots__ = ("_memory", "_times")

    def __init__(self, recorded: Json = None) -> None:
        self._times: dict[str, list[datetime]] = {}
        self._memory: dict[str, timedelta] = {}
        for key, kept in recorded.items() if isinstance(recorded, dict) else ():
            times = kept
            if isinstance(kept, dict):
                times, seconds = kept.get("times"), kept.get("memory")
                self._memory[key] = timedelta(seconds=seconds) if isinstance(seconds, int) else PLAIN.memory
            if isinstance(times, list):
                self._times[key] = [datetime.fromisoformat(time) for time in times if isinstance(time, str)]

    def verdict(self, action: Action, uid: Uid, now: datetime, guard: Guard = PLAIN) -> Verdict:
        """About one action that is nothing but a repair."""
        times = self._times.get(key_of(action), [])
        if not times:
            return NOW
        if _exited(action):
            pause = timedelta(seconds=retry.delay_s(uid, len(times), ErrorClass.CRASH_LOOP, retry.Policy()))
            pause = timedelta(0) if now - times[-1] > WITHIN + pause else pause
            exits = pause > guard.interval
            pause = max(pause, guard.interval)
            return NOW if now >= times[-1] + pause else Verdict(until=times[-1] + pause, exits=exits)
        lately = [time for time in times if now - time < guard.within]
        if len(lately) >= LIMIT:
            return Verdict(until=lately[-LIMIT] + guard.within, fight=len(lately))
        return NOW if now >= times[-1] + guard.interval else Verdict(until=times[-1] + guard.interval)

    def note(self, action: Action, now: datetime, guard: Guard = PLAIN) -> None:
        """It was put right."""
        key = key_of(action)
        times = self._times.setdefault(key, [])
        if times and now - times[-1] > guard.memory:
            times.clear()
        times.append(now)
        del times[:-20]
        if guard.memory == PLAIN.memory:
            self._memory.pop(key, None)
        else:
            self._memory[key] = guard.memory

    def forget(self, refs: Iterable[Ref]) -> None:
        """Somebody asked for another try."""
        named = tuple(f"{ref}|" for ref in refs)
        self._times = {key: times for key, times in self._times.items() if not key.startswith(named)}

    def to_json(self, now: datetime) -> JsonMap:
        """What a later watch has to know; what is too old to matter is left out."""
        out: JsonMap = {}
        for key, times in sorted(self._times.items()):
            memory = self._memory.get(key)
            if not times or now - times[-1] > (memory or PLAIN.memory):
                continue
            told: list[Json] = [time.isoformat() for time in times]
            out[key] = told if memory is None else {"memory": int(memory.total_seconds()), "times": told}
        return out


def key_of(action: Action) -> str:
    """The resource, and what was wrong: reasons and the paths they name."""
    words = sorted({*(reason.code.value for reason in action.reasons), *_paths(action)})
    return f"{action.ref}|{'+'.join(words)}"


def _paths(action: Action) -> Iterable[str]:
    return (path for reason in action.reasons for path in reason.paths)


def _exited(action: Action) -> bool:
    return any(reason.code is Code.PROVIDER_EXITED for reason in action.reasons)
