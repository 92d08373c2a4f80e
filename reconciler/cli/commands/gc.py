"""`houmao gc`: remove for good what nobody can want back any more."""

from datetime import timedelta

from reconciler.cli.grammar import Args, Command, Example, Option
from reconciler.cli.options import output


def gc(args: Args) -> int:
    """Say what goes and what stays although its time is over."""
    from reconciler.app import collect
    from reconciler.app.settings import in_ci
    from reconciler.cli import places, screen
    from reconciler.cli.render_data import write
    from reconciler.cli.table import table

    count, age, wait = args.count("keep_revisions"), args.seconds("keep_for"), args.seconds("lock_timeout")
    limits = collect.Limits(
        collect.KEEP_REVISIONS if count is None else count, collect.KEEP_FOR if age is None else timedelta(seconds=age)
    )
    found = collect.gc(
        places.flags(args),
        limits,
        dry_run=args.flag("dry_run"),
        lock_s=(0.0 if in_ci() else 30.0) if wait is None else wait,
    )
    form = screen.data_format(args)
    if form:
        write(found.to_json(), form, lambda: [f"{each.kind} {each.name}" for each in found.removed])
        return 0
    out = screen.stdout(args)
    for title, items in (("Would go" if found.dry_run else "Removed", found.removed), ("Stays", found.kept)):
        if items:
            out.line(out.paint(f"{title}:", "bold"))
            table(("WHAT", "NAME", "WHY", "PATH"), [(i.kind, i.name, i.why, i.path or "-") for i in items], out)
    if not found.removed:
        out.line("Nothing is to be collected.")
    return 0


COMMANDS = (
    Command(
        "gc",
        "Remove for good what was deleted long ago, old revisions, and payloads nothing names any more.",
        gc,
        options=(
            Option(("--dry-run",), "Only say what would go."),
            Option(
                ("--keep-revisions",),
                "How many revisions of each set stay in any case, 20 by default.",
                "N",
                kind="count",
            ),
            Option(("--keep-for",), "How long a revision stays in any case, 90d by default.", "TIME", kind="seconds"),
            Option(
                ("--lock-timeout",),
                "How long to wait for another writer: 30s by default, in CI not at all.",
                "TIME",
                kind="seconds",
            ),
            output("text", "json", "yaml", "name", "jsonpath="),
        ),
        examples=(
            Example("houmao gc --dry-run", "what would go, and what stays although its time is over"),
            Example("houmao gc", "remove it"),
            Example("houmao gc --keep-revisions 5 --keep-for 7d", "with a shorter history"),
        ),
        notes=(
            "Nothing else ever collects. What was removed stays for its time (`houmao undelete` lists it), then its "
            "home, manifests and session root go. Touched is only what lies in this overlay, is no link, and says "
            "itself whose it is; memory, and whatever lives, never. The newest revision and the good one before it "
            "stay however old they are."
        ),
        own={"5": "another writer holds the overlay"},
    ),
)
