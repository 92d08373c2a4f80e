"""`houmao plan`: say what an apply would do, and why."""

from reconciler.cli.grammar import Args, Command, Example, Option, Usage, is_file
from reconciler.cli.options import GIT, OUTPUT_PLAN, PLANNING, SOURCE, output


def plan(args: Args) -> int:
    """Look at everything, change nothing."""
    from reconciler.app import plan as use_case
    from reconciler.cli import dry, orders, places

    where, source, wanted = args.text("output"), orders.source(args), orders.planning(args)
    if args.flag("refresh_only"):
        return _refreshed(args, where, source, wanted)
    if is_file(where):
        found = use_case.save(places.flags(args), source, wanted, where, args.seconds("expires"))
        dry.saved(args, found, where)
    elif args.maybe("expires") is not None:
        raise Usage("--expires is of a plan file", "write one with -o FILE.json")
    else:
        found = use_case.plan(places.flags(args), source, wanted)
        dry.show(args, found)
    return 2 if args.flag("detailed_exitcode") and not found.plan.empty else 0


def _refreshed(args: Args, where: str, source: "Source", wanted: "PlanFlags") -> int:
    """Only look, and hold it against the records."""
    from reconciler.app.refresh import refresh
    from reconciler.cli import places, render_refresh

    if is_file(where) or where == "markdown":
        raise Usage("--refresh-only plans nothing, so there is no plan to write", "-o json has what it found")
    given = [one for one in PLANNING if one.key not in OF_LOADING and (args.maybe(one.key) or args.flag(one.key))]
    if given:
        raise Usage(f"{given[0].names[-1]} is about what is planned, and --refresh-only plans nothing", "leave it out")
    found = refresh(places.flags(args), source, wanted)
    return render_refresh.show(args, found)


OF_LOADING = ("applyset", "validate")
"""Options of planning that say what is loaded."""

COMMANDS = (
    Command(
        "plan",
        "Say what apply would do, and why.",
        plan,
        options=(
            *SOURCE,
            *GIT,
            Option(("--detailed-exitcode",), "Exit 2 where something would be done, 0 where nothing would."),
            Option(("--refresh-only",), "Plan nothing: say what is seen as something else than is recorded."),
            *PLANNING,
            Option(("--expires",), "How long a plan file may be applied, 24h by default.", "TIME", kind="seconds"),
            output(*OUTPUT_PLAN, "markdown", "FILE.json", doc="How to print, or the plan file to write."),
        ),
        examples=(
            Example("houmao plan -f team.yaml", "every action with its reason, file and line"),
            Example("houmao plan -f fleet/ --detailed-exitcode", "for scripts: 0 in sync, 2 not"),
            Example("houmao plan -f fleet/ -o json", "the plan as data"),
            Example("houmao plan -f fleet/ -o markdown", "a comment for a pull request"),
            Example("houmao plan -f fleet/ --refresh-only", "what changed behind its back since it was recorded"),
            Example("houmao plan -f fleet/ -o plan.json", "a file to review, show and apply, good for 24 hours"),
        ),
        notes=(
            "Writes nothing but the plan file, and takes no lock. Orphans are notices: they do not make a plan "
            "non-empty. A plan file holds digests and positions, no content and no secret."
        ),
        own={
            "2": "with --detailed-exitcode: the plan is not empty, or something is seen as another than is recorded",
            "6": "a safeguard refused; the message names its flag",
        },
    ),
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.app.request import PlanFlags, Source
