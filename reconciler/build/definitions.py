"""A plain definition tree (`--agent-def-dir`): presets, adapters, setups, skills, roles and credentials as files.

    presets/<recipe>.yaml                       role, tool, setup, skills, auth, launch, mailbox, extra
    roles/<role>/system-prompt.md               may be empty
    skills/<skill>/SKILL.md ...
    tools/<tool>/adapter.yaml                   without one, the provider's own adapter holds
    tools/<tool>/setups/<setup>/...             without one, `default` is the provider's own
    tools/<tool>/auth/<auth>/env/vars.env, files/...

What is read here becomes the same words a catalog's definitions become (`precedence.resolve`, `Materials`), so both
lanes build alike. The text of YAML files is parsed by the caller's parser.
"""

from collections.abc import Callable, Mapping

from reconciler.build import adapter as adapter_file
from reconciler.build.adapter import Place
from reconciler.build.fault import refuse
from reconciler.build.home import below
from reconciler.build.selector import Preset
from reconciler.build.trees import tree_at
from reconciler.model.errors import MissingCredential
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import entry_fault
from reconciler.model.secret import Secret
from reconciler.model.tree import Tree
from reconciler.ports.build import Adapter, AuthFile, AuthMaterial, Materials
from reconciler.ports.files import FilesReader
from reconciler.ports.provider import Provider

Parse = Callable[[str], Json]
"""YAML text to a value; raises ValueError or a ReconcilerError for anything else."""

RECIPE_KEYS = ("role", "tool", "setup", "skills", "auth", "launch", "mailbox", "extra")
LAUNCH_KEYS = ("prompt_mode", "model", "overrides", "env_records", "system_skills")
PROMPT_MODES = ("unattended", "as_is")
SYSTEM_MODES = ("default", "extend", "replace", "none")


def presets(files: FilesReader, root: str, parse: Parse) -> Mapping[str, Preset]:
    """Every recipe of the tree by name; none where there is no `presets` directory. Raises for the first bad one."""
    out: dict[str, Preset] = {}
    for file in _names(files, f"{root}/presets"):
        stem, dot, suffix = file.rpartition(".")
        if dot and suffix in ("yaml", "yml"):
            path = f"{root}/presets/{file}"
            facts = recipe_at(files, path, parse)
            out[stem] = Preset(stem, path, str(facts["roleRef"]), str(facts["provider"]), str(facts["setupRef"]))
    return out


def recipe_at(files: FilesReader, path: str, parse: Parse) -> JsonMap:
    """A preset file as the canonical fields of a Recipe."""
    folder = path.rpartition("/")[0]
    if folder.rpartition("/")[2] != "presets":
        raise refuse(
            "definition", f"{path}: a preset must sit directly in a directory named 'presets'", "move it there"
        )
    return recipe(_document(files, path, parse), path)


def recipe(value: Json, file: str) -> JsonMap:
    """A parsed preset as the canonical fields of a Recipe; raises ActionFailed naming file and dotted place."""
    top = Place(value, file, "")
    _known(top, RECIPE_KEYS)
    for key in ("role", "tool", "setup"):
        if not isinstance(top.map().get(key), str) or not str(top.map()[key]).strip():
            raise top.fault(key, f"missing string {key}")
    out: JsonMap = {
        "roleRef": top.get("role").text(),
        "provider": top.get("tool").text(),
        "setupRef": top.get("setup").text(),
        "skillRefs": [*_strings(top.get("skills"))],
        "launch": _launch(top.get("launch")),
    }
    if top.get("auth").value is not None:
        out["authRef"] = top.get("auth").text()
    for key in ("mailbox", "extra"):
        if top.get(key).map():
            out[key] = dict(top.get(key).map())
    return out


def adapter(files: FilesReader, root: str, provider: Provider, parse: Parse) -> tuple[Adapter, str]:
    """The tree's adapter of a tool and its path, or the provider's own and an empty path."""
    path = f"{root}/tools/{provider.name}/adapter.yaml"
    if files.stamp(path) is None:
        return provider.adapter, ""
    found = adapter_file.parse(_document(files, path, parse), path)
    if found.tool != provider.name:
        raise refuse("adapter", f"{path}: tool: {found.tool!r} is not the tool of its directory")
    return found, path


def materials(
    files: FilesReader,
    root: str,
    provider: Provider,
    parse: Parse,
    *,
    role: str,
    setup: str,
    skills: tuple[str, ...],
    auth: str | None,
) -> Materials:
    """The bytes of one build. An empty `role` is no role. Raises ActionFailed, MissingCredential (`build.*`)."""
    for what, name in (("role", role or "none"), ("setup", setup), ("credential", auth or "none")):
        _refuse_place(what, name)
    for name in skills:
        _refuse_place("skill", name)
    found, adapter_path = adapter(files, root, provider, parse)
    tool = f"{root}/tools/{provider.name}"
    trees = {name: _skill(files, f"{root}/skills/{name}", name) for name in skills}
    return Materials(
        role_name=role,
        role_prompt=role_prompt(files, root, role) if role else "",
        setup=_setup(files, f"{tool}/setups/{setup}", setup, provider, found),
        skills=trees,
        auth=None if auth is None else auth_bundle(files, f"{tool}/auth/{auth}", auth, provider, found),
        adapter=found,
        skill_paths={name: files.real(f"{root}/skills/{name}") for name in skills},
        adapter_path=adapter_path,
    )


def _refuse_place(what: str, name: str) -> None:
    """A recipe names directories of its own tree, and none elsewhere."""
    why = entry_fault(name)
    if why is not None:
        raise refuse("name", f"the {what} {name[:200]!r} {why}", "write the name of its directory")


def role_prompt(files: FilesReader, root: str, role: str) -> str:
    """The role's text; raises where there is no file, which is not the same as an empty one."""
    path = f"{root}/roles/{role}/system-prompt.md"
    if files.stamp(path) is None:
        raise refuse("role_missing", f"missing role prompt for role {role!r}: {path}", "an empty file is enough")
    return _text(files, path)


def auth_bundle(files: FilesReader, path: str, name: str, provider: Provider, found: Adapter) -> AuthMaterial:
    """A credential directory; raises MissingCredential where directory or env file is not there."""
    env_file = f"{path}/{found.env_source}"
    if files.stamp(path) is None:
        hint = f"put it there, or choose one of {path.rpartition('/')[0]}"
        raise MissingCredential(f"credential {name!r} is not there: {path}", hint=hint)
    if files.stamp(env_file) is None:
        raise MissingCredential(f"credential {name!r} has no {found.env_source}", hint="an empty file is enough")
    env = {key: Secret(value) for key, value in vars_env(_text(files, env_file)).items()}
    login: dict[str, Secret | AuthFile] = {}
    for mapping in found.file_mappings:
        source = f"{path}/{found.files_dir}/{mapping.source}"
        if files.stamp(source) is None:
            continue
        if mapping.destination in provider.merged_files:
            login[mapping.source] = Secret(_text(files, source))
        else:
            login[mapping.source] = AuthFile(source, files.digest(source).digest)
    return AuthMaterial(name, name, env, login, path)


def vars_env(text: str) -> dict[str, str]:
    """`NAME=value` lines: blank ones, comments and lines without `=` are skipped, the last of a name wins."""
    out: dict[str, str] = {}
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.removeprefix("export ").partition("=")
        if not equals or not name.strip():
            continue
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        out[name.strip()] = value
    return out


def _launch(place: Place) -> JsonMap:
    _known(place, LAUNCH_KEYS)
    out: JsonMap = {}
    if place.get("prompt_mode").value is not None:
        out["promptMode"] = place.get("prompt_mode").choice(PROMPT_MODES, "unattended")
    out |= _model(place.get("model"))
    env = place.get("env_records")
    if env.map():
        out["env"] = {_name(env, name): _string(env.get(name)) for name in env.map()}
    if place.get("overrides").value is not None:
        out["overrides"] = _overrides(place.get("overrides"))
    policy = place.get("system_skills")
    if policy.value is not None:
        mode = policy.get("mode").choice(SYSTEM_MODES, "default")
        sets, skills = policy.get("sets").texts(), policy.get("skills").texts()
        out["systemSkills"] = {"mode": mode, "sets": [*sets], "skills": [*skills]}
    return out


def _model(place: Place) -> JsonMap:
    if place.value is None:
        return {}
    if isinstance(place.value, str):
        return {"model": place.text()}
    _known(place, ("name", "reasoning"))
    out: JsonMap = {}
    if place.get("name").value is not None:
        out["model"] = place.get("name").text()
    reasoning = place.get("reasoning")
    _known(reasoning, ("level",))
    level = reasoning.get("level").value
    if level is not None:
        if isinstance(level, str) and level.strip().isascii() and level.strip().isdigit():
            level = int(level)
        if isinstance(level, bool) or not isinstance(level, int) or level < 0:
            raise reasoning.fault("level", "expected a whole number, zero or more")
        out["reasoning"] = level
    return out


def _overrides(place: Place) -> JsonMap:
    _known(place, ("args", "tool_params"))
    args, params = place.get("args"), place.get("tool_params")
    out: JsonMap = {}
    if args.value is not None:
        _known(args, ("mode", "values"))
        out["args"] = {
            "mode": args.get("mode").choice(("append", "replace"), "append"),
            "values": [*args.get("values").texts()],
        }
    if params.map():
        out["toolParams"] = {_name(params, name): value for name, value in params.map().items()}
    if not out:
        raise place.fault("", "expected args, tool_params or both")
    return out


def _name(place: Place, name: str) -> str:
    if not name.strip():
        raise place.fault("", "a blank key")
    return name.strip()


def _string(place: Place) -> str:
    if not isinstance(place.value, str):
        raise place.fault("", "expected a string; quote numbers")
    return place.value


def _strings(place: Place) -> tuple[str, ...]:
    if place.value is not None and not isinstance(place.value, list):
        raise place.fault("", "expected list of strings for skills")
    return place.texts()


def _known(place: Place, keys: tuple[str, ...]) -> None:
    unknown = sorted(set(place.map()) - set(keys))
    if unknown:
        raise place.fault("", f"unknown keys {', '.join(unknown)}; supported: {', '.join(keys)}")


def _setup(files: FilesReader, path: str, name: str, provider: Provider, found: Adapter) -> Tree:
    def merged(place: str) -> bool:
        return below(found.setup_destination, place) in provider.merged_files

    tree = tree_at(files, path, hold=merged)
    if tree is None:
        starter = provider.setups.get(name)
        if starter is None:
            raise refuse("setup_missing", f"Setup bundle not found: {path}", f"known: {', '.join(provider.setups)}")
        return starter
    return tree


def _skill(files: FilesReader, path: str, name: str) -> Tree:
    tree = tree_at(files, files.real(path)) if files.stamp(path) is not None else None
    if tree is None or "SKILL.md" not in tree.entries:
        raise refuse("skill_missing", f"Unknown skill {name} (expected {path}/SKILL.md to exist)", "register it first")
    return tree


def _document(files: FilesReader, path: str, parse: Parse) -> Json:
    """YAML, else JSON; an empty file is an empty mapping."""
    text = _text(files, path)
    if not text.strip():
        return {}
    try:
        value = parse(text)
    except ValueError as error:
        raise refuse("definition", f"{path}: {error}", "mend the file") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refuse("definition", f"{path}: expected a mapping at the top", "mend the file")
    return value


def _text(files: FilesReader, path: str) -> str:
    try:
        return files.read(path).decode()
    except UnicodeDecodeError:
        raise refuse("definition", f"{path} is not UTF-8", "write it as UTF-8") from None


def _names(files: FilesReader, path: str) -> tuple[str, ...]:
    return files.names(path) if files.stamp(path) is not None else ()
