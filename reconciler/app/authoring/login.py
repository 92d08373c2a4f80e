"""`project credentials login`: a tool's own login, and what it leaves behind.

The tool runs in a home that is thrown away, with no credential of the caller's in its environment. Only the file it
writes there goes on, into the overlay's bundle, as `add` and `set` would take it.
"""

import posixpath
import shlex
from collections.abc import Callable, Mapping

from reconciler.app import settings as settings_
from reconciler.app import staged
from reconciler.app.authoring import credentials
from reconciler.app.authoring.change import Talk, refuse_without_overlay
from reconciler.app.authoring.credentials import KIND, refuse_other_tool
from reconciler.app.authoring.edits import Given
from reconciler.app.authoring.family import Changed, recorded_of
from reconciler.app.authoring.tools import check_tool
from reconciler.app.authoring.vault import fields
from reconciler.app.session import Flags, opened
from reconciler.model.errors import GuardRefused, ReconcilerError, Unreachable, UsageFault
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports


class LoginFailed(ReconcilerError):
    """The tool's login did not start, did not end well, or left no credential."""

    code = "login.failed"


class Login(NamedTuple):
    """One login to run: `argv`, the variable that names its home, and variables it must not see."""

    tool: str
    argv: tuple[str, ...]
    variable: str
    without: frozenset[str]
    name: str
    """Of the file it leaves, as credentials call it."""
    below: str
    """Where in its home it leaves that."""

    def environment(self, outer: Mapping[str, str], home: str) -> dict[str, str]:
        """The caller's, but for the home and every credential."""
        kept = {name: value for name, value in outer.items() if name not in self.without}
        return {**kept, self.variable: home}

    def given(self, home: str) -> Given:
        """The file it left, as a flag of `credentials add`: the one that takes it, or the directory it is in."""
        path = f"{home}/{self.below}"
        for field in fields(self.tool):
            if field.file == self.name:
                return {field.key.replace("-", "_"): (path,)}
        directory = next(field for field in fields(self.tool) if field.directory)
        return {directory.key.replace("-", "_"): (posixpath.dirname(path),)}


class Telling(NamedTuple):
    """Who is told of a login, and whether standard output is to be left alone by it."""

    say: Callable[[str], None]
    beside: bool = False


def login(
    flags: Flags,
    word: str,
    name: str,
    more: tuple[str, ...],
    talk: Talk,
    telling: Telling,
    *,
    update: bool = False,
    stdin: Callable[[], str],
    check: bool = False,
) -> Changed:
    """Run the tool's own login in a home of its own, and keep what it left; the home is gone afterwards.

    Raises LoginFailed unless a credential came of it, and all that `begin`, `add` and `change` raise.
    """
    wanted = begin(flags, word, name, more, update=update)
    keep = credentials.change if update else credentials.add
    with opened(flags) as session:
        ports = session.world.ports(session.settings)
        try:
            staged.sweep(session.reader, ports.files)
            home = staged.login_path(session.reader, wanted.tool, name)
            ports.files.make_dir(home)
            try:
                _attended(wanted, home, ports, telling)
                return keep(flags, word, name, wanted.given(home), talk, stdin=stdin, check=check)
            finally:
                ports.files.remove(home)
        finally:
            ports.catalog.close()


def _attended(wanted: Login, home: str, ports: Ports, telling: Telling) -> None:
    """The person and the tool talk; raises LoginFailed unless a credential came of it."""
    said = shlex.join(wanted.argv)
    telling.say(f"running: {said} (in a home that is thrown away)")
    env = wanted.environment(settings_.environment(), home)
    try:
        ended = ports.process.attend(wanted.argv, env=env, beside=telling.beside)
    except Unreachable as error:
        raise LoginFailed(error.message, hint="install it, or put it on PATH") from error
    if ended != 0:
        raise LoginFailed(f"`{said}` ended with {ended}", hint="nothing was kept; log in again")
    if ports.files.stamp(f"{home}/{wanted.below}") is None:
        raise LoginFailed(
            f"`{said}` left no {wanted.below}",
            hint=f"nothing was kept; `houmao project credentials {wanted.tool} add` takes a key or a login file",
        )


def begin(flags: Flags, word: str, name: str, more: tuple[str, ...], *, update: bool) -> Login:
    """What to run; refuses before anybody logs in what would be refused afterwards.

    Raises UsageFault for a tool that has no login, GuardRefused for a name that is taken, NotRecorded for an update of
    what is not there.
    """
    recorded = recorded_of(flags)
    refuse_without_overlay(recorded.session)
    providers = recorded.session.reader.providers
    tool = check_tool(providers, word)
    way = providers[tool].login
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
        way.file,
        next(one.destination for one in provider.adapter.file_mappings if one.source == way.file),
    )
