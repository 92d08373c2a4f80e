"""`houmao retry`: what failed is tried again at once."""

from reconciler.cli.grammar import Args, Argument, Command, Example
from reconciler.cli.options import LOCK_TIMEOUT, SELECTOR, output


def retry(args: Args) -> int:
    """Forget the failures; a watch that leads looks at once."""
    from reconciler.app import retrying
    from reconciler.cli import places, screen
    from reconciler.cli.complain import printable
    from reconciler.cli.render_data import write

    found = retrying.retry(
        places.flags(args), args.many("what"), args.text("selector"), lock_timeout_s=args.seconds("lock_timeout")
    )
    form = screen.data_format(args)
    if form:
        write(found.to_json(), form, lambda: [str(item.ref) for item in found.items])
        return 0
    out = screen.stdout(args)
    for item in found.items:
        times = f"{item.attempt.tries} time{'s' if item.attempt.tries != 1 else ''}"
        out.line(printable(f"{item.ref} had failed {times} ({item.attempt.code}: {item.attempt.message})"))
    if not found.items:
        out.line("Nothing waits for another try.")
    elif found.watched:
        out.line("The watch tries again now.")
    else:
        out.line("No watch leads this overlay: the next apply, or a watch, tries again at once.")
    return 0


COMMANDS = (
    Command(
        "retry",
        "Let what failed be tried again at once, whatever pause it was given.",
        retry,
        arguments=(
            Argument("what", "[NAME… | KIND/NAME…]", "what failed, or everything that did", least=0, most=None),
        ),
        options=(
            SELECTOR,
            LOCK_TIMEOUT,
            output("text", "json", "yaml", "name", "jsonpath="),
        ),
        examples=(
            Example("houmao retry", "everything that waits after a failure"),
            Example("houmao retry alice", "one agent, also where a watch had stopped healing it (DriftFight)"),
        ),
        notes="The JSON has items (ref, tries, code, message) and watched: whether a watch tries by itself.",
        own={"5": "another writer holds the overlay"},
    ),
)
