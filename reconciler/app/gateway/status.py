"""GatewayStatus: what a gateway says of itself, and what is said of one that is not there. Pure."""

from reconciler.app.gateway.admission import Standing
from reconciler.app.gateway.served import Served
from reconciler.model.json import JsonMap
from reconciler.ports.gateway import PROTOCOL, ExecutionMode, Running


def status(served: Served, run: Running, standing: Standing) -> JsonMap:
    """Of a gateway that lives; it is asked of itself, so it is healthy."""
    admission = admission_of(standing)
    recovery = "reconciliation_required" if standing.blocked else "idle" if standing.connected else "awaiting_rebind"
    in_window = run.mode is ExecutionMode.AUXILIARY
    return {
        **_head(served.session_id, served.backend, served.session_name),
        "gateway_health": "healthy",
        "managed_agent_connectivity": "connected" if standing.connected else "unavailable",
        "managed_agent_recovery": recovery,
        "request_admission": admission,
        "terminal_surface_eligibility": standing.eligibility if standing.connected else "unknown",
        "active_execution": "running" if standing.running else "idle",
        "execution_mode": run.mode.value,
        "queue_depth": standing.depth,
        "gateway_host": run.host,
        "gateway_port": run.port,
        "gateway_tmux_window_id": run.window_id or None if in_window else None,
        "gateway_tmux_window_index": run.window_index or None if in_window else None,
        "gateway_tmux_pane_id": run.pane_id or None if in_window else None,
        "managed_agent_instance_epoch": run.epoch,
        "managed_agent_instance_id": run.instance or None,
    }


def admission_of(standing: Standing) -> str:
    """Whether requests are taken at all, in the wire's word."""
    return "blocked_reconciliation" if standing.blocked else "open" if standing.connected else "blocked_unavailable"


def not_attached(session_id: str, backend: str, session_name: str, mode: ExecutionMode) -> JsonMap:
    """Of an agent without a living gateway: success all the same, with nothing made up."""
    return {
        **_head(session_id, backend, session_name),
        "gateway_health": "not_attached",
        "managed_agent_connectivity": "unavailable",
        "managed_agent_recovery": "idle",
        "request_admission": "blocked_unavailable",
        "terminal_surface_eligibility": "unknown",
        "active_execution": "idle",
        "execution_mode": mode.value,
        "queue_depth": 0,
        "gateway_host": None,
        "gateway_port": None,
        "gateway_tmux_window_id": None,
        "gateway_tmux_window_index": None,
        "gateway_tmux_pane_id": None,
        "managed_agent_instance_epoch": 0,
        "managed_agent_instance_id": None,
    }


def _head(session_id: str, backend: str, session_name: str) -> JsonMap:
    return {
        "schema_version": 1,
        "protocol_version": PROTOCOL,
        "attach_identity": session_id,
        "backend": backend,
        "tmux_session_name": session_name,
    }
