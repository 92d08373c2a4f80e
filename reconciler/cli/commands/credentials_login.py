"""`houmao project credentials TOOL login`: a tool's own login, and the file it leaves."""

from reconciler.cli import authoring
from reconciler.cli.commands.agents_tools import TOOL
from reconciler.cli.commands.credentials import CHECK, PATH, tool_of
from reconciler.cli.grammar import Args, Argument, Command, Example, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.app.authoring.login import Login


def login(args: Args) -> int:
    """Run it in a home of its own, and keep what it left."""
    import tempfile

    from reconciler.app.authoring import credentials
    from reconciler.app.authoring import login as use_case
    from reconciler.cli import places

    flags, tool, name = places.flags(args), tool_of(args), authoring.name_of(args)
    update = args.flag("update")
    wanted = use_case.begin(flags, tool, name, args.many("words"), update=update)
    keep = credentials.change if update else credentials.add
    with tempfile.TemporaryDirectory(prefix="houmao-login-") as home:
        _logged_in(args, wanted, home)
        given = wanted.given(home)
        return authoring.changed(
            args,
            lambda talk: keep(flags, tool, name, given, talk, stdin=authoring.stdin, check=args.flag("check")),
        )


def _logged_in(args: Args, wanted: "Login", home: str) -> None:
    """The person and the tool talk; raises LoginFailed unless a credential came of it."""
    import os
    import shlex
    import sys

    from reconciler.app.authoring.login import LoginFailed
    from reconciler.app.settings import environment
    from reconciler.app.wiring import local_files
    from reconciler.cli import screen

    said = shlex.join(wanted.argv)
    screen.stderr(args).line(f"running: {said} (in a home that is thrown away)")
    sys.stdout.flush()
    # Standard output is ours: where data was asked for, the tool talks beside it.
    beside = [(os.POSIX_SPAWN_DUP2, 2, 1)] if screen.data_format(args) else []
    try:
        pid = os.posix_spawnp(wanted.argv[0], wanted.argv, wanted.environment(environment(), home), file_actions=beside)
    except OSError as error:
        raise LoginFailed(
            f"{wanted.argv[0]} cannot be started: {error.strerror}", hint="install it, or put it on PATH"
        ) from error
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if ended != 0:
        raise LoginFailed(f"`{said}` ended with {ended}", hint="nothing was kept; log in again")
    if local_files().stamp(wanted.left(home)) is None:
        raise LoginFailed(
            f"`{said}` left no {wanted.way.file}",
            hint=f"nothing was kept; `houmao {PATH} {wanted.tool} add` takes a key or a login file",
        )


COMMANDS = (
    Command(
        f"{PATH} login",
        "Run the tool's own login, and keep the credential that comes of it.",
        login,
        arguments=(Argument("words", "[-- WORD…]", "more words for the tool's login", least=0, most=None),),
        options=(
            TOOL,
            authoring.NAME,
            Option(("--update",), "Log in again for a credential that is there."),
            CHECK,
            *(option for option in authoring.CHANGING if option.key != "dry_run"),
        ),
        examples=(
            Example(f"houmao {PATH} codex login --name work", "as the tool itself asks you to"),
            Example(
                f"houmao {PATH} codex login --name work --update -- --device-auth", "again, without a browser here"
            ),
            Example(f"houmao {PATH} gemini login --name mine", "choose a sign-in, then leave with /quit"),
        ),
        notes=(
            "The tool runs in a home that is thrown away and sees no credential of your environment; your own login of "
            "it stays as it is. Only the login file is kept, in the overlay, readable by you alone."
        ),
        own=authoring.CODES,
    ),
)
