"""Every agent the registry knows, as one list: who they are and in which state, without asking any of them."""

from reconciler.app.agents import identity
from reconciler.app.session import Flags, open_session
from reconciler.model import record as records
from reconciler.model.json import Json, JsonMap
from reconciler.model.resource import at_path
from reconciler.ports.registry import BadRecord, Record

STATES = ("active", "stopped", "relaunching", "retired", "all")


def listed(flags: Flags, state: str = "active") -> JsonMap:
    """`{"agents": [identity…]}`, sorted by transport and id; records that cannot be read are under `unreadable`.

    A record that is to the byte what was published here last needs no parsing: its row says the same.
    """
    session = open_session(flags)
    rows = {row.live.get("agent_id", ""): row for row in session.reader.catalog.inventory() if row.live.get("agent_id")}
    scan = session.reader.registry.scan()
    written = scan.records.digests()
    found: list[JsonMap] = []
    bad: list[Json] = []
    for agent_id in scan.records:
        row = rows.get(agent_id)
        if row is not None and row.live.get("record_file") == written.get(agent_id):
            word = "active" if row.live.get("state") == "running" else "stopped"
            if state in (word, "all"):
                found.append(identity(row, agent_id, lifecycle=word))
            continue
        record = scan.records[agent_id]
        if isinstance(record, BadRecord):
            bad.append({"agent_id": agent_id, "why": record.why})
        elif state in (records.state(record.body), "all"):
            found.append(_foreign(record))
    found.sort(key=lambda one: (str(one["transport"]), str(one["tracked_agent_id"])))
    agents: list[Json] = [*found]
    answer: JsonMap = {"agents": agents}
    if bad or scan.root_unreadable:
        answer["unreadable"] = bad or [{"agent_id": None, "why": scan.root_unreadable}]
    return answer


def _foreign(record: Record) -> JsonMap:
    """Of another overlay, or changed since it was published."""
    body = record.body
    backend = str(at_path(body, "identity.backend") or "")
    headless = backend.endswith("_headless")
    name = at_path(body, "terminal.current_session_name") or at_path(body, "terminal.last_session_name")
    root = at_path(body, "runtime.session_root")
    return {
        "tracked_agent_id": record.agent_id,
        "transport": "headless" if headless else "tui",
        "tool": at_path(body, "identity.tool"),
        "session_name": None if headless else name,
        "terminal_id": None,
        "runtime_session_id": root.rpartition("/")[2] if isinstance(root, str) else None,
        "tmux_session_name": name,
        "tmux_window_name": "agent" if records.running(body) else None,
        "manifest_path": at_path(body, "runtime.manifest_path"),
        "session_root": root,
        "agent_name": body.get("agent_name"),
        "agent_id": record.agent_id,
        "lifecycle_state": records.state(body),
        "management_kind": "local_lifecycle",
        "lifecycle_owner": "local",
        "external_agent_id": None,
        "remote_pair_api_base_url": None,
        "remote_agent_ref": None,
    }
