"""What a service is made of: the line that was typed, where it was typed, and the variables that decide what it means.

A watch as a service does exactly what the same line does in the foreground. No variable is carried over but those named
here: none of them is a secret, and one that is belongs into a file that only its owner reads (`--env-file`).
"""

import re
from collections.abc import Callable, Mapping

from reconciler.model import names
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import digest_bytes
from reconciler.model.tuples import NamedTuple
from reconciler.ports.process import Finished

Run = Callable[[tuple[str, ...], float], Finished]
"""Runs a short command within so many seconds; raises Unreachable."""
CARRIED = (
    "HOME",
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "XDG_STATE_HOME",
    "TMUX_TMPDIR",
    names.ENV_OVERLAY,
    names.ENV_DISCOVERY,
    names.ENV_AGENT_DEF,
    names.ENV_REGISTRY,
    names.ENV_RUNTIME,
    names.ENV_MAILBOX,
    names.ENV_SOCKET,
)
"""Variables that decide where a watch looks and which programs it finds."""


class ServiceError(ReconcilerError):
    """A service cannot be written or managed."""

    code = "service.unavailable"


class Service(NamedTuple):
    """One watch to be kept up."""

    name: str
    """Of the unit, without an ending."""
    overlay: str
    program: tuple[str, ...]
    """How this program is started: an absolute path, and the words before the command."""
    words: tuple[str, ...]
    """The options of the watch; every path in them is absolute."""
    cwd: str
    environment: Mapping[str, str]
    env_file: str = ""
    watchdog_s: float = 0.0

    @property
    def argv(self) -> tuple[str, ...]:
        """The whole line."""
        return (*self.program, "watch", *self.words)


class State(NamedTuple):
    """What a service manager says of a service."""

    loaded: bool = False
    enabled: bool = False
    active: str = "inactive"
    """In its own words: `active`, `activating`, `failed`, `inactive`, ..."""
    pid: int | None = None
    text: str = ""
    """What the watch says of itself."""
    since: str = ""
    restarts: int = 0
    code: int | None = None
    """How it ended last, where it does not run."""

    @property
    def running(self) -> bool:
        """Whether it is up."""
        return self.active == "active"


def name_of(overlay: str) -> str:
    """One name for one overlay: something a person knows again, and something no other overlay has."""
    project = overlay.rstrip("/").split("/")[-2] if overlay.count("/") > 1 else ""
    plain = re.sub("[^A-Za-z0-9_]+", "-", project).strip("-")[:40]
    mark = digest_bytes(overlay.encode(errors="surrogateescape")).rpartition(":")[2][:8]
    return "-".join(part for part in ("houmao-watch", plain, mark) if part)


def carried(environ: Mapping[str, str]) -> dict[str, str]:
    """Of the caller's environment, what a service gets."""
    return {name: environ[name] for name in CARRIED if environ.get(name)}


def sealed(comment: str, body: str) -> str:
    """The mark of a file that was written here, which says as well whether it still is what was written."""
    return f"{comment} {MARK} {digest_bytes(body.encode())}"


def written_here(text: str) -> tuple[bool, bool]:
    """Whether a file was written here, and whether it is still as it was written."""
    lines = text.split("\n")
    for at, line in enumerate(lines[:4]):
        if MARK in line:
            said = line.partition(MARK)[2].split()
            body = "\n".join(lines[at + 1 :])
            return True, bool(said) and said[0] == digest_bytes(body.encode())
    return False, False


MARK = "written by `houmao watch install`:"
