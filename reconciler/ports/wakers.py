"""What wakes a watch: each can only say "look again", and where. Losing one costs time and nothing else (R-WAT-1)."""

from typing import Protocol

from reconciler.model.tuples import NamedTuple


class Waker:
    """The kinds of wake-ups."""

    SOURCE = "source"
    REGISTRY = "registry"
    CATALOG = "catalog"
    TMUX = "tmux"
    PROCESS = "process"
    REQUEST = "request"
    SIGNAL = "signal"


class Woken(NamedTuple):
    """Something may have changed. `name` is the path, of a source; `whole` that its writer was done with it."""

    kind: str
    name: str = ""
    whole: bool = False


class Followed(NamedTuple):
    """What to listen to; whatever cannot be followed is left to the timer."""

    sources: frozenset[str] = frozenset()
    """Directories whose entries are told of by path. Directories, not files: editors rename over those."""
    registry: frozenset[str] = frozenset()
    catalog: str = ""
    """The catalog's file; writes beside it (its log) count."""
    processes: frozenset[tuple[int, int]] = frozenset()
    """Providers by pid and start ticks: their ends, and those of the panes they run in."""
    desk: int | None = None
    """What becomes readable when somebody asks the leader for something."""


class Wakers(Protocol):
    """Everything a watch sleeps on, at one place. Used by one thread."""

    def follow(self, what: Followed) -> None:
        """Listen to exactly this from now on. What is gone already wakes at once."""
        ...

    def wait(self, seconds: float | None) -> tuple[Woken, ...]:
        """Sleep until something wakes, a signal comes or the time is over; equal wake-ups are one.

        It may come back early with nothing.
        """
        ...

    def rest(self) -> None:
        """What was worked with is not needed any more, and a long sleep may follow: give back what can be."""
        ...

    def close(self) -> None:
        """Let go of all."""
        ...
