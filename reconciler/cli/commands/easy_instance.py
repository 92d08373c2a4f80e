"""`houmao project easy instance`: agents of specialists and profiles."""

from reconciler.app.authoring.flags import INSTANCE, of_verb
from reconciler.cli import authoring, rename_command
from reconciler.cli.grammar import Args, Command, Example, Option
from reconciler.cli.launch_options import ONCE
from reconciler.cli.options import WAY

PATH = "project easy instance"
LAUNCH = of_verb(INSTANCE, "launch")


def launch(args: Args) -> int:
    """Declare and bring up."""
    from reconciler.app.authoring import instances
    from reconciler.cli import places

    old = instances.Old(reuse_home=args.flag("reuse_home"), force=args.text("force"))
    once, given = args.many("env_set"), authoring.given(args, LAUNCH)
    return authoring.changed(
        args,
        lambda talk: instances.launch(places.flags(args), args.maybe("name"), given, once, talk, old=old),
    )


def listed(args: Args) -> int:
    """List them."""
    from reconciler.app.authoring import instances
    from reconciler.cli import places

    table = authoring.columns(
        "instances",
        ("NAME", "instance_name"),
        ("TOOL", "tool"),
        ("STATE", "state"),
        ("SPECIALIST", "specialist"),
        ("PROFILE", "easy_profile"),
        ("TRANSPORT", "transport"),
        ("SESSION", "tmux_session_name"),
    )
    return authoring.looked(args, instances.listed(places.flags(args)), table)


def get(args: Args) -> int:
    """Show one."""
    from reconciler.app.authoring import instances
    from reconciler.cli import places

    return authoring.looked(args, instances.get(places.flags(args), authoring.name_of(args)))


def stop(args: Args) -> int:
    """Stop one."""
    from reconciler.app.authoring import instances
    from reconciler.cli import places

    name = authoring.name_of(args)
    return authoring.changed(args, lambda talk: instances.stop(places.flags(args), name, talk))


COMMANDS = (
    Command(
        f"{PATH} launch",
        "Bring an agent up from a specialist or a profile.",
        launch,
        options=(
            *authoring.options(LAUNCH),
            *ONCE,
            Option(
                ("--wait",),
                "Wait until it is Ready; --no-wait returns when the actions are settled.",
                off=("--no-wait",),
            ),
            *authoring.CHANGING,
        ),
        examples=(
            Example(f"houmao {PATH} launch --specialist coder --name alice", "one agent in a tmux session of its own"),
            Example(
                f"houmao {PATH} launch --profile nightly --name night-1 --env-set RUN=7 --wait",
                "with a variable for once",
            ),
        ),
        notes=(
            "The agent is declared in the apply set `imperative`, like all that is made by hand: `houmao export` "
            "writes it down. It has a gateway, unless --no-gateway or its profile says otherwise; none where its "
            "profile is one over a recipe. One-off variables are gone with the next relaunch."
        ),
        own=authoring.CODES,
    ),
    Command(
        f"{PATH} list",
        "List the agents of this overlay.",
        listed,
        options=authoring.LOOKING,
        examples=(Example(f"houmao {PATH} list", "with their key fields"),),
    ),
    Command(
        f"{PATH} get",
        "Show an agent.",
        get,
        options=(authoring.NAME, *authoring.LOOKING),
        examples=(Example(f"houmao {PATH} get --name alice -o json", "as data"),),
    ),
    Command(
        f"{PATH} stop",
        "Stop an agent; it stays declared.",
        stop,
        options=(authoring.NAME, *WAY, *authoring.CHANGING),
        examples=(Example(f"houmao {PATH} stop --name alice", "its home is kept"),),
        notes="One that a manifest declares is held stopped for a while; `houmao release` ends that.",
        own=authoring.CODES,
    ),
    rename_command.command(PATH, "Instance"),
)
