"""Everything one build needs, read from the content store and the credential's sources: the impure half of a build.

The engine's own builder reads catalog and content, never the `agents/` projection. Each payload is verified against the
digest that the plan was made with.
"""

from reconciler.build import precedence, prompt
from reconciler.build.assemble import Assembled, Site, assemble
from reconciler.build.definitions import auth_bundle
from reconciler.build.trees import tree_at
from reconciler.engine.handler import Context, Lookup
from reconciler.kinds import content
from reconciler.kinds.credential import absolute, version_of
from reconciler.kinds.instance.resolve import Launch, declared_setup, launch_of, prompt_digest
from reconciler.model.errors import ActionFailed, MissingBinary, MissingCredential, ReconcilerError, StaleObservation
from reconciler.model.json import Json, JsonMap, digest_bytes
from reconciler.model.ref import Ref
from reconciler.model.resource import at_path
from reconciler.model.secret import Secret
from reconciler.model.tree import Tree
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports
from reconciler.ports.provider import (
    AuthFile,
    AuthMaterial,
    Host,
    Materials,
    Provider,
    Resume,
    ResumeMode,
    backend_of,
)

EXEC_TIMEOUT_S = 30.0
VIEWER = ("-P", "-m", "reconciler.cli.display")
"""What shows turns; `-P`, for it runs where the agent works, and no module of that place is meant."""


class Build(NamedTuple):
    """One assembled agent and where it goes."""

    assembled: Assembled
    site: Site
    provider: Provider
    launch: Launch
    agent_name: str
    headless: bool
    workdir: str
    session_id: str
    session_manifest: str


def build(ports: Ports, context: Context) -> Build:
    """Assemble the agent of this action, once per attempt."""
    found = context.scratch.get("build")
    if isinstance(found, Build):
        return found
    made = _build(ports, context)
    context.scratch["build"] = made
    return made


def _build(ports: Ports, context: Context) -> Build:
    want = context.case.want
    if want is None:
        raise ActionFailed(f"{context.case.ref} has no declaration to build from", code="build.no_declaration")
    launch = launch_of(want, context.look)
    resolved, source = launch.resolved, launch.source
    if resolved is None or source is None:
        raise ActionFailed(launch.fault.text if launch.fault else "it cannot be resolved", code="build.unresolved")
    provider = ports.providers[resolved.provider]
    agent_id = resolved.agent_id or context.uid
    agent_name = resolved.agent_name or context.case.ref.name
    site = _site(ports, context, agent_id)
    workdir = _workdir(ports, context.look, resolved)
    texts = _texts(ports, launch, context.look)
    identity = prompt.Identity(agent_name, agent_id, site.memo_file)
    composed = precedence.compose(resolved, role=texts.role, overlay=texts.overlay, identity=identity)
    request = precedence.request(
        resolved,
        agent_def_dir=ports.places.agents,
        agent_name=agent_name,
        agent_id=agent_id,
        composed=composed,
        home_id=site.home_id,
        runtime_root=ports.places.runtime,
        profile=_provenance(launch),
    )
    backend = backend_of(provider.name, resolved.headless)
    session_id = str(context.handle.get("session_id") or f"{backend}-{context.uid[-8:]}")
    session_root = f"{ports.places.runtime}/sessions/{backend}/{session_id}"
    made = assemble(
        request,
        _materials(ports, context, launch, resolved, provider, texts.role),
        provider,
        site=site,
        host=_host(ports, context, provider, workdir, resolved.prompt_mode.value == "unattended"),
        headless=resolved.headless,
        resume=_resume(context, resolved),
        transient_env=context.transient,
        owner={"generation": context.generation, "launch_digest": launch.digest, "fencing_token": context.token},
        viewer=_viewer(ports, resolved, session_root),
    )
    return Build(
        assembled=made,
        site=site,
        provider=provider,
        launch=launch,
        agent_name=agent_name,
        headless=resolved.headless,
        workdir=workdir,
        session_id=session_id,
        session_manifest=f"{session_root}/manifest.json",
    )


def _viewer(ports: Ports, resolved: precedence.Resolved, session_root: str) -> tuple[str, ...]:
    """What shows the turns in the pane of a headless agent that is to show them; run by this very interpreter."""
    if resolved.display is None:
        return ()
    style, detail = resolved.display
    words = ("--root", session_root, "--tool", resolved.provider, "--style", style, "--detail", detail)
    return (ports.gateways.program[0], *VIEWER, *words)


def _resume(context: Context, resolved: precedence.Resolved) -> Resume:
    """Which conversation goes on: as was asked for this once, else as declared (R-MOD-13)."""
    asked = context.action.post.get("resume")
    if not isinstance(asked, dict):
        return resolved.resume
    return Resume(ResumeMode(str(asked.get("mode"))), str(asked.get("id") or ""))


def _site(ports: Ports, context: Context, agent_id: str) -> Site:
    home_id = str(context.handle["home_id"])
    runtime = ports.places.runtime
    return Site(
        uid=context.uid,
        agent_id=agent_id,
        home_id=home_id,
        home_path=f"{runtime}/homes/{home_id}",
        manifest_path=f"{runtime}/manifests/{home_id}.yaml",
        runtime_root=runtime,
        memory_path=f"{ports.places.memory}/agents/{agent_id}",
        overlay_id=ports.overlay_id,
        built_at_utc=ports.clock.now_utc().strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _workdir(ports: Ports, look: Lookup, resolved: precedence.Resolved) -> str:
    """Declared, else the project; tmux would silently start elsewhere in a directory that is not there."""
    path = absolute(resolved.workdir, ports.places.project, ports.environ.get("HOME")) if resolved.workdir else ""
    path = path or ports.places.project
    stamp = ports.files.stamp(path)
    if stamp is None or not stamp.is_dir:
        raise ActionFailed(
            f"the work directory {path} is not there",
            hint="create it, or correct workdir",
            code="build.workdir_missing",
        )
    return str(look.memo(("workdir", path), lambda: ports.files.real(path)))


class Texts(NamedTuple):
    """The role's text and the profile's overlay."""

    role: str
    overlay: str


def _texts(ports: Ports, launch: Launch, look: Lookup) -> Texts:
    holder = launch.role or launch.source
    assert holder is not None
    role = _text(ports, look, content.role_prompt(holder.ref.name), prompt_digest(holder))
    overlay = ""
    if launch.resolved is not None and launch.resolved.overlay is not None and launch.profile is not None:
        path = content.overlay_prompt(launch.profile.ref.name)
        overlay = _text(ports, look, path, launch.resolved.overlay.digest)
    return Texts(role, overlay)


def _text(ports: Ports, look: Lookup, relative: str, digest: str) -> str:
    return str(look.memo(("text", relative, digest), lambda: _verified(ports, relative, digest))) if digest else ""


def _verified(ports: Ports, relative: str, digest: str) -> str:
    path = f"{ports.places.content}/{relative}"
    data = ports.files.read(path)
    if digest_bytes(data) != digest:
        raise StaleObservation(
            f"content/{relative} is not what was applied",
            hint="somebody edited the content store; apply the source that declares it again",
            code="stale.content",
        )
    return data.decode("utf-8", errors="replace")


def _materials(
    ports: Ports,
    context: Context,
    launch: Launch,
    resolved: precedence.Resolved,
    provider: Provider,
    role_prompt: str,
) -> Materials:
    holder = launch.role or launch.source
    assert holder is not None
    skills: dict[str, Tree] = {}
    linked: dict[str, str] = {}
    for name in resolved.skills:
        path = f"{ports.places.content}/{content.skill_tree(name)}"
        skills[name] = _tree(ports, path)
        found = context.look.get(Ref("Skill", name))
        if found is not None and found.spec.get("mode") == "symlink":
            linked[name] = path
    for private in resolved.private_skills:
        profile = launch.profile.ref.name if launch.profile else ""
        skills[private.name] = _tree(ports, f"{ports.places.content}/{content.private_skill(profile, private.name)}")
    return Materials(
        role_name=holder.ref.name,
        role_prompt=role_prompt,
        setup=_setup_tree(ports, context.look, resolved, provider),
        skills=skills,
        auth=_auth(ports, context, resolved),
        adapter=provider.adapter,
        skill_paths=linked,
    )


def _setup_tree(ports: Ports, look: Lookup, resolved: precedence.Resolved, provider: Provider) -> Tree:
    if declared_setup(resolved, look) is not None:
        return _tree(ports, f"{ports.places.content}/{content.setup_tree(provider.name, resolved.setup)}", hold=True)
    starter = provider.setups.get(resolved.setup)
    if starter is None:
        raise ActionFailed(
            f"{provider.name} has no setup called {resolved.setup!r}",
            hint=f"declare a Setup, or use one of: {', '.join(sorted(provider.setups)) or 'none ships with it'}",
            code="build.setup_missing",
        )
    return starter


def _tree(ports: Ports, path: str, *, hold: bool = False) -> Tree:
    found = tree_at(ports.files, path, hold=lambda _: hold)
    if found is None:
        raise ActionFailed(
            f"{path} is gone", hint="apply the source that declares it again", code="build.content_missing"
        )
    return found


def _auth(ports: Ports, context: Context, resolved: precedence.Resolved) -> AuthMaterial | None:
    """Read the credential at its sources, now; nothing of it is kept but in the Secret values."""
    if resolved.auth is None:
        return None
    ref = Ref("AuthProfile", resolved.auth)
    profile = context.look.get(ref)
    source = profile.spec.get("source") if profile else None
    existing = at_path(source, "existing")
    if isinstance(existing, str):
        return _existing(ports, context, ref, existing, resolved)
    env, files = at_path(source, "env"), at_path(source, "files")
    values = {
        name: _value(ports, ref, name, where)
        for name, where in sorted((env if isinstance(env, dict) else {}).items())
        if isinstance(where, dict)
    }
    paths: dict[str, Secret | AuthFile] = {}
    for name, path in sorted((files if isinstance(files, dict) else {}).items()):
        where = absolute(str(path), ports.places.project, ports.environ.get("HOME"))
        if ports.files.stamp(where) is None:
            raise MissingCredential(f"{ref}: {where} is not there", hint="create it, or correct source.files")
        paths[name] = AuthFile(where)
    merged = {
        mapping.source
        for mapping in ports.providers[resolved.provider].adapter.file_mappings
        if mapping.destination in ports.providers[resolved.provider].merged_files
    }
    for name in merged & paths.keys():
        found = paths[name]
        if isinstance(found, AuthFile):
            paths[name] = Secret(ports.files.read(found.path).decode("utf-8", errors="replace"))
    return AuthMaterial(resolved.auth, context.uids.get(ref, ""), values, paths, version=version_of(ref, context.look))


def _existing(ports: Ports, context: Context, ref: Ref, name: str, resolved: precedence.Resolved) -> AuthMaterial:
    """A credential the catalog has already: its bundle lies in the content store, made by whoever added it."""
    provider = ports.providers[resolved.provider]
    stored = ports.catalog.definitions("AuthProfile").get(name)
    bundle = next((found for found in stored.contents.values() if found.kind == "auth_tree"), None) if stored else None
    if bundle is None:
        raise MissingCredential(
            f"{ref} names the credential {name!r}, and the catalog holds none of that name",
            hint="correct source.existing, or say with env or files where the credential is",
        )
    path = f"{ports.places.content}/{bundle.relative_path}"
    found = auth_bundle(ports.files, path, name, provider, provider.adapter)
    return found._replace(name=resolved.auth or name, version=version_of(ref, context.look))


def _value(ports: Ports, ref: Ref, name: str, where: JsonMap) -> Secret:
    if isinstance(variable := where.get("env"), str):
        found = ports.environ.get(variable)
        if not found:
            raise MissingCredential(
                f"{ref}: {name} comes from the variable {variable}, which is not set", hint="set it"
            )
        return Secret(found)
    if isinstance(path := where.get("file"), str):
        place = absolute(path, ports.places.project, ports.environ.get("HOME"))
        return Secret(ports.files.read(place).decode("utf-8", errors="replace").strip())
    command = where.get("exec")
    argv = tuple(str(word) for word in command) if isinstance(command, list) else ()
    try:
        finished = ports.process.run(argv, timeout_s=EXEC_TIMEOUT_S, cwd=ports.places.project)
    except ReconcilerError as error:
        raise MissingCredential(
            f"{ref}: the command for {name} gave no value: {error.message}",
            hint=f"run it by hand, or correct source.env.{name}.exec",
        ) from error
    if finished.code != 0:
        raise MissingCredential(
            f"{ref}: the command for {name} ended with status {finished.code}", hint=f"run it by hand: {argv[0]} …"
        )
    return Secret(finished.stdout.decode("utf-8", errors="replace").strip())


def _host(ports: Ports, context: Context, provider: Provider, workdir: str, unattended: bool) -> Host:
    found = ""
    if provider.lookup is not None:
        where = context.look.memo(("which", provider.lookup), lambda: ports.process.which(str(provider.lookup)))
        if where is None:
            raise MissingBinary(f"{provider.lookup!r} is not on PATH", hint="install it, then apply again")
        found = str(where)
    version: Json = None
    if unattended and provider.strategies:
        version = context.look.memo(("version", found), lambda: _version(ports, found))  # type: ignore[assignment]
    return Host(
        executable=provider.executable(found),
        workdir=workdir,
        search_path=ports.environ.get("PATH") or "",
        root=ports.environ.root,
        tool_version=str(version) if version else None,
        strategy=ports.environ.get("HOUMAO_LAUNCH_POLICY_OVERRIDE_STRATEGY"),
    )


def _version(ports: Ports, executable: str) -> str:
    finished = ports.process.run((executable, "--version"), timeout_s=EXEC_TIMEOUT_S)
    return finished.stdout.decode("utf-8", errors="replace").strip()


def _provenance(launch: Launch) -> JsonMap | None:
    if launch.profile is None or launch.source is None:
        return None
    return {
        "name": launch.profile.ref.name,
        "lane": "easy_profile" if launch.source.ref.kind == "Specialist" else "launch_profile",
        "source_kind": launch.source.ref.kind.lower(),
        "source_name": launch.source.ref.name,
    }
