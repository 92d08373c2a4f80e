"""Stop and relaunch one agent: what `houmao stop` and `houmao relaunch` do to its instance, by the same engine. On a
record that says it runs and is not true, they say which class they found and what became of it.

    found                       stop                                    relaunch
    healthy                     stopped, held Stopped                   its program is started anew in a new session
    degraded, stale             what is left of it is ended, stopped    what is left of it is ended, started again
    stopped                     nothing to do                           started again on its home
    retired                     nothing to do                           refused: there is nothing to start it from
    absent                      held Stopped                            refused
    unknown                     refused: nobody knows what would be ended
"""

from reconciler.app import verbs
from reconciler.app.agents import Agent, AgentNotActive, require_known
from reconciler.app.ask import Ask, Release, Said, Way
from reconciler.app.change import change
from reconciler.app.request import Confirm, Emit, RunFlags, Shown
from reconciler.model.action import Verb
from reconciler.model.health import Health
from reconciler.model.json import JsonMap
from reconciler.model.outcome import Report, Result
from reconciler.model.tuples import NamedTuple


class Changed(NamedTuple):
    """What became of one agent."""

    agent: Agent
    """As it was found."""
    success: bool
    detail: str
    report: Report | None = None

    @property
    def exit_code(self) -> int:
        """Never 0 for a failure."""
        return 0 if self.success else (self.report.exit_code or 1) if self.report else 1

    def to_json(self) -> JsonMap:
        """The keys of runtime-and-fleet-api §4.7, and the class that was found."""
        agent = self.agent
        return {
            "success": self.success,
            "tracked_agent_id": agent.agent_id,
            "detail": self.detail,
            "turn_id": None,
            "manifest_path": agent.session_manifest or None,
            "session_root": agent.session_root or None,
            "found": {"class": agent.health.value, "reason": agent.reason, "lifecycle_state": agent.state},
        }


class Telling(NamedTuple):
    """How a run is told, confirmed and steered."""

    how: RunFlags
    confirm: Confirm
    shown: Shown
    emit: Emit
    said: list[Said]


def stop(agent: Agent, telling: Telling, ttl_s: float | None = None) -> Changed:
    """End the agent and see its process gone; what is declared is held Stopped for a while (R-IMP-4)."""
    if agent.state in ("stopped", "retired"):
        return Changed(agent, True, f"it is {agent.state} already: nothing to do")
    require_known(agent, "stop")
    report = _change(agent, verbs.stop([agent.ref], Way(ttl_s=ttl_s)), telling)
    return _settled(agent, report, "stopped", {"relaunch": f"`{agent.command('relaunch')}` starts it again"})


def relaunch(agent: Agent, telling: Telling, resume: JsonMap | None = None) -> Changed:
    """Start its program anew, once; in the mode of its declaration unless told."""
    if agent.state in ("retired", "absent"):
        what = "its session root was cleaned up" if agent.state == "retired" else "it was never started"
        raise AgentNotActive(
            f"agent {agent.agent_name!r} cannot be relaunched: {what}",
            hint=f"`houmao apply` what declares {agent.ref} starts it",
            ref=str(agent.ref),
        )
    require_known(agent, "relaunch")
    request = f"relaunch-{agent.session.reader.clock.new_uid()}"
    ask = verbs.relaunch([agent.ref], request, resume)
    if agent.state == "stopped":
        ask = _running(agent, ask)
    report = _change(agent, ask, telling)
    return _settled(agent, report, "relaunched", {})


def _running(agent: Agent, ask: Ask) -> Ask:
    """What is stopped is wanted Running first: the override that stopped it ends, or a new one says so."""
    from reconciler.app import holding

    held = holding.recorded(agent.session.reader).get(agent.ref, ())
    ours = next((one for one in held if one.path == "spec.state" or one.path == "state"), None)
    if ours is not None and ours.declared == "Running":
        return ask._replace(release=Release((agent.ref,), (ours.path,)))
    patched = verbs.patch("relaunch", [agent.ref], {"spec": {"state": "Running"}}, Way(implied=True))
    return ask._replace(edits=patched.edits, way=patched.way)


def _change(agent: Agent, ask: Ask, telling: Telling) -> Report:
    return change(
        agent.flags,
        ask,
        telling.how,
        tell=telling.said.append,
        confirm=telling.confirm,
        shown=telling.shown,
        emit=telling.emit,
    )


def _settled(agent: Agent, report: Report, done: str, after: JsonMap) -> Changed:
    """One sentence about what was found and what became of it."""
    failed = [outcome for outcome in report.outcomes if outcome.result is not Result.SETTLED]
    found = f"it was {agent.health.value} ({agent.reason})"
    broken = agent.state == "active" and agent.health is not Health.HEALTHY
    if failed or report.exit_code != 0:
        said = [outcome.fault.message if outcome.fault else outcome.reason for outcome in failed]
        blocked = [action for action in report.plan.actions if action.verb is Verb.BLOCKED]
        said += [reason.text for action in blocked for reason in action.reasons]
        why = "; ".join(text for text in said if text) or "the run did not end well"
        return Changed(agent, False, f"{found}; not {done}: {why}", report)
    words = [f"{found}, what was left of it is ended" if broken else "", f"{done}"]
    words += [str(text) for text in after.values()]
    return Changed(agent, True, "; ".join(word for word in words if word), report)
