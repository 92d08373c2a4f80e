"""Use cases: install, remove and look at the watch of an overlay as a service of the user.

A file that was not written here, or was changed since, is never written over and never removed.
"""

import posixpath
from collections.abc import Mapping
from os import getuid
from typing import Protocol

from reconciler.app import settings as settings_
from reconciler.app import wiring
from reconciler.app.service.spec import Run, Service, ServiceError, State, carried, name_of, written_here
from reconciler.app.session import Flags
from reconciler.app.settings import Settings
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import JsonMap
from reconciler.model.tuples import NamedTuple
from reconciler.ports.files import FileMissing, Files
from reconciler.ports.process import Finished

LINGER = "/var/lib/systemd/linger"
FOREGROUND = "run `houmao watch` in the foreground, or in tmux: tmux new-session -d -s watch 'houmao watch …'"


class Manager(Protocol):
    """systemd or launchd."""

    @property
    def name(self) -> str: ...
    def path(self, name: str) -> str: ...
    def text(self, service: Service) -> str: ...
    def reachable(self) -> None: ...
    def load(self, name: str, *, start: bool, again: bool) -> None: ...
    def stop(self, name: str) -> None: ...
    def forget(self, name: str) -> None: ...
    def state(self, name: str) -> State: ...
    def log_hint(self, name: str) -> str: ...


class Host(NamedTuple):
    """What a service is installed on."""

    manager: Manager
    files: Files
    settings: Settings
    environ: Mapping[str, str]
    program: tuple[str, ...]


class Wish(NamedTuple):
    """How to install: the options of the watch, and those of the service."""

    words: tuple[str, ...]
    sources: tuple[str, ...] = ()
    """Absolute paths that are read; each must be there."""
    env_file: str = ""
    watchdog_s: float = 0.0
    start: bool = True


def host(flags: Flags) -> Host:
    """This host; raises ServiceError where nothing keeps up services of a user."""
    from sys import executable

    found = settings_.find(
        project_dir=flags.project_dir, tmux_socket=flags.tmux_socket, agent_def_dir=flags.agent_def_dir
    )
    environ = settings_.environment()
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        raise ServiceError("HOME is no absolute path, so there is no place for a service of yours", hint=FOREGROUND)
    # -P: a directory called reconciler in the working directory is not this program.
    program = (executable, "-P", "-m", "reconciler")
    manager = _manager(settings_.system(), _run, home, environ)
    return Host(manager, wiring.local_files(), found, environ, program)


def _manager(system: str, run: Run, home: str, environ: Mapping[str, str]) -> Manager:
    if system == "Linux":
        from reconciler.app.service.systemd import Systemd

        config = environ.get("XDG_CONFIG_HOME", "")
        return Systemd(run, config if config.startswith("/") else f"{home}/.config")
    if system == "Darwin":
        from reconciler.app.service.launchd import Launchd

        return Launchd(run, home, getuid())
    raise ServiceError(f"services of a user are not known on {system}", hint=FOREGROUND)


def _run(argv: tuple[str, ...], timeout_s: float) -> Finished:
    return wiring.local_process().run(argv, timeout_s=timeout_s)


def install(here: Host, wish: Wish, *, dry: bool = False) -> JsonMap:
    """Write the unit, make it known and start it; the same again changes nothing. `dry` only says what it would be."""
    _must_be_there(here, wish)
    service = described(here, wish)
    path, text = here.manager.path(service.name), here.manager.text(service)
    before = _written(here.files, path)
    _must_be_ours(path, before)
    body: JsonMap = {
        "name": service.name,
        "manager": here.manager.name,
        "path": path,
        "overlay": service.overlay,
        "unit": text,
        "dry_run": dry,
        "written": False,
        "active": None,
        "enabled": None,
        "pid": None,
        "linger": _linger(here),
    }
    if dry:
        return body
    _reachable(here.manager)
    changed, was = before != text, here.manager.state(service.name)
    if changed:
        here.files.write(path, text.encode(), mode=0o600, durable=True)
    try:
        here.manager.load(service.name, start=wish.start, again=was.loaded and (changed or not was.running))
    except ServiceError as error:
        why = f"{service.name} was written to {path} and does not run: {error.message}"
        raise ServiceError(why, hint=here.manager.log_hint(service.name), code=error.code) from error
    now = here.manager.state(service.name)
    return {**body, "written": changed, "active": now.active, "enabled": now.enabled, "pid": now.pid}


def uninstall(here: Host) -> JsonMap:
    """Stop the service and remove its file; agents go on. Nothing is done where there is none."""
    name = name_of(here.settings.overlay.root)
    path = here.manager.path(name)
    before = _written(here.files, path)
    body: JsonMap = {
        "name": name,
        "manager": here.manager.name,
        "path": path,
        "overlay": here.settings.overlay.root,
        "removed": before is not None,
    }
    if before is None:
        return body
    _must_be_ours(path, before)
    _reachable(here.manager)
    here.manager.stop(name)
    here.files.remove(path)
    here.manager.forget(name)
    return body


def status(here: Host) -> JsonMap:
    """The file, what the service manager says, and who holds the overlay; writes nothing."""
    name = name_of(here.settings.overlay.root)
    path = here.manager.path(name)
    text = _written(here.files, path)
    ours, whole = written_here(text) if text is not None else (False, False)
    state, problem = State(), None
    try:
        _reachable(here.manager)
        state = here.manager.state(name)
    except ServiceError as error:
        problem = error.to_json()
    return {
        "name": name,
        "manager": here.manager.name,
        "path": path,
        "overlay": here.settings.overlay.root,
        "installed": text is not None,
        "ours": ours if text is not None else None,
        "edited": ours and not whole if text is not None else None,
        "enabled": state.enabled,
        "active": state.active if problem is None else "unknown",
        "running": state.running,
        "pid": state.pid,
        "since": state.since or None,
        "says": state.text or None,
        "restarts": state.restarts,
        "exit_code": state.code,
        "linger": _linger(here),
        "log": here.manager.log_hint(name),
        "problem": problem,
    }


def described(here: Host, wish: Wish) -> Service:
    """The service of this overlay."""
    overlay = here.settings.overlay.root
    return Service(
        name_of(overlay),
        overlay,
        here.program,
        wish.words,
        here.settings.cwd,
        carried(here.environ),
        wish.env_file,
        wish.watchdog_s,
    )


def _must_be_there(here: Host, wish: Wish) -> None:
    for path in (*wish.sources, *([wish.env_file] if wish.env_file else [])):
        if here.files.stamp(path) is None:
            raise ServiceError(
                f"{path} is not there", hint="a service reads it at every start: make it first", code="service.source"
            )


def _must_be_ours(path: str, text: str | None) -> None:
    if text is None:
        return
    ours, whole = written_here(text)
    if not ours or not whole:
        why = "was changed since it was written" if ours else "was not written by `houmao watch install`"
        raise ServiceError(
            f"{path} {why}, and is left alone",
            hint="move it away or remove it; what is to be added to a unit belongs beside it (systemctl --user edit)",
            code="service.foreign",
        )


def _written(files: Files, path: str) -> str | None:
    """The text of a file; the empty one where something stands there that is none, or leads nowhere."""
    try:
        return files.read(path).decode(errors="replace")
    except FileMissing:
        return "" if files.is_link(path) else None
    except ReconcilerError:
        return ""


def _reachable(manager: Manager) -> None:
    try:
        manager.reachable()
    except ServiceError as error:
        error.hint = f"log in as this user, not by su or in a container without one; or {FOREGROUND}"
        raise


def _linger(here: Host) -> bool | None:
    """Whether services of this user live without a login; None where that is no question."""
    user = here.environ.get("USER") or here.environ.get("LOGNAME") or posixpath.basename(here.environ.get("HOME", ""))
    if here.manager.name != "systemd" or not user or "/" in user:
        return None
    return here.files.stamp(f"{LINGER}/{user}") is not None
