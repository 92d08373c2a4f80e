"""`houmao doctor`: what is not in order, and what repairs it."""

from reconciler.cli.grammar import Args, Command, Example
from reconciler.cli.options import output

MARKS = {"error": ("✗", "red"), "warning": ("!", "yellow"), "ok": ("✓", "green")}


def doctor(args: Args) -> int:
    """1 when something is wrong."""
    from reconciler.app import doctor as use_case
    from reconciler.cli import places, screen
    from reconciler.cli.complain import printable
    from reconciler.cli.render_data import write

    found = use_case.doctor(places.flags(args))
    form = screen.data_format(args)
    if form:
        write(found.to_json(), form, lambda: [f.code for f in found.findings if f.level is not use_case.Level.OK])
        return 0 if found.healthy else 1
    out = screen.stdout(args)
    for finding in found.findings:
        mark, colour = MARKS[finding.level.value]
        first, *others = out.wrapped(f"{finding.message} [{finding.code}]", 2)
        out.line(f"{out.paint(mark, colour)} {first.lstrip()}")
        for line in others:
            out.line(line)
        if finding.repair and finding.level is not use_case.Level.OK:
            out.line(f"    repair: {printable(finding.repair)}")
    wrong = sum(1 for finding in found.findings if finding.level is not use_case.Level.OK)
    out.line()
    out.line("Everything is in order." if not wrong else f"{wrong} {'finding' if wrong == 1 else 'findings'}.")
    return 0 if found.healthy else 1


COMMANDS = (
    Command(
        "doctor",
        "Look for what is not in order, and say what repairs it.",
        doctor,
        options=(output("text", "json", "yaml", "name", "jsonpath="),),
        examples=(
            Example("houmao doctor", "tmux, overlay, catalog, content, sessions, records, lock"),
            Example("houmao doctor -o json", "for scripts"),
        ),
        notes="It repairs nothing itself. Warnings do not make it fail.",
        own={"1": "something is wrong"},
    ),
)
