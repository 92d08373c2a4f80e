"""End a running agent: ask, wait, compare-and-kill, and see its process gone (R-EXE-5, R-EXE-5a).

A killed session is not a dead process: a provider may ignore HUP and TERM, and would share its home with the next one.
"""

from reconciler.build.assemble import POINTERS
from reconciler.engine.handler import Context, Part, Present
from reconciler.kinds.instance.gateway import VARIABLES as GATEWAY_VARIABLES
from reconciler.kinds.instance.materials import build
from reconciler.kinds.instance.resolve import launch_of
from reconciler.model.action import Verb
from reconciler.model.errors import ActionFailed, ErrorClass, ProcessSurvives, StaleObservation, Unreachable
from reconciler.model.ref import Uid
from reconciler.ports.bundle import Ports
from reconciler.ports.process import Ended, NoAnswer
from reconciler.ports.tmux import Answer, Done, Failed, Fence, Kill, Leave, Refused, SendKeys, Vacant

GRACE_S = 3.0
"""How long a provider may take to leave after it was asked."""
KEYS_PAUSE_S = 0.3
"""Between two batches of keys: one that comes sooner may be swallowed."""
TERM_GRACE_S = 2.0
"""How long it may take after SIGTERM."""
NONE = Part(False, {})


def part(context: Context, name: str) -> Part:
    """One part as seen at the start of this attempt."""
    return context.seen.parts.get(name, NONE) if isinstance(context.seen, Present) else NONE


def recorded_process(context: Context) -> tuple[int, int]:
    """Pid and start ticks: as seen, else as the journal or the inventory has them; zeros when unknown."""
    facts = part(context, "process").facts
    for source in (facts, context.handle):
        pid, ticks = source.get("pid"), source.get("ticks")
        if str(pid or "").isdigit() and str(ticks or "").isdigit():
            return int(str(pid)), int(str(ticks))
    return 0, 0


def ask_quit(ports: Ports, context: Context) -> object:
    """The provider's own way to leave; asked only when what comes after it can be built."""
    _sure_of_successor(ports, context)
    keys = _stop_keys(ports, context)
    return SendKeys(str(part(context, "session").facts["pane"]), context.uid, keys[0] if keys else ("C-c",))


def _sure_of_successor(ports: Ports, context: Context) -> None:
    """A restart that could not be built must not cost the agent that runs: whatever fails, fails here."""
    if context.action.verb not in (Verb.RELAUNCH, Verb.REPLACE):
        return
    build(ports, context)
    facts = part(context, "session").facts
    if context.live.get("adopted") and facts.get("others") and facts["name"] == context.handle.get("session_name"):
        raise Shared(
            f"tmux session {facts['name']!r} was adopted and holds more than the agent's pane: "
            "another session of that name cannot be started beside them",
            hint="close them, move them elsewhere with `tmux break-pane`, or declare another sessionName",
        )


def _stop_keys(ports: Ports, context: Context) -> tuple[tuple[str, ...], ...]:
    tool = str(context.handle.get("provider") or "")
    if not tool and context.case.want is not None:
        launch = launch_of(context.case.want, context.look)
        tool = launch.resolved.provider if launch.resolved else ""
    provider = ports.providers.get(tool)
    return provider.stop_keys if provider is not None else ()


def took_quit(ports: Ports, context: Context, answer: object) -> None:
    """Politeness may fail: the kill that follows does not depend on it."""
    del ports
    context.scratch["asked"] = isinstance(answer, Done)


def wait_quit(ports: Ports, context: Context) -> None:
    """The further key batches, with a pause that every provider needs, and then a moment; how it ends is the next
    steps' business."""
    pid, ticks = recorded_process(context)
    pane = str(part(context, "session").facts["pane"])
    for keys in _stop_keys(ports, context)[1:] if context.scratch.get("asked") else ():
        if pid and ports.process.wait_gone(pid, ticks, KEYS_PAUSE_S):
            return
        ports.tmux.act(Fence(ports.overlay_id, context.token), [SendKeys(pane, context.uid, keys)])
    if pid:
        ports.process.wait_gone(pid, ticks, GRACE_S)


def ask_kill(ports: Ports, context: Context) -> object:
    """Compare-and-kill of exactly the session that was observed; of one that was adopted, of the agent's pane alone."""
    _sure_of_successor(ports, context)
    facts = part(context, "session").facts
    if context.live.get("adopted"):
        return _leave(context, str(facts.get("pane") or ""))
    return Kill(str(facts["id"]), context.uid, str(facts["mark"]))


def took_kill(ports: Ports, context: Context, answer: object) -> None:
    """A refusal is asked again of the world: the session may have ended by itself."""
    if not isinstance(answer, Done) and _left_alone(ports, context):
        return
    match answer:
        case Done():
            return
        case Refused(why):
            if _session_gone(ports, context.uid):
                return
            raise StaleObservation(f"its session changed since it was observed: {why}", hint="run apply again")
        case Failed(why, _):
            if _session_gone(ports, context.uid):
                return
            raise Unreachable(f"tmux did not end the session: {why}", hint="run apply again", code="tmux.kill")
        case _:
            raise Unreachable("tmux gave an answer that is none", code="tmux.answer")


def _leave(context: Context, pane: str = "") -> Leave:
    """Nothing that speaks of the agent stays in the person's session."""
    facts = part(context, "session").facts
    return Leave(str(facts["id"]), context.uid, str(facts["mark"]), pane, (*POINTERS, *GATEWAY_VARIABLES))


def _left_alone(ports: Ports, context: Context) -> bool:
    """Of an adopted session: its agent's pane went by itself, as it does when its program has quit. Only the marks are
    left to be taken off."""
    facts = part(context, "session").facts
    pane = str(facts.get("pane") or "")
    if not context.live.get("adopted") or not pane:
        return False
    panes = getattr(ports.tmux.listing(), "panes", None)
    if panes is None or any(one.pane_id == pane for one in panes) or not any(one.uid == context.uid for one in panes):
        return False
    return isinstance(ports.tmux.act(Fence(ports.overlay_id, context.token), [_leave(context)])[0], Done)


def _session_gone(ports: Ports, uid: Uid) -> bool:
    listing = ports.tmux.listing()
    panes = getattr(listing, "panes", None)
    return panes is not None and not any(pane.uid == uid for pane in panes)


def end_process(ports: Ports, context: Context) -> None:
    """Wait for the recorded process to be gone, then TERM, then KILL; nothing starts on its home before that."""
    pid, ticks = recorded_process(context)
    if pid:
        _end(ports, context, pid, ticks)
    if str(context.live.get("backend", "")).endswith("_headless"):
        _end_turns(ports, context)


def _end_turns(ports: Ports, context: Context) -> None:
    """A headless turn is a process of its own, which no terminal hangs up."""
    found = ports.process.bearing([context.uid])
    if isinstance(found, NoAnswer):
        raise Unreachable(f"the process table could not be searched: {found.why}", code="process.table")
    for process in found.get(context.uid, ()):
        _end(ports, context, process.pid, process.start_ticks)


def end_survivor(ports: Ports, context: Context) -> None:
    """A process without a session, found by its uid: end every one of them, once tmux itself says there is none."""
    took_vacant(ports, context, ports.tmux.act(Fence(ports.overlay_id, context.token), [Vacant(context.uid)])[0])
    found = ports.process.bearing([context.uid])
    if isinstance(found, NoAnswer):
        raise Unreachable(f"the process table could not be searched: {found.why}", code="process.table")
    for process in found.get(context.uid, ()):
        _end(ports, context, process.pid, process.start_ticks)
    end_process(ports, context)


def ask_vacant(ports: Ports, context: Context) -> object:
    """Whether really no session has the uid."""
    del ports
    return Vacant(context.uid)


def took_vacant(ports: Ports, context: Context, answer: object) -> None:
    """A session that the listing did not show means that what was observed does not hold."""
    del ports, context
    match answer:
        case Done():
            return
        case Refused(why):
            raise StaleObservation(f"what was observed does not hold: {why}", hint="run apply again")
        case Failed(why, _):
            raise Unreachable(f"tmux did not say whether its session is gone: {why}", code="tmux.vacant")
        case _:
            raise Unreachable("tmux gave an answer that is none", code="tmux.answer")


def _end(ports: Ports, context: Context, pid: int, ticks: int) -> None:
    if ports.process.end(pid, ticks, TERM_GRACE_S) is Ended.SURVIVES:
        raise ProcessSurvives(
            f"process {pid} of {context.case.ref} does not end, not even by SIGKILL",
            hint=f"look at `ps -o pid,stat,wchan:32,args -p {pid}`; nothing starts on its home before it is gone",
        )


def undo_start(ports: Ports, context: Context) -> None:
    """Take back a first start that cannot be completed: kill by uid and mark, and see the process gone."""
    session, found = context.live.get("session"), context.live.get("mark")
    if not session or not found:
        return
    answers: tuple[Answer, ...] = ports.tmux.act(
        Fence(ports.overlay_id, context.token), [Kill(session, context.uid, found)]
    )
    pid, ticks = context.live.get("pid", ""), context.live.get("ticks", "")
    if isinstance(answers[0], Failed) and not _session_gone(ports, context.uid):
        raise Leaked(
            f"session {session} was started and could not be ended",
            hint=f"end it with `tmux kill-session -t '{session}'`",
        )
    if pid.isdigit() and ticks.isdigit():
        ports.process.end(int(pid), int(ticks), TERM_GRACE_S)


class Shared(ActionFailed):
    """A person's panes stand in a session whose name is wanted."""

    code = "instance.shared"
    error_class = ErrorClass.TERMINAL


class Leaked(ActionFailed):
    """Something was started and could not be ended again."""

    code = "instance.leaked"
    error_class = ErrorClass.TERMINAL
