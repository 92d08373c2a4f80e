"""`houmao logs`: what an agent's terminal shows."""

from reconciler.cli.grammar import Args, Argument, Command, Example, Option

SCROLLBACK = 200


def logs(args: Args) -> int:
    """Print it once, or follow it."""
    from reconciler.app import terminal
    from reconciler.cli import places, screen
    from reconciler.cli.complain import printable

    found = terminal.terminal(places.flags(args), args.many("what"))
    lines = args.count("lines")
    wanted = SCROLLBACK if lines is None else lines
    out = screen.stdout(args)
    if not args.flag("follow"):
        for line in terminal.screen(found, wanted):
            out.line(printable(line))
        return 0
    for fresh in terminal.follow(found, wanted):
        for line in fresh:
            out.line(printable(line))
        out.flush()
    screen.stderr(args).line(f"{found.item.ref} has ended")
    return 0


COMMANDS = (
    Command(
        "logs",
        "Print what an agent's terminal shows.",
        logs,
        arguments=(Argument("what", "NAME | instance/NAME", "the agent", least=1, most=2),),
        options=(
            Option(("-f", "--follow"), "Go on printing what is new, until the agent ends."),
            Option(("--lines",), "How many lines of scrollback above the screen, 200 by default.", "N", kind="count"),
        ),
        examples=(
            Example("houmao logs alice", "its screen, and 200 lines above it"),
            Example("houmao logs -f alice", "follow it"),
        ),
    ),
)
