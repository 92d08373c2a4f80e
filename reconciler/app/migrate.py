"""`project migrate`: what has to happen to an overlay of an older release; done only when asked for (§2.4).

Beside the catalog's own schema two things of old releases are looked for: specialists in files of their own, and skills
in the view that no catalog knows. They hold nothing up here; they are told, with what to do about them.
"""

from reconciler.app import settings as settings_
from reconciler.app import wiring
from reconciler.app.session import Flags
from reconciler.app.settings import Settings
from reconciler.model import names
from reconciler.model.errors import LockHeld, OverlayError
from reconciler.model.json import JsonMap
from reconciler.ports.files import LockHolder


def plan(flags: Flags) -> JsonMap:
    """The keys of §2.4; writes nothing. Raises OverlayError where there is no overlay."""
    return _plan(flags, _settings(flags))


def apply(flags: Flags) -> JsonMap:
    """Do it under the lock: all of it or none, with a copy of the old catalog kept beside it."""
    settings = _settings(flags)
    before = _plan(flags, settings)
    if not before["migration_required"]:
        return {**before, "applied": True, "applied_steps": [], "backup_path": None}
    # The lock alone: an old catalog cannot be opened for writing, which is what this is about.
    lock = wiring.local_files().lock(wiring.places(settings).lock)
    if isinstance(lock, LockHolder):
        raise LockHeld(f"the overlay is locked by process {lock.pid}", hint="wait for it, then migrate again")
    try:
        done = wiring.migrate_catalog(str(before["catalog_path"]))
    finally:
        lock.release()
    return {**before, "applied": True, "applied_steps": [*done.steps], "backup_path": done.backup}


def _settings(flags: Flags) -> Settings:
    return settings_.find(
        project_dir=flags.project_dir, tmux_socket=flags.tmux_socket, agent_def_dir=flags.agent_def_dir
    )


def _plan(flags: Flags, settings: Settings) -> JsonMap:
    overlay = settings.overlay
    path = f"{overlay.root}/{names.CATALOG_FILE}"
    if not overlay.exists and wiring.local_files().stamp(path) is None:
        raise OverlayError(
            f"there is no overlay to migrate: {overlay.detail}",
            hint="`houmao project init` makes one",
            code="overlay_missing",
        )
    found = wiring.migration_of(path)
    return {
        "can_apply": found.can_apply,
        "migration_required": found.required,
        "catalog_path": path,
        "catalog_version": found.version,
        "overlay_root": overlay.root,
        "steps": [*found.steps],
        "unsupported_reasons": [*found.unsupported],
        "target_version": found.target,
        "legacy": [*(_legacy(flags, settings) if found.can_apply else [])],
    }


def _legacy(flags: Flags, settings: Settings) -> list[str]:
    """What older releases left and this one reads from nowhere."""
    reader = flags.world.reader(settings)
    files, told = reader.files, []
    easy = f"{settings.overlay.root}/easy/specialists"
    if files.stamp(easy) is not None:
        again = "a specialist in a file of its own; make it again with `houmao project easy specialist create`"
        told += [f"{easy}/{name}: {again}" for name in files.names(easy) if name.endswith(".toml")]
    skills = f"{settings.agents}/skills"
    if files.stamp(skills) is not None:
        known = reader.catalog.definitions("Skill")
        found = [name.rstrip("/") for name in files.names(skills)]
        told += [
            f"{skills}/{name}: a skill no catalog knows; register it with `houmao project skills add --name {name}`"
            for name in found
            if name not in known
        ]
    return told
