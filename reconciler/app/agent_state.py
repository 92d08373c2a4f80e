"""The managed state of one agent: who it is, whether it can be talked to, where its turn stands (§8.6). Looks only."""

from reconciler.app.agents import Agent, evidence, require_live
from reconciler.app.sight import read
from reconciler.engine.handler import Present
from reconciler.kinds.instance.health import reachable
from reconciler.model.health import Health
from reconciler.model.json import Json, JsonMap
from reconciler.ports.reading import Reading, ScreenState, TurnResult
from reconciler.ports.screen import Phase
from reconciler.ports.tmux import Unanswered

GATEWAY_KEYS = (
    "gateway_health",
    "managed_agent_connectivity",
    "managed_agent_recovery",
    "request_admission",
    "active_execution",
    "queue_depth",
    "gateway_host",
    "gateway_port",
)
PHASES = {
    ScreenState.IDLE: Phase.READY,
    ScreenState.BUSY: Phase.ACTIVE,
    ScreenState.ASKING: Phase.BLOCKED,
}


def managed_state(agent: Agent) -> JsonMap:
    """The wire's keys, in their order; raises AgentNotActive and AgentBroken where there is nobody to ask."""
    require_live(agent, "ask the state of")
    diagnostics: list[Json] = []
    if agent.health is not Health.HEALTHY and reachable(agent.seen):
        diagnostics.append(_said(agent.reason, f"the agent is {agent.health.value}", agent))
    turn: JsonMap
    last: JsonMap
    if agent.headless:
        from reconciler.app.turns import managed_turn

        turn, last = managed_turn(agent)
        availability = "available"
    else:
        availability, turn, last = _terminal(agent, diagnostics)
    return {
        "tracked_agent_id": agent.agent_id,
        "identity": agent.identity(),
        "availability": availability,
        "turn": turn,
        "last_turn": last,
        "diagnostics": diagnostics,
        "mailbox": None,
        "gateway": _gateway(agent),
        **memory_paths(agent),
    }


def _gateway(agent: Agent) -> JsonMap | None:
    """How its gateway is; None where none lives: a dead one is not shown as there (§8.6)."""
    part = agent.seen.parts.get("gateway") if isinstance(agent.seen, Present) else None
    if part is None or not part.present:
        return None
    from reconciler.app.gateway.remote import status

    found = status(agent)
    return {key: found.get(key) for key in GATEWAY_KEYS}


def memory_paths(agent: Agent) -> JsonMap:
    """Where its memory lies."""
    root = agent.memory_root
    return {"memory_root": root, "memo_file": f"{root}/houmao-memo.md", "pages_dir": f"{root}/pages"}


def _terminal(agent: Agent, diagnostics: list[Json]) -> tuple[str, JsonMap, JsonMap]:
    provider = agent.session.reader.providers.get(agent.tool)
    screen = agent.shown if agent.shown is not None else agent.session.reader.tmux.capture(agent.pane)
    if provider is None or isinstance(screen, Unanswered):
        why = screen.why if isinstance(screen, Unanswered) else f"no provider is called {agent.tool!r}"
        diagnostics.append({"kind": "probe_error", "message": why, "details": {}})
        return "error", {"phase": Phase.UNKNOWN.value}, _last(None)
    reading = read(provider, screen)
    if reading.state in (ScreenState.ASKING, ScreenState.CRASHED, ScreenState.UNKNOWN, ScreenState.STARTING):
        about = reading.asking.text if reading.asking else ""
        diagnostics.append(
            {
                "kind": f"screen_{reading.state.value}",
                "message": about or f"its screen is {reading.state.value}",
                "details": {},
            }
        )
    return "available", {"phase": PHASES.get(reading.state, Phase.UNKNOWN).value}, _last(reading)


def _last(reading: Reading | None) -> JsonMap:
    result = reading.result if reading is not None else TurnResult.UNKNOWN
    return {"result": result.value, "turn_id": None, "turn_index": None, "updated_at_utc": None}


def _said(kind: str, message: str, agent: Agent) -> JsonMap:
    details: JsonMap = {}
    for line in evidence(agent):
        name, _, value = line.partition(": ")
        details[name] = value or name
    return {"kind": kind, "message": message, "details": details}
