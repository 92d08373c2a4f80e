"""`houmao drift`: what is there and not as it was last applied."""

from reconciler.cli.grammar import Args, Argument, Command, Example, Option
from reconciler.cli.options import SELECTOR, output


def drift(args: Args) -> int:
    """Look and say; nothing is written."""
    from reconciler.app import drift as use_case
    from reconciler.cli import places, screen
    from reconciler.cli.complain import printable
    from reconciler.cli.render_data import write

    found = use_case.drift(places.flags(args), args.many("what"), args.text("selector"), args.maybe("accept"))
    form = screen.data_format(args)
    if form:
        write(found.to_json(), form, lambda: [f"{item.subject} {item.code}" for item in found.new])
        return found.exit_code
    out = screen.stdout(args)
    for item in found.new:
        out.line(f"{out.paint(item.code, 'red' if item.unknown else 'yellow')} {printable(item.subject)}")
        for text in (item.text, f"repair: {item.repair}"):
            for line in out.wrapped(printable(text), 2):
                out.line(line)
    known = len(found.items) - len(found.new)
    accepted = f", {known} more accepted" if known else ""
    if found.new:
        out.line(out.paint(f"{len(found.new)} differences in {found.looked_at} resources{accepted}.", "bold"))
    else:
        out.line(f"No drift: {found.looked_at} resources are as they were last applied{accepted}.")
    return found.exit_code


COMMANDS = (
    Command(
        "drift",
        "Say what is not as it was last applied; nothing is written or repaired.",
        drift,
        arguments=(Argument("what", "[NAME… | KIND/NAME…]", "what to look at, or everything", least=0, most=None),),
        options=(
            SELECTOR,
            Option(("--accept",), "What an earlier `drift -o json` found is known and no alarm.", "FILE"),
            output("text", "json", "yaml", "name", "jsonpath="),
        ),
        examples=(
            Example("houmao drift", "the fleet, the content store, the view for other programs, stray sessions"),
            Example("houmao drift alice -o json", "one agent, for a program"),
            Example("houmao drift --accept known.json", "alarm about what is new alone"),
        ),
        notes="The JSON has lookedAt, new, accepted and items: subject, code, text, repair, key, accepted, unknown.",
        own={"1": "something could not be looked at", "2": "there is drift"},
    ),
)
