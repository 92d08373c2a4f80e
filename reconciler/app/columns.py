"""The columns of `get`: a header, and what it says of one status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from reconciler.app import status
from reconciler.app.status import Status
from reconciler.engine.handler import Present, Unknown

Cell = Callable[[Status, datetime], str]


def _truth(name: str) -> Cell:
    condition = status.CONDITIONS[name.lower()]
    return lambda item, now: condition(item).status.value


def _spec(key: str) -> Cell:
    def cell(item: Status, now: datetime) -> str:
        del now
        value = item.resource.spec.get(key) if item.resource else None
        return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""

    return cell


def _source(item: Status, now: datetime) -> str:
    del now
    spec = item.resource.spec if item.resource else {}
    for key, prefix in (("profileRef", "profile/"), ("specialistRef", "specialist/"), ("recipeRef", "recipe/")):
        if isinstance(value := spec.get(key), str):
            return prefix + value
    return ""


def _health(item: Status, now: datetime) -> str:
    del now
    if item.health is None:
        return ""
    good = item.health.value in ("healthy", "stopped", "absent")
    return item.health.value if good else f"{item.health.value} ({item.health_reason})"


def _state(item: Status, now: datetime) -> str:
    """What it does, in a word; `Exited` has a session and no process, `Missing` neither although it should."""
    word = _doing(item)
    held = [one.until for one in item.held]
    said = [f"held until {min(held):%H:%MZ}"] if held else []
    said += [_waits(item.waiting, now)] if item.waiting is not None else []
    said += ["suspended"] if item.suspended else []
    return f"{word} ({', '.join(said)})" if said else word


def _waits(found: Waiting, now: datetime) -> str:
    """What a change of it waits for; of a window when that opens."""
    if found.code != "WindowClosed":
        return "waits for idle"
    if found.until is None:
        return "no window opens"
    if found.until <= now:
        return "its window is open"
    near = found.until - now < timedelta(days=1)
    return f"waits until {found.until:%H:%MZ}" if near else f"waits until {found.until:%Y-%m-%d %H:%MZ}"


def _doing(item: Status) -> str:
    """The word alone."""
    if isinstance(item.seen, Unknown):
        return "Unknown"
    process = item.seen.parts.get("process")
    if process is not None and process.present:
        return "Running"
    if isinstance(item.seen, Present):
        return "Exited"
    return "Stopped" if item.live("state") == "stopped" else "Missing"


NAME: tuple[str, Cell] = ("NAME", lambda item, now: item.ref.name)
AGE: tuple[str, Cell] = ("AGE", lambda item, now: status.age(status.born(item.uid) if item.uid else None, now))
SYNCED: tuple[str, Cell] = ("SYNCED", _truth("Synced"))
SET: tuple[str, Cell] = ("SET", lambda item, now: item.row.apply_set if item.row else "")
GENERATION: tuple[str, Cell] = ("GENERATION", lambda item, now: str(item.row.generation) if item.row else "")
UID: tuple[str, Cell] = ("UID", lambda item, now: item.uid or "")
INSTANCE: tuple[tuple[str, Cell], ...] = (
    NAME,
    ("PROVIDER", lambda item, now: item.live("provider")),
    ("STATE", _state),
    SYNCED,
    ("READY", _truth("Ready")),
    ("HEALTH", _health),
    AGE,
    ("SESSION", lambda item, now: item.live("session_name")),
)
WIDE: tuple[tuple[str, Cell], ...] = (
    ("SOURCE", _source),
    ("AGENT", lambda item, now: item.live("agent_name")),
    ("PID", lambda item, now: item.live("pid")),
    ("WORKDIR", lambda item, now: item.live("workdir")),
)
SPARE = ("SESSION", "AGE", "PROVIDER")
"""What a narrow terminal does without, the first one first."""
COMMON: tuple[tuple[str, Cell], ...] = (SET, GENERATION, UID)
DETAILS = ("provider", "setupRef", "authRef", "roleRef", "specialistRef", "recipeRef", "model", "replicas")
"""Fields of other kinds that are worth a column where any resource has them."""


def of(kind: str, items: Sequence[Status], *, wide: bool) -> tuple[tuple[str, Cell], ...]:
    """What to show of one kind, in a fixed order."""
    if kind == "Instance":
        return (*INSTANCE, *WIDE, *COMMON) if wide else INSTANCE
    present = [
        key for key in DETAILS if any(item.resource and item.resource.spec.get(key) is not None for item in items)
    ]
    details = tuple((_header(key), _spec(key)) for key in present)
    return (NAME, *details, SYNCED, AGE, *(COMMON if wide else ()))


def _header(key: str) -> str:
    return key.removesuffix("Ref").upper()


TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.app.waiting import Waiting
