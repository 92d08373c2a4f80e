"""May a prompt be typed now? One table for every way a prompt reaches an agent. Pure."""

from enum import StrEnum

from reconciler.model.tuples import NamedTuple
from reconciler.ports.reading import Tri


class Policy(StrEnum):
    """What must hold before a prompt is typed; each asks for less than the one before it."""

    READY_ONLY = "ready_only"
    IF_NO_PENDING = "if_no_pending"
    ALWAYS = "always"


class Refusal(NamedTuple):
    """Why not: the code of the wire, the HTTP status, and a sentence."""

    code: str
    status: int
    detail: str


UNAVAILABLE = "unavailable"
NOT_READY, PENDING, PENDING_UNKNOWN = "not_ready", "pending_input", "pending_input_unknown"
MISSING_CONVERSATION = "missing_current_chat_session"


class Standing(NamedTuple):
    """All that admission looks at."""

    ready: bool
    """The agent takes a prompt now; `not_ready` says why not."""
    not_ready: str
    pending: Tri
    """Whether text waits to be sent before a prompt."""
    eligibility: str
    connected: bool
    why_not: str = ""
    """Why it is not connected."""
    blocked: bool = False
    """The gateway serves another start of the agent than the one that runs."""
    running: bool = False
    """Something is being handed over, or a headless turn runs."""
    depth: int = 0


def refusal(policy: Policy, standing: Standing) -> Refusal | None:
    """Why a prompt may not be typed now, or None when it may."""
    if standing.blocked:
        return Refusal("blocked_reconciliation", 409, "the agent was started again; the gateway must be too")
    if not standing.connected:
        return Refusal(UNAVAILABLE, 503, standing.why_not or "the agent is not connected")
    if policy is Policy.ALWAYS:
        return None
    waiting = standing.pending
    if policy is Policy.IF_NO_PENDING:
        return _pending(waiting)
    if not standing.ready:
        return Refusal(NOT_READY, 409, f"the agent is not ready for a prompt: {standing.not_ready}")
    if standing.running or standing.depth:
        return Refusal(NOT_READY, 409, f"the gateway is not idle: {standing.depth} in its queue")
    return _pending(waiting)


def _pending(waiting: Tri) -> Refusal | None:
    if waiting is Tri.NO:
        return None
    if waiting is Tri.YES:
        return Refusal(PENDING, 409, "text waits in the agent's prompt box, or is queued behind its turn")
    return Refusal(PENDING_UNKNOWN, 409, "whether text waits in the agent's prompt box cannot be seen")
