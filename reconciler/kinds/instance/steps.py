"""The visible writes of each verb on an instance, in order (R-EXE-3, R-EXE-3a). Pure lists of named steps.

create    end-survivor · write-home · write-manifest · start-session · (drop-old-record) · publish-record
stop      (end-gateway) · ask-quit · wait-quit · kill-session · end-process · see-gone · record-stopped
relaunch  stop without its record, then create on the same uid and home
replace   the same with set-home-aside in between
remove    stop without its record, then drop-record
adopt     mark-session · (write-home) · write-manifest · export-pointers · publish-record
rename    rename-session · write-manifest · publish-record
update    (drop-old-record) · publish-record

With a gateway, what starts an agent ends with
          write-gateway · start-gateway · see-gateway · export-gateway · publish-gateway
and what ends one, or finds another gateway than declared, begins with end-gateway. The record names a gateway in its
last publication alone: a gateway that dies in between was never advertised.
"""

from collections.abc import Sequence

from reconciler.engine.handler import Case, Context, Lookup, Part, Present, Seen, Step
from reconciler.kinds.instance import adopting, gateway, gateway_part, live, mark, renamed, stopping
from reconciler.kinds.instance.resolve import launch_of
from reconciler.model.action import Action, Code, Verb

NONE = Part(False, {})
SEE_GONE = Step("see-gone", batch=live.TMUX, ask=stopping.ask_vacant, took=stopping.took_vacant)
"""Asked of tmux itself: a listing that lied must not cost the row by which a running agent is known."""


def steps_for(action: Action, case: Case, look: Lookup) -> Sequence[Step]:
    """The steps of one action; those already done in what is seen are skipped by the runner."""
    old, new = ending_gateway(case), starting_gateway(case, look)
    match action.verb:
        case Verb.CREATE:
            survivor = Step("end-survivor", run=stopping.end_survivor, done=no_survivor, slow=True)
            return (*old, survivor, *starting(), *new)
        case Verb.RELAUNCH:
            return (*old, *ending(), *starting(), *new)
        case Verb.REPLACE:
            aside = Step("set-home-aside", run=live.set_home_aside, done=started_by_this)
            return (*old, *ending(), aside, *starting(), *new)
        case Verb.ADOPT:
            return (
                Step("mark-session", batch=live.TMUX, ask=adopting.ask_adopt, took=adopting.took_adopt, done=is_marked),
                *((Step("write-home", run=live.write_home),) if _is_headless(case, look) else ()),
                Step("write-manifest", run=adopting.write_manifest),
                Step("export-pointers", batch=live.TMUX, ask=adopting.ask_pointers, took=adopting.took_pointers),
                Step("publish-record", run=live.publish_record),
                *new,
            )
        case Verb.RENAME:
            return renaming(case)
        case Verb.STOP:
            return (*old, *ending(), SEE_GONE, Step("record-stopped", run=live.record_stopped))
        case Verb.REMOVE:
            return (*old, *ending(), SEE_GONE, Step("drop-record", run=live.drop_record))
        case Verb.UPDATE:
            wanted = case.want.spec.get("state") if case.want else None
            if wanted == "Stopped":
                return (*old, Step("record-stopped", run=live.record_stopped))
            publish = (
                Step("drop-old-record", run=live.drop_old_record, done=same_agent_id),
                Step("publish-record", run=live.publish_record),
            )
            if not _about_gateway(action):
                return (*publish, *((EXPORT,) if old else ()))
            # An earlier gateway is withdrawn before another one is started; without another one that is all.
            return (*old, *publish, *(new or (EXPORT,)))
        case _:
            return ()


def _is_headless(case: Case, look: Lookup) -> bool:
    """Its turns run in a home of ours; nothing in its session has another one."""
    resolved = launch_of(case.want, look).resolved if case.want is not None else None
    return resolved is not None and resolved.headless


EXPORT = Step("export-gateway", batch=live.TMUX, ask=gateway.ask_export, took=gateway.took_export)


def _about_gateway(action: Action) -> bool:
    about = (Code.GATEWAY_MISSING, Code.GATEWAY_CHANGED, Code.GATEWAY_UNWANTED)
    return any(reason.code in about for reason in action.reasons)


def ending_gateway(case: Case) -> tuple[Step, ...]:
    """End what there is of a gateway; nothing where there never was one."""
    if not gateway_part.has_one(case):
        return ()
    return (Step("end-gateway", run=gateway.end_gateway, slow=True),)


def starting_gateway(case: Case, look: Lookup) -> tuple[Step, ...]:
    """From a contract on disk to a gateway that answers and is named; nothing where none is declared."""
    if case.want is None or case.want.spec.get("state") == "Stopped":
        return ()
    resolved = launch_of(case.want, look).resolved
    if gateway_part.order_of(resolved.gateway if resolved else None) is None:
        return ()
    return (
        Step("write-gateway", run=gateway.write_gateway),
        Step("start-gateway", run=gateway.start_gateway),
        Step("see-gateway", run=gateway.see_gateway, slow=True),
        EXPORT,
        Step("publish-gateway", run=live.publish_record),
    )


def renaming(case: Case) -> tuple[Step, ...]:
    """The session's name where it was made of the old one, then what tells others the name."""
    if case.want is not None and case.want.spec.get("state") == "Stopped":
        return (Step("record-stopped", run=live.record_stopped),)
    return (
        Step(
            "rename-session", batch=live.TMUX, ask=renamed.ask_rename, took=renamed.took_rename, done=renamed.is_named
        ),
        Step("write-manifest", run=live.write_manifest),
        Step("publish-record", run=live.publish_record),
    )


def starting() -> tuple[Step, ...]:
    """From a home on disk to a published agent."""
    return (
        Step("write-home", run=live.write_home, done=started_by_this),
        Step("write-manifest", run=live.write_manifest, done=started_by_this),
        Step(
            "start-session",
            batch=live.TMUX,
            ask=live.ask_create,
            took=live.took_create,
            done=started_by_this,
            undo=stopping.undo_start,
            starts=True,
        ),
        Step("drop-old-record", run=live.drop_old_record, done=same_agent_id),
        Step("publish-record", run=live.publish_record),
    )


def ending() -> tuple[Step, ...]:
    """From a running agent to no process at all; each kill names what it may kill (R-EXE-1a)."""
    return (
        Step("ask-quit", batch=live.TMUX, ask=stopping.ask_quit, took=stopping.took_quit, done=nothing_to_ask),
        Step("wait-quit", run=stopping.wait_quit, done=nothing_to_ask, slow=True),
        Step("kill-session", batch=live.TMUX, ask=stopping.ask_kill, took=stopping.took_kill, done=no_old_session),
        Step("end-process", run=stopping.end_process, done=no_old_process, slow=True),
    )


def started_by_this(seen: Seen, context: Context) -> bool:
    """The session that this very action is meant to start runs already: a retry, or a create that was interrupted."""
    if not isinstance(seen, Present):
        return False
    session, process = seen.parts.get("session", NONE), seen.parts.get("process", NONE)
    found = mark.parse(session.facts.get("mark"))
    if not session.present or not process.present or found is None:
        return False
    if context.action.verb is Verb.CREATE:
        return found.launch_digest == str(context.action.post.get("launchDigest"))
    return found.token == context.token and found.launch_digest == str(context.action.post.get("launchDigest"))


def is_marked(seen: Seen, context: Context) -> bool:
    """The session carries our uid already: an adoption that was interrupted behind its marks."""
    del context
    return isinstance(seen, Present)


def same_agent_id(seen: Seen, context: Context) -> bool:
    """No record of this agent stands under another id: two records of one uid would be ambiguous for ever."""
    del seen
    recorded = context.case.row.live.get("agent_id", "") if context.case.row else ""
    if not recorded or context.case.want is None:
        return True
    resolved = launch_of(context.case.want, context.look).resolved
    return recorded == ((resolved.agent_id if resolved else None) or context.uid)


def no_survivor(seen: Seen, context: Context) -> bool:
    """Nothing is left over: no session that is not ours to keep, and no process without a session."""
    del context
    if not isinstance(seen, Present):
        return True
    session, process = seen.parts.get("session", NONE), seen.parts.get("process", NONE)
    return bool(session.present) or not process.present


def no_old_session(seen: Seen, context: Context) -> bool:
    """There is no session to kill, or it is the new one."""
    if not isinstance(seen, Present) or not seen.parts.get("session", NONE).present:
        return True
    return context.action.verb in (Verb.RELAUNCH, Verb.REPLACE) and started_by_this(seen, context)


def no_old_process(seen: Seen, context: Context) -> bool:
    """There is no process to end, or it is the new one."""
    if not isinstance(seen, Present):
        return True
    if seen.parts.get("process", NONE).present:
        return context.action.verb in (Verb.RELAUNCH, Verb.REPLACE) and started_by_this(seen, context)
    return not seen.parts.get("session", NONE).present


def nothing_to_ask(seen: Seen, context: Context) -> bool:
    """Only a running provider in its own pane can be asked to quit."""
    if no_old_session(seen, context) or not isinstance(seen, Present):
        return True
    return not seen.parts.get("process", NONE).present or not seen.parts["session"].facts.get("pane")
