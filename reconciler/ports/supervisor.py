"""Who started this program and waits to hear how it is: a service manager, where there is one."""

from typing import Protocol


class Supervisor(Protocol):
    """Speaks to whoever keeps this process up. Telling never fails: who does not listen misses it."""

    @property
    def watchdog_s(self) -> float | None:
        """How long it may be silent at most; None where nobody counts."""
        ...

    def tell(self, **what: str) -> None:
        """Assignments as sd_notify(3) has them, in one message: `tell(READY="1", STATUS="...")`."""
        ...
