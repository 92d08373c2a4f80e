"""`houmao verify`: is it as it was last applied?"""

from reconciler.cli.grammar import Args, Argument, Command, Example
from reconciler.cli.options import SELECTOR, output


def verify(args: Args) -> int:
    """Look and say; 1 when anything differs."""
    from reconciler.app import verify as use_case
    from reconciler.cli import places, screen
    from reconciler.cli.render_data import write

    found = use_case.verify(places.flags(args), args.many("what"), args.text("selector"))
    form = screen.data_format(args)
    if form:
        write(found.to_json(), form, lambda: [f"{one.item.ref} {one.word}" for one in found.items])
        return found.exit_code
    out = screen.stdout(args)
    out.line(out.paint("Action request: verify", "bold"))
    colours = {"verified": "green", "differs": "yellow", "unknown": "yellow"}
    for one in found.items:
        out.line(f"  {out.paint(f'{one.word:<8}', colours[one.word])} {one.item.ref}")
        for line in out.wrapped(one.why, 11) if one.why else ():
            out.line(line)
    return found.exit_code


COMMANDS = (
    Command(
        "verify",
        "Look whether agents are as they were last applied; nothing is repaired.",
        verify,
        arguments=(
            Argument(
                "what", "[NAME… | KIND/NAME…]", "what to look at; with -l nothing need be named", least=0, most=None
            ),
        ),
        options=(SELECTOR, output("text", "json", "yaml", "name", "jsonpath=")),
        examples=(
            Example("houmao verify alice", "one agent: session, process, record, home and launch digest"),
            Example("houmao verify -l team=core -o json", "a team, for a program"),
        ),
        notes="An action request that reads only. `houmao apply` of the declaration repairs what differs.",
        own={"1": "something differs, or could not be looked at"},
    ),
)
