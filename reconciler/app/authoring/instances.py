"""`project easy instance`: one agent of a specialist or profile, declared and brought up by the engine in one plan."""

import posixpath
from collections.abc import Mapping, Sequence

from reconciler.app import change as change_
from reconciler.app.ask import Ask, Relaunch
from reconciler.app.authoring.answers import EASY, source_of
from reconciler.app.authoring.change import Talk, refuse_without_overlay, remove
from reconciler.app.authoring.edits import Given, edited, pairs
from reconciler.app.authoring.family import Changed, Existing, recorded_of, told_by_flags
from reconciler.app.authoring.flags import INSTANCE, of_verb
from reconciler.app.authoring.lane import decide_gateway
from reconciler.app.authoring.recorded import Recorded
from reconciler.app.authoring.tools import check_mode, headless_of, ref_of_source
from reconciler.app.read import NotFound
from reconciler.app.session import Flags
from reconciler.app.verbs import stop as stop_verb
from reconciler.declare.vocabulary import ENV_PATTERN
from reconciler.model.errors import GuardRefused, UsageFault
from reconciler.model.json import Json, JsonMap
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader
from reconciler.ports.gateway import Running

KIND = "Instance"
DONE = "Managed agent launch complete"


class Old(NamedTuple):
    """What may happen to an agent of that name that is there: its home used again, or it replaced."""

    reuse_home: bool = False
    force: str = ""
    """`keep-stale` goes on in its home, `clean` begins in a new one."""
    confirmed: bool = False
    """It may be replaced without being told how."""


NEW = Old()


def launch(flags: Flags, name: str | None, given: Given, once: Sequence[str], talk: Talk, *, old: Old = NEW) -> Changed:
    """Declare an agent and bring it up; `once` are variables of this start alone.

    Raises UsageFault for contradictions, Existing for a name that is taken, and all that a plan raises.
    """
    recorded = recorded_of(flags)
    refuse_without_overlay(recorded.session)
    sources = [key for key in ("specialist", "profile") if given.get(key)]
    if len(sources) != 1:
        word = "--specialist and --profile exclude each other" if sources else "launch needs --specialist or --profile"
        raise UsageFault(word, hint="houmao project easy instance launch --specialist NAME --name NAME")
    refuse_contradictions(given, old)
    spec = edited({}, of_verb(INSTANCE, "launch"), given, recorded.session.settings.cwd)
    profile = _profile(recorded, spec)
    decide_gateway(spec, profile, easy=profile is None or source_of(profile)[0] == EASY)
    ref = Ref(KIND, _name(name, profile))
    _workdir(recorded, spec, profile)
    return bring_up(flags, recorded, ref, spec, given, once, talk, old._replace(confirmed=talk.run.yes))


def bring_up(
    flags: Flags, recorded: Recorded, ref: Ref, spec: JsonMap, given: Given, once: Sequence[str], talk: Talk, old: Old
) -> Changed:
    """Declare the agent `ref` by `spec` and have it run; `given` are the flags to blame for what is wrong with that.

    Raises Existing for a name that is taken, UsageFault, and all that a plan raises.
    """
    refuse_contradictions(given, old)
    recorded.refuse_foreign(ref, "launched")
    tool = tool_of(recorded, spec)
    if tool is not None:
        check_mode(recorded.session.reader.providers, tool, headless_of(spec, _profile(recorded, spec)))
    transient = one_off(once, recorded.session.reader, tool)
    document = recorded.document(ref, spec)
    again: Relaunch | None = None
    if ref in recorded.rows:
        again = _old(flags, recorded, ref, tool, old, talk)
    ask = Ask(
        "launch", documents=(document,), base="/", transient={ref: transient} if transient else {}, relaunch=again
    )
    with told_by_flags(recorded, of_verb(INSTANCE, "launch"), given, spec, ref):
        if talk.dry:
            said, found = change_.preview(flags, ask)
            talk.tell(said)
            talk.shown(found.plan)
            return Changed(Report(found.plan), {})
        report = change_.change(
            flags, ask, talk.run, tell=talk.tell, confirm=talk.confirm, shown=talk.shown, emit=talk.emit
        )
    return Changed(report, {} if report.exit_code else launched(flags, ref))


def refuse_contradictions(given: Given, old: Old = NEW) -> None:
    """Flags of a launch that exclude or need each other; raises UsageFault."""
    if given.get("no_gateway"):
        other = next((key for key in given if key.startswith("gateway_") and given[key]), None)
        if other:
            raise UsageFault(
                f"--no-gateway and --{other.replace('_', '-')} exclude each other", hint="give one of them"
            )
    mail = given.get("mail_transport")
    transport = mail[-1] if isinstance(mail, tuple) else ""
    if transport == "filesystem" and not given.get("mail_root"):
        raise UsageFault("--mail-transport filesystem needs --mail-root", hint="name the root of the mail files")
    if transport != "filesystem" and (given.get("mail_root") or given.get("mail_account_dir")):
        raise UsageFault("--mail-root and --mail-account-dir go with --mail-transport filesystem", hint="give that too")
    if old.reuse_home and old.force == "clean":
        raise UsageFault("--reuse-home and --force=clean exclude each other", hint="give one of them")


def _profile(recorded: Recorded, spec: JsonMap) -> JsonMap | None:
    name = spec.get("profileRef")
    if not isinstance(name, str):
        return None
    ref = Ref("LaunchProfile", name)
    if ref not in recorded.rows:
        raise recorded.missing(ref, "profile")
    return recorded.spec(ref)


def _name(name: str | None, profile: JsonMap | None) -> str:
    stored = profile.get("agentName") if profile else None
    found = name or (stored if isinstance(stored, str) else None)
    if found is None:
        why = "the profile stores no agent name" if profile else "an agent of a specialist has no name of its own"
        raise UsageFault(f"launch needs --name: {why}", hint="--name NAME")
    return found


def _workdir(recorded: Recorded, spec: JsonMap, profile: JsonMap | None) -> None:
    """Flag, else the profile's, else the current directory, said as from the project where it is in it."""
    if spec.get("workdir") or (profile and profile.get("workdir")):
        return
    project, cwd = recorded.session.reader.places.project, recorded.session.settings.cwd
    if cwd == project:
        return
    spec["workdir"] = posixpath.relpath(cwd, project) if cwd.startswith(f"{project}/") else cwd


def tool_of(recorded: Recorded, spec: JsonMap) -> str | None:
    """The tool that will run; None where what the agent is over is not there, which the compiler tells better."""
    for _ in range(3):
        source = ref_of_source(spec)
        if source not in recorded.rows:
            return None
        spec = recorded.spec(source)
        if isinstance(spec.get("provider"), str):
            return str(spec["provider"])
    return None


def one_off(words: Sequence[str], reader: Reader, tool: str | None) -> dict[str, str]:
    """`NAME=value`, or `NAME` for the caller's own value; for one start, and in no file but its 0600 launch file.

    Raises UsageFault for a name that is given twice, not set, reserved, or a credential's.
    """
    import re

    spelled: list[str] = []
    for word in words:
        if "=" in word:
            spelled.append(word)
            continue
        value = reader.environ.get(word)
        if value is None:
            raise UsageFault(f"--env-set {word}: the variable is not set here", hint=f"write {word}=value")
        spelled.append(f"{word}={value}")
    found = pairs("--env-set", spelled)
    provider = reader.providers.get(tool) if tool else None
    for name in found:
        if not re.search(ENV_PATTERN, name):
            raise UsageFault(
                f"--env-set {name}: not a variable that may be set",
                hint="letters, digits and '_', no digit first; names that begin with HOUMAO_ are the program's own",
            )
        if provider is not None and name in provider.credential_names:
            raise UsageFault(
                f"--env-set {name}: it belongs to a credential of {tool}",
                hint=f"`houmao project credentials {tool} set`, or --auth for another one",
            )
    return found


def _old(flags: Flags, recorded: Recorded, ref: Ref, tool: str | None, old: Old, talk: Talk) -> Relaunch | None:
    """What has to happen to the agent that is there: nothing, a relaunch, or its end; raises Existing, GuardRefused."""
    row = recorded.row(ref)
    stopped = row.live.get("state") == "stopped"
    if old.force == "clean":
        if not talk.dry:
            remove(flags, (ref,), talk)
        return None
    if old.reuse_home:
        _refuse_unfit(recorded, ref, tool, stopped=stopped)
        return None
    if not old.force and not old.confirmed:
        raise Existing(
            f"{ref} exists already, {'stopped' if stopped else 'running'}",
            hint="--reuse-home goes on with a stopped one; --force replaces it; or choose another name",
            ref=str(ref),
        )
    return None if stopped else Relaunch(str(recorded.session.reader.clock.new_uid()), (ref,))


def _refuse_unfit(recorded: Recorded, ref: Ref, tool: str | None, *, stopped: bool) -> None:
    """A home is used again only by the agent it was made for, and not while that runs (project-and-build §8.4)."""
    row = recorded.row(ref)
    home = row.live.get("home", "")
    why = ""
    if not stopped:
        why = "it is not stopped"
    elif not home or recorded.session.reader.files.stamp(home) is None:
        why = f"its home {home or ''} is gone".replace("  ", " ")
    elif tool is not None and row.live.get("provider") not in ("", None, tool):
        why = f"its home was made for {row.live['provider']}, not for {tool}"
    if why:
        raise GuardRefused(
            f"the home of {ref} cannot be used again: {why}",
            hint="--force=clean begins in a new one",
            code="guard.reuse_home",
            ref=str(ref),
        )


def launched(flags: Flags, ref: Ref, status: str = DONE) -> JsonMap:
    """The keys of §5.4: one document, with its gateway where one came up."""
    recorded = recorded_of(flags)
    live, settings = recorded.row(ref).live, recorded.session.settings
    agent_id = live.get("agent_id", "")
    overlay = settings.overlay
    return {
        "status": status,
        "agent_name": live.get("agent_name") or ref.name,
        "agent_id": agent_id,
        "tmux_session_name": live.get("session_name"),
        "manifest_path": live.get("session_manifest"),
        "runtime_root": settings.runtime,
        "runtime_root_detail": "from the overlay or its environment",
        "mailbox_root": settings.mailbox,
        "mailbox_root_detail": "from the overlay or its environment",
        **_memory(recorded, agent_id),
        "overlay_root": overlay.root,
        "overlay_root_detail": overlay.detail,
        "project_overlay_bootstrapped": False,
        "overlay_bootstrap_detail": "the overlay exists",
        **_gateway(recorded, live),
    }


def _gateway(recorded: Recorded, live: Mapping[str, str]) -> JsonMap:
    root = live.get("session_manifest", "").rpartition("/")[0]
    if not live.get("gateway") or not root:
        return {}
    found = recorded.session.reader.gateways.seen([root])[root]
    if not isinstance(found, Running):
        return {}
    return {
        "gateway_host": found.host,
        "gateway_port": found.port,
        "gateway_execution_mode": found.mode.value,
        "gateway_tmux_window_index": found.window_index or None,
    }


def _memory(recorded: Recorded, agent_id: str) -> JsonMap:
    root = f"{recorded.session.reader.places.memory}/agents/{agent_id}"
    return {"memory_root": root, "memo_file": f"{root}/houmao-memo.md", "pages_dir": f"{root}/pages"}


# --- looking ----------------------------------------------------------------------------------------------------------


def payload(recorded: Recorded, ref: Ref) -> JsonMap:
    """One agent as `list` and `get` show it."""
    row, spec = recorded.row(ref), recorded.spec(ref)
    live = row.live
    chain = _chain(recorded, spec)
    manifest = live.get("session_manifest")
    places = recorded.session.reader.places
    headless = headless_of(spec, *(recorded.spec(one) for one in chain.values() if one in recorded.rows))
    return {
        "instance_name": ref.name,
        "agent_id": live.get("agent_id"),
        "specialist": chain["Specialist"].name if "Specialist" in chain else None,
        "easy_profile": _easy_profile(recorded, chain),
        "role_name": _role(recorded, chain),
        "tool": tool_of(recorded, spec),
        "transport": "headless" if headless else "tui",
        "tmux_session_name": live.get("session_name"),
        "manifest_path": manifest,
        "session_root": manifest.rpartition("/")[0] if manifest else None,
        "project_root": places.project,
        "project_agent_def_dir": places.agents,
        **_memory(recorded, live.get("agent_id", "")),
        "mailbox": spec.get("mailbox"),
        "state": "stopped" if live.get("state") == "stopped" else "running",
    }


def _chain(recorded: Recorded, spec: JsonMap) -> Mapping[str, Ref]:
    """What an agent is over, by kind: profile, specialist or recipe."""
    found: dict[str, Ref] = {}
    for _ in range(3):
        ref = ref_of_source(spec)
        if not ref.name:
            break
        found[ref.kind] = ref
        if ref not in recorded.rows:
            break
        spec = recorded.spec(ref)
    return found


def _easy_profile(recorded: Recorded, chain: Mapping[str, Ref]) -> str | None:
    ref = chain.get("LaunchProfile")
    if ref is None or ref not in recorded.rows:
        return None
    return ref.name if source_of(recorded.spec(ref))[0] == EASY else None


def _role(recorded: Recorded, chain: Mapping[str, Ref]) -> str | None:
    if "Specialist" in chain:
        return chain["Specialist"].name
    recipe = chain.get("Recipe")
    return str(recorded.spec(recipe).get("roleRef")) if recipe is not None and recipe in recorded.rows else None


def listed(flags: Flags) -> JsonMap:
    """Every agent of this overlay."""
    recorded = recorded_of(flags)
    found: list[Json] = [payload(recorded, ref) for ref in recorded.of(KIND)]
    return {"project_root": recorded.session.reader.places.project, **_selected(recorded), "instances": found}


def _selected(recorded: Recorded) -> JsonMap:
    overlay = recorded.session.settings.overlay
    return {"selected_overlay_root": overlay.root, "selected_overlay_detail": f"{overlay.root} ({overlay.source})"}


def get(flags: Flags, name: str) -> JsonMap:
    """One agent: the same keys."""
    recorded = recorded_of(flags)
    return {**payload(recorded, find(recorded, name)), **_selected(recorded)}


def find(recorded: Recorded, name: str) -> Ref:
    """The agent of that name here; raises NotFound that names those there are, or whose it is (§11 row 19)."""
    ref = Ref(KIND, name)
    if ref in recorded.rows:
        return ref
    for found in recorded.session.reader.registry.scan().records.values():
        body = getattr(found, "body", None)
        owner = getattr(found, "owner", {})
        if isinstance(body, dict) and body.get("agent_name") == name:
            runtime = body.get("runtime")
            where = runtime.get("session_root") if isinstance(runtime, dict) else None
            if owner.get("overlay_id") != recorded.session.reader.overlay_id:
                raise NotFound(
                    f"the agent {name!r} belongs to another overlay ({where or 'elsewhere'})",
                    hint="work in its project, or name that with --project-dir",
                    ref=str(ref),
                )
    raise recorded.missing(ref, "instance")


def stop(flags: Flags, name: str, talk: Talk) -> Changed:
    """Stop an agent: what was made by hand is declared Stopped, what a manifest declares is held so (R-IMP-4)."""
    recorded = recorded_of(flags)
    ref = find(recorded, name)
    live = recorded.row(ref).live
    ask = stop_verb((ref,), talk.way)
    if talk.dry:
        said, found = change_.preview(flags, ask)
        talk.tell(said)
        talk.shown(found.plan)
        return Changed(Report(found.plan), {})
    report = change_.change(
        flags, ask, talk.run, tell=talk.tell, confirm=talk.confirm, shown=talk.shown, emit=talk.emit
    )
    manifest = live.get("session_manifest")
    ran = bool(report.plan.running)
    body: JsonMap = {
        "success": report.exit_code == 0,
        "tracked_agent_id": live.get("agent_id"),
        "detail": f"{ref} is stopped" if ran else f"{ref} was stopped already",
        "manifest_path": manifest,
        "session_root": manifest.rpartition("/")[0] if manifest else None,
        "turn_id": None,
        **_selected(recorded),
    }
    return Changed(report, {} if report.exit_code else body)
