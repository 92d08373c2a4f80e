"""When agents may be disturbed by the calendar: windows that allow it and windows that forbid it (R-WAT-7). Pure.

A window is a time of day on some days of the week, in a zone of its own; one whose end is not after its begin ends on
the next day. What disturbs is allowed inside of any window that allows, or at any time where none does, and never
inside of one that forbids.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta, tzinfo

from reconciler.model.json import Json
from reconciler.model.tuples import NamedTuple

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AHEAD = 8
"""Days in which every window opens and closes at least once."""


class Window(NamedTuple):
    """One line of the calendar."""

    allows: bool
    days: frozenset[int]
    begin: time
    end: time
    zone: tzinfo

    def spans(self, moment: datetime) -> Iterable[tuple[datetime, datetime]]:
        """Its begins and ends from the day before `moment` on, in UTC."""
        local = moment.astimezone(self.zone).date()
        for ahead in range(-1, AHEAD + 2):
            day = local + timedelta(days=ahead)
            if day.weekday() not in self.days:
                continue
            last = day if self.end > self.begin else day + timedelta(days=1)
            begin = datetime.combine(day, self.begin, self.zone).astimezone(moment.tzinfo)
            yield begin, datetime.combine(last, self.end, self.zone).astimezone(moment.tzinfo)


def opening(windows: Sequence[Window], now: datetime) -> datetime | None:
    """The next moment at which disturbing is allowed: `now` where it is, None where it never is."""
    spans = [(window.allows, span) for window in windows for span in window.spans(now)]
    last = now + timedelta(days=AHEAD)  # of later ones not every window is known that could forbid them
    moments = {now, *(edge for _, span in spans for edge in span if now < edge <= last)}
    allowing = any(window.allows for window in windows)
    for moment in sorted(moments):
        inside = {allows for allows, (begin, end) in spans if begin <= moment < end}
        if False not in inside and (True in inside or not allowing):
            return moment
    return None


def declared(value: Json, zones: Mapping[str, tzinfo]) -> tuple[Window, ...]:
    """`windows` of a Project; `zones` has every name it uses."""
    found = []
    for each in value if isinstance(value, list) else ():
        if isinstance(each, dict):
            days = each.get("days") or list(DAYS)
            assert isinstance(days, list)
            found.append(
                Window(
                    each.get("policy") != "deny",
                    frozenset(DAYS.index(str(day)) for day in days),
                    time.fromisoformat(str(each["begin"])),
                    time.fromisoformat(str(each["end"])),
                    zones[str(each.get("timezone") or "UTC")],
                )
            )
    return tuple(found)


def names(value: Json) -> frozenset[str]:
    """Names of the zones that `windows` of a Project uses."""
    every = value if isinstance(value, list) else []
    return frozenset(str(each.get("timezone") or "UTC") for each in every if isinstance(each, dict))
