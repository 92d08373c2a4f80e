"""`project credentials login`: what a tool's own login needs, and what it leaves behind.

The tool runs in a home that is thrown away, with no credential of the caller's in its environment. Only the file it
writes there goes on, into the overlay's bundle, as `add` and `set` would take it.
"""

from collections.abc import Mapping

from reconciler.app.authoring.change import refuse_without_overlay
from reconciler.app.authoring.credentials import KIND, refuse_other_tool
from reconciler.app.authoring.edits import Given
from reconciler.app.authoring.family import recorded_of
from reconciler.app.authoring.tools import check_tool
from reconciler.app.session import Flags
from reconciler.model.errors import GuardRefused, ReconcilerError, UsageFault
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple


class LoginFailed(ReconcilerError):
    """The tool's login did not start, did not end well, or left no credential."""

    code = "login.failed"


class Way(NamedTuple):
    """How a tool logs in: its words after the program's name, and the file that comes of it, below its home."""

    words: tuple[str, ...]
    file: str
    key: str
    """The flag of `credentials add` that takes the file; it is given `taken`."""
    taken: str


WAYS: Mapping[str, Way] = {
    "codex": Way(("login",), "auth.json", "auth_json", "auth.json"),
    "claude": Way(("auth", "login"), ".credentials.json", "config_dir", ""),
    "gemini": Way((), ".gemini/oauth_creds.json", "oauth_creds", ".gemini/oauth_creds.json"),
}
"""Gemini has no command for it: it asks at its start, and is left when it has been answered."""


class Login(NamedTuple):
    """One login to run: `argv`, the variable that names its home, and variables it must not see."""

    tool: str
    argv: tuple[str, ...]
    variable: str
    without: frozenset[str]
    way: Way

    def environment(self, outer: Mapping[str, str], home: str) -> dict[str, str]:
        """The caller's, but for the home and every credential."""
        kept = {name: value for name, value in outer.items() if name not in self.without}
        return {**kept, self.variable: home}

    def given(self, home: str) -> Given:
        """The file it left, as a flag of `credentials add`."""
        return {self.way.key: (f"{home}/{self.way.taken}".rstrip("/"),)}

    def left(self, home: str) -> str:
        """Where that file is."""
        return f"{home}/{self.way.file}"


def begin(flags: Flags, word: str, name: str, more: tuple[str, ...], *, update: bool) -> Login:
    """What to run; refuses before anybody logs in what would be refused afterwards.

    Raises UsageFault for a tool that has no login, GuardRefused for a name that is taken, NotRecorded for an update of
    what is not there.
    """
    recorded = recorded_of(flags)
    refuse_without_overlay(recorded.session)
    providers = recorded.session.reader.providers
    tool = check_tool(providers, word)
    way = WAYS.get(tool)
    if way is None:
        raise UsageFault(f"{tool} has no login of its own", hint=f"`houmao project credentials {tool} add` takes a key")
    ref = Ref(KIND, name)
    if ref in recorded.rows and not update:
        raise GuardRefused(
            f"there is a credential {name!r} already",
            hint="--update logs in again for it",
            code="guard.exists",
            ref=str(ref),
        )
    if update:
        recorded.row(ref)
        refuse_other_tool(recorded, name, tool)
        recorded.refuse_foreign(ref, "changed")
    provider = providers[tool]
    program = provider.lookup or provider.adapter.executable
    return Login(
        tool,
        (program, *way.words, *more),
        provider.adapter.home_env_var,
        frozenset(provider.adapter.env_allowlist),
        way,
    )
