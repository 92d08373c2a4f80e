"""Wakers in memory: they sleep on a fake clock, and what wakes them is told by the test, or withheld."""

from collections.abc import Callable, Iterable

from reconciler.ports.wakers import Followed, Woken
from reconciler.testing.clock import FakeClock


class Script:
    """What happens to a watch and when: (seconds from its start, what is done, the wake-ups it would cause)."""

    def __init__(self, clock: FakeClock, drop: Iterable[str] = ()) -> None:
        self.clock = clock
        self.drop = frozenset(drop)
        self.steps: list[tuple[float, Callable[[], None], tuple[Woken, ...]]] = []
        self.over_at = 0.0
        self.started_at: float | None = None
        self.waits = 0
        self.rests = 0
        self.followed = Followed()

    def at(self, seconds: float, act: Callable[[], None], *woken: Woken) -> None:
        """Something happens."""
        self.steps.append((seconds, act, woken))
        self.steps.sort(key=lambda step: step[0])

    def stopping(self) -> int | None:
        """SIGTERM, once the story is told."""
        begun = self.started_at
        return 15 if begun is not None and self.clock.monotonic() - begun >= self.over_at else None

    # The port

    def follow(self, what: Followed) -> None:
        self.followed = what

    def wait(self, seconds: float | None) -> tuple[Woken, ...]:
        self.waits += 1
        if self.started_at is None:
            self.started_at = self.clock.monotonic()
        now = self.clock.monotonic() - self.started_at
        until = self.over_at if seconds is None else min(self.over_at, now + seconds)
        while self.steps and self.steps[0][0] <= until:
            when, act, woken = self.steps.pop(0)
            self.clock.advance(max(0.0, when - (self.clock.monotonic() - self.started_at)))
            act()
            heard = tuple(each for each in woken if each.kind not in self.drop)
            if heard:
                return heard
        left = until - (self.clock.monotonic() - self.started_at)
        if left > 0:
            self.clock.advance(left)
        return ()

    def rest(self) -> None:
        self.rests += 1

    def close(self) -> None:
        self.followed = Followed()
