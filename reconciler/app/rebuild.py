"""`doctor --rebuild`: a catalog that was lost, made again from what lives (R-HIS-4).

What an agent was started as stands in its session manifest, and on its session: identity, overlay, launch digest. Of
each one an intent is written, as a run leaves it that was killed between starting an agent and recording it. The next
apply goes on from there by the same steps: an agent that is still declared as it was started is recorded and goes on
running, another one is started anew on the identity and home it has, and one that is not declared is a candidate of
prune.
"""

import posixpath
from collections.abc import Iterator

from reconciler.app import overlay as overlay_
from reconciler.app.lock import take
from reconciler.app.request import Emit, RunFlags
from reconciler.app.session import Flags, Session, opened
from reconciler.kinds.instance import mark
from reconciler.model.action import Verb
from reconciler.model.errors import ConflictError, GuardRefused, ReconcilerError, Unreachable
from reconciler.model.json import Json, JsonMap, parse_map
from reconciler.model.ref import Ref, Uid, name_fault
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports, Reader
from reconciler.ports.catalog import Intent
from reconciler.ports.registry import Record
from reconciler.ports.tmux import Failed, Fence, Pane, Refused, Unanswered, Vacant

RUN = "r-rebuilt"
"""What stands in place of the run that is not known any more."""
TOKEN_MAX = 1 << 62


class Nothing(ReconcilerError):
    """No agent was ever started from this overlay's directory, or nothing of it is left."""

    code = "catalog.nothing_left"


class Known(NamedTuple):
    """One agent that was started from this overlay, and what is left of it."""

    ref: Ref
    uid: Uid
    agent_id: str
    session: str
    """Name of its tmux session."""
    running: bool
    home: str
    manifest: str
    token: int

    def to_json(self) -> JsonMap:
        """`{ref, uid, agent_id, session, running, home}`."""
        return {
            "ref": str(self.ref),
            "uid": self.uid,
            "agent_id": self.agent_id,
            "session": self.session,
            "running": self.running,
            "home": self.home,
        }


class Rebuilt(NamedTuple):
    """The overlay's identity, who is known again, and what could not be taken in, with the reason."""

    overlay_id: str
    agents: tuple[Known, ...]
    left_out: tuple[tuple[str, str], ...]
    done: bool

    def to_json(self) -> JsonMap:
        """`{overlay_id, agents, left_out, done}`."""
        agents: list[Json] = [agent.to_json() for agent in self.agents]
        left: list[Json] = [{"path": path, "why": why} for path, why in self.left_out]
        return {"overlay_id": self.overlay_id, "agents": agents, "left_out": left, "done": self.done}


def rebuild(flags: Flags, how: RunFlags, *, emit: Emit, dry: bool = False) -> Rebuilt:
    """Look for what is left, and unless `dry` write it down.

    Raises GuardRefused where the catalog is not lost, Nothing where nothing is left, ConflictError where two overlays
    were at work in this directory, Unreachable where tmux does not answer: nothing is guessed.
    """
    with opened(flags) as session:
        _refuse_kept(session.reader)
        found = _evidence(session)
        if dry:
            return found
        overlay_.create(session.settings, session.world, rebuilding=True)
    ports = session.world.bare(session.settings)
    try:
        writer = take(ports, purpose="doctor --rebuild", wait_s=how.lock_timeout_s or 0.0, emit=emit)
        try:
            _refuse_kept(ports.reader())  # somebody may have applied meanwhile
            token = writer.token(ports, above=_above_all(found, ports))
            at = ports.clock.now_utc().isoformat()
            with ports.catalog.transaction(token) as tx:
                tx.put_meta("overlay_id", found.overlay_id)
                for agent in found.agents:
                    tx.intend(Intent(RUN, agent.uid, agent.ref, Verb.CREATE.value, token, _handle(agent), at))
        finally:
            writer.release()
    finally:
        ports.catalog.close()
    return found._replace(done=True)


def _refuse_kept(reader: Reader) -> None:
    catalog = reader.catalog
    if not catalog.present():
        return
    if rows := len(catalog.inventory()) + len(catalog.intents()):
        raise GuardRefused(
            f"the catalog is not lost: it has {rows} {'resource' if rows == 1 else 'resources'}",
            hint=f"look with `houmao doctor`; to make it anew all the same, move {reader.places.catalog} aside first",
            code="guard.catalog_kept",
        )


def _evidence(session: Session) -> Rebuilt:
    """What manifests, sessions and records say together."""
    reader = session.reader
    listing = reader.tmux.listing()
    if isinstance(listing, Unanswered):
        raise _silent(listing.why)
    left: list[tuple[str, str]] = []
    found: dict[Uid, Known] = {}
    overlays: set[str] = set()
    panes = {pane.uid: pane for pane in listing.panes if pane.uid}
    records = _records(reader)
    for path, body in _manifests(reader, left):
        owner = body.get("owner")
        told = owner if isinstance(owner, dict) else {}
        uid, overlay = str(told.get("uid") or ""), str(told.get("overlay_id") or "")
        token = told.get("fencing_token")
        ref = _ref(body)
        if not uid or not overlay or ref is None or not isinstance(token, int):
            left.append((path, "it does not say whose it is"))
            continue
        running = _runs(panes.get(Uid(uid)), overlay)
        if not running and records.get(uid) != overlay:
            continue  # what was removed leaves its manifest behind, and neither session nor record
        overlays.add(overlay)
        before = found.get(Uid(uid))
        if before is None or before.token < token:
            found[Uid(uid)] = _known(path, body, ref, Uid(uid), token, running=running)
    if not found:
        raise Nothing(
            f"nothing that was started from {session.settings.overlay.root} is left",
            hint="apply what is declared; sessions that run unmanaged are listed by `houmao get --unmanaged`",
        )
    if len(overlays) > 1:
        raise ConflictError(
            f"agents of {len(overlays)} overlays were started from this directory: {', '.join(sorted(overlays))}",
            hint="restore a backup of the catalog: nobody can tell which of them it was",
            code="catalog.ambiguous",
        )
    agents, twice = _one_per_name(sorted(found.values()))
    return Rebuilt(overlays.pop(), agents, (*left, *twice), done=False)


def _manifests(reader: Reader, left: list[tuple[str, str]]) -> Iterator[tuple[str, JsonMap]]:
    """Every session manifest below the runtime directory."""
    root = f"{reader.places.runtime}/sessions"
    for backend in _directories(reader, root):
        for name in _directories(reader, f"{root}/{backend}"):
            path = f"{root}/{backend}/{name}/manifest.json"
            try:
                if reader.files.stamp(path) is not None:
                    yield path, parse_map(reader.files.read(path))
            except (ReconcilerError, ValueError) as error:
                left.append((path, f"it cannot be read: {error}"))


def _directories(reader: Reader, path: str) -> list[str]:
    if reader.files.stamp(path) is None:
        return []
    return sorted(name.rstrip("/") for name in reader.files.names(path) if name.endswith("/"))


def _records(reader: Reader) -> dict[str, str]:
    """Uid to overlay id, of the registry records that have an owner."""
    found: dict[str, str] = {}
    scan = reader.registry.scan()
    if scan.root_unreadable:
        raise Unreachable(f"the registry cannot be read: {scan.root_unreadable}", hint="make it readable")
    for record in scan.records.values():
        if isinstance(record, Record) and record.owner:
            found[str(record.owner.get("uid"))] = str(record.owner.get("overlay_id"))
    return found


def _ref(body: JsonMap) -> Ref | None:
    """The resource it was started for; before that was kept, its agent's name, which is the resource's by default."""
    try:
        ref = Ref.parse(str(body.get("resource") or f"Instance/{body.get('agent_name')}"))
    except ValueError:
        return None
    return None if ref.kind != "Instance" or name_fault(ref.name) else ref


def _runs(pane: Pane | None, overlay: str) -> bool:
    """Whether a session bears both, the uid and the overlay's id."""
    borne = mark.parse(pane.mark) if pane is not None else None
    return borne is not None and borne.overlay_id == overlay


def _known(path: str, body: JsonMap, ref: Ref, uid: Uid, token: int, *, running: bool) -> Known:
    home_id = posixpath.basename(str(body.get("brain_manifest_path"))).removesuffix(".yaml")
    runtime = path.rpartition("/sessions/")[0]
    return Known(
        ref,
        uid,
        str(body.get("agent_id") or uid),
        str(body.get("tmux_session_name") or ""),
        running,
        f"{runtime}/homes/{home_id}",
        path,
        token,
    )


def _one_per_name(agents: list[Known]) -> tuple[tuple[Known, ...], tuple[tuple[str, str], ...]]:
    """A name that was used again means the one who runs, else who was started last."""
    chosen: dict[Ref, Known] = {}
    for agent in sorted(agents, key=lambda each: (each.running, each.token)):
        chosen[agent.ref] = agent
    twice = [agent for agent in agents if chosen[agent.ref] is not agent]
    kept = tuple(agent for agent in agents if chosen[agent.ref] is agent)
    return kept, tuple((each.manifest, f"another agent is called {each.ref}") for each in twice)


def _handle(agent: Known) -> JsonMap:
    """What the run that started it had intended (R-ACT-3)."""
    root = agent.manifest.rpartition("/")[0]
    return {
        "home": agent.home,
        "home_id": posixpath.basename(agent.home),
        "agent_id": agent.agent_id,
        "session_name": agent.session,
        "session_id": posixpath.basename(root),
        "source_root": "",
    }


def _above_all(found: Rebuilt, ports: Ports) -> int:
    """A number that no writer had: a tmux server that knew them obeys no lower one (R-LCK-2)."""
    above = max(agent.token for agent in found.agents)
    while above < TOKEN_MAX:
        (answer,) = ports.tmux.act(Fence(found.overlay_id, above + 1), [Vacant(Uid("f" * 32))])
        if isinstance(answer, Failed):
            raise _silent(answer.why)
        if not isinstance(answer, Refused):
            break
        above = max(1, above) * 2
    return above + 1


def _silent(why: str) -> Unreachable:
    return Unreachable(f"tmux did not answer: {why}", hint="nothing is known of what runs; try again when it answers")
