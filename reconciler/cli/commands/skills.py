"""`houmao project skills`: directories with a SKILL.md."""

from reconciler.app.authoring.flags import SKILL, of_verb
from reconciler.cli import authoring, rename_command
from reconciler.cli.grammar import Args, Command, Example
from reconciler.cli.options import WAY

PATH = "project skills"
ADD, SET = of_verb(SKILL, "create"), of_verb(SKILL, "set")


def add(args: Args) -> int:
    """Register one."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    name, given = authoring.name_of(args), authoring.given(args, ADD)
    return authoring.changed(args, lambda talk: parts.skill_add(places.flags(args), name, given, talk))


def change(args: Args) -> int:
    """Change one."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    name, given = authoring.name_of(args), authoring.given(args, SET)
    return authoring.changed(args, lambda talk: parts.skill_set(places.flags(args), name, given, talk))


def get(args: Args) -> int:
    """Show one."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    return authoring.looked(args, parts.skill_get(places.flags(args), authoring.name_of(args)))


def listed(args: Args) -> int:
    """List them."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    table = authoring.columns("skills", ("NAME", "name"), ("MODE", "mode"), ("CONTENT", "canonical_path"))
    return authoring.looked(args, parts.skill_list(places.flags(args)), table)


def remove(args: Args) -> int:
    """Remove one."""
    from reconciler.app.authoring import parts
    from reconciler.cli import places

    name = authoring.name_of(args)
    return authoring.changed(args, lambda talk: parts.skill_remove(places.flags(args), name, talk))


COMMANDS = (
    Command(
        f"{PATH} add",
        "Register a skill.",
        add,
        options=(*authoring.options(ADD), *authoring.CHANGING),
        examples=(Example(f"houmao {PATH} add --name lint --source ./lint", "its content is copied"),),
        own=authoring.CODES,
    ),
    Command(
        f"{PATH} set",
        "Change a skill.",
        change,
        options=(*authoring.options(SET), *WAY, *authoring.CHANGING),
        examples=(
            Example(f"houmao {PATH} set --name lint --source ./lint", "its content as it is now"),
            Example(f"houmao {PATH} set --name lint --mode symlink", "linked into homes"),
        ),
        own=authoring.CODES,
    ),
    Command(
        f"{PATH} get",
        "Show a skill.",
        get,
        options=(authoring.NAME, *authoring.LOOKING),
        examples=(Example(f"houmao {PATH} get --name lint -o json", "as data"),),
    ),
    Command(
        f"{PATH} list",
        "List the skills.",
        listed,
        options=authoring.LOOKING,
        examples=(Example(f"houmao {PATH} list", "by name"),),
    ),
    Command(
        f"{PATH} remove",
        "Remove a skill.",
        remove,
        options=(authoring.NAME, *authoring.CHANGING),
        examples=(Example(f"houmao {PATH} remove --name lint", "refused while anything uses it"),),
        own=authoring.CODES,
    ),
    rename_command.command(PATH, "Skill"),
)
