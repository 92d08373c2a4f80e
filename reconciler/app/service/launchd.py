"""A launchd agent of the user on macOS: its property list, and `launchctl`."""

from reconciler.app.service.spec import Run, Service, ServiceError, State, sealed
from reconciler.model.errors import Unreachable
from reconciler.ports.process import Finished

ANSWER_S = 30.0
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Launchd:
    """The user's launchd; `home` is the home directory, `uid` the user."""

    name = "launchd"

    def __init__(self, run: Run, home: str, uid: int) -> None:
        self._run = run
        self._agents = f"{home}/Library/LaunchAgents"
        self._domain = f"gui/{uid}"

    def path(self, name: str) -> str:
        """Where the property list stands."""
        return f"{self._agents}/{name}.plist"

    def text(self, service: Service) -> str:
        """The property list. What launchd does not know is refused, not left out."""
        import plistlib

        for given, option in ((service.env_file, "--env-file"), (service.watchdog_s, "--watchdog")):
            if given:
                raise ServiceError(f"launchd has nothing like {option}", hint="leave it out", code="service.unknown")
        log = f"{service.overlay}/watch.log"
        values = {
            "Label": service.name,
            "ProgramArguments": list(service.argv),
            "WorkingDirectory": service.cwd,
            "EnvironmentVariables": dict(service.environment),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 10,
            # Agents, their gateways and the tmux server live on when the watch ends or is restarted.
            "AbandonProcessGroup": True,
            "ExitTimeOut": 120,
            "StandardOutPath": log,
            "StandardErrorPath": log,
        }
        try:
            body = plistlib.dumps(values, sort_keys=False).decode().removeprefix(HEAD)
        except (UnicodeEncodeError, ValueError) as error:
            raise ServiceError(
                f"a path or variable cannot be written in a property list: {error}",
                hint="use names without control characters",
                code="service.path",
            ) from error
        return f"{HEAD}{sealed('<!--', body)} -->\n{body}"

    def reachable(self) -> None:
        """Raises ServiceError where no launchd of this user answers."""
        ran = self._launchctl("print", self._domain)
        if ran.code:
            raise ServiceError(f"no launchd of this user answers: {_said(ran)}")

    def load(self, name: str, *, start: bool, again: bool) -> None:
        """Make it known and start it now and at each login; `again` where another one of that name is known."""
        if again:
            self._launchctl("bootout", f"{self._domain}/{name}")
        if start and (again or not self.state(name).loaded):
            self._must("bootstrap", self._domain, self.path(name))

    def stop(self, name: str) -> None:
        """End it and forget it."""
        if self.state(name).loaded:
            self._must("bootout", f"{self._domain}/{name}")

    def forget(self, name: str) -> None:
        """Nothing is left to forget."""

    def state(self, name: str) -> State:
        """What launchd says of it."""
        ran = self._launchctl("print", f"{self._domain}/{name}")
        if ran.code:
            return State()
        rows = (line.strip().partition(" = ") for line in ran.stdout.decode(errors="replace").splitlines())
        found: dict[str, str] = {}
        for key, _, value in rows:
            found.setdefault(key, value)
        runs, code = found.get("state") == "running", found.get("last exit code", "")
        return State(
            loaded=True,
            enabled=True,
            active="active" if runs else "inactive",
            pid=int(found["pid"]) if found.get("pid", "").isdecimal() else None,
            restarts=max(0, int(found["runs"]) - 1) if found.get("runs", "").isdecimal() else 0,
            code=int(code) if code.isdecimal() and not runs else None,
        )

    def log_hint(self, name: str) -> str:
        """Where what it said can be read."""
        return f"launchctl print {self._domain}/{name}, and watch.log in the overlay"

    def _must(self, *words: str) -> Finished:
        ran = self._launchctl(*words)
        if ran.code:
            raise ServiceError(f"launchctl {words[0]} failed: {_said(ran)}", code="service.failed")
        return ran

    def _launchctl(self, *words: str) -> Finished:
        try:
            return self._run(("launchctl", *words), ANSWER_S)
        except Unreachable as error:
            raise ServiceError(f"launchctl cannot be run: {error.message}") from error


def _said(ran: Finished) -> str:
    text = (ran.stderr or ran.stdout).decode(errors="replace").strip()
    return text.split("\n")[0] if text else f"it left with {ran.code}"
