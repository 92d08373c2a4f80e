"""`houmao project easy specialist`: reusable agents in one command."""

from reconciler.app.authoring.flags import SPECIALIST, of_verb
from reconciler.cli import authoring, rename_command
from reconciler.cli.grammar import Args, Command, Example, Option
from reconciler.cli.options import WAY

PATH = "project easy specialist"
CREATE, SET = of_verb(SPECIALIST, "create"), of_verb(SPECIALIST, "set")
CHECK = Option(("--check",), "Refuse where an agent with it could not log in.")


def create(args: Args) -> int:
    """Declare one whole."""
    from reconciler.app.authoring import credentials, specialists
    from reconciler.cli import places

    name, given = authoring.name_of(args), authoring.given(args, CREATE)
    once = credentials.stdin_once(authoring.stdin)
    return authoring.changed(
        args,
        lambda talk: specialists.create(places.flags(args), name, given, talk, stdin=once, check=args.flag("check")),
    )


def change(args: Args) -> int:
    """Patch one."""
    from reconciler.app.authoring import specialists
    from reconciler.cli import places

    name, given = authoring.name_of(args), authoring.given(args, SET)
    return authoring.changed(args, lambda talk: specialists.change(places.flags(args), name, given, talk))


def get(args: Args) -> int:
    """Show one."""
    from reconciler.app.authoring import specialists
    from reconciler.cli import places

    return authoring.looked(args, specialists.get(places.flags(args), authoring.name_of(args)))


def listed(args: Args) -> int:
    """List them."""
    from reconciler.app.authoring import specialists
    from reconciler.cli import places

    table = authoring.columns(
        "specialists",
        ("NAME", "name"),
        ("TOOL", "tool"),
        ("SETUP", "setup"),
        ("CREDENTIAL", "credential"),
        ("MODEL", "launch.model.name"),
        ("MODE", "launch.prompt_mode"),
        ("SKILLS", "skills"),
    )
    return authoring.looked(args, specialists.listed(places.flags(args)), table)


def remove(args: Args) -> int:
    """Remove one."""
    from reconciler.app.authoring import specialists
    from reconciler.cli import places

    name, cascade = authoring.name_of(args), args.text("cascade", "no") == "yes"
    return authoring.changed(args, lambda talk: specialists.remove(places.flags(args), name, talk, cascade=cascade))


COMMANDS = (
    Command(
        f"{PATH} create",
        "Make a specialist: prompt, tool, skills and credential in one.",
        create,
        options=(*authoring.options(CREATE), CHECK, *authoring.CHANGING),
        examples=(
            Example(
                f"houmao {PATH} create --name coder --tool echo --system-prompt 'You write code.'", "one to try with"
            ),
            Example(
                f"houmao {PATH} create --name reviewer --tool codex --api-key-env OPENAI_API_KEY --with-skill ./lint",
                "with a credential of its own, and a skill",
            ),
            Example(
                f"houmao {PATH} create --name coder --tool claude --credential work --dry-run", "only show the plan"
            ),
        ),
        notes=(
            "It derives a role and a recipe. A name that is taken needs --yes, and is then replaced whole: what is not "
            "given again is at its default. A value of --api-key stands in the process list: - reads it from standard "
            "input."
        ),
        own=authoring.CODES,
    ),
    Command(
        f"{PATH} set",
        "Change parts of a specialist.",
        change,
        options=(*authoring.options(SET), *WAY, *authoring.CHANGING),
        examples=(
            Example(f"houmao {PATH} set --name coder --model opus --reasoning-level 2", "another model"),
            Example(f"houmao {PATH} set --name coder --env-set A=1 --clear-skills", "variables anew, no skills"),
        ),
        notes="What is not named stays. Agents made of it follow with the same plan.",
        own=authoring.CODES,
    ),
    Command(
        f"{PATH} get",
        "Show a specialist.",
        get,
        options=(authoring.NAME, *authoring.LOOKING),
        examples=(Example(f"houmao {PATH} get --name coder -o json", "as data"),),
    ),
    Command(
        f"{PATH} list",
        "List the specialists.",
        listed,
        options=authoring.LOOKING,
        examples=(Example(f"houmao {PATH} list", "with their key fields"),),
    ),
    Command(
        f"{PATH} remove",
        "Remove a specialist, with its role and recipe.",
        remove,
        options=(authoring.NAME, authoring.CASCADE, *authoring.CHANGING),
        examples=(
            Example(f"houmao {PATH} remove --name coder", "credential and skills are kept"),
            Example(f"houmao {PATH} remove --name coder --cascade", "and everything made of it"),
        ),
        notes="Refused while a profile or an agent uses it; the refusal lists them.",
        own=authoring.CODES,
    ),
    rename_command.command(PATH, "Specialist"),
)
