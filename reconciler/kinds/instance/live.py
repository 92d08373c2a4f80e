"""Bring an agent up: home, manifests, session, record. One function per step."""

from collections.abc import Sequence
from typing import cast

from reconciler.build.assemble import OWN_DIRECTORIES
from reconciler.engine.handler import Batch, Context, Part, Present
from reconciler.kinds.content import make_way
from reconciler.kinds.credential import version_of
from reconciler.kinds.instance import gateway, mark, renamed
from reconciler.kinds.instance.materials import Build, build
from reconciler.kinds.instance.resolve import agent_name
from reconciler.model.action import Verb
from reconciler.model.errors import ErrorClass, ReconcilerError, StaleObservation, Unreachable
from reconciler.model.json import Json, JsonMap, canonical, digest
from reconciler.model.tree import Entry, Tree
from reconciler.ports.bundle import Ports
from reconciler.ports.process import ProcessFacts
from reconciler.ports.provider import backend_of
from reconciler.ports.registry import BadRecord, Record
from reconciler.ports.tmux import Create, Created, Failed, Fence, Refused, Request

LEASE_YEARS = 100


def send(ports: Ports, token: int, requests: Sequence[object]) -> Sequence[object]:
    """Everything for tmux in one trip, under the writer's fence."""
    return ports.tmux.act(Fence(ports.overlay_id, token), cast("Sequence[Request]", requests))


TMUX = Batch("tmux", send)


def write_home(ports: Ports, context: Context) -> None:
    """A new home whole under a temp name; in an existing one the engine's own entries alone (R-EXE-7)."""
    made = build(ports, context)
    assembled, home = made.assembled, made.site.home_path
    context.live["home"] = home
    context.live["home_id"] = made.site.home_id
    if ports.files.stamp(home) is None:
        ports.files.write_tree(home, assembled.everything(), OWN_DIRECTORIES)
        return
    _refuse_foreign_home(ports, context, home)
    before = _entries_before(ports, made.site.manifest_path)
    # A login file that the program refreshes itself is overwritten only when the credential behind it changed.
    rotated = context.live.get("auth", "") != _auth_version(context, made)
    kept = {path for path in assembled.keep if not rotated and ports.files.stamp(f"{home}/{path}") is not None}
    secrets = Tree({path: entry for path, entry in assembled.secrets if path not in kept})
    tree = assembled.tree.merged(assembled.rewritten).merged(secrets)
    make_way(ports.files, home, tree)
    ports.files.replace_entries(home, tree, drop=sorted(before - assembled.everything().entries.keys()))


def _auth_version(context: Context, made: Build) -> str:
    return "\n".join(version_of(ref, context.look) for ref in made.launch.auth_refs)


def _refuse_foreign_home(ports: Ports, context: Context, home: str) -> None:
    try:
        owner = ports.files.read(f"{home}/owner.json").decode()
    except ReconcilerError:
        owner = ""
    if owner and f'"uid":"{context.uid}"' not in owner:
        raise StaleObservation(f"{home} belongs to another agent", hint="move it away", code="ownership.home")


def _entries_before(ports: Ports, manifest_path: str) -> set[str]:
    """Paths the last build wrote, from its manifest; none when there is none."""
    if ports.files.stamp(manifest_path) is None:
        return set()
    from reconciler.declare.reader import read

    documents, problems = read(ports.files.read(manifest_path), manifest_path)
    if problems or not documents:
        return set()
    runtime = documents[0].value.get("runtime")
    entries = runtime.get("entries") if isinstance(runtime, dict) else None
    return set(entries) if isinstance(entries, dict) else set()


def write_manifest(ports: Ports, context: Context) -> None:
    """The brain manifest beside the home, the session manifest, and the memory directory."""
    made = build(ports, context)
    ports.files.write(made.site.manifest_path, made.assembled.manifest_text.encode())
    ports.files.write(made.session_manifest, (canonical(_session_manifest(context, made)) + "\n").encode())
    _memory(ports, context, made)
    context.live["manifest"] = made.site.manifest_path
    context.live["session_manifest"] = made.session_manifest


def _session_manifest(context: Context, made: Build) -> JsonMap:
    """Names of variables, never values; what a later relaunch or recovery reads."""
    plan, site = made.assembled.plan, made.site
    return {
        "schema_version": 4,
        "resource": str(context.case.ref),
        "tool": made.provider.name,
        "backend": plan.backend,
        "role_name": plan.role_injection.role_name,
        "agent_id": site.agent_id,
        "agent_name": made.agent_name,
        "created_at_utc": site.built_at_utc,
        "working_directory": made.workdir,
        "brain_manifest_path": site.manifest_path,
        "tmux_session_name": _session_name(context),
        "launch_plan": plan.to_json(),
        "owner": _owner(context, made, site.overlay_id),
    }


def _memory(ports: Ports, context: Context, made: Build) -> None:
    """The agent's memory directory; a seed is laid in at its first launch only."""
    if ports.files.stamp(made.site.memory_path) is not None:
        return
    ports.files.make_dir(made.site.pages_dir)
    seed = made.launch.resolved.memo_seed if made.launch.resolved else None
    if not seed or made.launch.profile is None:
        return
    stored = f"{ports.places.content}/memo-seeds/launch-profiles/{made.launch.profile.ref.name}/seed"
    if seed.get("dir"):
        found = ports.files.found(stored) or ()
        ports.files.replace_entries(
            made.site.memory_path,
            Tree({e.path: Entry(source=f"{stored}/{e.path}", digest=e.digest) for e in found if e.link is None}),
        )
    else:
        ports.files.write(made.site.memo_file, ports.files.read(stored))
    del context


def _session_name(context: Context) -> str:
    if context.action.verb is Verb.RENAME:
        return renamed.new_name(context.seen, context)
    return str(context.handle.get("session_name") or context.live.get("session_name") or "")


def ask_create(ports: Ports, context: Context) -> object:
    """Compare-and-create: at most one live session per uid, inside tmux too (R-TMX-4)."""
    made = build(ports, context)
    found = mark.SessionMark(context.generation, made.launch.digest, ports.overlay_id, context.token)
    context.live["mark"] = str(found)
    return Create(
        uid=context.uid,
        mark=str(found),
        name=_session_name(context),
        cwd=made.workdir,
        env=made.assembled.env,
        argv=made.assembled.argv,
    )


def took_create(ports: Ports, context: Context, answer: object) -> None:
    """Keep the handles that a kill or a look needs later."""
    match answer:
        case Created():
            _keep(ports, context, answer)
        case Refused(why):
            raise StaleObservation(f"tmux refused to start it: {why}", hint="run apply again", code="stale.create")
        case Failed(why, unknown):
            error = Unreachable(
                f"tmux did not start it: {why}", hint="look at `tmux ls`, then apply again", code="tmux.create"
            )
            error.error_class = ErrorClass.AMBIGUOUS if unknown else ErrorClass.TRANSIENT
            raise error
        case _:
            raise Unreachable("tmux gave an answer that is none", code="tmux.answer")


def _keep(ports: Ports, context: Context, created: Created) -> None:
    facts = ports.process.facts([created.pid]).get(created.pid)
    ticks = facts.start_ticks if isinstance(facts, ProcessFacts) else 0
    context.scratch["started"] = True
    context.live.pop("adopted", None)
    context.live.update(
        session=created.session_id,
        session_name=_session_name(context),
        pane=created.pane_id,
        pid=str(created.pid),
        ticks=str(ticks),
        boot=ports.process.boot_id(),
        socket=ports.tmux.socket,
    )


def publish_record(ports: Ports, context: Context) -> None:
    """The registry record of an active agent, atomically (runtime-and-fleet-api §2.3)."""
    made = build(ports, context)
    _adopt_seen(ports, context)
    body = _record(ports, context, made, active=True)
    gateway.keep(context, made)
    context.live.update(
        record_file=ports.registry.publish(made.site.agent_id, body),
        state="running",
        agent_id=made.site.agent_id,
        agent_name=made.agent_name,
        provider=made.provider.name,
        backend=made.assembled.plan.backend,
        workdir=made.workdir,
        record=digest(body),
        launch_digest=made.launch.digest,
        layout_version=str(made.provider.layout_version),
        manifest=made.site.manifest_path,
        session_manifest=made.session_manifest,
        home=made.site.home_path,
        home_id=made.site.home_id,
        session_id=made.session_id,
        auth=_auth_version(context, made),
    )


def _adopt_seen(ports: Ports, context: Context) -> None:
    """Handles of a session that runs already: an update, or a create that was interrupted after its start."""
    seen = context.seen
    if not isinstance(seen, Present) or context.scratch.get("started"):
        return
    none = Part(False, {})
    session, process = seen.parts.get("session", none).facts, seen.parts.get("process", none).facts
    if not session.get("id"):
        return
    context.live.update(
        session=str(session["id"]),
        session_name=str(session["name"]),
        pane=str(session.get("pane") or ""),
        mark=str(session["mark"]),
        pid=str(process.get("pid") or ""),
        ticks=str(process.get("ticks") or ""),
        boot=ports.process.boot_id(),
        socket=ports.tmux.socket,
    )
    if context.action.verb is Verb.RENAME:
        context.live["session_name"] = _session_name(context)


def _owner(context: Context, made: Build, overlay_id: str) -> JsonMap:
    return {
        "uid": context.uid,
        "overlay_id": overlay_id,
        "generation": context.generation,
        "launch_digest": made.launch.digest,
        "fencing_token": context.token,
    }


def _record(ports: Ports, context: Context, made: Build, *, active: bool) -> JsonMap:
    now = ports.clock.now_utc()
    expires = now.replace(year=now.year + LEASE_YEARS, day=min(now.day, 28))
    name = context.live.get("session_name", "")
    return {
        "schema_version": 3,
        "agent_id": made.site.agent_id,
        "agent_name": made.agent_name,
        "generation_id": context.uid,
        "lifecycle": {
            "state": "active",
            "relaunchable": True,
            "state_updated_at": now.isoformat(timespec="seconds"),
            "stop_reason": None,
            "stopped_at": None,
        },
        "identity": {"backend": backend_of(made.provider.name, made.headless), "tool": made.provider.name},
        "runtime": {
            "manifest_path": made.session_manifest,
            "session_root": made.session_manifest.rpartition("/")[0],
            "agent_def_dir": ports.places.agents,
        },
        "terminal": {"kind": "tmux", "current_session_name": name, "last_session_name": name},
        "liveness": {
            "published_at": now.isoformat(timespec="seconds"),
            "lease_expires_at": expires.isoformat(timespec="seconds"),
        },
        "gateway": gateway.record_of(gateway.advertised(context), made.session_manifest.rpartition("/")[0]),
        "mailbox": None,
        "owner": _owner(context, made, ports.overlay_id),
    }


def record_stopped(ports: Ports, context: Context) -> None:
    """The record of a stopped agent: identity and home stay, what lived is gone."""
    body = _stopped_body(ports, context)
    if body is not None:
        context.live["agent_id"] = str(body["agent_id"])
        context.live["record_file"] = ports.registry.publish(context.live["agent_id"], body)
        context.live["record"] = digest(body)
    for key in ("session", "pane", "pid", "ticks", "mark", *gateway.HANDLES):
        context.live.pop(key, None)
    context.live["state"] = "stopped"
    context.note = f"stopped; its home is kept at {context.live['home']}" if context.live.get("home") else ""


def _stopped_body(ports: Ports, context: Context) -> JsonMap | None:
    """From the record as it is, so that nothing in it is invented; none where the agent never had one."""
    agent_id = _agent_id(context)
    found = ports.registry.scan().records.get(agent_id)
    if isinstance(found, BadRecord):
        ports.registry.remove(agent_id, context.uid)  # nobody can read it, and nothing runs any more that it could name
        return None
    if not agent_id or not isinstance(found, Record):
        return None
    body = found.body
    now = ports.clock.now_utc().isoformat(timespec="seconds")
    lifecycle: JsonMap = {
        "state": "stopped",
        "relaunchable": True,
        "state_updated_at": now,
        "stop_reason": "operator_stop",
        "stopped_at": now,
    }
    terminal = body.get("terminal")
    last: Json = terminal.get("last_session_name") if isinstance(terminal, dict) else ""
    called: JsonMap = {"agent_name": agent_name(context.case)} if context.case.was is not None else {}
    return {
        **body,
        **called,
        "lifecycle": lifecycle,
        "terminal": {"kind": "tmux", "current_session_name": None, "last_session_name": last},
        "liveness": None,
        "gateway": None,
    }


def _agent_id(context: Context) -> str:
    """Under which its record stands. A start that was interrupted has published one that its intent alone names."""
    return context.live.get("agent_id") or str(context.handle.get("agent_id") or "")


def drop_record(ports: Ports, context: Context) -> None:
    """Remove our record; somebody else's under the same id stays."""
    agent_id = _agent_id(context)
    if agent_id:
        ports.registry.remove(agent_id, context.uid)
    home = context.live.get("home") or str(context.handle.get("home") or "")
    if home:
        context.note = f"its home is kept at {home}"


def drop_old_record(ports: Ports, context: Context) -> None:
    """Remove our record under the agent id that was declared before."""
    if context.case.row is not None:
        ports.registry.remove(context.case.row.live["agent_id"], context.uid)


def set_home_aside(ports: Ports, context: Context) -> None:
    """Keep the old home under another name and start with a new one."""
    home = context.live.get("home", "")
    if not home or ports.files.stamp(home) is None:
        return
    # Named after what ran in it: a run that is repeated finds it and does not set the new home aside as well.
    aside = f"{home}.aside-{context.case.row.generation if context.case.row else 0}"
    if ports.files.stamp(aside) is None:
        ports.files.move(home, aside)
    context.note = f"its old home is kept at {aside}"
