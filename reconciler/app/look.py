"""Look once at what is recorded, and say how it stands to what is there (`app.status`).

What was last applied stands in for the declaration, the engine plans it against the world, and the actions it would
take are what is not in sync (R-STA-2). Readiness is asked of the kind's own probes.
"""

from collections.abc import Iterable, Mapping, Sequence

from reconciler import __version__
from reconciler.app import holding, suspended, waiting
from reconciler.app.session import Session
from reconciler.app.status import NOT_PROBED, PROBED, STOPPED, Status
from reconciler.engine import plan as planning
from reconciler.engine.handler import Case, Conditions, Present, ReadyState, Seen, Target, Unknown
from reconciler.engine.holding import split
from reconciler.engine.observe import Snapshot, from_bundle, look_at
from reconciler.kinds.instance.health import health_of
from reconciler.model.action import Action, Verb
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import Resource
from reconciler.ports.catalog import Attempt, Intent, InventoryRow

THERE = ReadyState(True, "Present", "")


def at(
    session: Session,
    kinds: Iterable[str] | None = None,
    refs: Iterable[Ref] | None = None,
    *,
    probe: bool = True,
) -> list[Status]:
    """The status of what is recorded: of some kinds, of some refs, or of everything; sorted by ref.

    One observation for all. With `probe` the readiness of up to PROBED instances is asked of their screens; beyond
    that, and without it, such a readiness is Unknown.
    """
    catalog = session.reader.catalog
    rows = {row.ref: row for row in catalog.inventory()}
    intents = {intent.ref: intent for intent in catalog.intents()}
    known = rows.keys() | intents.keys()
    wanted = sorted(_wanted(known, kinds, refs))
    if not wanted:
        return []
    bundles = catalog.bundles({row.digest for row in rows.values()})
    last = {ref: from_bundle(ref, row, bundles[row.digest]) for ref, row in rows.items() if row.digest in bundles}
    targets = [_target(ref, last.get(ref), rows.get(ref), intents.get(ref)) for ref in sorted(known)]
    seen = look_at(targets, session.handlers, session.reader)
    snapshot = Snapshot(rows, last, intents, seen, catalog.revision())
    cases, actions = _planned(session, snapshot)
    attempts = catalog.attempts()
    now = session.reader.clock.now_utc()
    held = {ref: split(found, now) for ref, found in holding.recorded(session.reader).items()}
    waits = waiting.standing(catalog, rows.values())
    left_alone = suspended.words(catalog)
    probing = probe and sum(1 for ref in wanted if ref.kind == "Instance") <= PROBED
    chosen = frozenset(wanted)
    shown = [target for target in targets if target.ref in chosen]
    ready = _readiness(session, shown, snapshot, cases, probing)
    return [
        _one(target, snapshot, actions.get(target.ref, ()), attempts, ready[target.ref])._replace(
            held=held[target.ref].active if target.ref in held else (),
            lapsed=held[target.ref].lapsed if target.ref in held else (),
            waiting=waits.get(target.ref),
            suspended=left_alone.get(target.ref, ""),
        )
        for target in shown
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
