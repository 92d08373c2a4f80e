"""`houmao project credentials TOOL login`: a tool's own login, and the file it leaves."""

from reconciler.cli import authoring
from reconciler.cli.commands.agents_tools import TOOL
from reconciler.cli.commands.credentials import CHECK, PATH, tool_of
from reconciler.cli.grammar import Args, Argument, Command, Example, Option


def login(args: Args) -> int:
    """Run it in a home of its own, and keep what it left."""
    import sys

    from reconciler.app.authoring import login as use_case
    from reconciler.cli import places, screen

    def say(text: str) -> None:
        screen.stderr(args).line(text)
        sys.stdout.flush()

    flags, tool, name = places.flags(args), tool_of(args), authoring.name_of(args)
    # Standard output is ours: where data was asked for, the tool talks beside it.
    telling = use_case.Telling(say, beside=bool(screen.data_format(args)))
    return authoring.changed(
        args,
        lambda talk: use_case.login(
            flags,
            tool,
            name,
            args.many("words"),
            talk,
            telling,
            update=args.flag("update"),
            stdin=authoring.stdin,
            check=args.flag("check"),
        ),
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
