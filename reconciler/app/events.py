"""What happened to each resource, counted, for people who look later (R-STA-8); no decision ever reads it.

Every action of a run is one, and whatever a watch reports: drift, what waits, what could be pruned. The same thing said
again is counted. A resource keeps its fifty newest, for ninety days.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from reconciler.app import kind_names
from reconciler.app.session import Flags, kinds, open_session
from reconciler.model.action import Action
from reconciler.model.errors import UsageFault
from reconciler.model.json import JsonMap
from reconciler.model.outcome import Outcome, Result
from reconciler.model.ref import Ref, Uid
from reconciler.model.tuples import NamedTuple
from reconciler.ports.catalog import CatalogReader, Event, NewEvent, Transaction

KEPT = timedelta(days=90)
LOOK_S = 0.5
EVERY = 1_000_000
LONGEST = 500
"""Of a message: an error may quote a screen."""


# --- writing ----------------------------------------------------------------------------------------------------------


def of(outcome: Outcome, uid: Uid | None, now: datetime) -> Iterator[NewEvent]:
    """What one action came to; of one that never began, nothing."""
    if uid is None or outcome.result is Result.SKIPPED:
        return
    action = outcome.action
    if outcome.fault is not None:
        text = f"{action.verb.value} {outcome.result.value}: {outcome.fault.message}"
        yield NewEvent(uid, outcome.fault.code, _short(text), now.isoformat())
    else:
        yield said(action, uid, now)


def said(action: Action, uid: Uid, now: datetime) -> NewEvent:
    """An action with its reasons, as one that was done or that waits."""
    why = "; ".join(reason.text for reason in action.reasons)
    verb = f"{action.verb.value} {action.held.value}" if action.held else action.verb.value
    return NewEvent(
        uid, action.reasons[0].code.value if action.reasons else verb, _short(f"{verb}: {why}"), now.isoformat()
    )


def write(tx: Transaction, events: Sequence[NewEvent], now: datetime) -> None:
    """Count or add them, in the caller's transaction."""
    tx.put_events(events, (now - KEPT).isoformat())


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


# --- reading ----------------------------------------------------------------------------------------------------------


class Wanted(NamedTuple):
    """Which events: of one resource, of some reasons, since a moment."""

    ref: Ref | None = None
    reasons: frozenset[str] = frozenset()
    since: datetime | None = None
    limit: int = 50

    def fits(self, event: Event) -> bool:
        """Whether it is asked for."""
        return (
            (self.ref is None or event.ref == self.ref)
            and (not self.reasons or event.reason in self.reasons)
            and (self.since is None or datetime.fromisoformat(event.last) >= self.since)
        )


def to_json(event: Event) -> JsonMap:
    """`{ref, uid, reason, message, count, first, last}`."""
    return {
        "ref": str(event.ref),
        "uid": event.uid,
        "reason": event.reason,
        "message": event.message,
        "count": event.times,
        "first": event.first,
        "last": event.last,
    }


class Listed(NamedTuple):
    """Events oldest first, as they are read; and the time."""

    items: tuple[Event, ...]
    now: datetime


def asked(
    flags: Flags, words: Sequence[str], *, reasons: Sequence[str], since_s: float | None, limit: int
) -> tuple[Wanted, datetime]:
    """What the words mean, now. Raises UsageFault for words that name no single resource."""
    session = open_session(flags)
    now = session.reader.clock.now_utc()
    ref = None
    if words:
        named = kind_names.named(words, kinds())
        if len(named.refs) != 1:
            raise UsageFault(
                "events are of one resource, or of all",
                hint="write kind/name, such as instance/alice",
                code="usage.names",
            )
        ref = named.refs[0]
    since = now - timedelta(seconds=since_s) if since_s is not None else None
    return Wanted(ref, frozenset(reasons), since, limit), now


def read(catalog: CatalogReader, wanted: Wanted) -> tuple[Event, ...]:
    """Those that fit, the newest `limit` of them, oldest first."""
    found = [event for event in catalog.events(EVERY) if wanted.fits(event)]
    return tuple(reversed(found[: wanted.limit]))


def listed(flags: Flags, wanted: Wanted) -> Listed:
    """Those there are now."""
    session = open_session(flags)
    return Listed(read(session.reader.catalog, wanted), session.reader.clock.now_utc())


def follow(flags: Flags, wanted: Wanted, stopping: Callable[[], bool]) -> Iterator[Event]:
    """Those there are, then each as it happens or happens again, until told to stop."""
    session = open_session(flags)
    catalog, clock = session.reader.catalog, session.reader.clock
    told: dict[tuple[str, str, str], int] = {}
    first = True
    try:
        while not stopping():
            fresh = catalog.events(EVERY)
            found = [event for event in fresh if wanted.fits(event)]
            for event in reversed(found[: wanted.limit] if first else found):
                if told.get((event.uid, event.reason, event.message)) != event.times:
                    yield event
            told = {(event.uid, event.reason, event.message): event.times for event in fresh}
            first = False
            clock.sleep(LOOK_S)
    finally:
        catalog.close()
