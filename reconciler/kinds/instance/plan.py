"""Say what must be done so that an instance is as declared: one table of cases. Pure.

The mark on the session says what was started, the inventory what was accepted (R-OWN-4a); an intended change is told
from drift before this is asked.
"""

from collections.abc import Sequence

from reconciler.engine.handler import FULL_UID, LAUNCH, SHORT_UID, STAMP, Absent, Case, Lookup, Part, Present
from reconciler.kinds import readiness
from reconciler.kinds.catalog_kind import declared_at, reasons_for
from reconciler.kinds.instance import gateway_part, mark
from reconciler.kinds.instance.resolve import Launch, agent_name, declared_setup, launch_of
from reconciler.model.action import Action, Code, Disruption, Reason, Verb
from reconciler.model.change import Classification
from reconciler.model.field import Change
from reconciler.model.json import Json, JsonMap
from reconciler.model.resource import Resource
from reconciler.ports.provider import backend_of

NONE = Part(False, {})


def plan_instance(this: Case, look: Lookup) -> Sequence[Action]:
    """Actions for one instance; empty means in sync. Unknown never gets here (the engine stops it)."""
    if this.want is None:
        return (_removal(this),)
    if this.want.spec.get("state") == "Stopped":
        return _stopped(this) if this.asked is None else (_not_for_stopped(this),)
    launch = launch_of(this.want, look)
    if launch.fault is not None:
        return (Action(Verb.BLOCKED, this.ref, this.uid, (launch.fault,), held=Verb.CREATE),)
    if (adoption := _adoption(this, launch)) is not None:
        return (adoption,)
    if isinstance(this.seen, Absent):
        return (_guarded(_creation(this, launch, look), this, look),)
    assert isinstance(this.seen, Present)
    return _running(this, this.seen, launch, look)


def _adoption(this: Case, launch: Launch) -> Action | None:
    """Take over a session that nobody owns, because the declaration says so; never by its name alone (R-ADO-2)."""
    if this.row is not None:
        return None
    stamp = this.seen.stamp if isinstance(this.seen, Present | Absent) else {}
    begun = this.intent is not None and this.intent.verb == Verb.ADOPT.value
    candidate = stamp.get("candidate")
    if isinstance(candidate, dict):
        what = f"tmux session {candidate['name']!r} has the declared name and no owner, and it is declared to adopt"
        reasons = [Reason(Code.ADOPTED, what, *declared_at(this))]
    elif begun and isinstance(this.seen, Present):
        reasons = [Reason(Code.INTERRUPTED, "an earlier apply began to adopt it and did not finish")]
    elif stamp.get("owned_by"):
        text = f"tmux session {stamp['session_taken']!r} is owned by another one ({stamp['owned_by']})"
        owned = Reason(Code.OWNERSHIP_CONFLICT, f"{text}: it is not adopted")
        return Action(Verb.BLOCKED, this.ref, this.uid, (owned,), held=Verb.ADOPT)
    elif stamp.get("unfit"):
        text = f"tmux session {stamp['session_taken']!r} cannot be adopted: {stamp['unfit']}"
        return Action(Verb.BLOCKED, this.ref, this.uid, (Reason(Code.UNMANAGED, text),), held=Verb.ADOPT)
    else:
        return None
    unknown = "what it was started from is not known; the next intended change relaunches it"
    reasons.append(Reason(Code.LAUNCH_DIGEST_UNKNOWN, unknown))
    return _action(this, Verb.ADOPT, launch, tuple(reasons), Disruption.RECORD)


def _running(this: Case, seen: Present, launch: Launch, look: Lookup) -> Sequence[Action]:
    """A session or a process is there."""
    session, process = seen.parts.get("session", NONE), seen.parts.get("process", NONE)
    if not session.present:
        return (_guarded(_creation(this, launch, look, survivor=True), this, look),)
    if not process.present:
        why = (*_asked(this, None), *_exited(process))
        return (_guarded(_relaunch(this, launch, why, look), this, look),)
    started = mark.parse(session.facts.get("mark"))
    asked = _asked(this, started)
    if this.intent is not None and this.row is None:
        if started is not None and started.launch_digest == launch.digest:
            reason = Reason(Code.INTERRUPTED, "an earlier apply started it and did not finish")
            return (_action(this, Verb.CREATE, launch, (reason,), Disruption.RECORD),)
        reason = Reason(Code.INTERRUPTED, "an earlier apply started it from another declaration and did not finish")
        return (_guarded(_relaunch(this, launch, (reason,), look), this, look),)
    if started is None or started.launch_digest != launch.digest:
        why = (*asked, *why_changed(this, launch, look))
        return (_guarded(_relaunch(this, launch, why, look), this, look),)
    if asked:
        return (_guarded(_relaunch(this, launch, asked, look), this, look),)
    wanted = gateway_part.order_of(launch.resolved.gateway if launch.resolved else None)
    reasons = (*_record_reasons(this, seen), *gateway_part.reasons(this, seen, wanted), *reasons_for(this))
    if seen.parts.get("home", NONE).present is False:
        gone = Reason(Code.HOME_MISSING, seen.parts["home"].why or "its home directory is gone")
        return (_guarded(_relaunch(this, launch, (gone, *reasons), look), this, look),)
    if this.row is not None and this.row.live.get("state") != "running":
        reasons = (Reason(Code.START_DECLARED, "declared Running, recorded as stopped"), *reasons)
    if not reasons:
        return ()
    classes = {change.change for change in this.changes}
    if Change.IMMUTABLE in classes:
        return (_action(this, Verb.BLOCKED, launch, (_immutable(this), *reasons), Disruption.NONE, held=Verb.UPDATE),)
    return (_action(this, Verb.UPDATE, launch, reasons, Disruption.RECORD),)


def _asked(this: Case, started: mark.SessionMark | None) -> tuple[Reason, ...]:
    """A relaunch that was asked for; nothing once what runs was started by whoever first began it, or later."""
    asked = this.asked
    if asked is None or (asked.token is not None and started is not None and started.token >= asked.token):
        return ()
    return (Reason(Code.REQUESTED, f"a relaunch was asked for by {asked.by} (request {asked.id})"),)


def _not_for_stopped(this: Case) -> Action:
    """What shall not run is not relaunched: the two say the opposite of one another."""
    held = next((held for held in this.held if held.path == "spec.state"), None)
    way = "end that with `houmao release`" if held else "start it with `houmao set … state=Running`"
    reason = Reason(Code.STOP_DECLARED, f"it is {'held' if held else 'declared'} Stopped; {way}")
    return Action(Verb.BLOCKED, this.ref, this.uid, (reason,), held=Verb.RELAUNCH)


def why_changed(this: Case, launch: Launch, look: Lookup) -> tuple[Reason, ...]:
    """The exact field paths that changed what is meant to run, through every resource it is made of (R-ACT-2)."""
    if this.row is not None and this.row.launch_digest == launch.digest:
        return (Reason(Code.DRIFTED, "its session was started from something else than what was accepted"),)
    paths: list[str] = []
    positions = []
    said: list[str] = []
    for resource in look.closure(this.ref):
        for change in look.changes(resource.ref):
            if (
                change.change in (Change.RELAUNCH, Change.REPLACE)
                and change.classification is not Classification.CONVERGED
            ):
                paths.append(f"{resource.ref}.{change.label}")
                positions.append(change.position)
                said.append(f"{resource.ref} {change.label}")
    rotated = [ref for ref in launch.auth_refs if _rotated(ref, look)]
    paths += [f"{ref}.spec.source#content" for ref in rotated]
    positions += [None for _ in rotated]
    said += [f"{ref} credentials" for ref in rotated]
    if not paths:
        return (
            Reason(
                Code.LAUNCH_DIGEST_CHANGED,
                "what is meant to run differs from what was started",
                (f"{this.ref}.spec",),
                (this.want.position if this.want else None,),
            ),
        )
    text = f"{', '.join(said[:3])}{f' and {len(said) - 3} more' if len(said) > 3 else ''} changed"
    return (Reason(Code.LAUNCH_DIGEST_CHANGED, text, tuple(paths), tuple(positions)),)


def _rotated(ref: object, look: Lookup) -> bool:
    from reconciler.kinds.credential import rotated
    from reconciler.model.ref import Ref

    return isinstance(ref, Ref) and rotated(ref, look)


def _exited(process: Part) -> tuple[Reason, ...]:
    if process.facts.get("reason") == "MissingPrimary":
        return (Reason(Code.SESSION_MISSING, "its session has no agent pane any more"),)
    if process.facts.get("other"):
        return (Reason(Code.PROVIDER_EXITED, f"its program is gone: {process.why}"),)
    status = process.facts.get("status")
    how = f" with status {status}" if status else ""
    return (Reason(Code.PROVIDER_EXITED, f"its terminal is open, its process is gone{how}"),)


def _creation(this: Case, launch: Launch, look: Lookup, *, survivor: bool = False) -> Action:
    """Start it: for the first time, or again on the identity it has."""
    reasons: list[Reason] = []
    stamp = this.seen.stamp if isinstance(this.seen, Absent | Present) else {}
    if this.row is None:
        reasons.append(
            Reason(Code.INTERRUPTED, "an earlier apply began to start it and did not finish")
            if this.intent is not None
            else Reason(Code.NEW, "declared, not running yet", *declared_at(this))
        )
    elif this.row.live.get("state") == "stopped":
        reasons.append(Reason(Code.START_DECLARED, "declared Running, stopped now"))
    elif stamp.get("rebooted"):
        reasons.append(Reason(Code.REBOOTED, "the host was started again since it ran"))
    elif not survivor:
        evidence = this.seen.evidence if isinstance(this.seen, Absent) else "its session is gone"
        reasons.append(Reason(Code.SESSION_MISSING, f"recorded as running, but {evidence}"))
    if survivor:
        reasons.append(Reason(Code.SURVIVOR, "its session is gone, its process still runs and is ended first"))
    if this.row is not None and this.row.launch_digest and this.row.launch_digest != launch.digest:
        reasons += why_changed(this, launch, look)
    if this.row is not None:
        reasons = [*_asked(this, None), *reasons]
    if this.row is not None and any(change.change is Change.REPLACE for change in this.changes):
        return _replace(this, launch, tuple(reasons))
    disruption = Disruption.RESTART if survivor else Disruption.NONE
    return _action(this, Verb.CREATE, launch, tuple(reasons), disruption)


def _relaunch(this: Case, launch: Launch, reasons: tuple[Reason, ...], look: Lookup) -> Action:
    """Restart on the same identity; a declared replacement is one when a changed field demands it."""
    del look
    if any(change.change is Change.IMMUTABLE for change in this.changes):
        return _action(this, Verb.BLOCKED, launch, (_immutable(this), *reasons), Disruption.NONE, held=Verb.RELAUNCH)
    if any(change.change is Change.REPLACE for change in this.changes):
        return _replace(this, launch, reasons)
    keeps = launch.keeps_conversation
    if this.asked is not None and this.asked.resume is not None:
        keeps = launch.can_resume and this.asked.resume.get("mode") != "new"
    disruption = Disruption.RESTART if keeps else Disruption.LOSES_CONVERSATION
    return _action(this, Verb.RELAUNCH, launch, reasons, disruption)


def _replace(this: Case, launch: Launch, reasons: tuple[Reason, ...]) -> Action:
    return _action(this, Verb.REPLACE, launch, reasons, Disruption.LOSES_CONVERSATION)


def _immutable(this: Case) -> Reason:
    fixed = [change for change in this.changes if change.change is Change.IMMUTABLE]
    names = ", ".join(change.path for change in fixed)
    return Reason(
        Code.IMMUTABLE,
        f"{names} cannot change on a running instance; delete it and apply again, or restore the old value",
        tuple(f"{this.ref}.{change.label}" for change in fixed),
        tuple(change.position for change in fixed),
    )


def _stopped(this: Case) -> Sequence[Action]:
    """Declared Stopped: nothing of it may run; its identity, home and record stay."""
    if isinstance(this.seen, Present):
        reason = Reason(Code.STOP_DECLARED, "declared Stopped, running now")
        return (_action(this, Verb.STOP, None, (reason,), Disruption.RESTART),)
    if this.row is None:
        reason = Reason(Code.NEW, "declared Stopped: recorded, not started", *declared_at(this))
        return (_action(this, Verb.UPDATE, None, (reason,), Disruption.RECORD),)
    reasons = reasons_for(this)
    if this.row.live.get("state") == "running":
        reasons = (
            Reason(Code.ALREADY_GONE, "declared Stopped and not running; the record still says it runs"),
            *reasons,
        )
    if isinstance(this.seen, Absent) and this.seen.parts.get("gateway", NONE).present:
        reasons = (Reason(Code.GATEWAY_UNWANTED, "declared Stopped, and its gateway still runs"), *reasons)
    return (_action(this, Verb.UPDATE, None, reasons, Disruption.RECORD),) if reasons else ()


def _record_reasons(this: Case, seen: Present) -> tuple[Reason, ...]:
    """The registry record is ours to keep as published; an unreadable registry is nobody's reason."""
    record = seen.parts.get("record", NONE)
    if record.present is False:
        return (Reason(Code.RECORD_MISSING, "it runs, but the registry has no record of it"),)
    if record.facts.get("corrupt"):
        return (Reason(Code.RECORD_CORRUPT, f"its registry record cannot be read: {record.facts['corrupt']}"),)
    if record.facts.get("foreign"):
        return (Reason(Code.RECORD_EDITED, "its registry record does not carry its uid any more"),)
    published = this.row.live.get("record") if this.row is not None else None
    if published and record.present and record.facts.get("digest") != published:
        return (Reason(Code.RECORD_EDITED, "somebody edited its registry record"),)
    return ()


def _removal(this: Case) -> Action:
    reason = this.removal or Reason(Code.NOT_DECLARED, "no longer declared")
    disruption = Disruption.LOSES_CONVERSATION if isinstance(this.seen, Present) else Disruption.RECORD
    return _action(this, Verb.REMOVE, None, (reason,), disruption)


def _guarded(action: Action, this: Case, look: Lookup) -> Action:
    """Failed preconditions of a start are shown at plan time and hold the action back (R-VAL-1)."""
    if not action.runs:
        return action
    unmet: list[Reason] = []
    for resource in look.closure(this.ref):
        seen = this.seen if resource.ref == this.ref else look.seen(resource.ref)
        if isinstance(seen, Present | Absent):
            unmet += [reason for reason in seen.unmet if reason not in unmet]
    stamp = this.seen.stamp if isinstance(this.seen, Present | Absent) else {}
    if stamp.get("session_taken"):
        unmet.append(
            Reason(
                Code.UNMANAGED,
                f"a tmux session named {stamp['session_taken']!r} exists that is not ours; "
                "choose another sessionName or end that session yourself",
            )
        )
    if stamp.get("agent_id_taken"):
        unmet.append(
            Reason(Code.OWNERSHIP_CONFLICT, f"agent id {stamp['agent_id_taken']!r} is registered by another owner")
        )
    unmet += _login(this, look)
    if not unmet:
        return action
    return action._replace(
        verb=Verb.BLOCKED, held=action.verb, reasons=(*unmet, *action.reasons), disruption=Disruption.NONE
    )


def _login(this: Case, look: Lookup) -> tuple[Reason, ...]:
    """An unattended start that could only end at a login screen; nothing where one of setup and credential is enough,
    and nothing where that is not known."""
    launch = launch_of(this.want, look) if this.want is not None else None
    resolved = launch.resolved if launch is not None else None
    if launch is None or resolved is None or launch.source is None or resolved.prompt_mode.value != "unattended":
        return ()
    setup = declared_setup(resolved, look)
    why = _unready(setup or launch.source, look)
    for ref in launch.auth_refs:
        auth = look.get(ref)
        why = _unready(auth, look) if why is not None and auth is not None else None
    if why is None:
        return ()
    where = f"{launch.source.ref}.spec.authRef"
    text = f"{resolved.provider} could not start unattended: {why}; add a credential, or set promptMode: as_is"
    return (Reason(Code.CREDENTIAL_MISSING, text, (where,), (launch.source.position,)),)


def _unready(resource: Resource, look: Lookup) -> str | None:
    seen = look.seen(resource.ref)
    why = seen.stamp.get(readiness.FACT) if isinstance(seen, Present | Absent) else None
    return why if isinstance(why, str) else None


def _action(
    this: Case,
    verb: Verb,
    launch: Launch | None,
    reasons: tuple[Reason, ...],
    disruption: Disruption,
    held: Verb | None = None,
) -> Action:
    stamp = this.seen.stamp if isinstance(this.seen, Present | Absent) else {}
    pre = {key: stamp[key] for key in ("session", "mark", "pid", "ticks") if stamp.get(key) is not None}
    if this.row is not None:
        pre["generation"] = this.row.generation
        if this.row.launch_digest:
            pre["launchDigest"] = this.row.launch_digest
    post: JsonMap = {}
    if launch is not None and verb in (Verb.CREATE, Verb.RELAUNCH, Verb.REPLACE, Verb.ADOPT):
        post = {"launchDigest": launch.digest, **_names(this, launch)}
        if this.asked is not None and this.asked.resume is not None:
            post["resume"] = this.asked.resume
    elif launch is not None:
        post = {"launchDigest": launch.digest}
    return Action(
        verb,
        this.ref,
        this.uid,
        reasons,
        disruption=disruption,
        changes=this.changes if this.row else (),
        pre=pre,
        post=post,
        held=held,
    )


def _names(this: Case, launch: Launch) -> JsonMap:
    """Names a start needs: the home's and the session root's are kept for the life of the identity."""
    tool = launch.resolved.provider if launch.resolved else ""
    headless = bool(launch.resolved and launch.resolved.headless)
    backend = backend_of(tool, headless)
    made = {
        "home_id": f"{tool}-brain-{STAMP}-{SHORT_UID}",
        "session_id": f"{backend}-{STAMP}-{SHORT_UID}",
    }
    before: dict[str, Json] = {**(this.intent.handle if this.intent else {}), **(this.row.live if this.row else {})}
    kept = {key: before[key] for key in made if isinstance(before.get(key), str) and before[key]}
    return {
        **made,
        **kept,
        "agent_id": (launch.resolved.agent_id if launch.resolved else None) or FULL_UID,
        "session_name": launch.session_name or f"HOUMAO-{agent_name(this)}-{LAUNCH}",
    }
