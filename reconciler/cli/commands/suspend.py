"""`houmao suspend` and `resume`: what a watch leaves alone, and lets go on."""

from reconciler.cli.grammar import Args, Argument, Command, Example, Option
from reconciler.cli.options import LOCK_TIMEOUT, SELECTOR, output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.app.suspended import Suspended
    from reconciler.app.suspension import Changed

WHAT = Argument("what", "[NAME… | KIND/NAME…]", "agents by name, or anything by kind and name", least=0, most=None)
SET = Option(("--applyset",), "A whole apply set; `default` is the one without a name.", "NAME")
OUTPUT = output("text", "json", "yaml", "name", "jsonpath=")
KEYS = "The JSON has changed, sets (name, since, by, reason) and resources (ref, since, by, reason)."


def suspend(args: Args) -> int:
    """A note for the watch; with nothing named, what is noted."""
    from reconciler.app import suspension
    from reconciler.cli import places

    flags = places.flags(args)
    words, selector, chosen = args.many("what"), args.text("selector"), args.maybe("applyset")
    if not words and not selector and chosen is None:
        return _show(args, suspension.Changed((), suspension.listed(flags)), "")
    found = suspension.suspend(
        flags, words, selector, chosen, args.text("reason"), lock_timeout_s=args.seconds("lock_timeout")
    )
    return _show(args, found, "suspended")


def resume(args: Args) -> int:
    """The end of it."""
    from reconciler.app import suspension
    from reconciler.cli import places

    found = suspension.resume(
        places.flags(args),
        args.many("what"),
        args.text("selector"),
        args.maybe("applyset"),
        lock_timeout_s=args.seconds("lock_timeout"),
    )
    return _show(args, found, "resumed")


def _show(args: Args, found: "Changed", done: str) -> int:
    from reconciler.cli import screen
    from reconciler.cli.complain import printable
    from reconciler.cli.render_data import write

    form = screen.data_format(args)
    if form:
        write(found.to_json(), form, lambda: list(found.changed if done else _names(found.now)))
        return 0
    out = screen.stdout(args)
    for name in found.changed:
        out.line(f"{done} {name}")
    if done and not found.changed:
        out.line("Nothing was suspended of that." if done == "resumed" else "Nothing matches; nothing was changed.")
    if not done:
        for name, since in sorted(found.now.sets.items()):
            out.line(printable(f"set {name} is {since}"))
        for ref, since in sorted(found.now.refs.items()):
            out.line(printable(f"{ref} is {since}"))
        if not _names(found.now):
            out.line("Nothing is suspended.")
    return 0


def _names(found: "Suspended") -> list[str]:
    return [*(f"set {name}" for name in sorted(found.sets)), *(str(ref) for ref in sorted(found.refs))]


COMMANDS = (
    Command(
        "suspend",
        "Let the watch leave agents, resources or an apply set alone; with nothing named, list what is suspended.",
        suspend,
        arguments=(WHAT,),
        options=(
            SELECTOR,
            SET,
            Option(("--reason",), "Why; it is shown to whoever wonders.", "TEXT"),
            LOCK_TIMEOUT,
            OUTPUT,
        ),
        examples=(
            Example("houmao suspend alice --reason 'debugging its session'", "one agent is neither healed nor changed"),
            Example("houmao suspend --applyset default", "the watch only looks"),
            Example("houmao suspend -o json", "what is suspended"),
        ),
        notes=f"It rules what a watch does unasked: `houmao apply` and verbs act all the same. {KEYS}",
        own={"5": "another writer holds the overlay"},
    ),
    Command(
        "resume",
        "Let the watch go on with what was suspended.",
        resume,
        arguments=(WHAT,),
        options=(SELECTOR, SET, LOCK_TIMEOUT, OUTPUT),
        examples=(
            Example("houmao resume alice", "it is put right at once where it differs"),
            Example("houmao resume --applyset default", "the whole set"),
        ),
        notes=KEYS,
        own={"5": "another writer holds the overlay"},
    ),
)
