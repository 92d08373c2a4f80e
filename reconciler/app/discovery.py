"""Find the overlay of a directory: environment first, then upward to the repository's boundary.

Imports `os` and constants alone: the no-op gate comes through here before anything else is loaded. Faults are
ValueErrors with the text for a person; `app.settings` gives them their code.
"""

import os

from reconciler.model.names import CONFIG_FILE, ENV_DISCOVERY, ENV_OVERLAY, OVERLAY_DIR

MODES = ("ancestor", "cwd_only")


def overlay_of(cwd: str) -> tuple[str, str, bool, str]:
    """(root, source, exists, mode): source is `env`, `discovered` or `default`; the root may not exist yet."""
    mode = value_of(ENV_DISCOVERY) or "ancestor"
    if mode not in MODES:
        raise ValueError(f"{ENV_DISCOVERY} is {mode!r}; use ancestor or cwd_only")
    chosen = absolute_value(ENV_OVERLAY)
    if chosen:
        root = os.path.normpath(chosen)
        return root, "env", is_overlay(root), mode
    found = walk(cwd) if mode == "ancestor" else here(cwd)
    if found is not None:
        return found, "discovered", True, mode
    return os.path.join(cwd, OVERLAY_DIR), "default", False, mode


def value_of(name: str) -> str | None:
    """An environment value; blank counts as unset."""
    return os.environ.get(name, "").strip() or None


def absolute_value(name: str) -> str | None:
    """An environment value that must be an absolute path; `~` is expanded first."""
    value = value_of(name)
    if value is None:
        return None
    path = os.path.expanduser(value)
    if not os.path.isabs(path):
        raise ValueError(f"{name} must be an absolute path, it is {value!r}")
    return path


def is_overlay(root: str) -> bool:
    """A bare directory is none: the configuration file makes it one."""
    return os.path.isfile(os.path.join(root, CONFIG_FILE))


def here(directory: str) -> str | None:
    """The overlay directly below `directory`, if there is one."""
    root = os.path.join(directory, OVERLAY_DIR)
    return root if is_overlay(root) else None


def walk(cwd: str) -> str | None:
    """Upward to the directory that holds `.git` (tested, then stop), else to the root of the file system."""
    at = cwd
    while True:
        found = here(at)
        if found is not None:
            return found
        parent = os.path.dirname(at)
        if os.path.lexists(os.path.join(at, ".git")) or parent == at:
            return None
        at = parent
