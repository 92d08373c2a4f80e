"""Limits of the Project on launches: how many at a time, and how fast (R-GRA-6). Unset means none."""

from reconciler.model.action import Action


class Bucket:
    """A token bucket over a monotonic clock."""

    __slots__ = ("_at", "_left", "_per_second", "_room")

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._room = float(burst)
        self._left = float(burst)
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """One token, when there is one at `now`."""
        if self._at is not None:
            self._left = min(self._room, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def is_launch(action: Action) -> bool:
    """An action that starts a provider."""
    return "session_name" in action.post
