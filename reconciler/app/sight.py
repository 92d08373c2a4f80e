"""What a screen says, for whoever looks once: the provider's reading, and a digest to know the screen again by."""

from reconciler.ports.clock import Clock
from reconciler.ports.provider import Provider
from reconciler.ports.reading import Reading, digest_of
from reconciler.ports.tmux import Screen


def read(provider: Provider, screen: Screen) -> Reading:
    """One picture, read by its provider; what nobody knows is unknown, never ready."""
    return provider.reading(screen)


def sight(screen: Screen) -> str:
    """Equal for equal pictures."""
    return digest_of(f"{screen.title}\n{screen.text}")


class Stillness:
    """For how long a pane has shown the same, by whoever looks again and again."""

    __slots__ = ("_clock", "_shown", "_since")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shown, self._since = "", 0.0

    def of(self, screen: Screen) -> float:
        """Seconds; what tmux counts tells of the time before the first look."""
        now, shown = self._clock.monotonic(), sight(screen)
        if shown != self._shown:
            self._shown, self._since = shown, now
        # The second of the last output: it may have come at the end of it.
        written = screen.stamp.rpartition(" ")[2]
        quiet = self._clock.now_utc().timestamp() - int(written) - 1 if written.isdecimal() else 0.0
        return max(now - self._since, quiet)
