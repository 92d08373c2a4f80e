"""`project init` and `project status`: the overlay, made or looked at (project-and-build §1.2, §1.3)."""

from reconciler.app import overlay
from reconciler.app import settings as settings_
from reconciler.app.session import Flags, open_session
from reconciler.app.settings import Settings
from reconciler.model import names
from reconciler.model.json import Json, JsonMap
from reconciler.ports.bundle import Reader

RUNS = 100
"""How many runs are looked through for the last one of each apply set."""


def init(flags: Flags) -> JsonMap:
    """Make the overlay where `--project-dir` or the environment says, else right here: never in a parent directory."""
    found = target(flags)
    created = overlay.create(found)
    root = found.overlay.root
    body = created.to_json()
    body["native_agent_projection_root"] = body["agent_def_dir"]
    body["specialists_root"] = f"{root}/easy/specialists"
    return body


def target(flags: Flags) -> Settings:
    """Settings whose overlay is the one `init` makes: discovery upward does not count."""
    found = settings_.find(
        project_dir=flags.project_dir, tmux_socket=flags.tmux_socket, agent_def_dir=flags.agent_def_dir
    )
    if found.overlay.source in ("env", "project_dir"):
        return found
    return settings_.find(project_dir=found.cwd, tmux_socket=flags.tmux_socket, agent_def_dir=flags.agent_def_dir)


def status(flags: Flags) -> JsonMap:
    """Where everything is and how that was decided; creates nothing."""
    session = open_session(flags)
    found = session.settings
    where = found.overlay
    exists = where.exists
    catalog = f"{where.root}/{names.CATALOG_FILE}"
    present = session.reader.catalog.present()
    version = session.reader.catalog.meta("schema_version") if present else None
    return {
        "overlay_root": where.root,
        "overlay_root_source": where.source,
        "overlay_discovery_mode": where.mode,
        "overlay_discovery_detail": where.detail,
        "selected_overlay_detail": f"{where.root} ({where.source})",
        "overlay_bootstrap_detail": _bootstrap(exists),
        "discovered": exists,
        "project_root": where.project if exists else None,
        "config_path": f"{where.root}/{names.CONFIG_FILE}" if exists else None,
        "catalog_path": catalog if exists else None,
        "migration": {
            "can_apply": True,
            "migration_required": False,
            "catalog_path": catalog,
            "catalog_version": int(version) if version and version.isdecimal() else None,
            "overlay_root": where.root,
            "steps": [],
            "unsupported_reasons": [],
        }
        if exists
        else None,
        "effective_agent_def_dir": found.agents,
        "effective_agent_def_dir_source": found.agents_source,
        "native_agent_projection_root": found.agents,
        "native_agent_projection_source": found.agents_source,
        "project_runtime_root": found.runtime,
        "project_memory_root": found.memory,
        "project_mailbox_root": found.mailbox,
        "project_easy_root": f"{where.root}/easy",
        "project_specialists_root": f"{where.root}/easy/specialists",
        "registry_root": found.registry,
        "tmux_socket": found.tmux_socket,
        "tmux_socket_source": found.tmux_socket_source,
        "sources": _sources(session.reader) if present else [],
        "requires_project_init": not exists,
        "would_bootstrap_overlay": False,
    }


def _sources(reader: Reader) -> list[Json]:
    """Of each apply set, what was applied last; the commit, where its source is in a git repository (R-WAT-6)."""
    found: dict[str, Json] = {}
    for run in reader.catalog.runs(RUNS):
        if run.apply_set not in found:
            found[run.apply_set] = {
                "apply_set": run.apply_set,
                "source_revision": run.source_revision or None,
                "revision": run.revision,
                "outcome": run.outcome,
                "applied": run.ended,
            }
    return [found[name] for name in sorted(found)]


def _bootstrap(exists: bool) -> str:
    if exists:
        return "the overlay exists"
    return "there is no overlay yet: `houmao apply` creates it, or `houmao project init`"
