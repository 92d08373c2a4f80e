"""`houmao project agents roles`: prompts."""

from reconciler.app.authoring.flags import ROLE, of_verb
from reconciler.cli import authoring, rename_command
from reconciler.cli.grammar import Args, Command, Example
from reconciler.cli.options import WAY

PATH = "project agents roles"
INIT, SET = of_verb(ROLE, "create"), of_verb(ROLE, "set")


def init(args: Args) -> int:
    """Make one."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    name, given = authoring.name_of(args), authoring.given(args, INIT)
    return authoring.changed(args, lambda talk: parts.role_init(places.flags(args), name, given, talk))


def change(args: Args) -> int:
    """Change one."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    name, given = authoring.name_of(args), authoring.given(args, SET)
    return authoring.changed(args, lambda talk: parts.role_set(places.flags(args), name, given, talk))


def get(args: Args) -> int:
    """Show one."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    return authoring.looked(args, parts.role_get(places.flags(args), authoring.name_of(args)))


def listed(args: Args) -> int:
    """List them."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    table = authoring.columns("roles", ("NAME", "name"), ("RECIPES", "recipes"), ("PROMPT", "system_prompt_path"))
    return authoring.looked(args, parts.role_list(places.flags(args)), table)


def remove(args: Args) -> int:
    """Remove one."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    name, cascade = authoring.name_of(args), args.text("cascade", "no") == "yes"
    return authoring.changed(args, lambda talk: parts.role_remove(places.flags(args), name, talk, cascade=cascade))


COMMANDS = (
    Command(
        f"{PATH} init",
        "Make a role.",
        init,
        options=(*authoring.options(INIT), *authoring.CHANGING),
        examples=(
            Example(f"houmao {PATH} init --name reviewer --system-prompt 'You review.'", "with its prompt"),
            Example(f"houmao {PATH} init --name blank", "with an empty one"),
        ),
        own=authoring.CODES,
    ),
    Command(
        f"{PATH} set",
        "Change the prompt of a role.",
        change,
        options=(*authoring.options(SET), *WAY, *authoring.CHANGING),
        examples=(Example(f"houmao {PATH} set --name reviewer --system-prompt-file prompt.md", "from a file"),),
        notes="The role of a specialist is changed through the specialist.",
        own=authoring.CODES,
    ),
    Command(
        f"{PATH} get",
        "Show a role.",
        get,
        options=(authoring.NAME, *authoring.LOOKING),
        examples=(Example(f"houmao {PATH} get --name reviewer -o json", "as data"),),
    ),
    Command(
        f"{PATH} list",
        "List the roles.",
        listed,
        options=authoring.LOOKING,
        examples=(Example(f"houmao {PATH} list", "with the recipes that use them"),),
    ),
    Command(
        f"{PATH} remove",
        "Remove a role.",
        remove,
        options=(authoring.NAME, authoring.CASCADE, *authoring.CHANGING),
        examples=(Example(f"houmao {PATH} remove --name reviewer", "refused while a recipe names it"),),
        own=authoring.CODES,
    ),
    rename_command.command(PATH, "Role"),
)
