"""`houmao project credentials TOOL …`: credentials that the overlay keeps."""

from reconciler.app.authoring.flags import CREDENTIALS
from reconciler.cli import authoring, rename_command
from reconciler.cli.commands.agents_tools import TOOL
from reconciler.cli.grammar import Args, Command, Example, Option, Usage

PATH = "project credentials"
CHECK = Option(("--check",), "Refuse where an agent with it could not log in.")


def fields(*, clear: bool) -> tuple[Option, ...]:
    """One option per value that any tool's credential has; which tools have it stands in its sentence."""
    found: dict[str, Option] = {}
    for each in CREDENTIALS:
        tools = [one.tool for one in CREDENTIALS if one.key == each.key]
        told = each.doc if len(tools) > 2 else f"{each.doc.rstrip('.')} ({', '.join(tools)})."
        found.setdefault(each.key, Option((f"--{each.key}",), told, each.metavar))
    every = list(found.values())
    if clear:
        every += [Option((f"--clear-{key}",), "Take it back.") for key in found if key != "config-dir"]
    return (
        *every,
        Option(("--api-key-file",), "Read the key from this file.", "PATH"),
        Option(("--api-key-env",), "Read the key from this variable.", "NAME"),
    )


ADD, SET = fields(clear=False), fields(clear=True)


def tool_of(args: Args) -> str:
    """The tool that stands in the command's name."""
    found = args.text("tool")
    if not found:
        raise Usage(f"{args.command.path} needs to know the tool", f"houmao {PATH} codex list")
    return found


def given(args: Args, options: tuple[Option, ...]) -> dict[str, tuple[str, ...] | bool]:
    """What was written, by key."""
    found: dict[str, tuple[str, ...] | bool] = {}
    for option in options:
        values = args.many(option.key)
        if values:
            found[option.key] = values
        elif args.flag(option.key):
            found[option.key] = True
    return found


def add(args: Args) -> int:
    """Keep a new one."""
    from reconciler.app.authoring import credentials
    from reconciler.cli import places

    tool, name, words = tool_of(args), authoring.name_of(args), given(args, ADD)
    once = credentials.stdin_once(authoring.stdin)
    return authoring.changed(
        args,
        lambda talk: credentials.add(places.flags(args), tool, name, words, talk, stdin=once, check=args.flag("check")),
    )


def change(args: Args) -> int:
    """Patch one."""
    from reconciler.app.authoring import credentials
    from reconciler.cli import places

    tool, name, words = tool_of(args), authoring.name_of(args), given(args, SET)
    once = credentials.stdin_once(authoring.stdin)
    return authoring.changed(
        args,
        lambda talk: credentials.change(
            places.flags(args), tool, name, words, talk, stdin=once, check=args.flag("check")
        ),
    )


def get(args: Args) -> int:
    """Show what is there, and no secret."""
    from reconciler.app.authoring import credentials
    from reconciler.cli import places

    return authoring.looked(args, credentials.get(places.flags(args), tool_of(args), authoring.name_of(args)))


def listed(args: Args) -> int:
    """List them."""
    from reconciler.app.authoring import credentials
    from reconciler.cli import places

    table = authoring.columns("credential_records", ("NAME", "name"), ("TOOL", "tool"), ("UPDATED", "updated_at_utc"))
    return authoring.looked(args, credentials.listed(places.flags(args), tool_of(args)), table)


def remove(args: Args) -> int:
    """Remove one."""
    from reconciler.app.authoring import credentials
    from reconciler.cli import places

    tool, name = tool_of(args), authoring.name_of(args)
    return authoring.changed(args, lambda talk: credentials.remove(places.flags(args), tool, name, talk))


COMMANDS = (
    Command(
        f"{PATH} add",
        "Keep a new credential.",
        add,
        options=(TOOL, authoring.NAME, *ADD, CHECK, *authoring.CHANGING),
        examples=(
            Example(f"houmao {PATH} codex add --name work --api-key-env OPENAI_API_KEY", "from a variable, now"),
            Example(f"houmao {PATH} claude add --name work --oauth-token -", "from standard input"),
            Example(f"houmao {PATH} gemini add --name login --oauth-creds creds.json", "a login file, copied"),
        ),
        notes=(
            "The bytes lie in the overlay, readable by you alone, and are never printed. A secret written on the "
            "command line stands in the process list: it is taken with a warning."
        ),
        own=authoring.CODES,
    ),
    Command(
        f"{PATH} set",
        "Change values of a credential.",
        change,
        options=(TOOL, authoring.NAME, *SET, CHECK, *authoring.CHANGING),
        examples=(
            Example(f"houmao {PATH} codex set --name work --api-key-file key.txt", "another key"),
            Example(f"houmao {PATH} codex set --name work --clear-base-url", "one value less"),
        ),
        notes="Agents that use it take it up with the same plan.",
        own=authoring.CODES,
    ),
    Command(
        f"{PATH} get",
        "Show what a credential has, without its secrets.",
        get,
        options=(TOOL, authoring.NAME, *authoring.LOOKING),
        examples=(Example(f"houmao {PATH} codex get --name work -o json", "as data"),),
    ),
    Command(
        f"{PATH} list",
        "List the credentials of a tool.",
        listed,
        options=(TOOL, *authoring.LOOKING),
        examples=(Example(f"houmao {PATH} codex list", "by name"),),
    ),
    Command(
        f"{PATH} remove",
        "Remove a credential.",
        remove,
        options=(TOOL, authoring.NAME, *authoring.CHANGING),
        examples=(Example(f"houmao {PATH} codex remove --name work", "refused while anything refers to it"),),
        own=authoring.CODES,
    ),
    rename_command.command(PATH, "AuthProfile", inside=(TOOL,), typed=f"{PATH} codex"),
)
