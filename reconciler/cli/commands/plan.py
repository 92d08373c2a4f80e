"""`houmao plan`: say what an apply would do, and why."""

from reconciler.cli.grammar import Args, Command, Example, Option, Usage, is_file
from reconciler.cli.options import GIT, OUTPUT_PLAN, PLANNING, SOURCE, output


def plan(args: Args) -> int:
    """Look at everything, change nothing."""
    from reconciler.app import plan as use_case
    from reconciler.cli import dry, orders, places

    where, source, wanted = args.text("output"), orders.source(args), orders.planning(args)
    if is_file(where):
        found = use_case.save(places.flags(args), source, wanted, where, args.seconds("expires"))
        dry.saved(args, found, where)
    elif args.maybe("expires") is not None:
        raise Usage("--expires is of a plan file", "write one with -o FILE.json")
    else:
        found = use_case.plan(places.flags(args), source, wanted)
        dry.show(args, found)
    return 2 if args.flag("detailed_exitcode") and not found.plan.empty else 0


COMMANDS = (
    Command(
        "plan",
        "Say what apply would do, and why.",
        plan,
        options=(
            *SOURCE,
            *GIT,
            Option(("--detailed-exitcode",), "Exit 2 where something would be done, 0 where nothing would."),
            *PLANNING,
            Option(("--expires",), "How long a plan file may be applied, 24h by default.", "TIME", kind="seconds"),
            output(*OUTPUT_PLAN, "markdown", "FILE.json", doc="How to print, or the plan file to write."),
        ),
        examples=(
            Example("houmao plan -f team.yaml", "every action with its reason, file and line"),
            Example("houmao plan -f fleet/ --detailed-exitcode", "for scripts: 0 in sync, 2 not"),
            Example("houmao plan -f fleet/ -o json", "the plan as data"),
            Example("houmao plan -f fleet/ -o markdown", "a comment for a pull request"),
            Example("houmao plan -f fleet/ -o plan.json", "a file to review, show and apply, good for 24 hours"),
        ),
        notes=(
            "Writes nothing but the plan file, and takes no lock. Orphans are notices: they do not make a plan "
            "non-empty. A plan file holds digests and positions, no content and no secret."
        ),
        own={
            "2": "with --detailed-exitcode: the plan is not empty",
            "6": "a safeguard refused; the message names its flag",
        },
    ),
)
