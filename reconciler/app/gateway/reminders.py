"""Which reminder may fire, and when it is due again. Pure; the rows are in the queue's file and survive a restart."""

from datetime import datetime, timedelta

from reconciler.model.json import JsonMap
from reconciler.ports.gateway import ReminderRow
from reconciler.ports.screen import utc_text


def effective(rows: tuple[ReminderRow, ...]) -> ReminderRow | None:
    """The one that may fire: the smallest ranking, then the oldest; a paused one in this place blocks all others."""
    return min(rows, key=lambda row: (row.ranking, row.order), default=None)


def due(rows: tuple[ReminderRow, ...], now: datetime) -> ReminderRow | None:
    """The effective reminder, where it is not paused and its time has come."""
    found = effective(rows)
    return found if found is not None and not found.paused and found.due_at <= now else None


def next_due(rows: tuple[ReminderRow, ...]) -> datetime | None:
    """When somebody has to look again."""
    found = effective(rows)
    return None if found is None or found.paused else found.due_at


def after_firing(row: ReminderRow, now: datetime) -> ReminderRow | None:
    """What is left of it: nothing of a `one_off`; a `repeat` keeps its cadence, and what it missed is not made up."""
    if row.mode != "repeat" or row.interval_s <= 0:
        return None
    late = max(0.0, (now - row.due_at).total_seconds())
    steps = int(late // row.interval_s) + 1
    return row._replace(due_at=row.due_at + timedelta(seconds=steps * row.interval_s), started_at=now)


def to_json(row: ReminderRow, rows: tuple[ReminderRow, ...], now: datetime, *, executing: bool = False) -> JsonMap:
    """One reminder in the wire's keys."""
    first = effective(rows)
    blocked_by = first.id if first is not None and first.id != row.id else None
    state = "executing" if executing else "overdue" if row.due_at <= now else "scheduled"
    body: JsonMap = {
        "reminder_id": row.id,
        "mode": row.mode,
        "title": row.title,
        "delivery_kind": "prompt" if row.prompt else "send_keys",
        "ranking": row.ranking,
        "paused": row.paused,
        "selection_state": "blocked" if blocked_by else "effective",
        "delivery_state": state,
        "created_at_utc": utc_text(row.created_at),
        "next_due_at_utc": utc_text(row.due_at),
        "last_started_at_utc": utc_text(row.started_at),
        "interval_seconds": row.interval_s or None,
        "blocked_by_reminder_id": blocked_by,
    }
    if row.prompt:
        body["prompt"] = row.prompt
    else:
        body["send_keys"] = {"sequence": row.sequence, "ensure_enter": row.ensure_enter}
    return body
