"""`houmao apply`: make what runs match what is declared."""

from reconciler.cli.grammar import Args, Command, Example, Option
from reconciler.cli.options import METRICS, OUTPUT_PLAN, PLANNING, RUN_CODES, RUNNING, SOURCE, output


def apply(args: Args) -> int:
    """Plan, ask where conversations would be lost, run, wait, report."""
    dry = args.text("dry_run", "none")
    if dry != "none":
        from reconciler.cli.dry import dry_run

        return dry_run(args, client=dry == "client")
    from reconciler.app import apply as use_case
    from reconciler.cli import orders, places
    from reconciler.cli.run import run

    flags, source, wanted = places.flags(args), orders.source(args), orders.planning(args)
    return run(
        args,
        lambda how, teller: use_case.apply(
            flags, source, wanted, how, confirm=teller.confirm, shown=teller.shown, emit=teller.emit
        ),
    )


COMMANDS = (
    Command(
        "apply",
        "Make what runs match what is declared.",
        apply,
        options=(
            *SOURCE,
            Option(
                ("--dry-run",),
                "Show the plan and stop: client compares with the last apply, server looks at what runs.",
                "WHERE",
                kind="choice",
                choices=("none", "client", "server"),
            ),
            *PLANNING,
            *RUNNING,
            METRICS,
            output(*OUTPUT_PLAN),
        ),
        examples=(
            Example("houmao apply -f team.yaml", "bring up what team.yaml declares"),
            Example("houmao apply -f fleet/ -R --wait", "a whole directory, and wait until every agent is Ready"),
            Example("houmao apply -f fleet/ --prune --prune-limit=2", "also remove what is no longer declared"),
            Example("houmao apply -f team.yaml --dry-run=server", "only show what would be done"),
        ),
        notes=(
            "Applying the same declarations again does nothing and says so. On a terminal it asks before an agent "
            "loses its conversation or data; elsewhere such a plan needs --yes. --dry-run alone means --dry-run=client."
        ),
        own=RUN_CODES,
    ),
)
