"""How often a watch has put something right unasked, and what follows from that. Pure; times are arguments.

A program that ends by itself is started again after ever longer pauses (R §11, CrashLoop). Everything else that has to
be put right more than three times in ten minutes is somebody else's doing: it is reported and left alone (R-DRF-4).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from reconciler.engine import retry
from reconciler.model.action import Action, Code
from reconciler.model.errors import ErrorClass
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref, Uid
from reconciler.model.tuples import NamedTuple

LIMIT = 3
WITHIN = timedelta(minutes=10)
"""More than `LIMIT` times within this is a fight; a program that ran for longer than this starts afresh."""


class Verdict(NamedTuple):
    """What to do about something that drifted: heal it now, or at `until`, or not at all (`fight`)."""

    until: datetime | None = None
    fight: int = 0
    """How often it was put right already, where that is too often."""


NOW = Verdict()


class Heals:
    """When what was put right; told apart by resource and by what was wrong with it."""

    __slots__ = ("_times",)

    def __init__(self, recorded: Json = None) -> None:
        self._times: dict[str, list[datetime]] = {}
        for key, times in recorded.items() if isinstance(recorded, dict) else ():
            if isinstance(times, list):
                self._times[key] = [datetime.fromisoformat(time) for time in times if isinstance(time, str)]

    def verdict(self, action: Action, uid: Uid, now: datetime) -> Verdict:
        """About one action that is nothing but a repair."""
        times = self._times.get(key_of(action), [])
        if not times:
            return NOW
        if _exited(action):
            pause = timedelta(seconds=retry.delay_s(uid, len(times), ErrorClass.CRASH_LOOP, retry.Policy()))
            if now - times[-1] > WITHIN + pause:
                return NOW
            return NOW if now >= times[-1] + pause else Verdict(until=times[-1] + pause)
        lately = [time for time in times if now - time < WITHIN]
        if len(lately) < LIMIT:
            return NOW
        return Verdict(until=lately[-LIMIT] + WITHIN, fight=len(lately))

    def note(self, action: Action, now: datetime) -> None:
        """It was put right."""
        times = self._times.setdefault(key_of(action), [])
        if times and now - times[-1] > 2 * WITHIN:
            times.clear()
        times.append(now)
        del times[:-20]

    def forget(self, refs: Iterable[Ref]) -> None:
        """Somebody asked for another try."""
        named = tuple(f"{ref}|" for ref in refs)
        self._times = {key: times for key, times in self._times.items() if not key.startswith(named)}

    def to_json(self, now: datetime) -> JsonMap:
        """What a later watch has to know; what is too old to matter is left out."""
        return {
            key: [time.isoformat() for time in times]
            for key, times in sorted(self._times.items())
            if now - times[-1] <= 2 * WITHIN
        }


def key_of(action: Action) -> str:
    """The resource, and what was wrong: reasons and the paths they name."""
    words = sorted({*(reason.code.value for reason in action.reasons), *_paths(action)})
    return f"{action.ref}|{'+'.join(words)}"


def _paths(action: Action) -> Iterable[str]:
    return (path for reason in action.reasons for path in reason.paths)


def _exited(action: Action) -> bool:
    return any(reason.code is Code.PROVIDER_EXITED for reason in action.reasons)
