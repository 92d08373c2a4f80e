"""`brains build`: a runtime home from a plain definition tree; no overlay, no catalog (project-and-build §4, §8)."""

from typing import cast

from reconciler.app import settings as settings_
from reconciler.app import wiring
from reconciler.app.session import Flags
from reconciler.build import definitions, precedence, prompt
from reconciler.build.assemble import OWN_DIRECTORIES, Site, assemble, result
from reconciler.build.selector import Preset, check_tool, is_path, normal, tool_of
from reconciler.declare.reader import read
from reconciler.model import names
from reconciler.model.errors import ActionFailed, DeclarationError, MissingBinary, OverlayError, UsageFault
from reconciler.model.json import Json, JsonMap, parse_map
from reconciler.model.ref import Uid, entry_fault
from reconciler.model.resource import at_path
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader
from reconciler.ports.files import Files
from reconciler.ports.process import Process
from reconciler.ports.provider import Host, PromptMode, Provider

VERSION_TIMEOUT_S = 30.0


class Wanted(NamedTuple):
    """What to build: a preset, or tool, setup, auth and skills by name."""

    preset: str | None = None
    tool: str | None = None
    setup: str | None = None
    auth: str | None = None
    skills: tuple[str, ...] = ()
    runtime_root: str | None = None
    home_id: str | None = None
    reuse_home: bool = False
    launch_overrides: str | None = None
    agent_name: str | None = None
    agent_id: str | None = None


class Recipe(NamedTuple):
    """The recipe of one build, and the file it came from."""

    facts: JsonMap
    path: str | None


def build(flags: Flags, wanted: Wanted) -> JsonMap:
    """Build a home and its manifest; the keys of §8.2, with preview and manifest.

    Raises UsageFault for missing inputs, ActionFailed and MissingCredential (`build.*`), MissingBinary.
    """
    found = settings_.find(
        project_dir=flags.project_dir, tmux_socket=flags.tmux_socket, agent_def_dir=flags.agent_def_dir
    )
    _refuse_places(wanted)
    reader, files = flags.world.reader(found), wiring.local_files()
    root = _root(found, files)
    recipe = _recipe(wanted, root, found.cwd, files)
    resolved = precedence.resolve(recipe.facts, None, None, _direct(wanted, files, found.cwd))
    provider = _provider(reader, resolved.provider)
    runtime = _absolute(wanted.runtime_root, found.cwd) or found.runtime
    site = _site(reader, wanted, provider, runtime, files)
    role = str(recipe.facts.get("roleRef") or "")
    materials = definitions.materials(
        files, root, provider, parsed, role=role, setup=resolved.setup, skills=resolved.skills, auth=resolved.auth
    )
    name = resolved.agent_name or wanted.home_id or site.home_id
    identity = prompt.Identity(name, site.agent_id, site.memo_file)
    request = precedence.request(
        resolved,
        agent_def_dir=root,
        agent_name=name,
        agent_id=site.agent_id,
        composed=precedence.compose(resolved, role=materials.role_prompt, identity=identity),
        home_id=site.home_id,
        preset_path=recipe.path,
        runtime_root=runtime,
    )._replace(reuse_home=wanted.reuse_home)
    host = _host(reader, provider, found.cwd, resolved.prompt_mode is PromptMode.UNATTENDED)
    made = assemble(request, materials, provider, site=site, host=host, resume=resolved.resume)
    if files.stamp(site.home_path) is None:
        files.write_tree(site.home_path, made.everything(), OWN_DIRECTORIES)
    else:
        kept = {path for path in made.keep if files.stamp(f"{site.home_path}/{path}") is not None}
        tree = made.everything()
        for path in kept:
            tree.entries.pop(path, None)
        files.replace_entries(site.home_path, tree)
    files.write(site.manifest_path, made.manifest_text.encode())
    answer = result(made, site)
    return {
        "home_id": answer.home_id,
        "home_path": answer.home_path,
        "manifest_path": answer.manifest_path,
        "launch_helper_path": answer.launch_helper_path,
        "runtime_root": runtime,
        "runtime_root_detail": "--runtime-root" if wanted.runtime_root else "from the overlay or its environment",
        "overlay_root": found.overlay.root,
        "overlay_root_detail": found.overlay.detail,
        "project_overlay_bootstrapped": False,
        "overlay_bootstrap_detail": "a build needs no overlay and makes none",
        "launch_preview": answer.launch_preview,
        "manifest": answer.manifest,
    }


def _refuse_places(wanted: Wanted) -> None:
    """Names become directories of the tree and of the runtime: one that leads elsewhere is none."""
    named = (
        ("--setup", wanted.setup),
        ("--auth", wanted.auth),
        *(("--skill", skill) for skill in wanted.skills),
        ("--home-id", wanted.home_id),
        ("--agent-name", wanted.agent_name),
        ("--agent-id", wanted.agent_id),
    )
    for option, name in named:
        why = entry_fault(name) if name is not None else None
        if why is not None:
            raise UsageFault(f"{option} {(name or '')[:200]!r} {why}", hint="write the name alone")


def parsed(text: str) -> Json:
    """One YAML document; raises DeclarationError with every fault."""
    documents, problems = read(text.encode(), "definition")
    if problems:
        raise DeclarationError(list(problems))
    return documents[0].value if documents else None


def _root(found: settings_.Settings, files: Files) -> str:
    if files.stamp(found.agents) is None:
        raise OverlayError(
            f"there is no definition tree at {found.agents}",
            hint=f"name one with --agent-def-dir or {names.ENV_AGENT_DEF}",
            code="build.no_definitions",
        )
    return found.agents


def _recipe(wanted: Wanted, root: str, cwd: str, files: Files) -> Recipe:
    """The preset with what was given by hand on top, or everything by hand."""
    if wanted.preset is None:
        missing = [
            name
            for name, value in (
                ("--tool", wanted.tool),
                ("--setup", wanted.setup),
                ("--auth", wanted.auth),
                ("--skill", wanted.skills),
            )
            if not value
        ]
        if missing:
            raise UsageFault(
                f"Missing required build inputs: {', '.join(missing)}", hint="or name a recipe with --preset"
            )
        by_hand: JsonMap = {"provider": tool_of(str(wanted.tool)), "skillRefs": list(wanted.skills), "roleRef": ""}
        return Recipe(by_hand | {"setupRef": wanted.setup, "authRef": wanted.auth}, None)
    path = _preset(wanted.preset, root, cwd, files)
    facts = definitions.recipe_at(files, path, parsed)
    if wanted.tool is not None:
        stem = path.rpartition("/")[2].rpartition(".")[0]
        check_tool(
            Preset(stem, path, str(facts["roleRef"]), str(facts["provider"]), str(facts["setupRef"])),
            tool_of(wanted.tool),
        )
    if wanted.skills:
        facts["skillRefs"] = list(wanted.skills)
    return Recipe(facts, path)


def _preset(text: str, root: str, cwd: str, files: Files) -> str:
    """A file, or the name of one in `presets/`."""
    if is_path(text):
        path = normal(text if text.startswith("/") else f"{cwd}/{text}")
        if files.stamp(path) is None:
            raise UsageFault(f"--preset {text} is not there", hint="name a file, or a recipe of the definition tree")
        return path
    for suffix in ("yaml", "yml"):
        if files.stamp(f"{root}/presets/{text}.{suffix}") is not None:
            return f"{root}/presets/{text}.{suffix}"
    from reconciler.declare.suggest import nearest

    near = nearest(text, definitions.presets(files, root, parsed))
    raise UsageFault(
        f"there is no recipe {text!r} under {root}/presets", hint=f"did you mean {near}?" if near else "name a file"
    )


def _direct(wanted: Wanted, files: Files, cwd: str) -> JsonMap:
    """What was asked for by hand, above the recipe."""
    direct: JsonMap = {"setupRef": wanted.setup, "authRef": wanted.auth}
    direct |= {"agentName": wanted.agent_name, "agentId": wanted.agent_id}
    if wanted.launch_overrides is not None:
        text = wanted.launch_overrides
        if not text.lstrip().startswith("{"):
            text = files.read(str(_absolute(text, cwd))).decode()
        try:
            direct["overrides"] = _overrides(parse_map(text))
        except ValueError as error:
            raise UsageFault(
                f"--launch-overrides cannot be read: {error}", hint='write a file or JSON: {"args": ["--flag"]}'
            ) from error
    return direct


def _overrides(value: JsonMap) -> JsonMap:
    """`args` as a list or `{mode, values}`, `tool_params` as a map."""
    unknown = sorted(value.keys() - {"args", "tool_params", "toolParams"})
    if unknown:
        raise ValueError(f"{unknown[0]!r} is neither args nor tool_params")
    args = value.get("args")
    if isinstance(args, list):
        args = {"mode": "append", "values": args}
    return {"args": args, "toolParams": value.get("toolParams", value.get("tool_params")) or {}}


def _provider(reader: Reader, name: str) -> Provider:
    found = reader.providers.get(name)
    if found is None:
        known = ", ".join(reader.providers)
        raise UsageFault(f"there is no tool {name!r}", hint=f"it is one of {known}")
    return found


def _site(reader: Reader, wanted: Wanted, provider: Provider, runtime: str, files: Files) -> Site:
    """A home of its own; an existing one only with --reuse-home."""
    clock = reader.clock
    now = clock.now_utc()
    home_id = wanted.home_id or f"{provider.name}-brain-{now.strftime('%Y%m%d-%H%M%SZ')}-{clock.token_hex(3)}"
    home = f"{runtime}/homes/{home_id}"
    there = files.stamp(home) is not None
    if there and not wanted.reuse_home:
        raise ActionFailed(f"{home} is there already", hint="--reuse-home builds into it", code="build.home_exists")
    if wanted.reuse_home and not there:
        raise ActionFailed(f"{home} is not there", hint="leave --reuse-home out", code="build.home_missing")
    uid: Uid = _owner(files, home) or clock.new_uid()
    return Site(
        uid=uid,
        agent_id=wanted.agent_id or uid,
        home_id=home_id,
        home_path=home,
        manifest_path=f"{runtime}/manifests/{home_id}.yaml",
        runtime_root=runtime,
        memory_path="",
        overlay_id=reader.overlay_id,
        built_at_utc=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _owner(files: Files, home: str) -> Uid | None:
    """The uid an existing home was built for."""
    path = f"{home}/owner.json"
    if files.stamp(path) is None:
        return None
    uid = at_path(parse_map(files.read(path)), "uid")
    return Uid(uid) if isinstance(uid, str) else None


def _host(reader: Reader, provider: Provider, workdir: str, unattended: bool) -> Host:
    found, version = "", None
    process = cast(Process, reader.process)
    if provider.lookup is not None:
        where = process.which(provider.lookup)
        if where is None:
            raise MissingBinary(f"{provider.lookup!r} is not on PATH", hint="install it, then build again")
        found = where
        if unattended and provider.strategies:
            finished = process.run((found, "--version"), timeout_s=VERSION_TIMEOUT_S)
            version = finished.stdout.decode("utf-8", errors="replace").strip() or None
    return Host(
        executable=provider.executable(found),
        workdir=workdir,
        search_path=reader.environ.get("PATH") or "",
        root=reader.environ.root,
        tool_version=version,
        strategy=reader.environ.get("HOUMAO_LAUNCH_POLICY_OVERRIDE_STRATEGY"),
    )


def _absolute(path: str | None, cwd: str) -> str | None:
    if path is None:
        return None
    return normal(path if path.startswith("/") else f"{cwd}/{path}")
