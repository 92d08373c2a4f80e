"""`houmao project agents tools`: what is known of a tool, and its setups."""

from reconciler.cli import authoring
from reconciler.cli.grammar import Args, Command, Example, Option

PATH = "project agents tools"
TOOL = Option(("--tool",), "The tool.", "TOOL", inside="TOOL")


def tool_of(args: Args) -> str:
    """The tool that stands in the command's name."""
    from reconciler.cli.grammar import Usage

    found = args.text("tool")
    if not found:
        raise Usage(f"{args.command.path} needs to know the tool", f"houmao {PATH} codex get")
    return found


def get(args: Args) -> int:
    """Show a tool."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    return authoring.looked(args, parts.tool_get(places.flags(args), tool_of(args)))


def setups(args: Args) -> int:
    """List its setups."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    body = parts.setup_list(places.flags(args), tool_of(args))
    return authoring.looked(args, body)


def setup(args: Args) -> int:
    """Show one."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    return authoring.looked(args, parts.setup_get(places.flags(args), tool_of(args), authoring.name_of(args)))


def add(args: Args) -> int:
    """Clone one."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    tool, name, source = tool_of(args), authoring.name_of(args), args.text("from", "default")
    return authoring.changed(args, lambda talk: parts.setup_add(places.flags(args), tool, name, source, talk))


def remove(args: Args) -> int:
    """Remove one."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    tool, name, cascade = tool_of(args), authoring.name_of(args), args.text("cascade", "no") == "yes"
    return authoring.changed(
        args, lambda talk: parts.setup_remove(places.flags(args), tool, name, talk, cascade=cascade)
    )


COMMANDS = (
    Command(
        f"{PATH} get",
        "Show what is known of a tool.",
        get,
        options=(TOOL, *authoring.LOOKING),
        examples=(Example(f"houmao {PATH} codex get -o json", "its setups and credentials, as data"),),
    ),
    Command(
        f"{PATH} setups add",
        "Make a setup from another one, or from a directory.",
        add,
        options=(
            TOOL,
            authoring.NAME,
            Option(("--from",), "A setup of the tool, or a directory; `default` else.", "NAME|DIR"),
            *authoring.CHANGING,
        ),
        examples=(
            Example(f"houmao {PATH} codex setups add --name strict", "a copy of `default`"),
            Example(f"houmao {PATH} claude setups add --name house --from ./house", "from a directory"),
        ),
        notes="No secrets: a setup may be read by everybody who may read the project.",
        own=authoring.CODES,
    ),
    Command(
        f"{PATH} setups get",
        "Show a setup and its files.",
        setup,
        options=(TOOL, authoring.NAME, *authoring.LOOKING),
        examples=(Example(f"houmao {PATH} codex setups get --name default -o json", "as data"),),
    ),
    Command(
        f"{PATH} setups list",
        "List the setups of a tool.",
        setups,
        options=(TOOL, *authoring.LOOKING),
        examples=(Example(f"houmao {PATH} codex setups list", "those that ship with it, and your own"),),
    ),
    Command(
        f"{PATH} setups remove",
        "Remove a setup.",
        remove,
        options=(TOOL, authoring.NAME, authoring.CASCADE, *authoring.CHANGING),
        examples=(Example(f"houmao {PATH} codex setups remove --name strict", "refused while a recipe names it"),),
        own=authoring.CODES,
    ),
)
