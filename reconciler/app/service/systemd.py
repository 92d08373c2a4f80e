"""A systemd user unit: its text, and `systemctl --user`.

What a unit file takes as its own: `%` begins a specifier everywhere, `$` a variable in a command line, a backslash and
quotes in words; a path that stands alone on its line knows no quotes at all.
"""

import posixpath
import re

from reconciler.app.service.spec import Run, Service, ServiceError, State, sealed
from reconciler.model.errors import Unreachable
from reconciler.ports.process import Finished

PLAIN = re.compile(r"[A-Za-z0-9_./:=@,+-]+")
ANSWER_S = 30.0
START_S = 180.0
"""Longer than the unit gives a start, so that it is systemd which says what went wrong."""
_SHOWN = ("LoadState", "UnitFileState", "ActiveState", "MainPID", "StatusText", "ActiveEnterTimestamp", "NRestarts",
          "ExecMainStatus")  # fmt: skip
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


class Systemd:
    """The user's systemd; `config` is the directory of the user's configuration."""

    name = "systemd"

    def __init__(self, run: Run, config: str) -> None:
        self._run = run
        self._units = f"{config}/systemd/user"

    def path(self, name: str) -> str:
        """Where the unit stands."""
        return f"{self._units}/{name}.service"

    def text(self, service: Service) -> str:
        """The unit file."""
        body = unit(service)
        return f"{sealed('#', body)}\n{body}"

    def reachable(self) -> None:
        """Raises ServiceError where no systemd of this user answers."""
        ran = self._systemctl("show", "--property=Version")
        if ran.code:
            raise ServiceError(f"no systemd of this user answers: {_said(ran)}")

    def load(self, name: str, *, start: bool, again: bool) -> None:
        """Make it known, and start it now and at each login; `again` where it runs already, as something else."""
        self._must("daemon-reload")
        unit_name = f"{name}.service"
        self._must("enable", unit_name)
        if start:
            self._must("restart" if again else "start", unit_name, timeout_s=START_S)

    def stop(self, name: str) -> None:
        """End it, and start it no more."""
        self._must("disable", "--now", f"{name}.service", timeout_s=START_S)

    def forget(self, name: str) -> None:
        """After its file was removed."""
        self._must("daemon-reload")
        self._systemctl("reset-failed", f"{name}.service")  # where it had not failed this says so, and that is fine

    def state(self, name: str) -> State:
        """What systemd says of it."""
        ran = self._must("show", f"{name}.service", *(f"--property={each}" for each in _SHOWN))
        rows = (line.partition("=") for line in ran.stdout.decode(errors="replace").splitlines())
        found = {key: value for key, _, value in rows}
        active, code = found.get("ActiveState", "inactive"), found.get("ExecMainStatus", "")
        return State(
            loaded=found.get("LoadState") == "loaded",
            enabled=found.get("UnitFileState") == "enabled",
            active=active,
            pid=_number(found.get("MainPID", "")) or None,
            text=found.get("StatusText", ""),
            since=found.get("ActiveEnterTimestamp", ""),
            restarts=_number(found.get("NRestarts", "")) or 0,
            code=_number(code) if active != "active" else None,
        )

    def log_hint(self, name: str) -> str:
        """Where what it said can be read."""
        return f"journalctl --user -u {name}.service"

    def _must(self, *words: str, timeout_s: float = ANSWER_S) -> Finished:
        ran = self._systemctl(*words, timeout_s=timeout_s)
        if ran.code:
            raise ServiceError(f"systemctl --user {words[0]} failed: {_said(ran)}", code="service.failed")
        return ran

    def _systemctl(self, *words: str, timeout_s: float = ANSWER_S) -> Finished:
        try:
            return self._run(("systemctl", "--user", "--no-pager", *words), timeout_s)
        except Unreachable as error:
            raise ServiceError(f"systemctl cannot be run: {error.message}") from error


def unit(service: Service) -> str:
    """The unit without its first line."""
    lines = [
        f"# `systemctl --user edit {service.name}` adds to it; `houmao watch uninstall` removes it.",
        "[Unit]",
        f"Description=houmao watch of {_line(posixpath.dirname(service.overlay), 'the project')}",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=notify",
        "NotifyAccess=main",
        f"WorkingDirectory={_line(service.cwd, 'the directory')}",
    ]
    lines += [f"Environment={word(f'{name}={value}')}" for name, value in service.environment.items()]
    if service.env_file:
        lines.append(f"EnvironmentFile={_line(service.env_file, 'the path of the variables', forbidden='*?[')}")
    lines.append(f"ExecStart={' '.join([_program(service.argv[0]), *map(argument, service.argv[1:])])}")
    lines += [
        "# Agents, their gateways and the tmux server live on when the watch ends or is restarted.",
        "KillMode=process",
        "OOMPolicy=continue",
        "Restart=on-failure",
        "RestartSec=5",
        "# It ends with 128 and the signal that asked it to; a command line that is not understood stays so.",
        "SuccessExitStatus=130 143",
        "RestartPreventExitStatus=64",
        "TimeoutStartSec=120",
        "TimeoutStopSec=120",
    ]
    if service.watchdog_s:
        lines.append(f"WatchdogSec={service.watchdog_s:g}")
    return "\n".join([*lines, "", "[Install]", "WantedBy=default.target", ""])


def word(text: str) -> str:
    """One word of a list, such as an assignment: quoted where it must be, no specifier."""
    _readable(text)
    text = text.replace("%", "%%")
    if PLAIN.fullmatch(text.replace("%", "")):
        return text
    return '"' + "".join(_ESCAPES.get(each, each if each.isprintable() else _hex(each)) for each in text) + '"'


def argument(text: str) -> str:
    """One argument of a command line, where `$` begins a variable as well."""
    return word(text.replace("$", "$$")) if text else '""'


def _program(path: str) -> str:
    """The first word is looked up and never expanded: what would be escaped in the others cannot be in it."""
    if "$" in path or not path.startswith("/"):
        raise ServiceError(
            f"{path} cannot be the program of a unit",
            hint="install this program at a path without a dollar sign",
            code="service.path",
        )
    return word(path)


def _line(text: str, what: str, forbidden: str = "") -> str:
    """A value that is the rest of its line: nothing can be quoted in it."""
    _readable(text)
    if not text.isprintable() or text != text.strip() or text.endswith("\\") or set(forbidden) & set(text):
        raise ServiceError(
            f"{what} {text!r} cannot be written in a unit",
            hint="use a path without line breaks, without blanks at its ends and without a backslash at its end"
            + (f", and without {' '.join(forbidden)}" if forbidden else ""),
            code="service.path",
        )
    return text.replace("%", "%%")


def _readable(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ServiceError(
            f"{text!r} is no text, and a unit is", hint="rename the file or directory", code="service.path"
        ) from error


def _hex(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def _said(ran: Finished) -> str:
    text = (ran.stderr or ran.stdout).decode(errors="replace").strip()
    return text.split("\n")[0] if text else f"it left with {ran.code}"


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
