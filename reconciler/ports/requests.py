"""What was asked of one agent and became of it: rows that outlive whoever asked.

A row is written before anything is sent (`intent`) and settled after it. Whoever is killed in between leaves an intent;
the next one who holds the agent's lock finds it and settles it as `unknown`. An intent is never carried out again.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from reconciler.model.tuples import NamedTuple


class Outcome(StrEnum):
    """What became of a request. `intent` is for others: nobody is told so."""

    INTENT = "intent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    UNKNOWN = "unknown"


class Entry(NamedTuple):
    """One request. The text itself is not kept: its digest and length in characters are."""

    id: str
    kind: str
    """`prompt`, `interrupt` or `send_keys`."""
    outcome: Outcome
    digest: str
    size: int
    sender: str
    at: str
    settled_at: str = ""
    detail: str = ""
    sight: str = ""
    """Digest of the screen it was judged by: while the agent still shows it, it has not taken the request up."""


class TurnRow(NamedTuple):
    """One headless turn. Its status is told from its files; this is what they cannot tell."""

    id: str
    number: int
    started_at: str
    conversation: str = ""
    """The provider's session id, once an event named it."""
    pid: int = 0
    ticks: int = 0
    interrupted: bool = False


class RequestLog(Protocol):
    """The rows of one agent. All raise OverlayError or Unreachable (`requests.*`) when the file cannot be used."""

    def begin(self, entry: Entry) -> None:
        """Durable before anything is sent."""
        ...

    def settle(self, id: str, outcome: Outcome, at: str, detail: str) -> None:
        """Only an intent is settled; a settled row stays as it is."""
        ...

    def sweep(self, at: str) -> Sequence[Entry]:
        """Settle every open intent as unknown, and answer them: their senders are gone. The lock must be held."""
        ...

    def get(self, id: str) -> Entry | None: ...

    def latest(self, limit: int = 1) -> Sequence[Entry]:
        """Newest first."""
        ...

    def begin_turn(self, id: str, at: str) -> TurnRow:
        """The next number, once and for all; raises GuardRefused (`turn.taken`) where the id is known already."""
        ...

    def note_turn(self, row: TurnRow) -> None:
        """Replace a turn's row."""
        ...

    def turns(self) -> Sequence[TurnRow]:
        """Oldest first."""
        ...

    def close(self) -> None: ...


class Requests(Protocol):
    """Where the rows of agents are."""

    def log(self, session_root: str, *, create: bool = True) -> RequestLog | None:
        """The log in a session root; None where there is none and none is to be made."""
        ...
