"""Ask the gateway of an agent of this host: find it alive, show it the token, and read its answer or its error.

A gateway that is killed under a request leaves its caller in doubt. A request carries its own id, so the doubt can be
settled afterwards: what the next gateway, or the queue's rows, say of that id is what became of it.
"""

from reconciler.app.agents import Agent, require_live
from reconciler.model.json import Json, JsonMap, parse
from reconciler.ports.gateway import (
    DESIRED_FILE,
    FOLDER,
    TOKEN_FILE,
    ExecutionMode,
    GatewayFault,
    NoReply,
    Reply,
    Running,
    order_of,
)

ANSWER_S = 60.0
LOOK_AGAIN_S = 0.2
SETTLE_S = 10.0
"""How long to wait for a gateway that was killed to be started again."""


class GatewaySaidNo(GatewayFault):
    """The gateway refused; `detail` is what it answered under that key, `status` that of HTTP."""

    code = "gateway.refused"

    def __init__(self, status: int, detail: Json) -> None:
        self.status, self.detail = status, detail
        body: JsonMap = detail if isinstance(detail, dict) else {}
        code = body.get("error_code")
        super().__init__(
            f"the gateway refused: {_sentence(detail)}",
            code=f"gateway.{code}" if isinstance(code, str) else f"gateway.http_{status}",
        )


def _sentence(detail: Json) -> str:
    if isinstance(detail, dict):
        return str(detail.get("detail") or detail)
    if isinstance(detail, list):
        return "; ".join(str(each.get("msg")) if isinstance(each, dict) else str(each) for each in detail)
    return str(detail)


def running(agent: Agent) -> Running | str:
    """The gateway, where it lives and answers; else why not."""
    if not agent.session_root:
        return "it was never started"
    seen = agent.session.reader.gateways.seen([agent.session_root])[agent.session_root]
    return seen if isinstance(seen, Running) else seen.why


def attached(agent: Agent) -> Running:
    """The same; raises GatewayFault where there is none."""
    require_live(agent, "reach the gateway of")
    found = running(agent)
    if isinstance(found, Running):
        return found
    raise GatewayFault(
        f"agent {agent.agent_name!r} has no gateway that answers: {found}",
        hint=f"`{agent.command('gateway attach')}` starts one; `houmao apply` brings back what is declared",
        code="gateway.not_attached",
        ref=str(agent.ref),
    )


def status(agent: Agent) -> JsonMap:
    """GatewayStatus, of a gateway that lives or of none: both are answers."""
    found = running(agent)
    if isinstance(found, Running):
        reply = agent.session.reader.gateways.call((found.host, found.port), "GET", "/v1/status", timeout_s=ANSWER_S)
        if isinstance(reply, Reply) and reply.status == 200:
            body = parse(reply.body)
            if isinstance(body, dict):
                return body
    from reconciler.app.gateway.status import not_attached

    live = agent.live
    return not_attached(live.get("session_id", ""), live.get("backend", ""), live.get("session_name", ""), _mode(agent))


def _mode(agent: Agent) -> ExecutionMode:
    from reconciler.model.errors import ReconcilerError
    from reconciler.model.json import parse_map

    try:
        path = f"{agent.session_root}/{FOLDER}/{DESIRED_FILE}"
        return order_of(parse_map(agent.session.reader.files.read(path))).mode
    except (ReconcilerError, ValueError, RecursionError):
        return ExecutionMode.DETACHED


def ask(agent: Agent, method: str, path: str, body: JsonMap | None = None, *, request_id: str = "") -> JsonMap:
    """One request, answered; raises GatewaySaidNo, or GatewayFault (`gateway.no_answer`) when nobody answered."""
    found = attached(agent)
    reader = agent.session.reader
    token = reader.files.read(f"{agent.session_root}/{FOLDER}/{TOKEN_FILE}").decode("ascii", "replace").strip()
    reply = reader.gateways.call(
        (found.host, found.port),
        method,
        path,
        body,
        token=token,
        headers={"X-Houmao-Request-Id": request_id} if request_id else {},
        timeout_s=ANSWER_S,
    )
    if isinstance(reply, NoReply):
        sent = f"; whether it was carried out is not known: ask for {request_id}" if reply.sent and request_id else ""
        raise GatewayFault(
            f"the gateway of {agent.agent_name!r} gave no answer: {reply.why}{sent}",
            hint=f"`{agent.command('gateway status')}` says whether it lives",
            code="gateway.no_answer",
            ref=str(agent.ref),
        )
    try:
        answer = parse(reply.body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise GatewayFault(f"the gateway answered {reply.status} with something that is no object", ref=str(agent.ref))
    if reply.status >= 400:
        raise GatewaySaidNo(reply.status, answer.get("detail"))
    return answer


def ask_prompt(agent: Agent, body: JsonMap, within_s: float = 0.0) -> JsonMap:
    """The same as `_ask_prompt`, again and again for a while as long as the answer is that the agent is not ready."""
    clock = agent.session.reader.clock
    until = clock.monotonic() + within_s
    while True:
        try:
            return _ask_prompt(agent, body)
        except GatewaySaidNo as no:
            waits = isinstance(no.detail, dict) and no.detail.get("error_code") == "not_ready"
            if not waits or clock.monotonic() >= until:
                raise
        clock.sleep(LOOK_AGAIN_S)


def _ask_prompt(agent: Agent, body: JsonMap) -> JsonMap:
    """A prompt, and what became of it also where the gateway was killed under it. Raises as `ask` does."""
    before = attached(agent)
    asked = request_id(agent)
    try:
        return ask(agent, "POST", "/v1/control/prompt", body, request_id=asked)
    except GatewayFault as lost:
        if lost.code != "gateway.no_answer":
            raise
        became, row = outcome(agent, asked, before)
        policy = str(body.get("admission_policy", "ready_only"))
        head: JsonMap = {"status": "error", "action": "submit_prompt", "sent": False, "admission_policy": policy}
        if became == "delivered":
            turn: JsonMap = {key: value for key, value in row.items() if key.startswith("headless_turn_")}
            detail = "the prompt was delivered"
            return {**head, "status": "ok", "sent": True, "detail": detail, "request_id": asked, **turn}
        if became == "undelivered":
            raise GatewaySaidNo(
                503, {**head, "error_code": "dispatch_failed", "detail": f"nothing was typed: {lost.message}"}
            ) from lost
        raise GatewaySaidNo(
            503,
            {**head, "sent": None, "error_code": "delivery_unknown", "detail": lost.message, "request_id": asked},
        ) from lost


SETTLED = {"completed": "delivered", "unknown": "unknown", "failed": "undelivered", "blocked": "undelivered"}


def outcome(agent: Agent, asked: str, before: Running, within_s: float = SETTLE_S) -> tuple[str, JsonMap]:
    """What became of a request whose answer was lost: `delivered`, `undelivered` or `unknown`, and its row where there
    is one; waits for it.

    Another gateway than the one that was asked knows everything that one began: what it has no row of was never begun.
    """
    clock = agent.session.reader.clock
    deadline = clock.monotonic() + within_s
    while clock.monotonic() < deadline:
        found = running(agent)
        if isinstance(found, Running):
            try:
                row = ask(agent, "GET", f"/v1/requests/{asked}")
            except GatewaySaidNo as no:
                if no.status == 404 and (found.pid, found.ticks) != (before.pid, before.ticks):
                    return "undelivered", {}
            except GatewayFault:
                pass
            else:
                became = SETTLED.get(str(row.get("state")))
                if became is not None:
                    return became, row
        clock.sleep(0.1)
    return "unknown", {}


def request_id(agent: Agent) -> str:
    """A new one, in the form a gateway takes."""
    clock = agent.session.reader.clock
    return f"gwreq-{clock.now_utc().strftime('%Y%m%d-%H%M%SZ')}-{clock.token_hex(4)}"
