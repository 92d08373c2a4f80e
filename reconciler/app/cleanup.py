"""Take away what a stopped agent left: its session root, which retires it, or only what its turns and gateway logged.

Nothing that lives is ended, and homes and memory stay. What may not be touched is told under `blocked_actions`.
"""

from reconciler.app.agents import Agent, AgentNotFound, Selector, resolve
from reconciler.app.lock import take
from reconciler.app.session import Flags, open_session
from reconciler.build import turn as turn_files
from reconciler.model import record as records
from reconciler.model.errors import UsageFault
from reconciler.model.json import Json, JsonMap
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports

KINDS = ("session", "logs", "mailbox")


class Act(NamedTuple):
    """One thing to take away or to change."""

    artifact_kind: str
    path: str
    proposed_action: str
    reason: str
    details: JsonMap

    def to_json(self) -> JsonMap:
        """All of it by name."""
        return dict(self._asdict())


class Cleaned(NamedTuple):
    """What was planned, done, held back and left."""

    agent: Agent
    kind: str
    dry_run: bool
    purge: bool
    value: str
    planned: tuple[Act, ...] = ()
    applied: tuple[Act, ...] = ()
    blocked: tuple[Act, ...] = ()
    preserved: tuple[Act, ...] = ()

    def to_json(self) -> JsonMap:
        """The payload of runtime-and-fleet-api §4.9."""
        registry = next((act for act in (*self.planned, *self.applied) if act.artifact_kind == "registry_record"), None)

        def listed(acts: tuple[Act, ...]) -> list[Json]:
            return [act.to_json() for act in acts]

        return {
            "dry_run": self.dry_run,
            "scope": {
                "kind": self.kind,
                "manifest_path": self.agent.session_manifest or None,
                "session_root": self.agent.session_root or None,
                "purge_registry": self.purge,
            },
            "resolution": {"authority": "overlay", "value": self.value},
            "planned_actions": listed(self.planned),
            "applied_actions": listed(self.applied),
            "blocked_actions": listed(self.blocked),
            "preserved_actions": listed(self.preserved),
            "summary": {
                "planned_count": len(self.planned),
                "applied_count": len(self.applied),
                "blocked_count": len(self.blocked),
                "preserved_count": len(self.preserved),
                "live_session": self.agent.live.get("session_name") or None if self.agent.state == "active" else None,
                "registry_lifecycle_action": registry.proposed_action if registry else None,
            },
        }


def target(flags: Flags, selector: Selector, manifest: str | None, root: str | None) -> tuple[Agent, str]:
    """The agent that is meant, by id, name, manifest or session root; and by what."""
    chosen = [text for text in (selector.agent_id, selector.agent_name, manifest, root) if text is not None]
    if len(chosen) != 1:
        raise UsageFault(
            "exactly one of --agent-id, --agent-name, --manifest-path and --session-root says which agent is meant",
            code="usage.selector",
        )
    if manifest is None and root is None:
        return resolve(flags, selector), chosen[0]
    for row in open_session(flags).reader.catalog.inventory():
        found = row.live.get("session_manifest", "")
        if found and (found == manifest or found.rpartition("/")[0] == (root or "").rstrip("/")):
            return resolve(flags, Selector(agent_id=row.live.get("agent_id") or row.uid)), chosen[0]
    raise AgentNotFound(
        f"no agent of this overlay has the {'manifest' if manifest else 'session root'} {chosen[0]!r}",
        hint="`houmao agents global list --state all -o json` has them",
    )


def cleanup(
    agent: Agent, kind: str, value: str, *, dry_run: bool, purge: bool = False, lock_s: float = 30.0
) -> Cleaned:
    """Plan it and, unless it is a dry run, do it under the overlay's lock."""
    planned, blocked, preserved = _plan(agent, kind, purge)
    if dry_run or not planned:
        return Cleaned(agent, kind, dry_run, purge, value, planned, (), blocked, preserved)
    ports = agent.ports()
    try:
        writer = take(ports, purpose=f"cleanup {kind}", wait_s=lock_s, emit=lambda name, fields: None)
        try:
            writer.token(ports)
            again = agent.again()
            planned, blocked, preserved = _plan(again, kind, purge)
            for act in planned:
                writer.guard(ports)
                _carry_out(again, ports, act)
        finally:
            writer.release()
    finally:
        ports.catalog.close()
    return Cleaned(agent, kind, dry_run, purge, value, planned, planned, blocked, preserved)


def _plan(agent: Agent, kind: str, purge: bool) -> tuple[tuple[Act, ...], tuple[Act, ...], tuple[Act, ...]]:
    if kind == "logs":
        return _logs(agent)
    if kind == "mailbox":
        return (), _foreign_mailbox(agent), ()
    root = agent.session_root
    kept = tuple(
        Act(word, path, "preserve", "it is kept", {})
        for word, path in (("runtime_home", agent.live.get("home", "")), ("memory", agent.memory_root))
        if path and agent.session.reader.files.stamp(path) is not None
    )
    removal = Act("session_root", root, "remove", "the agent is stopped", {"agent_id": agent.agent_id})
    if agent.state == "active":
        why = f"the agent is active ({agent.health.value}); `{agent.command('stop')}` first"
        return (), (removal._replace(reason=why),), kept
    if not root:
        return (), (), kept
    if not _ours(agent, root):
        return (), (removal._replace(reason="it does not lie among the sessions of this overlay"),), kept
    acts: list[Act] = []
    if agent.session.reader.files.stamp(root) is not None:
        acts.append(removal)
    word = "purge" if purge else "retire"
    done = not agent.body if purge else records.state(agent.body) in ("", "retired")
    if not done:
        place = f"{agent.session.reader.registry.root}/live_agents/{agent.agent_id}/record.json"
        acts.append(Act("registry_record", place, word, "nothing is left to start it from", {}))
    return tuple(acts), (), kept


def _logs(agent: Agent) -> tuple[tuple[Act, ...], tuple[Act, ...], tuple[Act, ...]]:
    from reconciler.app import turns

    files, root = agent.session.reader.files, agent.session_root
    if not root or not _ours(agent, root):
        return (), (), ()
    acts: list[Act] = []
    blocked: list[Act] = []
    folder = f"{root}/{turn_files.ARTIFACTS}"
    running = turns.running(agent)
    for name in files.names(folder) if files.stamp(folder) is not None else ():
        act = Act("turn_artifacts", f"{folder}/{name.rstrip('/')}", "remove", "the turn is over", {})
        if running is not None and name.rstrip("/") == running.row.id:
            blocked.append(act._replace(reason="the turn runs"))
        else:
            acts.append(act)
    logs = f"{root}/gateway/logs"
    if files.stamp(logs) is not None:
        acts.append(Act("gateway_logs", logs, "remove", "logs", {}))
    return tuple(acts), tuple(blocked), ()


def _foreign_mailbox(agent: Agent) -> tuple[Act, ...]:
    """This release gives no agent a mailbox: one in the record is another program's, and stays."""
    found = agent.body.get("mailbox")
    if not isinstance(found, dict):
        return ()
    place = str(found.get("filesystem_root") or found.get("address") or "")
    return (Act("mailbox", place, "remove", "it was registered by another program", {"agent_id": agent.agent_id}),)


def _ours(agent: Agent, root: str) -> bool:
    """It lies where this overlay puts session roots, and is no link to elsewhere."""
    reader = agent.session.reader
    sessions = f"{reader.places.runtime}/sessions/"
    inside = root.startswith(sessions) and not {"", ".", ".."} & set(root.removeprefix(sessions).split("/"))
    return inside and not reader.files.is_link(root)


def _carry_out(agent: Agent, ports: Ports, act: Act) -> None:
    match act.proposed_action:
        case "remove":
            ports.files.remove(act.path)
        case "purge":
            ports.registry.remove(agent.agent_id, agent.row.uid)
        case _:
            ports.registry.publish(
                agent.agent_id, retired(agent.body, ports.clock.now_utc().isoformat(timespec="seconds"))
            )


def retired(body: JsonMap, now: str) -> JsonMap:
    """A stopped agent's record as that of a retired one: it keeps when it was stopped, and cannot be started again."""
    lifecycle = body.get("lifecycle")
    before = lifecycle if isinstance(lifecycle, dict) else {}
    return {
        **body,
        "lifecycle": {
            "state": "retired",
            "relaunchable": False,
            "state_updated_at": now,
            "stop_reason": before.get("stop_reason"),
            "stopped_at": before.get("stopped_at") or now,
        },
        "liveness": None,
        "gateway": None,
    }
