"""How what is recorded stands to what is there, as a value: conditions, health, and how both are shown.

Nobody stores this: `app.look` computes it from one observation, and `app.steady` where a fleet stands as it was left.
Imports words alone, so that a listing of a large fleet costs little more than its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.engine.handler import ReadyState, Unknown
from reconciler.model.resource import API_VERSION
from reconciler.model.tuples import NamedTuple

if TYPE_CHECKING:
    from reconciler.app.waiting import Waiting
    from reconciler.engine.handler import Held, Seen
    from reconciler.model.action import Action
    from reconciler.model.health import Health
    from reconciler.model.json import Json, JsonMap
    from reconciler.model.ref import Ref, Uid
    from reconciler.model.resource import Resource
    from reconciler.ports.catalog import Attempt, Intent, InventoryRow

PROBED = 100
"""How many screens are looked at unasked."""
WAITS = {"AgentBusy": "WaitingForIdle", "WindowClosed": "WaitingForWindow"}
"""What a change waits for, by the code it waits with."""
STOPPED = ReadyState(False, "Stopped", "it is declared Stopped")
NOT_PROBED = ReadyState(None, "NotProbed", f"more than {PROBED} agents; name it to have its screen looked at")


class Truth(StrEnum):
    """The status of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(NamedTuple):
    """One condition of one resource (R-STA-1), as it is now."""

    type: str
    status: Truth
    reason: str
    message: str

    def to_json(self, generation: int) -> JsonMap:
        """`{type, status, reason, message, observedGeneration}`."""
        return {
            "type": self.type,
            "status": self.status.value,
            "reason": self.reason,
            "message": self.message,
            "observedGeneration": generation,
        }


class Status(NamedTuple):
    """Everything known of one resource now."""

    ref: Ref
    uid: Uid | None
    row: InventoryRow | None
    resource: Resource | None
    """As last applied."""
    seen: Seen
    health: Health | None
    health_reason: str
    actions: tuple[Action, ...]
    """What an apply of the same declaration would do."""
    ready: ReadyState
    attempt: Attempt | None
    intent: Intent | None
    held: tuple[Held, ...] = ()
    """Overrides in force on it."""
    lapsed: tuple[Held, ...] = ()
    """Overrides whose time is over, and that no apply has put away yet."""
    waiting: Waiting | None = None
    """A change of it waits: until it may be disturbed, as the last watch or apply found it."""
    suspended: str = ""
    """What is said of it where a watch leaves it alone."""

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition, always in the same order (R-STA-2)."""
        return tuple(make(self) for make in CONDITIONS.values())

    def condition(self, name: str) -> Condition | None:
        """One condition by its type; letter case does not count."""
        make = CONDITIONS.get(name.lower())
        return make(self) if make else None

    @property
    def aggregate(self) -> str:
        """R-STA-5: the first that holds."""
        if self.attempt is not None:
            return "Failed"
        if isinstance(self.seen, Unknown):
            return "Unknown"
        if self.intent is not None or self.actions or self.row is None or self.waiting or _going_back(self):
            return "InProgress"
        return "Held" if self.held else "Current"

    def live(self, key: str) -> str:
        """A handle of what was started, or empty."""
        return self.row.live.get(key, "") if self.row else ""

    def to_json(self) -> JsonMap:
        """The resource as `get -o json` shows it: envelope, last-applied spec, status."""
        row, generation = self.row, self.row.generation if self.row else 0
        metadata: JsonMap = {"name": self.ref.name, "uid": self.uid, "generation": generation}
        if row is not None:
            metadata["applySet"] = row.apply_set
            metadata["labels"] = dict(row.labels)
            metadata["annotations"] = dict(row.annotations)
            metadata["createdAt"] = instant(born(row.uid))
            metadata["position"] = str(row.position) if row.position is not None else None
            if row.owner:
                metadata["ownerUid"] = row.owner
        return {
            "apiVersion": API_VERSION,
            "kind": self.ref.kind,
            "metadata": metadata,
            "spec": self.resource.spec if self.resource else {},
            "status": self._status(generation),
        }

    def _status(self, generation: int) -> JsonMap:
        body: JsonMap = {"phase": self.aggregate}
        if self.health is not None:
            body["health"] = self.health.value
            body["healthReason"] = self.health_reason
        conditions: list[Json] = [condition.to_json(generation) for condition in self.conditions]
        body["conditions"] = conditions
        if self.held:
            overrides: list[Json] = [
                {
                    "path": held.path,
                    "value": held.value,
                    "declared": held.declared,
                    "by": held.by,
                    "until": instant(held.until),
                }
                for held in self.held
            ]
            body["overrides"] = overrides
        if self.waiting is not None:
            body["waiting"] = self.waiting.to_json()
        if self.suspended:
            body["suspended"] = self.suspended
        if self.row is not None:
            live = self.row.live
            body |= {camel: live[key] for key, camel in LIVE.items() if live.get(key)}
            if self.row.launch_digest:
                body["launchDigest"] = self.row.launch_digest
        return body


LIVE = {
    "state": "state", "provider": "provider", "agent_name": "agentName", "agent_id": "agentId", "backend": "backend",
    "session_name": "sessionName", "session": "sessionId", "pane": "paneId", "pid": "pid", "workdir": "workdir",
    "home": "home", "manifest": "manifest",
}  # fmt: skip
"""Handles that are shown, by the name they are shown under."""


def _accepted(item: Status) -> Condition:
    del item
    return Condition("Accepted", Truth.TRUE, "Valid", "")


def _resolved(item: Status) -> Condition:
    if item.actions:
        from reconciler.model.action import Code, Verb  # whoever found an action has loaded it

        first = item.actions[0]
        if first.verb is Verb.BLOCKED and first.reasons[0].code is Code.DEPENDENCY:
            return Condition("Resolved", Truth.FALSE, "DanglingReference", first.reasons[0].text)
    return Condition("Resolved", Truth.TRUE, "Resolved", "")


def _observed(item: Status) -> Condition:
    if isinstance(item.seen, Unknown):
        reason = "Ambiguous" if item.seen.ambiguous else "Unobserved"
        return Condition("Observed", Truth.UNKNOWN, reason, item.seen.why)
    return Condition("Observed", Truth.TRUE, "Observed", "")


def _synced(item: Status) -> Condition:
    if isinstance(item.seen, Unknown):
        return Condition("Synced", Truth.UNKNOWN, "Unobserved", "")
    if item.row is None:
        return Condition("Synced", Truth.FALSE, "Interrupted", "an apply began to make it and did not finish")
    if item.actions:
        why = item.actions[0].reasons[0]
        return Condition("Synced", Truth.FALSE, why.code.value, why.text)
    if back := _going_back(item):
        return Condition("Synced", Truth.FALSE, "OverrideExpired", _told(back))
    return Condition("Synced", Truth.TRUE, "AsApplied", "")


def _ready_condition(item: Status) -> Condition:
    truth = Truth.UNKNOWN if item.ready.status is None else Truth.TRUE if item.ready.status else Truth.FALSE
    return Condition("Ready", truth, item.ready.reason, item.ready.message)


def _progressing(item: Status) -> Condition:
    if item.intent is None and item.waiting is not None:
        return Condition("Progressing", Truth.TRUE, WAITS.get(item.waiting.code, "Waiting"), item.waiting.text)
    if item.intent is None:
        return Condition("Progressing", Truth.FALSE, "Idle", "")
    return Condition("Progressing", Truth.TRUE, "ActionOpen", f"{item.intent.verb} began at {item.intent.at}")


def _degraded(item: Status) -> Condition:
    if item.attempt is None:
        return Condition("Degraded", Truth.FALSE, "NoFailure", "")
    return Condition("Degraded", Truth.TRUE, item.attempt.code, item.attempt.message)


def _drifted(item: Status) -> Condition:
    synced = _synced(item)
    if synced.status is Truth.UNKNOWN:
        return Condition("Drifted", Truth.UNKNOWN, synced.reason, "")
    drifted = bool(item.actions) and item.row is not None
    return Condition("Drifted", Truth.TRUE if drifted else Truth.FALSE, synced.reason if drifted else "NoDrift", "")


def _going_back(item: Status) -> tuple[Held, ...]:
    """What the next apply returns to what is declared."""
    return tuple(held for held in item.lapsed if held.value != held.declared)


def _held(item: Status) -> Condition:
    if item.held:
        return Condition("Held", Truth.TRUE, "Override", _told(item.held))
    return Condition("Held", Truth.FALSE, "NotHeld", "")


def _told(every: tuple[Held, ...]) -> str:
    from reconciler.engine.holding import sentence  # a fleet without overrides needs no words for them

    return "; ".join(sentence(held) for held in every)


CONDITIONS: Mapping[str, Callable[[Status], Condition]] = {
    "accepted": _accepted,
    "resolved": _resolved,
    "observed": _observed,
    "synced": _synced,
    "ready": _ready_condition,
    "progressing": _progressing,
    "degraded": _degraded,
    "drifted": _drifted,
    "held": _held,
}
"""Type in lower case to what computes it, in the order they are shown."""


def born(uid: Uid) -> datetime | None:
    """When a uid was given out: its first 48 bits are milliseconds."""
    try:
        return datetime.fromtimestamp(int(uid[:12], 16) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def instant(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment else None


def age(moment: datetime | None, now: datetime) -> str:
    """`45s`, `12m`, `3h`, `8d`, as kubectl writes ages."""
    if moment is None:
        return ""
    passed = max(0, int((now - moment).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if passed >= 2 * size:
            return f"{passed // size}{unit}"
    return f"{passed}s"
