"""What a gateway tells whoever listens: numbered events, the newest few hundred kept, handed on as they happen."""

import threading
from collections import deque
from collections.abc import Callable, Sequence

from reconciler.model.json import JsonMap
from reconciler.model.tuples import NamedTuple

KEPT = 500


class Event(NamedTuple):
    """One thing that happened; its text never holds what a prompt said."""

    number: int
    kind: str
    body: JsonMap


class Told:
    """Events of one gateway process, for any number of listeners on other threads."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._listeners: list[Callable[[], None]] = []
        self._count = 0

    def tell(self, kind: str, body: JsonMap) -> None:
        """Add one, and ring everybody's bell."""
        with self._turn:
            self._count += 1
            self._events.append(Event(self._count, kind, body))
            listeners = tuple(self._listeners)
        for ring in listeners:
            ring()

    def after(self, number: int) -> Sequence[Event]:
        """Those with a higher number that are still kept."""
        with self._turn:
            return [event for event in self._events if event.number > number]

    def listen(self, ring: Callable[[], None]) -> Callable[[], None]:
        """Have `ring` called for each event from now on; the answer ends that."""
        with self._turn:
            self._listeners.append(ring)

        def end() -> None:
            with self._turn:
                if ring in self._listeners:
                    self._listeners.remove(ring)

        return end
