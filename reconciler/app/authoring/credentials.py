"""`project credentials`: bytes in the overlay's bundles, an AuthProfile for each; nothing here prints a value."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from reconciler.app import status
from reconciler.app.authoring import vault
from reconciler.app.authoring.answers import Answers
from reconciler.app.authoring.change import Talk, declare, refuse_without_overlay
from reconciler.app.authoring.edits import Given
from reconciler.app.authoring.family import Changed, recorded_of, take_away
from reconciler.app.authoring.recorded import Recorded
from reconciler.app.authoring.tools import check_tool
from reconciler.app.session import Flags
from reconciler.build.definitions import auth_bundle
from reconciler.build.trees import tree_at
from reconciler.declare.dump import document
from reconciler.kinds import content
from reconciler.kinds.auth_profile.bundle import ENV_FILE, FILES_DIR
from reconciler.model.errors import GuardRefused, MissingCredential, UsageFault
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.resource import at_path
from reconciler.model.secret import Secret
from reconciler.model.tuples import NamedTuple
from reconciler.ports.build import AuthFile, AuthMaterial, Materials
from reconciler.ports.provider import Provider

KIND = "AuthProfile"
OVERLAY = "project"
"""`target_kind`: the credential is kept by the project's overlay."""


class Chosen(NamedTuple):
    """The credential a specialist gets: which, what is done to it, and its bytes where they change."""

    name: str | None
    operation: str = "reuse"
    """`add`, `set` or `reuse`."""
    bundle: vault.Bundle | None = None
    inputs: vault.Inputs = vault.Inputs()


def choose(recorded: Recorded, tool: str, default: str, named: str | None, inputs: vault.Inputs) -> Chosen:
    """Take the named or usual credential, make it, or add to it; a tool that runs without one may do without.

    Raises MissingCredential where it is not there and nothing was given to make it of.
    """
    name = named or default
    ref = Ref(KIND, name)
    if ref in recorded.rows:
        refuse_other_tool(recorded, name, tool)
        if inputs.empty:
            return Chosen(name)
        recorded.refuse_foreign(ref, "changed")
        return Chosen(name, "set", vault.patched(kept(recorded, name, tool), inputs), inputs)
    if not inputs.empty:
        refuse_useless(tool, inputs)
        return Chosen(name, "add", vault.patched(vault.Bundle({}, {}), inputs), inputs)
    if named is None and _needs_none(recorded.session.reader.providers[tool]):
        return Chosen(None)
    near = recorded.missing(ref, "credential").hint if named else ""
    raise MissingCredential(
        f"Credential bundle {name!r} does not exist under {tool} and no credential inputs were provided",
        hint=near
        if near.startswith("did you")
        else f"add --api-key-env VARIABLE, or first `houmao project credentials {tool} add`",
        ref=str(ref),
    )


def _needs_none(provider: Provider) -> bool:
    setup = provider.setups.get("default")
    return setup is not None and provider.unready(Materials("", "", setup, {}, None, provider.adapter)) is None


def refuse_useless(tool: str, inputs: vault.Inputs) -> None:
    """An address or a template alone is no credential."""
    login = [field for field in vault.fields(tool) if field.login]
    names = {field.variable for field in login} | {field.file for field in login} | {*vault.LOGIN_FILES}
    others = {field.variable for field in vault.fields(tool) if field.constant}
    if not (names | others) & (inputs.env.keys() | inputs.files.keys()):
        raise UsageFault(
            "what was given is no credential by itself",
            hint="give one of " + ", ".join(f"--{field.key}" for field in login),
        )


def refuse_other_tool(recorded: Recorded, name: str, tool: str) -> None:
    """One name has one credential; that of another tool is no use."""
    found = recorded.spec(Ref(KIND, name)).get("provider")
    if found != tool:
        raise GuardRefused(
            f"the credential {name!r} is for {found}, not for {tool}",
            hint="choose another name",
            code="guard.exists",
            ref=f"{KIND}/{name}",
        )


def kept(recorded: Recorded, name: str, tool: str) -> vault.Bundle:
    """The bytes the overlay keeps for it; raises GuardRefused where a manifest says they are elsewhere."""
    ref = Ref(KIND, name)
    if at_path(recorded.spec(ref), "source.existing") != name:
        raise GuardRefused(
            f"the bytes of {ref} are not kept here: it says where they are",
            hint="change them there, or change the declaration",
            code="guard.managed",
            ref=str(ref),
        )
    return vault.kept(recorded.session.reader.files, Answers(recorded).bundle_path(name, tool))


def document_of(recorded: Recorded, name: str, tool: str, bundle: vault.Bundle) -> JsonMap:
    """The declaration: the bytes are the overlay's own, and this is their fingerprint."""
    rotation = bundle.fingerprint(recorded.session.reader)
    spec: JsonMap = {"provider": tool, "source": {"existing": name}, "rotation": rotation}
    row = recorded.rows.get(Ref(KIND, name))
    return document(KIND, name, spec, row.labels if row else None, row.annotations if row else None)


def put(flags: Flags, name: str, tool: str, chosen: Chosen, talk: Talk) -> Changed:
    """Run the plan that takes the bytes up, and answer what was written by name."""
    recorded = recorded_of(flags)
    assert chosen.bundle is not None
    with vault.staging(recorded.session.reader, Ref(KIND, name), tool, chosen.bundle, dry=talk.dry) as staged:
        report = declare(flags, [document_of(recorded, name, tool, chosen.bundle)], talk, staged=staged)
    if talk.dry or report.exit_code:
        return Changed(report, {})
    return Changed(report, result(Answers(recorded_of(flags)), chosen))


def result(answers: Answers, chosen: Chosen) -> JsonMap:
    """`auth_result` of §5.1: names of what was written and cleared, never a value."""
    if chosen.name is None:
        return {"operation": "none", "target_kind": OVERLAY, "name": None, "project_root": answers.project}
    spec = answers.recorded.spec(Ref(KIND, chosen.name))
    tool = str(spec["provider"])
    own = at_path(spec, "source.existing") == chosen.name
    path = answers.bundle_path(chosen.name, tool) if own else None
    return {
        "operation": chosen.operation,
        "target_kind": OVERLAY,
        "tool": tool,
        "name": chosen.name,
        "bundle_ref": answers.recorded.row(Ref(KIND, chosen.name)).uid if own else None,
        "path": path,
        "env_file": f"{path}/{ENV_FILE}" if path else None,
        "written_env_vars": [*sorted(chosen.inputs.env)],
        "cleared_env_vars": [*sorted(chosen.inputs.cleared_env)],
        "written_files": [*sorted(chosen.inputs.files)],
        "cleared_files": [*sorted(chosen.inputs.cleared_files)],
        "project_root": answers.project,
    }


# --- the commands -----------------------------------------------------------------------------------------------------


def add(
    flags: Flags, word: str, name: str, given: Given, talk: Talk, *, stdin: Callable[[], str], check: bool = False
) -> Changed:
    """Keep a new credential; raises Existing where the name is taken."""
    recorded, tool, inputs = _asked(flags, word, given, talk, stdin)
    ref = Ref(KIND, name)
    if ref in recorded.rows:
        raise GuardRefused(
            f"there is a credential {name!r} already",
            hint=f"`houmao project credentials {tool} set --name {name}` changes it",
            code="guard.exists",
            ref=str(ref),
        )
    if inputs.empty:
        raise UsageFault("a credential needs at least one value or file", hint=_offered(tool))
    refuse_useless(tool, inputs)
    chosen = Chosen(name, "add", vault.patched(vault.Bundle({}, {}), inputs), inputs)
    check_ready(recorded, tool, {"setupRef": "default"}, chosen, talk, strict=check)
    return put(flags, name, tool, chosen, talk)


def change(
    flags: Flags, word: str, name: str, given: Given, talk: Talk, *, stdin: Callable[[], str], check: bool = False
) -> Changed:
    """Patch a credential; whoever uses it and was made by hand takes it up with the same plan."""
    recorded, tool, inputs = _asked(flags, word, given, talk, stdin)
    ref = Ref(KIND, name)
    recorded.row(ref)
    refuse_other_tool(recorded, name, tool)
    recorded.refuse_foreign(ref, "changed")
    if inputs.empty:
        raise UsageFault("No credential updates requested.", hint=_offered(tool))
    chosen = Chosen(name, "set", vault.patched(kept(recorded, name, tool), inputs), inputs)
    check_ready(recorded, tool, {"setupRef": "default"}, chosen, talk, strict=check)
    return put(flags, name, tool, chosen, talk)


def _asked(
    flags: Flags, word: str, given: Given, talk: Talk, stdin: Callable[[], str]
) -> tuple[Recorded, str, vault.Inputs]:
    recorded = recorded_of(flags)
    refuse_without_overlay(recorded.session)
    tool = check_tool(recorded.session.reader.providers, word)
    source = vault.Source(stdin, recorded.session.reader, recorded.session.settings.cwd, talk.warn)
    return recorded, tool, vault.gathered(tool, given, source)


def _offered(tool: str) -> str:
    return "give one of " + ", ".join(f"--{field.key}" for field in vault.fields(tool))


def get(flags: Flags, word: str, name: str) -> JsonMap:
    """One credential: what is there, by name; addresses and models are shown, everything else is not."""
    recorded = recorded_of(flags)
    tool = check_tool(recorded.session.reader.providers, word)
    answers, ref = Answers(recorded), Ref(KIND, name)
    if ref not in recorded.rows:
        raise recorded.missing(ref, "credential")
    refuse_other_tool(recorded, name, tool)
    spec = recorded.spec(ref)
    provider = recorded.session.reader.providers[tool]
    own = at_path(spec, "source.existing") == name
    path = answers.bundle_path(name, tool) if own else None
    bundle = vault.kept(recorded.session.reader.files, path) if path else None
    return {
        "name": name,
        "tool": tool,
        "bundle_ref": recorded.row(ref).uid if own else None,
        "path": path,
        "env_file": f"{path}/{ENV_FILE}" if path else None,
        "env": _env_shown(tool, bundle, spec),
        "files": _files_shown(provider, bundle, spec, path),
        "target_kind": OVERLAY,
        "project_root": answers.project,
    }


def _env_shown(tool: str, bundle: vault.Bundle | None, spec: JsonMap) -> JsonMap:
    """Each variable the tool takes: is it there, what is it where that is no secret, where does it come from."""
    open_names = {field.variable for field in vault.fields(tool) if not field.secret}
    declared = at_path(spec, "source.env")
    found: JsonMap = {}
    names = [field.variable for field in vault.fields(tool) if field.variable]
    for name in dict.fromkeys([*names, *(bundle.env if bundle else {})]):
        value = bundle.env.get(name) if bundle else None
        where = declared.get(name) if isinstance(declared, dict) else None
        one: JsonMap = {"present": value is not None or where is not None}
        if value is not None:
            one |= {"value": value.reveal()} if name in open_names and not _has_password(value) else {"redacted": True}
        if isinstance(where, dict):
            said = next(((key, item) for key, item in where.items() if item), None)
            one["source"] = f"{said[0]} {said[1]}" if said and said[0] != "exec" else "exec"
        found[name] = one
    return found


def _has_password(value: Secret) -> bool:
    from reconciler.declare.secrets import shape_of

    return shape_of(value.reveal()) is not None


def _files_shown(provider: Provider, bundle: vault.Bundle | None, spec: JsonMap, path: str | None) -> JsonMap:
    declared = at_path(spec, "source.files")
    found: JsonMap = {}
    for mapping in provider.adapter.file_mappings:
        where = declared.get(mapping.source) if isinstance(declared, dict) else None
        there = bool(bundle and mapping.source in bundle.files)
        found[mapping.source] = {
            "present": there or where is not None,
            "path": f"{path}/{FILES_DIR}/{mapping.source}" if there else where,
            "required": mapping.required,
        }
    return found


def listed(flags: Flags, word: str) -> JsonMap:
    """The credentials of a tool, by name."""
    recorded = recorded_of(flags)
    tool = check_tool(recorded.session.reader.providers, word)
    answers = Answers(recorded)
    names = answers.credentials(tool)
    records: list[Json] = []
    for name in names:
        row = recorded.row(Ref(KIND, name))
        env_file = f"{answers.bundle_path(name, tool)}/{ENV_FILE}"
        stamp = recorded.session.reader.files.stamp(env_file)
        when = status.born(row.uid) if stamp is None else datetime.fromtimestamp(stamp.mtime_ns // 10**9, UTC)
        records.append(
            {
                "name": name,
                "tool": tool,
                "updated_at_utc": when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else None,
                "updated_at_source": "declaration" if stamp is None else "bundle",
            }
        )
    return {
        "tool": tool,
        "credentials": [*names],
        "credential_records": records,
        "target_kind": OVERLAY,
        "project_root": answers.project,
    }


def remove(flags: Flags, word: str, name: str, talk: Talk) -> Changed:
    """Remove it with its bytes; refused while anything refers to it."""
    recorded = recorded_of(flags)
    tool = check_tool(recorded.session.reader.providers, word)
    ref = Ref(KIND, name)
    if ref not in recorded.rows:
        raise recorded.missing(ref, "credential")
    refuse_other_tool(recorded, name, tool)
    users = recorded.users(ref)
    if users:
        raise GuardRefused(
            f"Auth profile {tool}/{name} is still referenced and cannot be removed.",
            hint=f"it is used by {', '.join(map(str, users))}",
            code="guard.dependents",
            ref=str(ref),
        )
    answers = Answers(recorded)
    body: JsonMap = {
        "name": name,
        "tool": tool,
        "bundle_ref": recorded.row(ref).uid,
        "path": answers.bundle_path(name, tool),
        "removed": not talk.dry,
        "target_kind": OVERLAY,
        "project_root": answers.project,
    }
    return Changed(take_away(flags, ref, talk, cascade=False), body)


# --- can it log in? ---------------------------------------------------------------------------------------------------


def check_ready(
    recorded: Recorded, tool: str, spec: Mapping[str, Json], chosen: Chosen, talk: Talk, *, strict: bool
) -> None:
    """Say now what a launch would only find out later (§11 row 5); with `strict` it is a refusal."""
    if spec.get("promptMode") == "as_is":
        return
    why = unready(recorded, tool, spec, chosen)
    if why is None:
        return
    told = f"an agent with it could not start unattended: {why}"
    if strict:
        raise MissingCredential(
            told, hint="give a credential its setup can use, or --no-unattended", code="build.auth_unready"
        )
    talk.warn(told)


def unready(recorded: Recorded, tool: str, spec: Mapping[str, Json], chosen: Chosen) -> str | None:
    """Why the tool would stop at its login screen; None where it would not, or where that cannot be known here."""
    reader = recorded.session.reader
    provider = reader.providers[tool]
    name = str(spec.get("setupRef") or "default")
    declared = Ref("Setup", name) in recorded.rows
    path = f"{reader.places.content}/{content.setup_tree(tool, name)}"
    setup = tree_at(reader.files, path, hold=lambda _: True) if declared else provider.setups.get(name)
    if setup is None:
        return None
    auth = _material(recorded, provider, chosen)
    if chosen.name is not None and auth is None:
        return None
    return provider.unready(Materials("", "", setup, {}, auth, provider.adapter))


def _material(recorded: Recorded, provider: Provider, chosen: Chosen) -> AuthMaterial | None:
    """The credential as a build would have it; None where only a launch can read it."""
    if chosen.name is None:
        return None
    if chosen.bundle is not None:
        files: dict[str, Secret | AuthFile] = {
            name: Secret(data.decode("utf-8", errors="replace")) for name, data in chosen.bundle.files.items()
        }
        return AuthMaterial(chosen.name, "", chosen.bundle.env, files, "")
    spec = recorded.spec(Ref(KIND, chosen.name))
    if at_path(spec, "source.existing") != chosen.name:
        return None
    path = Answers(recorded).bundle_path(chosen.name, provider.name)
    if recorded.session.reader.files.stamp(path) is None:
        return None
    return auth_bundle(recorded.session.reader.files, path, chosen.name, provider, provider.adapter)


def stdin_once(read: Callable[[], str]) -> Callable[[], str]:
    """Standard input for the one value that is read from it; raises UsageFault for a second."""
    taken: list[bool] = []

    def once() -> str:
        if taken:
            raise UsageFault("two values are to be read from standard input", hint="give one of them another way")
        taken.append(True)
        return read()

    return once


def flags_of(tool: str) -> Sequence[str]:
    """The flags of `add` for a tool, without dashes."""
    return [field.key for field in vault.fields(tool)]
