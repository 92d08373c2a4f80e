"""See instances in parts: session, process, record, home, gateway (R-OBS-9).

One tmux listing, one registry scan, the recorded pids, two stats per instance; nothing is started per instance.
"""

from collections.abc import Mapping, Sequence

from reconciler.engine.handler import Absent, Part, Present, Seen, Target, Unknown
from reconciler.kinds.instance import gateway_part
from reconciler.model.json import Json, JsonMap, digest
from reconciler.model.names import ENV_SOCKET
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import adopts
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader
from reconciler.ports.process import NoAnswer, ProcessFacts, ProcessSeen
from reconciler.ports.registry import BadRecord, Record, Scan
from reconciler.ports.tmux import Listing, Pane, Unanswered, alone_in_front


class Own(NamedTuple):
    """A record that carries a uid: its agent id, and the digest of its content."""

    agent_id: str
    digest: str


FEW = 16
"""Up to so many agents are looked for in the text of each record before it is parsed: most looks are at one."""


def observe(targets: Sequence[Target], ports: Reader) -> Mapping[Ref, Seen]:
    """Three-valued sight of each target; tmux silent means Unknown for all that could run there."""
    listing = ports.tmux.listing()
    if isinstance(listing, Unanswered):
        return {target.ref: Unknown(f"tmux did not answer: {listing.why}") for target in targets}
    by_uid: dict[str, list[Pane]] = {}
    for pane in listing.panes:
        if pane.uid:
            by_uid.setdefault(pane.uid, []).append(pane)
    scan = ports.registry.scan()
    records = _by_uid(scan, targets)
    boot = ports.process.boot_id()
    pids = _pids(targets, by_uid)
    processes = ports.process.facts(sorted(pids)) if pids else {}
    missing = [
        target.uid
        for target in targets
        if target.uid and _needs_search(target, by_uid, boot) and not _alive(_recorded(target), processes, boot)
    ]
    survivors = ports.process.bearing(missing) if missing else {}
    roots = gateway_part.roots(targets, ports)
    gateways = ports.gateways.seen(sorted(roots.values()))
    parts = {uid: gateway_part.part_of(gateways.get(root)) for uid, root in roots.items()}
    return {
        target.ref: _one(target, listing, by_uid, records, scan, processes, survivors, boot, parts, ports)
        for target in targets
    }


def _one(
    target: Target,
    listing: Listing,
    by_uid: Mapping[str, Sequence[Pane]],
    records: Mapping[str, Sequence[Own]],
    scan: Scan,
    processes: Mapping[int, ProcessSeen],
    survivors: Mapping[Uid, tuple[ProcessFacts, ...]] | NoAnswer,
    boot: str,
    gateways: Mapping[str, Part],
    ports: Reader,
) -> Seen:
    if target.uid is None:
        return Absent("it was never started", parts={}, stamp=_may_be_adopted(target, listing, scan))
    elsewhere = _other_server(target, ports)
    if elsewhere and target.uid not in by_uid:
        return Unknown(
            f"it was started on the tmux server at {elsewhere}, and this run looks at {ports.tmux.socket}; "
            f"to have it look there, set {ENV_SOCKET} to the first path"
        )
    panes = by_uid.get(target.uid, ())
    sessions = sorted({pane.session_id for pane in panes})
    if len(sessions) > 1:
        names = ", ".join(sorted({pane.session_name for pane in panes}))
        return Unknown(f"two tmux sessions claim its uid: {names}", ambiguous=True)
    if len(records.get(target.uid, ())) > 1:
        ids = ", ".join(sorted(record.agent_id for record in records[target.uid]))
        return Unknown(f"two registry records claim its uid: {ids}", ambiguous=True)
    session, process = _session(panes, listing), _process(target, panes, processes, survivors, boot)
    if process.present is None:
        return Unknown(process.why)
    parts = {
        "session": session,
        "process": process,
        "record": _record(target, records, scan),
        "home": _home(target, ports),
        "gateway": gateways.get(target.uid, gateway_part.NONE),
    }
    stamp: JsonMap = {
        "session": session.facts.get("id"),
        "mark": session.facts.get("mark"),
        "pid": process.facts.get("pid"),
        "ticks": process.facts.get("ticks"),
        "server": [listing.server.pid, listing.server.started] if listing.server else None,
        "rebooted": _rebooted(target, boot),
        **_may_be_adopted(target, listing, scan),
    }
    if session.present or process.present:
        return Present({}, stamp, parts)
    return Absent(session.why, parts=parts, stamp=stamp)


def _other_server(target: Target, ports: Reader) -> str:
    """The socket of the server it runs on, when this run looks at another: no listing here proves its absence."""
    live = target.row.live if target.row else {}
    socket = live.get("socket", "")
    return socket if live.get("state") == "running" and socket not in ("", ports.tmux.socket) else ""


def _session(panes: Sequence[Pane], listing: Listing) -> Part:
    agent = primary(panes)
    if not panes:
        return Part(False, {}, f"no session carries its uid ({listing.evidence})")
    some = agent or panes[0]
    others = sum(1 for pane in panes if pane.role not in ("agent", "gateway"))
    return Part(
        True,
        {
            "id": some.session_id,
            "name": some.session_name,
            "created": some.session_created,
            "mark": some.mark,
            "pane": agent.pane_id if agent else None,
            "dead": agent.dead if agent else None,
            "status": agent.dead_status if agent else None,
            **({"others": others} if others else {}),
        },
    )


def primary(panes: Sequence[Pane]) -> Pane | None:
    """The agent's own pane; others never count (R-OBS-9a)."""
    return next((pane for pane in panes if pane.role == "agent"), None)


def _process(
    target: Target,
    panes: Sequence[Pane],
    processes: Mapping[int, ProcessSeen],
    survivors: Mapping[Uid, tuple[ProcessFacts, ...]] | NoAnswer,
    boot: str,
) -> Part:
    """The provider's process: either witness, `pane_dead` or the process table, proves that it ended (R-OBS-4)."""
    agent = primary(panes)
    if panes and agent is None:
        return Part(False, {"reason": "MissingPrimary"}, "its session has no agent pane any more")
    pid, ticks = _recorded(target)
    if agent is not None:
        if agent.dead:
            return Part(False, {"reason": "ProviderExited", "status": agent.dead_status}, "its pane says it exited")
        moved = _moved(target, agent, pid)
        if moved is not None:
            return moved
        facts = processes.get(agent.pid)
        if isinstance(facts, NoAnswer):
            return Part(None, {}, f"process {agent.pid} could not be looked at: {facts.why}")
        if isinstance(facts, ProcessFacts) and not facts.exited:
            return Part(True, {"pid": facts.pid, "ticks": facts.start_ticks})
        return Part(False, {"reason": "ProviderExited"}, f"process {agent.pid} is gone")
    found = processes.get(pid) if pid else None
    if isinstance(found, NoAnswer):
        return Part(None, {}, f"process {pid} could not be looked at: {found.why}")
    if _alive((pid, ticks), processes, boot) and _boot_matches(target, boot):
        return Part(True, {"pid": pid, "ticks": ticks, "survivor": True})
    if isinstance(survivors, NoAnswer):
        return Part(None, {}, f"the process table could not be searched: {survivors.why}")
    bearers = survivors.get(target.uid, ()) if target.uid else ()
    if bearers:
        first = bearers[0]
        return Part(True, {"pid": first.pid, "ticks": first.start_ticks, "survivor": True})
    return Part(False, {}, "no process carries its uid")


def _moved(target: Target, agent: Pane, pid: int) -> Part | None:
    """The agent's pane runs something else than what was recorded of this very session: an idle shell, for one."""
    live = target.row.live if target.row else {}
    if target.intent is not None or not pid or agent.pid == pid or live.get("mark") != agent.mark:
        return None
    if live.get("pane", agent.pane_id) != agent.pane_id:
        why = f"its pane is {agent.pane_id}, and {live['pane']} was started"
        return Part(False, {"reason": "StaleHandles", "other": agent.pid}, why)
    why = f"process {agent.pid} runs in its pane, and {pid} was started"
    return Part(False, {"reason": "ProviderExited", "other": agent.pid}, why)


def _needs_search(target: Target, by_uid: Mapping[str, Sequence[Pane]], boot: str) -> bool:
    """A full pass over the process table is made only where a session is missing that should be there."""
    if target.uid is None or by_uid.get(target.uid):
        return False
    if target.intent is not None:
        return True
    running = target.row is not None and target.row.live.get("state") == "running"
    return running and _boot_matches(target, boot)


def _recorded(target: Target) -> tuple[int, int]:
    """Pid and start ticks from the open intent, else from the inventory row; zeros when none."""
    for source in (target.intent.handle if target.intent else {}, target.row.live if target.row else {}):
        pid, ticks = source.get("pid"), source.get("ticks")
        if isinstance(pid, str) and isinstance(ticks, str) and pid.isdigit() and ticks.isdigit():
            return int(pid), int(ticks)
    return 0, 0


def _pids(targets: Sequence[Target], by_uid: Mapping[str, Sequence[Pane]]) -> set[int]:
    pids: set[int] = set()
    for target in targets:
        agent = primary(by_uid.get(target.uid or "", ()))
        if agent is not None and not agent.dead:
            pids.add(agent.pid)
        elif agent is None and (pid := _recorded(target)[0]):
            pids.add(pid)
    return pids


def _alive(recorded: tuple[int, int], processes: Mapping[int, ProcessSeen], boot: str) -> bool:
    del boot
    facts = processes.get(recorded[0]) if recorded[0] else None
    return isinstance(facts, ProcessFacts) and not facts.exited and facts.start_ticks == recorded[1]


def _boot_matches(target: Target, boot: str) -> bool:
    recorded = target.row.live.get("boot") if target.row else None
    return recorded in (None, "", boot)


def _rebooted(target: Target, boot: str) -> bool:
    return not _boot_matches(target, boot)


def _by_uid(scan: Scan, targets: Sequence[Target]) -> dict[str, list[Own]]:
    """Records by the uid they carry. One that is to the byte what was published needs no parsing."""
    published = {
        (live.get("agent_id", ""), live["record_file"]): (target.uid, live.get("record", ""))
        for target in targets
        if target.uid and target.row is not None and (live := target.row.live).get("record_file")
    }
    few = [target.uid.encode() for target in targets if target.uid] if len(targets) <= FEW else None
    found: dict[str, list[Own]] = {}
    for agent_id, written in scan.records.digests().items():
        known = published.get((agent_id, written))
        if known is not None:
            found.setdefault(known[0], []).append(Own(agent_id, known[1]))
            continue
        if few is not None and not scan.records.may_name(agent_id, few):
            continue
        record = scan.records[agent_id]
        if isinstance(record, Record) and isinstance(uid := record.owner.get("uid"), str):
            found.setdefault(uid, []).append(Own(agent_id, digest(record.body)))
    return found


def _record(target: Target, records: Mapping[str, Sequence[Own]], scan: Scan) -> Part:
    agent_id = target.row.live.get("agent_id", "") if target.row else ""
    own = records.get(target.uid or "", ())
    if own:
        return Part(True, {"digest": own[0].digest, "agent_id": own[0].agent_id})
    if scan.root_unreadable:
        return Part(None, {}, scan.root_unreadable)
    there = scan.records.get(agent_id)
    if isinstance(there, BadRecord):
        return Part(True, {"corrupt": there.why}, there.why)
    if isinstance(there, Record):
        return Part(True, {"digest": digest(there.body), "foreign": True}, "its record does not carry its uid any more")
    return Part(False, {}, "the registry has no record of it")


def _home(target: Target, ports: Reader) -> Part:
    home = target.row.live.get("home", "") if target.row else ""
    if not home and target.intent is not None and isinstance(found := target.intent.handle.get("home"), str):
        home = found
    if target.row is not None and target.row.live.get("adopted"):
        return Part(None, {}, "it was adopted: what it runs in is not ours")
    if not home:
        return Part(False, {}, "it has no home yet")
    manifest = target.row.live.get("manifest", "") if target.row else ""
    there = ports.files.stamp(home) is not None
    has_manifest = not manifest or ports.files.stamp(manifest) is not None
    return Part(there and has_manifest, {"path": home}, "" if there else "its home directory is gone")


def _may_be_adopted(target: Target, listing: Listing, scan: Scan) -> JsonMap:
    """Who has its names; and, where its declaration opts in, the session of its declared name that nobody owns."""
    taken = _names_taken(target, listing, scan)
    if target.row is not None or not adopts(target.want) or "session_taken" not in taken:
        return taken
    panes = [pane for pane in listing.panes if pane.session_name == taken["session_taken"]]
    owner = next((pane.uid for pane in panes if pane.uid and pane.uid != target.uid), "")
    if owner:
        return {**taken, "owned_by": owner}
    pane = alone_in_front(panes)
    if pane is None or pane.dead:
        return {**taken, "unfit": "its pane is dead" if pane is not None else "its first window has several panes"}
    del taken["session_taken"]
    candidate: JsonMap = {
        "session": pane.session_id,
        "name": pane.session_name,
        "created": pane.session_created,
        "pane": pane.pane_id,
        "pid": pane.pid,
    }
    return {**taken, "candidate": candidate}


def _names_taken(target: Target, listing: Listing, scan: Scan) -> JsonMap:
    """Who else has the session name or agent id that this instance declares; such a thing is never touched."""
    spec: Mapping[str, Json] = target.want.spec if target.want else {}
    taken: JsonMap = {}
    name = spec.get("sessionName")
    if isinstance(name, str):
        for pane in listing.panes:
            if pane.session_name == name and (target.uid is None or pane.uid != target.uid):
                taken["session_taken"] = name
    agent_id = spec.get("agentId")
    if isinstance(agent_id, str):
        record = scan.records.get(agent_id)
        if isinstance(record, Record) and (target.uid is None or record.owner.get("uid") != target.uid):
            taken["agent_id_taken"] = agent_id
    return taken
