"""The brain manifest, written beside a home: where everything in it came from. No secret value is ever in it."""

from collections.abc import Mapping

from reconciler import __version__
from reconciler.build import model_selection, yaml_text
from reconciler.build.adapter import to_json as adapter_json
from reconciler.build.home import Home, credentials, selected_env
from reconciler.build.launch import tool_params
from reconciler.model.errors import ActionFailed
from reconciler.model.json import Json, JsonMap, digest, digest_bytes
from reconciler.model.tree import Tree
from reconciler.model.tuples import NamedTuple
from reconciler.ports.build import (
    AuthMaterial,
    BuildRequest,
    Host,
    LaunchOverrides,
    Materials,
    ModelProjection,
    ModelSelection,
)
from reconciler.ports.provider import Provider

SCHEMA_VERSION = 4
"""Of the brain manifest and of the session manifest; the only place that says so."""


class Written(NamedTuple):
    """Where and when a home is written; none of it is part of a digest."""

    home_id: str
    home_path: str
    runtime_root: str
    built_at_utc: str


def brain_manifest(
    request: BuildRequest,
    materials: Materials,
    provider: Provider,
    *,
    written: Written,
    host: Host,
    selection: ModelSelection,
    model: ModelProjection,
) -> JsonMap:
    """Every field of schema version 4; `with_tree` adds what is known only when the home is complete."""
    adapter, auth = materials.adapter, materials.auth
    preset, direct = request.preset_launch_overrides, request.launch_overrides
    tool_params(adapter, preset or LaunchOverrides(), direct or LaunchOverrides())
    refs = content_refs(request, materials)
    inputs: JsonMap = {
        "tool": request.tool,
        "skills": list(request.skills),
        "setup": request.setup,
        "auth": request.auth,
        "auth_ref": auth.ref if auth else None,
        "adapter_path": materials.adapter_path or None,
        "preset_path": request.preset_path,
        "role_name": materials.role_name,
        "content_refs": refs,
    }
    _add(inputs, "role_prompt_text", request.role_prompt_override)
    _add(inputs, "managed_prompt_header", request.managed_prompt_header)
    _add(inputs, "houmao_system_prompt_layout", request.houmao_system_prompt_layout)
    _add(inputs, "extra", request.extra)
    provenance: JsonMap = {
        "adapter_path": materials.adapter_path or None,
        "preset_path": request.preset_path,
        "preset_overrides_present": preset is not None,
        "direct_overrides_present": direct is not None,
        "existing_home_mode": request.existing_home_mode,
        "system_skills": {
            "source": request.source_system_skill_policy,
            "launch_profile": request.launch_profile_system_skill_policy,
        },
    }
    _add(provenance, "launch_profile", request.launch_profile_provenance)
    if request.private_skills:
        provenance["private_skill_projections"] = [dict(skill._asdict()) for skill in request.private_skills]
    manifest: JsonMap = {
        "schema_version": SCHEMA_VERSION,
        "built_at_utc": written.built_at_utc,
        "builder_version": __version__,
        "layout_version": provider.layout_version,
        "source_digest": source_digest(request, materials, refs),
        "inputs": inputs,
        "launch_policy": {"operator_prompt_mode": request.mode.value},
        "runtime": {
            "runtime_root": written.runtime_root,
            "home_id": written.home_id,
            "home_path": written.home_path,
            "launch_helper": f"{written.home_path}/launch.sh",
            "launch_home_selector": {"env_var": adapter.home_env_var, "value": written.home_path},
            "launch_executable": host.executable[0],
            "launch_contract": {
                "adapter_defaults": {"args": list(adapter.args), "tool_params": dict(adapter.default_tool_params)},
                "requested_overrides": {
                    "preset": preset.to_json() if preset else None,
                    "direct": direct.to_json() if direct else None,
                },
                "tool_metadata": {"tool_params": {name: {"type": it.type} for name, it in adapter.tool_params.items()}},
                "env_records": dict(sorted(request.persistent_env_records.items())),
                "model_selection": model_selection.to_json(selection, model.record, host.tool_version),
                "construction_provenance": provenance,
            },
        },
        "credentials": _credentials(auth, materials, provider),
    }
    _add(manifest, "mailbox", request.mailbox)
    if request.agent_name is not None or request.agent_id is not None:
        manifest["identity"] = {"canonical_agent_name": request.agent_name, "agent_id": request.agent_id}
    return manifest


def with_tree(manifest: JsonMap, home: Home, owner: Mapping[str, Json]) -> JsonMap:
    """The manifest with the digest of the home, that of each entry, and whose home it is."""
    runtime = manifest["runtime"]
    assert isinstance(runtime, dict)
    entries: JsonMap = {**entry_digests(home.tree)}
    added: JsonMap = {**runtime, "tree_digest": home.tree.digest(), "entries": entries}
    return {**manifest, "runtime": added, "owner": dict(owner)}


def entry_digests(tree: Tree) -> dict[str, str]:
    """Path to `sha256:...` of a file's bytes, or `link:<target>`."""
    out = {}
    for path, entry in tree:
        if entry.link is not None:
            out[path] = f"link:{entry.link}"
        elif entry.data is not None:
            out[path] = digest_bytes(entry.data)
        else:
            out[path] = entry.digest
    return out


def content_refs(request: BuildRequest, materials: Materials) -> list[Json]:
    """Digest of each payload that went in, in a fixed order."""
    prompt = request.role_prompt_override if request.role_prompt_override is not None else materials.role_prompt
    refs: list[Json] = [
        {"kind": "prompt", "name": materials.role_name, "digest": digest_bytes(prompt.encode())},
        {"kind": "setup", "name": request.setup, "digest": materials.setup.digest()},
    ]
    names = sorted({*request.skills, *(skill.name for skill in request.private_skills)})
    refs += [{"kind": "skill", "name": name, "digest": materials.skills[name].digest()} for name in names]
    return refs


def source_digest(request: BuildRequest, materials: Materials, refs: list[Json]) -> str:
    """One value that says whether a home is up to date with what it is made from; no path and no host in it."""
    configs = [request.preset_model_config, request.launch_profile_model_config, request.direct_model_config]
    overrides = [request.preset_launch_overrides, request.launch_overrides]
    return digest(
        {
            "tool": request.tool,
            "mode": request.mode.value,
            "refs": refs,
            "models": [model_selection.config_json(config) if config else None for config in configs],
            "overrides": [item.to_json() if item else None for item in overrides],
            "env": dict(request.persistent_env_records),
            "auth": materials.auth.ref if materials.auth else None,
            "adapter": adapter_json(materials.adapter),
        }
    )


def check_readable(manifest: Json, path: str) -> JsonMap:
    """A parsed manifest that this release can use; raises ActionFailed (`build.manifest_version`) for any other."""
    version = manifest.get("schema_version") if isinstance(manifest, dict) else None
    if not isinstance(manifest, dict) or version != SCHEMA_VERSION:
        older = isinstance(version, int) and version < SCHEMA_VERSION
        raise ActionFailed(
            f"{path}: manifest schema_version is {version!r}, expected {SCHEMA_VERSION}",
            hint="rebuild the home: `houmao brains build`, or apply again" if older else "upgrade, or rebuild the home",
            code="build.manifest_version",
        )
    return manifest


def to_text(manifest: JsonMap) -> str:
    """The YAML text of a manifest, the same for the same value."""
    return yaml_text.dumps(manifest)


def _credentials(auth: AuthMaterial | None, materials: Materials, provider: Provider) -> JsonMap:
    adapter = materials.adapter
    files = auth.files if auth else {}
    projected: list[Json] = [dict(it._asdict()) for it in adapter.file_mappings if it.source in files]
    usable = credentials(auth, adapter)
    return {
        "auth_path": auth.path or None if auth else None,
        "projected_files": projected,
        "env_contract": {
            "source_file": f"{auth.path}/{adapter.env_source}" if auth and auth.path else None,
            "allowlisted_env_vars": [*sorted(provider.credential_names)],
            "selected_env_vars": [*selected_env(auth, adapter)],
            "usable_env_vars": [name for name in adapter.env_allowlist if name in usable],
            "injection_mode": adapter.env_injection,
        },
    }


def _add(target: JsonMap, key: str, value: Json) -> None:
    if value is not None:
        target[key] = value
