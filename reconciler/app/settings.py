"""Where things are: overlay discovery and roots, each with the source it came from (project-and-build §1).

Flags win over environment, environment over discovery, discovery over defaults. Imports `os` alone: the no-op gate
comes through here.
"""

import os

from reconciler.app import discovery
from reconciler.model import names
from reconciler.model.errors import OverlayError
from reconciler.model.tuples import NamedTuple


class Overlay(NamedTuple):
    """The overlay a command works on; it may not exist yet."""

    root: str
    source: str
    """`env`, `discovered`, `project_dir` or `default`."""
    exists: bool
    detail: str
    mode: str

    @property
    def project(self) -> str:
        """The directory that holds the overlay."""
        return os.path.dirname(self.root)


class Settings(NamedTuple):
    """All roots, absolute."""

    cwd: str
    overlay: Overlay
    agents: str
    agents_source: str
    runtime: str
    memory: str
    mailbox: str
    registry: str
    tmux_socket: str | None
    tmux_socket_source: str


def find(
    *,
    cwd: str | None = None,
    project_dir: str | None = None,
    agent_def_dir: str | None = None,
    tmux_socket: str | None = None,
) -> Settings:
    """Resolve every root from flags, environment and the file system; reads, never creates.

    Raises OverlayError for a relative or contradictory environment value.
    """
    here = os.path.realpath(cwd or os.getcwd())
    overlay = find_overlay(here, project_dir)
    agents, agents_source = _agents(here, overlay, agent_def_dir)
    socket, socket_source = (
        (tmux_socket, "flag") if tmux_socket else (discovery.value_of(names.ENV_SOCKET), "environment")
    )
    return Settings(
        cwd=here,
        overlay=overlay,
        agents=agents,
        agents_source=agents_source,
        runtime=_absolute(names.ENV_RUNTIME) or os.path.join(overlay.root, "runtime"),
        memory=os.path.join(overlay.root, "memory"),
        mailbox=_absolute(names.ENV_MAILBOX) or os.path.join(overlay.root, "mailbox"),
        registry=registry_root(),
        tmux_socket=socket,
        tmux_socket_source=socket_source if socket else "default",
    )


def find_overlay(cwd: str, project_dir: str | None = None) -> Overlay:
    """The overlay root: explicit directory, environment, ambient discovery, else the candidate below `cwd`."""
    if project_dir is not None:
        root = os.path.join(os.path.realpath(os.path.expanduser(project_dir)), names.OVERLAY_DIR)
        exists = discovery.is_overlay(root)
        return Overlay(root, "project_dir", exists, f"--project-dir selects {root}", "ancestor")
    try:
        root, source, exists, mode = discovery.overlay_of(cwd)
    except ValueError as error:
        raise OverlayError(str(error), hint="correct the variable, or unset it", code="overlay.environment") from error
    detail = {
        "env": f"{names.ENV_OVERLAY} selects {root}",
        "discovered": f"found by {mode} discovery from {cwd}",
        "default": f"no overlay found from {cwd}; {root} would be created",
    }[source]
    return Overlay(root, source, exists, detail, mode)


def registry_root() -> str:
    """`HOUMAO_GLOBAL_REGISTRY_DIR`, else `registry` under the user's state directory for the product."""
    chosen = _absolute(names.ENV_REGISTRY)
    if chosen:
        return chosen
    state = discovery.value_of("XDG_STATE_HOME")
    if state and os.path.isabs(state) and os.uname().sysname == "Linux":
        return os.path.join(state, names.PROGRAM, "registry")
    if os.uname().sysname == "Linux":
        return os.path.join(os.path.expanduser("~"), ".local", "state", names.PROGRAM, "registry")
    import platformdirs

    return os.path.join(platformdirs.user_state_dir(names.PROGRAM, appauthor=False), "registry")


def environment() -> dict[str, str]:
    """The caller's environment, as a value."""
    return dict(os.environ)


def cwd() -> str:
    """Where the caller stands."""
    return os.getcwd()


def system() -> str:
    """The kernel's name: `Linux`, `Darwin`."""
    return os.uname().sysname


def is_root() -> bool:
    """True when this program runs as uid 0."""
    return os.geteuid() == 0


def in_ci() -> bool:
    """True where a continuous-integration service says so."""
    return discovery.value_of("CI") not in (None, "", "0", "false")


def _agents(cwd: str, overlay: Overlay, flag: str | None) -> tuple[str, str]:
    """The agent-definition root: flag, environment, overlay by environment, discovery, default (§1.1)."""
    if flag is not None:
        return os.path.normpath(os.path.join(cwd, os.path.expanduser(flag))), "cli"
    chosen = _absolute(names.ENV_AGENT_DEF)
    if chosen:
        return chosen, "env"
    source = {"env": "project_overlay_env", "discovered": "project_config", "project_dir": "project_dir"}.get(
        overlay.source, "default"
    )
    agents = (
        os.path.join(overlay.root, configured_agents(overlay))
        if overlay.exists
        else os.path.join(overlay.root, "agents")
    )
    return agents, source if overlay.exists or overlay.source == "env" else "missing"


def configured_agents(overlay: Overlay) -> str:
    """`agent_def_dir` of the overlay's configuration; raises OverlayError when the file is not valid."""
    path = os.path.join(overlay.root, names.CONFIG_FILE)
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except OSError as error:
        raise OverlayError(f"{path} cannot be read: {error.strerror}", code="overlay.config") from error
    if text == names.CONFIG_TEXT:
        return "agents"
    import tomllib

    try:
        config = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OverlayError(
            f"{path} is not valid TOML: {error}", hint="repair it by hand", code="overlay.config"
        ) from error
    paths = config.get("paths")
    chosen = paths.get("agent_def_dir") if isinstance(paths, dict) else None
    if config.get("schema_version") != 1 or not isinstance(chosen, str) or not chosen.strip():
        raise OverlayError(
            f"{path} needs schema_version = 1 and [paths] agent_def_dir",
            hint="run `houmao project init` in a fresh directory to see a valid one",
            code="overlay.config",
        )
    return chosen


def _absolute(name: str) -> str | None:
    try:
        return discovery.absolute_value(name)
    except ValueError as error:
        raise OverlayError(str(error), hint="write an absolute path", code="overlay.relative_path") from error
