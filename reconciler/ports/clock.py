"""Time, identity and chance, as arguments."""

from datetime import datetime, tzinfo
from typing import Protocol

from reconciler.model.ref import Uid


class Clock(Protocol):
    """Wall clock for what is recorded, monotonic clock for intervals (R-OBS-7)."""

    def now_utc(self) -> datetime:
        """Aware, UTC."""
        ...

    def zone(self, name: str) -> tzinfo | None:
        """A time zone by its name in the zone database; None where there is none of that name."""
        ...

    def monotonic(self) -> float:
        """Seconds; only differences mean anything."""
        ...

    def sleep(self, seconds: float) -> None:
        """Block this thread."""
        ...

    def new_uid(self) -> Uid:
        """128 bits, time-ordered, 32 lower-case hex digits; never the same twice."""
        ...

    def token_hex(self, count: int) -> str:
        """`count` random bytes as hex: nonces, temp names, keys."""
        ...
