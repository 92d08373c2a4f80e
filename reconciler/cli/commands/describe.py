"""`houmao describe`: one resource on one screen, and why it is not converged."""

from reconciler.cli.grammar import Args, Argument, Command, Example
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
        show(found, screen.stdout(args))
    return 0


COMMANDS = (
    Command(
        "describe",
        "Show one resource on one screen, and why it is not converged.",
        describe,
        arguments=(Argument("what", "KIND NAME | KIND/NAME", "what to describe", least=1, most=2),),
        options=(output("text", "json", "yaml", "name", "jsonpath="),),
        examples=(
            Example("houmao describe instance alice", "conditions, what holds it back, its last screen lines"),
            Example("houmao describe specialist/coder", "and who uses it"),
        ),
    ),
)
