"""Which agent is meant, and how it is: by id, by name, or the one whose terminal this is.

The overlay one stands in is asked first, then the registry of the user: an agent of another overlay is looked at
through that overlay. One observation of one agent; its class is that of the one table (`kinds.instance.health`).
"""

from collections.abc import Iterable, Sequence

from reconciler.app.one_look import OneScan, OneTrip
from reconciler.app.session import Flags, Session, open_session
from reconciler.engine.handler import Part, Seen, Target, Unknown
from reconciler.kinds.instance.gateway_part import NONE as GATEWAY_NONE
from reconciler.kinds.instance.health import health_of, reachable
from reconciler.kinds.instance.observe import observe
from reconciler.model import record as records
from reconciler.model.errors import ReconcilerError, UsageFault
from reconciler.model.health import Health
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.resource import at_path
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports
from reconciler.ports.catalog import InventoryRow
from reconciler.ports.registry import BadRecord, Record
from reconciler.ports.tmux import Listing, Pane, Screen, Unanswered

PREFIX = "HOUMAO-"
NONE = Part(False, {})
BROKEN = {
    Health.DEGRADED: "agent.degraded",
    Health.STALE: "agent.stale",
    Health.UNKNOWN: "agent.unknown",
}
"""The code of each class that is no agent to talk to."""


class AgentNotFound(ReconcilerError):
    """No agent has that id or name."""

    code = "agent.not_found"


class AgentAmbiguous(ReconcilerError):
    """Several agents have that name."""

    code = "agent.ambiguous"


class AgentNotActive(ReconcilerError):
    """The agent is stopped, retired, or was never started: there is nobody to talk to."""

    code = "agent.not_active"


class AgentBroken(ReconcilerError):
    """The agent is recorded as running, and is degraded or stale."""

    code = "agent.broken"

    def __init__(self, message: str, *, hint: str, code: str, ref: str, evidence: Sequence[str]) -> None:
        super().__init__(message, hint=hint, code=code, ref=ref)
        self.evidence = tuple(evidence)

    def causes(self) -> list[Json]:
        """What was seen."""
        return [*self.evidence, *super().causes()]


class NoSelf(ReconcilerError):
    """There is no current agent: this is not an agent's terminal."""

    code = "agent.no_self"


class Selector(NamedTuple):
    """Exactly one of the two."""

    agent_id: str | None = None
    agent_name: str | None = None


class Agent(NamedTuple):
    """One agent as it is now."""

    flags: Flags
    """What leads to it again."""
    session: Session
    """The overlay it belongs to."""
    row: InventoryRow
    seen: Seen
    health: Health
    reason: str
    body: JsonMap
    """Its registry record; empty where there is none to read."""
    shown: Screen | Unanswered | None = None
    """What its own pane showed in the same look; None where that was not asked."""

    @property
    def ref(self) -> Ref:
        return self.row.ref

    @property
    def live(self) -> dict[str, str]:
        """Handles of what was started."""
        return dict(self.row.live)

    @property
    def agent_id(self) -> str:
        return self.row.live.get("agent_id") or self.row.uid

    @property
    def agent_name(self) -> str:
        return self.row.live.get("agent_name") or self.row.ref.name

    @property
    def tool(self) -> str:
        return self.row.live.get("provider", "")

    @property
    def headless(self) -> bool:
        return self.row.live.get("backend", "").endswith("_headless")

    @property
    def session_manifest(self) -> str:
        return self.row.live.get("session_manifest", "")

    @property
    def session_root(self) -> str:
        return self.session_manifest.rpartition("/")[0]

    @property
    def memory_root(self) -> str:
        return f"{self.session.reader.places.memory}/agents/{self.agent_id}"

    @property
    def state(self) -> str:
        """`active`, `stopped`, `retired`, or `absent` where it was never started."""
        if self.row.live.get("state") == "running":
            return "active"
        if not self.row.live.get("session_manifest"):
            return "absent"
        return "retired" if records.state(self.body) == "retired" else "stopped"

    @property
    def pane(self) -> str:
        """The agent's own pane, or empty."""
        found = self._fact("session", "pane")
        return found if isinstance(found, str) else ""

    @property
    def pid(self) -> int:
        """The provider's process, or 0."""
        found = self._fact("process", "pid")
        return found if isinstance(found, int) else 0

    @property
    def reachable(self) -> bool:
        """Its session and its program are there."""
        return self.state == "active" and reachable(self.seen)

    def _fact(self, part: str, key: str) -> Json:
        return None if isinstance(self.seen, Unknown) else self.seen.parts.get(part, NONE).facts.get(key)

    def ports(self) -> Ports:
        """Everything that acts, for this agent's overlay; the caller closes its catalog."""
        return self.session.world.ports(self.session.settings)

    def again(self) -> "Agent":
        """The same agent, looked at once more."""
        rows = {row.uid: row for row in self.session.reader.catalog.naming([self.row.uid])}
        return _looked_at(self.flags, self.session, rows.get(self.row.uid, self.row))

    def identity(self) -> JsonMap:
        """Who it is, in the keys every listing has (runtime-and-fleet-api §8.5)."""
        return identity(self.row, self.agent_id, lifecycle=self.state)

    def command(self, verb: str) -> str:
        """The command line that does something to this agent."""
        return f"houmao agents single --agent-id {self.agent_id} {verb}"


def resolve(flags: Flags, selector: Selector) -> Agent:
    """The one agent that is meant; raises UsageFault, AgentNotFound, AgentAmbiguous."""
    if (selector.agent_id is None) == (selector.agent_name is None):
        raise UsageFault(
            "exactly one of --agent-id and --agent-name says which agent is meant",
            hint="houmao agents single --agent-name alice state; `houmao agents global list` lists them",
            code="usage.selector",
        )
    session = open_session(flags)
    wanted = selector.agent_id if selector.agent_id is not None else selector.agent_name
    assert wanted is not None
    by_id = selector.agent_id is not None
    rows = _instances(session, wanted, wanted.removeprefix(PREFIX))
    mine = [row for row in rows if _means(wanted, by_id, _id(row), _names(row))]
    if len(mine) == 1:
        return _on_its_server(flags, session, mine[0])
    if mine:
        raise _ambiguous(wanted, [(_id(row), _place(session)) for row in mine])
    return _from_registry(session, flags, wanted, by_id)


def own(flags: Flags) -> Agent:
    """The agent in whose terminal this runs, told by the pane and the marks of its session; raises NoSelf."""
    flags, pane = current_pane(flags)
    session = open_session(flags)
    uid = pane.uid
    carried = session.reader.tmux.environment(pane.session_id, "HOUMAO_UID") if uid else None
    if not uid or carried != uid:
        raise NoSelf(
            f"the tmux session {pane.session_name!r} is no agent's",
            hint="`houmao agents self join` makes it one; `houmao agents single` names another",
        )
    for row in _instances(session, uid):
        if row.uid == uid:
            return _looked_at(flags, session, row)
    agent_id = session.reader.tmux.environment(pane.session_id, "HOUMAO_AGENT_ID")
    if isinstance(agent_id, str) and agent_id:
        found = _from_registry(session, flags, agent_id, True)
        if found.row.uid == uid:
            return found
    raise NoSelf(
        f"the tmux session {pane.session_name!r} carries uid {uid}, which no overlay here knows",
        hint="run it in the project the agent belongs to",
    )


def current_pane(flags: Flags) -> tuple[Flags, Pane]:
    """The pane this runs in, and the flags that lead to its server; raises NoSelf outside of one."""
    session = open_session(flags)
    environ = session.reader.environ
    socket, pane_id = (environ.get("TMUX") or "").partition(",")[0], environ.get("TMUX_PANE") or ""
    if not socket or not pane_id:
        raise NoSelf(
            "there is no current agent: this is not inside tmux",
            hint="run it in the agent's terminal, or say which with `houmao agents single --agent-name NAME …`",
        )
    if session.reader.tmux.socket != socket:
        flags = flags._replace(tmux_socket=socket)
        session = open_session(flags)
    return flags, _pane(session, pane_id)


def require_live(agent: Agent, doing: str) -> None:
    """Raise AgentNotActive or AgentBroken unless its session and its program are there."""
    if agent.reachable:
        return
    if agent.state != "active":
        raise _not_active(agent, doing)
    raise _broken(agent, doing)


def require_known(agent: Agent, doing: str) -> None:
    """Raise AgentBroken where nobody can tell what is there: nothing of it is touched then."""
    if isinstance(agent.seen, Unknown):
        raise _broken(agent, doing)


def identity(row: InventoryRow, agent_id: str, *, lifecycle: str) -> JsonMap:
    """One agent of this machine, in the keys of runtime-and-fleet-api §8.5."""
    live = row.live
    headless = live.get("backend", "").endswith("_headless")
    manifest = live.get("session_manifest") or None
    return {
        "tracked_agent_id": agent_id,
        "transport": "headless" if headless else "tui",
        "tool": live.get("provider") or None,
        "session_name": None if headless else live.get("session_name") or None,
        "terminal_id": live.get("pane") or None,
        "runtime_session_id": live.get("session_id") or None,
        "tmux_session_name": live.get("session_name") or None,
        "tmux_window_name": "agent" if live.get("session") else None,
        "manifest_path": manifest,
        "session_root": manifest.rpartition("/")[0] if manifest else None,
        "agent_name": live.get("agent_name") or row.ref.name,
        "agent_id": agent_id,
        "lifecycle_state": lifecycle,
        "management_kind": "local_lifecycle",
        "lifecycle_owner": "local",
        "external_agent_id": None,
        "remote_pair_api_base_url": None,
        "remote_agent_ref": None,
    }


def evidence(agent: Agent) -> list[str]:
    """What was seen of it, one line each."""
    why = agent.seen.why if isinstance(agent.seen, Unknown) else ""
    parts = {} if isinstance(agent.seen, Unknown) else agent.seen.parts
    lines = [
        why,
        *(
            f"{name}: {part.why}"
            for name, part in parts.items()
            if part.why and (name, part) != ("gateway", GATEWAY_NONE)
        ),
    ]
    lines += [
        f"agent_id: {agent.agent_id}",
        f"lifecycle_state: {agent.state}",
        f"tmux_session: {agent.live.get('session_name') or 'none'}",
        f"manifest_path: {agent.session_manifest or 'none'}",
        f"session_root: {agent.session_root or 'none'}",
    ]
    return [line for line in lines if line]


def _not_active(agent: Agent, doing: str) -> AgentNotActive:
    words = {
        "stopped": ("it is stopped", f"`{agent.command('relaunch')}` starts it again; `… cleanup session` retires it"),
        "retired": ("it is retired: its session root was cleaned up", f"`houmao apply` what declares {agent.ref}"),
        "absent": ("it was never started", f"`houmao apply` what declares {agent.ref}"),
    }
    what, hint = words[agent.state]
    return AgentNotActive(
        f"cannot {doing} agent {agent.agent_name!r} ({agent.agent_id}): {what}", hint=hint, ref=str(agent.ref)
    )


def _broken(agent: Agent, doing: str) -> AgentBroken:
    return AgentBroken(
        f"cannot {doing} agent {agent.agent_name!r}: it is {agent.health.value} ({agent.reason})",
        hint=f"`{agent.command('relaunch')}` brings it back, `… stop` settles it; `houmao apply` does what is declared",
        code=BROKEN.get(agent.health, "agent.broken"),
        ref=str(agent.ref),
        evidence=evidence(agent),
    )


def _looked_at(flags: Flags, session: Session, row: InventoryRow) -> Agent:
    """Looked at once: its panes, what its own one shows, and the registry, which has a thousand others."""
    intents = {intent.uid: intent for intent in session.reader.catalog.intents()}
    terminal = row.live.get("state") == "running" and not row.live.get("backend", "").endswith("_headless")
    tmux = OneTrip(session.reader.tmux, [row.live.get("pane", "")] if terminal else [], row.uid)
    reader = session.reader._replace(tmux=tmux, registry=OneScan(session.reader.registry))
    seen = observe([Target(row.ref, row.uid, None, row, intents.get(row.uid))], reader)[row.ref]
    found = reader.registry.scan().records.get(row.live.get("agent_id") or row.uid)
    body = found.body if isinstance(found, Record) and found.owner.get("uid") == row.uid else {}
    health, reason = health_of(
        seen,
        recorded_running=row.live.get("state") == "running",
        retired=records.state(body) == "retired",
        started=bool(row.live.get("session_manifest")),
    )
    agent = Agent(flags, session, row, seen, health, reason, body)
    return agent._replace(shown=tmux.known(agent.pane))


def _instances(session: Session, *words: str) -> list[InventoryRow]:
    """Every instance; where words are given, at least those that have one for uid, name, agent id or agent name."""
    catalog = session.reader.catalog
    return [row for row in (catalog.naming(words) if words else catalog.inventory()) if row.ref.kind == "Instance"]


def _id(row: InventoryRow) -> str:
    return row.live.get("agent_id") or row.uid


def _names(row: InventoryRow) -> set[str]:
    return {row.live.get("agent_name") or row.ref.name}


def _means(wanted: str, by_id: bool, agent_id: str, names: Iterable[str]) -> bool:
    """Names are known with and without the prefix that tmux sees."""
    if by_id:
        return wanted == agent_id
    return wanted in names or (wanted.startswith(PREFIX) and wanted.removeprefix(PREFIX) in names)


def _place(session: Session) -> str:
    return session.settings.overlay.root


def _on_its_server(flags: Flags, session: Session, row: InventoryRow) -> Agent:
    """Looked at on the tmux server it was started on, unless another one was asked for."""
    socket = row.live.get("socket", "")
    running = row.live.get("state") == "running"
    if running and socket and socket != session.reader.tmux.socket and flags.tmux_socket is None:
        flags = flags._replace(tmux_socket=socket)
        session = open_session(flags)
    return _looked_at(flags, session, row)


def _from_registry(session: Session, flags: Flags, wanted: str, by_id: bool) -> Agent:
    """An agent of another overlay of this user, looked at through that overlay."""
    found: list[Record] = []
    rows = _instances(session)
    known, names = {row.uid for row in rows}, [name for row in rows for name in _names(row)]
    for agent_id, record in session.reader.registry.scan().records.items():
        if isinstance(record, BadRecord) or str(record.owner.get("uid")) in known:
            continue
        name = str(record.body.get("agent_name"))
        names.append(name)
        if _means(wanted, by_id, agent_id, {name}):
            found.append(record)
    if len(found) > 1:
        raise _ambiguous(wanted, [(each.agent_id, str(at_path(each.body, "runtime.manifest_path"))) for each in found])
    if not found:
        raise _missing(session, wanted, by_id, names)
    record = found[0]
    overlay = str(at_path(record.body, "runtime.agent_def_dir") or "").rpartition("/")[0]
    project, _, folder = overlay.rpartition("/")
    if folder == ".houmao" and project:
        there = flags._replace(project_dir=project)
        other = open_session(there)
        for row in _instances(other, str(record.owner.get("uid"))):
            if row.uid == record.owner.get("uid"):
                return _on_its_server(there, other, row)
    raise AgentNotFound(
        f"agent {record.agent_id!r} is registered, and no overlay here owns it",
        hint=f"run the command where it was started; its files are at {at_path(record.body, 'runtime.session_root')}",
        code="agent.unmanaged",
    )


def _ambiguous(wanted: str, found: Sequence[tuple[str, str]]) -> AgentAmbiguous:
    listed = ", ".join(f"{agent_id} (of {place})" for agent_id, place in sorted(found))
    return AgentAmbiguous(
        f"{len(found)} agents are called {wanted!r}: {listed}", hint="say which with --agent-id", code="agent.ambiguous"
    )


def _missing(session: Session, wanted: str, by_id: bool, names: Sequence[str]) -> AgentNotFound:
    from reconciler.declare.suggest import nearest

    near = None if by_id else nearest(wanted.removeprefix(PREFIX), sorted(set(names)))
    hint = f"did you mean --agent-name {near}?" if near else "`houmao agents global list` lists them"
    if not names:
        hint = f"nobody is registered; `houmao apply` in {session.settings.overlay.project} starts what is declared"
    return AgentNotFound(f"there is no agent with the {'id' if by_id else 'name'} {wanted!r}", hint=hint)


def _pane(session: Session, pane_id: str) -> Pane:
    listing = session.reader.tmux.listing()
    if isinstance(listing, Unanswered):
        raise NoSelf(f"tmux did not answer: {listing.why}", hint="`houmao doctor` looks closer")
    assert isinstance(listing, Listing)
    for pane in listing.panes:
        if pane.pane_id == pane_id:
            return pane
    raise NoSelf(
        f"the tmux server at {session.reader.tmux.socket} has no pane {pane_id}",
        hint="TMUX and TMUX_PANE are of a session that is gone",
    )
