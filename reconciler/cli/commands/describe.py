"""`houmao describe`: one resource on one screen, and why it is not converged."""

from reconciler.cli.grammar import Args, Argument, Command, Example, Option
from reconciler.cli.options import output


def describe(args: Args) -> int:
    """Show it; data with -o."""
    from reconciler.app import describe as use_case
    from reconciler.cli import places, screen
    from reconciler.cli.render_data import write
    from reconciler.cli.render_describe import show

    found = use_case.describe(places.flags(args), args.many("what"))
    form = screen.data_format(args)
    if form:
        write(found.to_json(), form, lambda: [f"{found.item.ref.kind.lower()}/{found.item.ref.name}"])
    else:
        show(found, screen.stdout(args), full=args.flag("full"))
    return 0


COMMANDS = (
    Command(
        "describe",
        "Show one resource on one screen, and why it is not converged.",
        describe,
        arguments=(Argument("what", "KIND NAME | KIND/NAME", "what to describe", least=1, most=2),),
        options=(
            Option(("--full",), "Everything: each condition and part, whole paths, the last 20 lines of its screen."),
            output("text", "json", "yaml", "name", "jsonpath="),
        ),
        examples=(
            Example("houmao describe instance alice", "what holds it back, what it runs as, its last screen lines"),
            Example("houmao describe instance alice --full", "each condition and part of it too"),
            Example("houmao describe specialist/coder", "and who uses it"),
        ),
        notes=(
            "Shown is what tells how it is: Synced, Ready and every condition that is not as it should be, paths from "
            "the project on, a few lines of its screen where all is well. As data it is complete."
        ),
    ),
)
