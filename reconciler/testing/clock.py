"""A clock that moves when it is told to, or when somebody sleeps on it."""

import threading
from datetime import UTC, datetime, timedelta, tzinfo

from reconciler.model.ref import Uid

START = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """`ports.clock.Clock` without time.

    `sleep` moves the clock and returns at once, and is kept in `slept`. With `auto=False` it blocks its thread until
    `advance` has gone far enough. `step` is somebody setting the wall clock: intervals do not see it.
    """

    def __init__(self, start: datetime = START, *, auto: bool = True) -> None:
        self.slept: list[float] = []
        self._auto = auto
        self._start = start
        self._passed = 0.0
        self._stepped = 0.0
        self._count = 0
        self._moved = threading.Condition()

    def now_utc(self) -> datetime:
        with self._moved:
            return self._start + timedelta(seconds=self._passed + self._stepped)

    def zone(self, name: str) -> tzinfo | None:
        from zoneinfo import ZoneInfo

        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            return None

    def monotonic(self) -> float:
        with self._moved:
            return self._passed

    def sleep(self, seconds: float) -> None:
        seconds = max(0.0, seconds)
        with self._moved:
            self.slept.append(seconds)
            if self._auto:
                self._passed += seconds
                self._moved.notify_all()
                return
            until = self._passed + seconds
            while self._passed < until:
                self._moved.wait()

    def advance(self, seconds: float) -> None:
        """Let time pass; whoever sleeps no longer than this wakes."""
        with self._moved:
            self._passed += seconds
            self._moved.notify_all()

    def step(self, seconds: float) -> None:
        """Set the wall clock forward, or back."""
        with self._moved:
            self._stepped += seconds

    def new_uid(self) -> Uid:
        """The n-th uid of this clock is always the same one."""
        with self._moved:
            self._count += 1
            millisecond = int((self._start.timestamp() + self._passed) * 1000)
            return Uid(f"{millisecond:012x}7000{1 << 63 | self._count:016x}")

    def token_hex(self, count: int) -> str:
        with self._moved:
            self._count += 1
            return f"{self._count:0{2 * count}x}"[-2 * count :]
