"""Events as rows of a table."""

from datetime import datetime

from reconciler.app.status import age
from reconciler.ports.catalog import Event

HEADERS = ("LAST", "COUNT", "REASON", "OBJECT", "MESSAGE")


def row(event: Event, now: datetime) -> tuple[str, ...]:
    """One event."""
    return (age(datetime.fromisoformat(event.last), now), str(event.times), event.reason, str(event.ref), event.message)
