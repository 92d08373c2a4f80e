"""The host's clocks, and ids and chance taken from the kernel."""

import os
import time
from _thread import allocate_lock
from datetime import UTC, datetime, tzinfo

from reconciler.model.ref import Uid

_COUNTER_MAX = 0xFFF


class SystemClock:
    """`ports.clock.Clock` on the real clocks; uids are laid out as a version 7 UUID without its dashes.

    48 bits of milliseconds, 12 bits that count within one millisecond, 62 random bits. A wall clock that steps back
    does not take the order back: the last millisecond is kept until the clock has passed it.
    """

    def __init__(self) -> None:
        self._last = allocate_lock()
        self._millisecond = 0
        self._count = 0

    def now_utc(self) -> datetime:
        return datetime.now(UTC)

    def zone(self, name: str) -> tzinfo | None:
        from zoneinfo import ZoneInfo

        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            return None

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))

    def new_uid(self) -> Uid:
        with self._last:
            millisecond = time.time_ns() // 1_000_000
            if millisecond > self._millisecond:
                self._millisecond, self._count = millisecond, 0
            elif self._count < _COUNTER_MAX:
                self._count += 1
            else:
                self._millisecond, self._count = self._millisecond + 1, 0
            ordered = (self._millisecond & 0xFFFFFFFFFFFF) << 16 | 7 << 12 | self._count
        chance = int.from_bytes(os.urandom(8), "big") & (1 << 62) - 1 | 2 << 62
        return Uid(f"{ordered:016x}{chance:016x}")

    def token_hex(self, count: int) -> str:
        return os.urandom(count).hex()
