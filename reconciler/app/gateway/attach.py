"""Attach and detach as patches of desired state: the same engine starts, moves and ends gateways (R-IMP-1).

A gateway that a manifest declares is held detached, and one that it does not declare is held attached, for a while
(an override); afterwards the next apply goes back to what is declared.
"""

from reconciler.app import verbs
from reconciler.app.agents import Agent, require_live
from reconciler.app.ask import Way
from reconciler.app.change import change
from reconciler.app.gateway.remote import running
from reconciler.app.lifecycle import Telling
from reconciler.model.json import Json, JsonMap
from reconciler.model.outcome import Result
from reconciler.ports.gateway import GatewayFault, Running


def attach(agent: Agent, telling: Telling, wanted: JsonMap, ttl_s: float | None = None) -> None:
    """A gateway that answers, and runs as asked; nothing is done where that is so already."""
    require_live(agent, "attach a gateway to")
    if isinstance(running(agent), Running) and not wanted:
        return
    _patch(agent, telling, "gateway attach", {"enabled": True, **wanted}, ttl_s)
    found = running(agent.again())
    if not isinstance(found, Running):
        raise GatewayFault(
            f"the gateway of {agent.agent_name!r} did not come up: {found}",
            hint=f"read {agent.session_root}/gateway/logs/gateway.log",
            code="gateway.did_not_start",
            ref=str(agent.ref),
        )


def detach(agent: Agent, telling: Telling, ttl_s: float | None = None) -> None:
    """No gateway; nothing is done where that is so already."""
    live = agent.row.live.get("gateway")
    if not live and not isinstance(running(agent), Running):
        return
    _patch(agent, telling, "gateway detach", {"enabled": False}, ttl_s)


def _patch(agent: Agent, telling: Telling, verb: str, gateway: dict[str, Json], ttl_s: float | None) -> None:
    ask = verbs.patch(verb, [agent.ref], {"spec": {"gateway": gateway}}, Way(override=True, ttl_s=ttl_s))
    report = change(
        agent.flags,
        ask,
        telling.how,
        tell=telling.said.append,
        confirm=telling.confirm,
        shown=telling.shown,
        emit=telling.emit,
    )
    failed = [outcome for outcome in report.outcomes if outcome.result is not Result.SETTLED]
    if failed or report.exit_code != 0:
        said = [outcome.fault.message if outcome.fault else str(outcome.reason) for outcome in failed]
        raise GatewayFault(
            f"{verb} of {agent.agent_name!r} failed: {'; '.join(said) or 'the run did not end well'}",
            hint="`houmao plan` shows what is left to do",
            code="gateway.not_changed",
            ref=str(agent.ref),
        )
