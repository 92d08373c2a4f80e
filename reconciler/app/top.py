"""The fleet at one moment, for whoever keeps watching it: how each agent is, where its turn stands, what it shows.

    the look of `get instances` ──┐
    listing and screens, one trip ┼─► Board ── since(before) ──► Board that says what changed in between
    the newest requests ──────────┘

Whoever watches asks for one Board after the other; none of them knows of a terminal or a clock of its own.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from reconciler.app import columns, read
from reconciler.app.agent_state import PHASES
from reconciler.app.agents import Agent
from reconciler.app.describe import last_lines, redacted, trouble
from reconciler.app.one_look import OneTrip
from reconciler.app.session import Flags, Session, opened
from reconciler.app.sight import read as read_screen
from reconciler.app.status import PROBED, Status, instant
from reconciler.engine.handler import Present
from reconciler.model.health import Health
from reconciler.model.json import Json, JsonMap
from reconciler.model.tuples import NamedTuple
from reconciler.ports.reading import ScreenState
from reconciler.ports.screen import Phase
from reconciler.ports.tmux import Screen, Unanswered

CELLS = dict(columns.INSTANCE)
HAPPENED = {
    (Phase.READY, Phase.ACTIVE): "turn began",
    (Phase.ACTIVE, Phase.READY): "turn ended",
    (Phase.BLOCKED, Phase.ACTIVE): "turn went on",
    (Phase.BLOCKED, Phase.READY): "question went away",
}


class Event(NamedTuple):
    """The newest thing known to have happened to an agent; `at` is None for what lasts."""

    text: str
    at: datetime | None = None

    def to_json(self) -> JsonMap:
        """`{text, at}`."""
        return {"text": self.text, "at": instant(self.at)}


class Row(NamedTuple):
    """One agent."""

    uid: str
    name: str
    agent_id: str
    labels: Mapping[str, str]
    provider: str
    state: str
    synced: str
    ready: str
    health: str
    phase: str
    """`ready`, `active`, `blocked`, `unknown`; empty where there is nobody to ask, or nobody looked."""
    why: str
    """Why it is not in order, in a sentence; empty when it is."""
    session: str
    told: Event | None
    """What the books say."""
    noted: Event | None
    """What was seen to change between two looks."""
    screen: str | None
    """What its terminal shows, as it stands; None where that is not known."""

    @property
    def event(self) -> Event | None:
        """What lasts, else the newer of what is told and what was seen."""
        told, noted = self.told, self.noted
        if told is None or noted is None or told.at is None or noted.at is None:
            return told or noted
        return noted if noted.at >= told.at else told

    def lower(self, count: int) -> list[str]:
        """The last lines of its screen, without what looks like a key."""
        return last_lines(self.screen, count) if self.screen is not None and count > 0 else []

    def to_json(self) -> JsonMap:
        """Without the screen: `houmao logs` prints it."""
        event = self.event
        return {
            "name": self.name,
            "uid": self.uid,
            "agent_id": self.agent_id,
            "provider": self.provider,
            "labels": dict(self.labels),
            "state": self.state,
            "synced": self.synced,
            "ready": self.ready,
            "health": self.health,
            "phase": self.phase or None,
            "why": self.why or None,
            "event": event.to_json() if event else None,
            "tmux_session_name": self.session or None,
        }


class Board(NamedTuple):
    """Every agent of one overlay, sorted by name, as it was `at`."""

    rows: tuple[Row, ...]
    at: datetime
    project: str

    def to_json(self) -> JsonMap:
        """`{at, agents: […]}`."""
        agents: list[Json] = [row.to_json() for row in self.rows]
        return {"at": instant(self.at), "agents": agents}

    def since(self, before: "Board | None") -> "Board":
        """The same with what changed: a turn that began or ended, an agent that came, exited or was stopped."""
        if before is None:
            return self
        old = {row.uid: row for row in before.rows}
        return self._replace(
            rows=tuple(row._replace(noted=_noted(old.get(row.uid), row, self.at)) for row in self.rows)
        )


def look(flags: Flags, *, selector: str = "", near: Collection[str] = ()) -> Board:
    """Every agent that the selector chooses.

    Of up to PROBED agents each is asked where its turn stands; of more only those with their uid in `near`, or the
    first ones where that is empty.
    """
    with opened(flags) as session:
        panes = {
            row.uid: row.live.get("pane", "")
            for row in session.reader.catalog.inventory()
            if row.ref.kind == "Instance" and row.live.get("state") == "running"
        }
        wanted = [uid for uid in panes if not near or len(panes) <= PROBED or uid in near][:PROBED]
        tmux = OneTrip(session.reader.tmux, [panes[uid] for uid in wanted if panes[uid]])
        session = session._replace(reader=session.reader._replace(tmux=tmux))
        found = read.get(flags, ("instances",), selector=selector, specs=False, session=session)
        asked = [item for item in found.items if len(found.items) <= PROBED or not near or item.uid in near][:PROBED]
        return Board(_rows(flags, session, found, asked), found.now, session.settings.overlay.project)


def _rows(flags: Flags, session: Session, found: read.Found, asked: Sequence[Status]) -> tuple[Row, ...]:
    panes = {item.uid: pane for item in asked if (pane := _pane(session, item))}
    screens = session.reader.tmux.captures(sorted(set(panes.values()))) if panes else {}
    chosen = {item.uid for item in asked}
    return tuple(
        _row(flags, session, item, found.now, screens.get(panes.get(item.uid, "")), asked=item.uid in chosen)
        for item in found.items
    )


def _pane(session: Session, item: Status) -> str:
    """Its own pane; of a fleet that stands as it was left nobody looked further than the books."""
    if not isinstance(item.seen, Present):
        return ""
    part = item.seen.parts.get("session")
    pane = part.facts.get("pane", item.live("pane")) if part is not None else ""
    return pane if isinstance(pane, str) else ""


def _row(
    flags: Flags, session: Session, item: Status, now: datetime, screen: Screen | Unanswered | None, *, asked: bool
) -> Row:
    phase, told, about = "", _lasting(item), ""
    if asked:
        phase, event, about = _turn(flags, session, item, screen)
        told = told or event
    return Row(
        uid=item.uid or "",
        name=item.ref.name,
        agent_id=item.live("agent_id") or item.uid or "",
        labels=item.row.labels if item.row else {},
        provider=item.live("provider"),
        state=CELLS["STATE"](item, now),
        synced=CELLS["SYNCED"](item, now),
        ready=CELLS["READY"](item, now),
        health=CELLS["HEALTH"](item, now),
        phase=phase,
        why=about or trouble(item),
        session=item.live("session_name"),
        told=told,
        noted=None,
        screen=screen.text if isinstance(screen, Screen) else None,
    )


def _lasting(item: Status) -> Event | None:
    """What is under way, or failed and was not tried again."""
    if item.intent is not None:
        return Event(f"{item.intent.verb} under way")
    return Event(f"failed: {item.attempt.code}") if item.attempt is not None else None


def _turn(
    flags: Flags, session: Session, item: Status, screen: Screen | Unanswered | None
) -> tuple[str, Event | None, str]:
    """Where its turn stands, its newest request, and the question it waits with."""
    if item.row is None:
        return "", None, ""
    agent = Agent(flags, session, item.row, item.seen, item.health or Health.UNKNOWN, item.health_reason, {})
    if agent.headless:
        return _headless(agent)
    event = _requested(agent)
    provider = session.reader.providers.get(agent.tool)
    if not isinstance(screen, Screen) or provider is None or not agent.reachable:
        return "", event, ""
    reading = read_screen(provider, screen)
    about = (
        f"it asks: {redacted(reading.asking.text)}" if reading.state is ScreenState.ASKING and reading.asking else ""
    )
    return PHASES.get(reading.state, Phase.UNKNOWN).value, event, about


def _headless(agent: Agent) -> tuple[str, Event | None, str]:
    from reconciler.app.turns import managed_turn

    if not agent.session_root:
        return "", None, ""
    turn, last = managed_turn(agent)
    at, result = last["updated_at_utc"], last["result"]
    event = Event(f"turn: {result}", datetime.fromisoformat(at)) if isinstance(at, str) and at else None
    return str(turn["phase"]) if agent.reachable else "", event, ""


def _requested(agent: Agent) -> Event | None:
    """The newest request, and what became of it."""
    if not agent.session_root:
        return None
    log = agent.session.reader.requests.log(agent.session_root, create=False)
    if log is None:
        return None
    try:
        latest = log.latest()
    finally:
        log.close()
    if not latest:
        return None
    entry = latest[0]
    what = "keys" if entry.kind == "send_keys" else entry.kind
    return Event(f"{what} {entry.outcome.value}", datetime.fromisoformat(entry.settled_at or entry.at))


def _noted(old: Row | None, new: Row, at: datetime) -> Event | None:
    """What is new about it, else what was noted before."""
    if old is None:
        return Event("came", at)
    was, now = old.state.partition(" ")[0], new.state.partition(" ")[0]
    if was != now:
        return Event(f"{was} → {now}", at)
    if old.phase and new.phase and old.phase != new.phase:
        if new.phase == Phase.BLOCKED:
            return Event("asks something", at)
        said = HAPPENED.get((Phase(old.phase), Phase(new.phase)))
        return Event(said or f"{old.phase} → {new.phase}", at)
    return old.noted
