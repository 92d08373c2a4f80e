"""How what is recorded stands to what is there: conditions, health and the next step, computed from one observation.

Nobody stores this. What was last applied stands in for the declaration, the engine plans it against the world, and the
actions it would take are what is not in sync (R-STA-2). Readiness is asked of the kind's own probes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from reconciler import __version__
from reconciler.app import gate, holding
from reconciler.app.session import Session
from reconciler.engine.handler import Absent, Case, Conditions, Part, Present, ReadyState, Seen, Target, Unknown
from reconciler.engine.holding import Holding, sentence, split
from reconciler.engine.observe import Snapshot, from_bundle, look_at
from reconciler.kinds.instance.health import health_of
from reconciler.model.action import Action, Code, Verb
from reconciler.model.health import Health
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import API_VERSION, Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.catalog import Attempt, Intent, InventoryRow

PROBED = 100
"""How many screens are looked at unasked; each is a trip to tmux."""


NOTHING_HELD = Holding()


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
    holding: Holding = NOTHING_HELD
    """Overrides on it, those in force and those whose time is over."""

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
        if self.intent is not None or self.actions or self.row is None or _going_back(self):
            return "InProgress"
        return "Held" if self.holding.active else "Current"

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
            metadata["position"] = row.position or None
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
        if self.holding.active:
            overrides: list[Json] = [
                {
                    "path": held.path,
                    "value": held.value,
                    "declared": held.declared,
                    "by": held.by,
                    "until": instant(held.until),
                }
                for held in self.holding.active
            ]
            body["overrides"] = overrides
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


def look(
    session: Session,
    kinds: Iterable[str] | None = None,
    refs: Iterable[Ref] | None = None,
    *,
    probe: bool = True,
    lean: bool = False,
) -> list[Status]:
    """The status of what is recorded: of some kinds, of some refs, or of everything; sorted by ref.

    One observation for all. With `probe` the readiness of up to PROBED instances is asked of their screens; beyond
    that, and without it, such a readiness is Unknown. A `lean` caller needs no specs.
    """
    catalog = session.reader.catalog
    rows = {row.ref: row for row in catalog.inventory()}
    intents = {intent.ref: intent for intent in catalog.intents()}
    known = rows.keys() | intents.keys()
    wanted = sorted(_wanted(known, kinds, refs))
    if not wanted:
        return []
    if lean and len(wanted) > PROBED and not intents and all(ref.kind == "Instance" for ref in wanted):
        quick = _as_recorded(session, rows, wanted)
        if quick is not None:
            return quick
    bundles = catalog.bundles({row.digest for row in rows.values()})
    last = {ref: from_bundle(ref, row, bundles[row.digest]) for ref, row in rows.items() if row.digest in bundles}
    targets = [_target(ref, last.get(ref), rows.get(ref), intents.get(ref)) for ref in sorted(known)]
    seen = look_at(targets, session.handlers, session.reader)
    snapshot = Snapshot(rows, last, intents, seen, catalog.revision())
    cases, actions = _planned(session, snapshot)
    attempts = catalog.attempts()
    now = session.reader.clock.now_utc()
    held = {ref: split(found, now) for ref, found in holding.recorded(session.reader).items()}
    probing = probe and sum(1 for ref in wanted if ref.kind == "Instance") <= PROBED
    chosen = frozenset(wanted)
    shown = [target for target in targets if target.ref in chosen]
    ready = _readiness(session, shown, snapshot, cases, probing)
    return [
        _one(target, snapshot, actions.get(target.ref, ()), attempts, ready[target.ref])._replace(
            holding=held.get(target.ref, NOTHING_HELD)
        )
        for target in shown
    ]


def _as_recorded(session: Session, rows: Mapping[Ref, InventoryRow], wanted: Sequence[Ref]) -> list[Status] | None:
    """A large fleet that stands exactly as the last apply left it needs no plan to say so; None where it may not."""
    running: set[str] = {str(rows[ref].uid) for ref in wanted if rows[ref].live.get("state") == "running"}
    stopped: set[str] = {str(rows[ref].uid) for ref in wanted} - running
    if not session.plain or not gate.fleet_as_recorded(session.settings.overlay.root, running, stopped):
        return None
    attempts = session.reader.catalog.attempts()
    return [
        Status(
            ref,
            rows[ref].uid,
            rows[ref],
            None,
            RUNNING if rows[ref].uid in running else IDLE,
            Health.HEALTHY if rows[ref].uid in running else Health.STOPPED,
            "Running" if rows[ref].uid in running else "Stopped",
            (),
            NOT_PROBED if rows[ref].uid in running else STOPPED,
            attempts.get(rows[ref].uid),
            None,
        )
        for ref in wanted
    ]


def _wanted(known: Iterable[Ref], kinds: Iterable[str] | None, refs: Iterable[Ref] | None) -> set[Ref]:
    if refs is not None:
        return set(refs) & set(known)
    chosen = None if kinds is None else frozenset(kinds)
    return {ref for ref in known if chosen is None or ref.kind in chosen}


def _target(ref: Ref, last: Resource | None, row: InventoryRow | None, intent: Intent | None) -> Target:
    uid = row.uid if row else intent.uid if intent else None
    return Target(ref, uid, last, row, intent)


def _planned(session: Session, snapshot: Snapshot) -> tuple[dict[Ref, Case], dict[Ref, tuple[Action, ...]]]:
    """What each apply set would do if what it last applied were applied again."""
    # Imported here: a large fleet that stands as recorded is listed without a planner.
    from reconciler.engine import plan as planning

    cases: dict[Ref, Case] = {}
    actions: dict[Ref, tuple[Action, ...]] = {}
    for name in sorted({row.apply_set for row in snapshot.inventory.values()}):
        owned = {ref: found for ref, found in snapshot.last.items() if snapshot.inventory[ref].apply_set == name}
        uids = {row.uid: row.ref for row in snapshot.inventory.values()}
        for ref, found in owned.items():
            owner = snapshot.inventory[ref].owner
            found.owner = uids.get(owner) if owner else None
        made = planning.make(
            owned,
            snapshot,
            session.handlers,
            planning.Options(
                apply_set=name,
                source_root="",
                now=session.reader.clock.now_utc(),
                engine_version=__version__,
                overlay_id=session.reader.overlay_id,
            ),
        )
        cases.update(made.cases)
        for action in made.plan.actions:
            if action.verb is not Verb.NOOP:
                actions[action.ref] = (*actions.get(action.ref, ()), action)
    return cases, actions


def _one(
    target: Target,
    snapshot: Snapshot,
    actions: tuple[Action, ...],
    attempts: Mapping[Uid, Attempt],
    ready: ReadyState,
) -> Status:
    seen = snapshot.seen[target.ref]
    health, reason = None, ""
    if target.ref.kind == "Instance":
        running = target.row is not None and target.row.live.get("state") == "running"
        health, reason = health_of(seen, recorded_running=running, started=target.row is not None)
    attempt = attempts.get(target.uid) if target.uid else None
    return Status(
        target.ref, target.uid, target.row, target.want, seen, health, reason, actions, ready, attempt, target.intent
    )


def _readiness(
    session: Session, targets: Sequence[Target], snapshot: Snapshot, cases: Mapping[Ref, Case], probing: bool
) -> dict[Ref, ReadyState]:
    """What can be said at once, and for the rest each kind's own answer, asked once for all of its resources."""
    known: dict[Ref, ReadyState] = {}
    asking: dict[str, list[Case]] = {}
    for target in targets:
        case = cases.get(target.ref)
        found = _known(session, target, snapshot.seen[target.ref], case, probing)
        if found is not None:
            known[target.ref] = found
        elif case is not None:
            asking.setdefault(target.ref.kind, []).append(case)
    for kind, asked in asking.items():
        probe: Conditions = session.handlers[kind]  # type: ignore[assignment]
        known |= probe.ready(asked, session.reader)
    return known


def _known(session: Session, target: Target, seen: Seen, case: Case | None, probing: bool) -> ReadyState | None:
    """Readiness that needs no probe; a kind without one is ready when it is there."""
    if isinstance(seen, Unknown):
        return ReadyState(None, "Unobserved", seen.why)
    if target.row is not None and target.row.live.get("state") == "stopped":
        return STOPPED
    if getattr(session.handlers[target.ref.kind], "ready", None) is None:
        return THERE if isinstance(seen, Present) else ReadyState(False, "Absent", "it is not there")
    if case is None:
        return ReadyState(False, "NotApplied", "it was never applied to its end")
    process = seen.parts.get("process")
    if isinstance(seen, Present) and process is not None and process.present and not probing:
        return NOT_PROBED
    return None


RUNNING = Present({}, {}, {"session": Part(True, {}), "process": Part(True, {})})
IDLE = Absent("it is declared Stopped")
STOPPED = ReadyState(False, "Stopped", "it is declared Stopped")
THERE = ReadyState(True, "Present", "")
NOT_PROBED = ReadyState(None, "NotProbed", f"more than {PROBED} agents; name it to have its screen looked at")


def _accepted(item: Status) -> Condition:
    del item
    return Condition("Accepted", Truth.TRUE, "Valid", "")


def _resolved(item: Status) -> Condition:
    first = item.actions[0] if item.actions else None
    if first is not None and first.verb is Verb.BLOCKED and first.reasons[0].code is Code.DEPENDENCY:
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
        return Condition("Synced", Truth.FALSE, "OverrideExpired", back)
    return Condition("Synced", Truth.TRUE, "AsApplied", "")


def _ready_condition(item: Status) -> Condition:
    truth = Truth.UNKNOWN if item.ready.status is None else Truth.TRUE if item.ready.status else Truth.FALSE
    return Condition("Ready", truth, item.ready.reason, item.ready.message)


def _progressing(item: Status) -> Condition:
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


def _going_back(item: Status) -> str:
    """What the next apply returns to what is declared; empty where nothing lapsed that had an effect."""
    return "; ".join(sentence(held) for held in item.holding.lapsed if held.value != held.declared)


def _held(item: Status) -> Condition:
    if item.holding.active:
        return Condition("Held", Truth.TRUE, "Override", "; ".join(sentence(held) for held in item.holding.active))
    return Condition("Held", Truth.FALSE, "NotHeld", "")


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
