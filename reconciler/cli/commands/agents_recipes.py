"""`houmao project agents recipes`: a role bound to a tool."""

from reconciler.app.authoring.flags import RECIPE, of_verb
from reconciler.cli import authoring, rename_command
from reconciler.cli.grammar import Args, Command, Example, Option
from reconciler.cli.options import WAY

PATH = "project agents recipes"
ADD, SET = of_verb(RECIPE, "create"), of_verb(RECIPE, "set")


def add(args: Args) -> int:
    """Make one."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    name, given = authoring.name_of(args), authoring.given(args, ADD)
    return authoring.changed(args, lambda talk: parts.recipe_add(places.flags(args), name, given, talk))


def change(args: Args) -> int:
    """Patch one."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    name, given = authoring.name_of(args), authoring.given(args, SET)
    return authoring.changed(args, lambda talk: parts.recipe_set(places.flags(args), name, given, talk))


def get(args: Args) -> int:
    """Show one."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    return authoring.looked(args, parts.recipe_get(places.flags(args), authoring.name_of(args)))


def listed(args: Args) -> int:
    """List them."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    table = authoring.columns(
        "recipes",
        ("NAME", "name"),
        ("ROLE", "role"),
        ("TOOL", "tool"),
        ("SETUP", "setup"),
        ("CREDENTIAL", "auth"),
        ("MODEL", "launch.model.name"),
        ("SKILLS", "skills"),
    )
    body = parts.recipe_list(places.flags(args), args.maybe("role"), args.maybe("tool"))
    return authoring.looked(args, body, table)


def remove(args: Args) -> int:
    """Remove one."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    name, cascade = authoring.name_of(args), args.text("cascade", "no") == "yes"
    return authoring.changed(args, lambda talk: parts.recipe_remove(places.flags(args), name, talk, cascade=cascade))


COMMANDS = (
    Command(
        f"{PATH} add",
        "Make a recipe.",
        add,
        options=(*authoring.options(ADD), *authoring.CHANGING),
        examples=(
            Example(f"houmao {PATH} add --name reviewer-echo --role reviewer --tool echo", "one to try with"),
            Example(
                f"houmao {PATH} add --name reviewer-claude --role reviewer --tool claude --auth work --env-set A=1 "
                "--tool-param include_partial_messages=true",
                "with all that a build needs",
            ),
        ),
        own=authoring.CODES,
    ),
    Command(
        f"{PATH} set",
        "Change parts of a recipe.",
        change,
        options=(*authoring.options(SET), *WAY, *authoring.CHANGING),
        examples=(
            Example(f"houmao {PATH} set --name reviewer-echo --model big --add-skill lint", "a model and a skill"),
        ),
        notes="The recipe of a specialist is changed through the specialist.",
        own=authoring.CODES,
    ),
    Command(
        f"{PATH} get",
        "Show a recipe.",
        get,
        options=(authoring.NAME, *authoring.LOOKING),
        examples=(Example(f"houmao {PATH} get --name reviewer-echo -o json", "as data"),),
    ),
    Command(
        f"{PATH} list",
        "List the recipes.",
        listed,
        options=(
            Option(("--role",), "Only those of this role.", "NAME"),
            Option(("--tool",), "Only those of this tool.", "TOOL"),
            *authoring.LOOKING,
        ),
        examples=(Example(f"houmao {PATH} list --role reviewer", "those of one role"),),
    ),
    Command(
        f"{PATH} remove",
        "Remove a recipe.",
        remove,
        options=(authoring.NAME, authoring.CASCADE, *authoring.CHANGING),
        examples=(Example(f"houmao {PATH} remove --name reviewer-echo", "refused while anything is over it"),),
        own=authoring.CODES,
    ),
    rename_command.command(PATH, "Recipe"),
)
