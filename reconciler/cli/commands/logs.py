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
    if screen.data_format(args):
        return _as_data(found, wanted, follow=args.flag("follow"))
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


def _as_data(found: "Terminal", wanted: int, *, follow: bool) -> int:
    """One object; where it is followed, one on each line, as they come."""
    import sys

    from reconciler.app import terminal
    from reconciler.cli.json_text import on_one_line
    from reconciler.cli.render_data import write

    name = str(found.item.ref)
    if not follow:
        write({"ref": name, "lines": [*terminal.screen(found, wanted)]}, "json")
        return 0
    for fresh in terminal.follow(found, wanted):
        sys.stdout.write(on_one_line({"ref": name, "lines": [*fresh]}) + "\n")
        sys.stdout.flush()
    return 0


TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.app.terminal import Terminal

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
