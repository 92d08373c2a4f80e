"""`houmao plan`: say what an apply would do, and why."""

from reconciler.cli.grammar import Args, Command, Example, Option
from reconciler.cli.options import OUTPUT_PLAN, PLANNING, SOURCE, output


def plan(args: Args) -> int:
    """Look at everything, change nothing."""
    from reconciler.app import plan as use_case
    from reconciler.cli import dry, orders, places

    found = use_case.plan(places.flags(args), orders.source(args), orders.planning(args))
    dry.show(args, found)
    return 2 if args.flag("detailed_exitcode") and not found.plan.empty else 0


COMMANDS = (
    Command(
        "plan",
        "Say what apply would do, and why.",
        plan,
        options=(
            *SOURCE,
            Option(("--detailed-exitcode",), "Exit 2 where something would be done, 0 where nothing would."),
            *PLANNING,
            output(*OUTPUT_PLAN),
        ),
        examples=(
            Example("houmao plan -f team.yaml", "every action with its reason, file and line"),
            Example("houmao plan -f fleet/ --detailed-exitcode", "for scripts: 0 in sync, 2 not"),
            Example("houmao plan -f fleet/ -o json", "the plan as data"),
        ),
        notes="Writes nothing and takes no lock. Orphans are notices: they do not make a plan non-empty.",
        own={
            "2": "with --detailed-exitcode: the plan is not empty",
            "6": "a safeguard refused; the message names its flag",
        },
    ),
)
