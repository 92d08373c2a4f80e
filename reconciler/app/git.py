"""The git program, alone with a repository of ours: no shell, no prompt, no hook, nothing of the user's configuration.

A git that reads the configuration of whoever runs it can be made to run anything. So it is started with an environment
that is written here, and what may be fetched over is a list.
"""

from base64 import b64encode
from urllib.parse import unquote

from reconciler.declare.git_address import GitAddress
from reconciler.model.errors import ErrorClass, ReconcilerError, Unreachable
from reconciler.ports.bundle import Environment
from reconciler.ports.process import Finished, Process

LOCAL_S, REMOTE_S = 60.0, 300.0
HANDED_ON = (
    *("PATH", "HOME", "USER", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO"),
    *("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"),
)
"""Variables that git gets from the caller: where programs, keys and certificates are, and the way out."""
FIXED = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "SSH_ASKPASS": "/bin/false",
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o PermitLocalCommand=no -o ConnectTimeout=30 -o ServerAliveInterval=15",
    "GIT_ALLOW_PROTOCOL": "https:ssh:file",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ADVICE": "0",
    "LC_ALL": "C",
}
SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.fsmonitor": "false",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.autocrlf": "false",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "fetch.fsckObjects": "true",
    "gc.auto": "0",
    # A remote that says nothing is given up by git itself: who asked may have ended meanwhile.
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "60",
    "maintenance.auto": "false",
    "gpg.program": "/bin/false",
    "gpg.format": "ssh",
}


class SourceUnavailable(Unreachable):
    """A source cannot be had now; what it said before stays in force, and nothing is pruned by it."""

    code = "source.unavailable"
    error_class = ErrorClass.TRANSIENT


class Git:
    """Commands on one bare repository."""

    __slots__ = ("_env", "_process", "_remote", "_repository")

    def __init__(self, repository: str, address: GitAddress, process: Process, environ: Environment) -> None:
        self._repository = repository
        self._process = process
        self._env = {name: value for name in HANDED_ON if (value := environ.get(name)) is not None}
        self._env |= {**FIXED, "GIT_DIR": repository}
        settings = {**SETTINGS, "remote.source.url": address.url}
        self._env |= _configured(settings)
        # The credential is for the remote alone: it is in no argument, and follows no redirect to somewhere else.
        secret = (
            {} if not address.secret else {"http.extraHeader": _header(address.secret), "http.followRedirects": "false"}
        )
        self._remote = {**self._env, **_configured({**settings, **secret})}

    def __call__(self, *words: str, env: dict[str, str] | None = None, cwd: str | None = None) -> str:
        """Output of a command that must succeed; raises ReconcilerError."""
        ran = self.run(*words, env=env, cwd=cwd)
        if ran.code != 0:
            raise ReconcilerError(
                f"git {words[0]} failed: {said(ran)}",
                hint="remove the directory of the source below the overlay to fetch it anew",
                code="source.git",
            )
        return ran.stdout.decode("utf-8", "surrogateescape")

    def run(
        self,
        *words: str,
        env: dict[str, str] | None = None,
        cwd: str | None = None,
        remote: bool = False,
        settings: dict[str, str] | None = None,
    ) -> Finished:
        """A command and how it ended; raises SourceUnavailable where git does not run or does not end."""
        base = self._remote if remote else self._env
        more = [word for name, value in (settings or {}).items() for word in ("-c", f"{name}={value}")]
        try:
            return self._process.run(
                ("git", *more, *words),
                timeout_s=REMOTE_S if remote else LOCAL_S,
                cwd=cwd,
                env={**base, **(env or {})},
            )
        except Unreachable as error:
            raise SourceUnavailable(
                f"git cannot be asked: {error.message}",
                hint="install git, or name a directory with -f",
                code="source.no_git",
            ) from error


def said(ran: Finished) -> str:
    """The end of what git said, in one line."""
    lines = [line.strip() for line in ran.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))] or lines
    return " ".join(telling[-2:])[:300] or f"exit code {ran.code}"


def _configured(settings: dict[str, str]) -> dict[str, str]:
    """Settings as variables: they count like `-c`, and stand in no argument."""
    found = {"GIT_CONFIG_COUNT": str(len(settings))}
    for at, (name, value) in enumerate(settings.items()):
        found[f"GIT_CONFIG_KEY_{at}"], found[f"GIT_CONFIG_VALUE_{at}"] = name, value
    return found


def _header(secret: str) -> str:
    user, _, password = secret.partition(":")
    plain = f"{unquote(user)}:{unquote(password)}"
    return f"Authorization: Basic {b64encode(plain.encode()).decode()}"
