"""`houmao top`: watch the fleet, and steer it by keys."""

import sys

from reconciler.cli.grammar import Args, Command, Example, Option, Usage
from reconciler.cli.options import SELECTOR, output

SHORTEST = 0.2


def top(args: Args) -> int:
    """A live view on a terminal; one table, or data, anywhere else."""
    from reconciler.cli import places, screen
    from reconciler.cli.top.desk import Desk

    every = args.seconds("interval")
    every = 2.0 if every is None else every
    if every < SHORTEST:
        raise Usage(f"--interval must be at least {SHORTEST:g}", "write --interval 2, or 5s, or 1m")
    desk = Desk(places.flags(args), args.text("selector"))
    if args.flag("once") or screen.data_format(args) or args.maybe("output") or not _is_terminal():
        return _once(args, desk)
    from reconciler.cli.top.live import watch

    # The first look is taken before the screen is: what is wrong with the command line or the overlay is said as ever.
    return watch(desk, desk.look(), every, colour=screen.stdout(args).colour)


def _is_terminal() -> bool:
    """Keys come from standard input, and what is drawn goes to standard error where output may be a pipe."""
    from reconciler.app.settings import environment

    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams) and environment().get("TERM") != "dumb"


def _once(args: Args, desk: "Desk") -> int:
    from reconciler.cli import screen
    from reconciler.cli.render_data import write
    from reconciler.cli.table import table
    from reconciler.cli.top import view

    board = desk.look()
    form = screen.data_format(args)
    if form:
        write(board.to_json(), form, lambda: [f"instance/{row.name}" for row in board.rows])
        return 0
    if not board.rows:
        screen.stderr(args).line(view.NOBODY)
        return 0
    table(view.HEADERS, [view.cells(row, board.at) for row in board.rows], screen.stdout(args))
    return 0


COMMANDS = (
    Command(
        "top",
        "Watch the fleet live: how each agent is, what it shows; prompt, interrupt, relaunch, attach by key.",
        top,
        options=(
            SELECTOR,
            Option(("--interval",), "How often to look, 2s by default.", "TIME", kind="seconds"),
            Option(("--once",), "Print the table once and leave."),
            output("table", "json", "yaml", "name", "jsonpath="),
        ),
        examples=(
            Example("houmao top", "watch; ? tells the keys, q leaves"),
            Example("houmao top -l team=core --interval 5s", "some of them, less often"),
            Example("houmao top --once", "the table alone"),
            Example("houmao top -o json", "the same as data"),
        ),
        notes=(
            "Where standard input, output or error is no terminal the table is printed once. Each look asks tmux about "
            "the whole fleet at once; of more than 100 agents only the screens of those on the page are read. What an "
            "agent shows is stripped of everything a terminal would obey, and of what looks like a key."
        ),
    ),
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.cli.top.desk import Desk
