"""`houmao apply`: make what runs match what is declared."""

from reconciler.cli.grammar import Args, Argument, Command, Example, Option, Usage, is_file
from reconciler.cli.options import GIT, LOGGING, METRICS, OUTPUT_PLAN, PLANNING, RUN_CODES, RUNNING, SOURCE, output


def apply(args: Args) -> int:
    """Plan, ask where conversations would be lost, run, wait, report."""
    plan = args.maybe("plan")
    if plan is not None:
        return _reviewed(args, plan)
    dry = args.text("dry_run", "none")
    if dry != "none":
        from reconciler.cli.dry import dry_run

        return dry_run(args, client=dry == "client")
    from reconciler.app import apply as use_case
    from reconciler.cli import orders, places
    from reconciler.cli.run import run

    flags, source, wanted = places.flags(args), orders.source(args), orders.planning(args)
    chosen = orders.strategy(args)
    return run(
        args,
        lambda how, teller: use_case.apply(
            flags,
            source,
            wanted,
            how._replace(chosen=chosen),
            confirm=teller.confirm,
            shown=teller.shown,
            emit=teller.emit,
        ),
    )


def _reviewed(args: Args, plan: str) -> int:
    """Run a plan file; how it was planned is in it."""
    if not is_file(plan):
        raise Usage(f"{plan} is no plan file: its name does not end in .json", f"declarations: write -f {plan}")
    given = [option for option in PLANNING if args.maybe(option.key) is not None or args.flag(option.key)]
    if given:
        raise Usage(f"{given[0].names[-1]} is part of a plan, and {plan} is made", "give it to `houmao plan`")
    if args.maybe("dry_run") is not None:
        raise Usage("--dry-run plans, and a plan file is a plan", f"houmao show {plan}")
    from reconciler.app import apply_file as use_case
    from reconciler.cli import orders, places
    from reconciler.cli.run import run

    flags, source = places.flags(args), orders.source(args) if orders.has_source(args) else None
    return run(
        args,
        lambda how, teller: use_case.apply_file(
            flags,
            plan,
            source,
            how,
            confirm=teller.confirm,
            shown=teller.shown,
            emit=teller.emit,
            signers=args.text("verify_signatures"),
        ),
    )


COMMANDS = (
    Command(
        "apply",
        "Make what runs match what is declared.",
        apply,
        arguments=(Argument("plan", "[FILE]", "a plan file to hold to, instead of declarations", least=0),),
        options=(
            *SOURCE,
            *GIT,
            Option(
                ("--dry-run",),
                "Show the plan and stop: client compares with the last apply, server looks at what runs.",
                "WHERE",
                kind="choice",
                choices=("none", "client", "server"),
            ),
            *PLANNING,
            Option(
                ("--strategy",),
                "How a change reaches what -l selects, this once: TYPE and fields of an InstanceSet's strategy.",
                "TYPE[,FIELD=VALUE…]",
            ),
            *RUNNING,
            Option(
                ("--respect-busy",),
                "Let agents finish their turn first, also those that declare no disruption; up to 10m each.",
            ),
            Option(("--ignore-window",), "Disturb agents that wait for a window (disruption.when) at any hour."),
            *LOGGING,
            METRICS,
            output(*OUTPUT_PLAN),
        ),
        examples=(
            Example("houmao apply -f team.yaml", "bring up what team.yaml declares"),
            Example("houmao apply -f fleet/ -R --wait", "a whole directory, and wait until every agent is Ready"),
            Example("houmao apply -f fleet/ --prune --prune-limit=2", "also remove what is no longer declared"),
            Example("houmao apply -f fleet/ -l team=core --strategy Rolling,maxUnavailable=1", "one agent at a time"),
            Example("houmao apply -f team.yaml --respect-busy", "nobody is ended in the middle of a turn"),
            Example("houmao apply -f team.yaml --log apply.log --log-level warning", "and log what went wrong"),
            Example("houmao apply -f team.yaml --dry-run=server", "only show what would be done"),
            Example("houmao apply --source git+https://example.org/team/fleet.git@main:agents", "from a repository"),
            Example("houmao apply plan.json", "exactly what `houmao plan -o plan.json` wrote, or nothing"),
            Example("houmao apply plan.json --verify-signatures signers", "only where plan.json.sig vouches for it"),
        ),
        notes=(
            "Applying the same declarations again does nothing and says so. On a terminal it asks before an agent "
            "loses its conversation or data; elsewhere such a plan needs --yes. --dry-run alone means "
            "--dry-run=client. A plan file is run whole or, where anything it touches moved since, not at all "
            "(exit 4); its declarations are read from where they were, or from -f. Applied again it does nothing. "
            "Who declares a disruption is waited for until --timeout, and left to a later apply after that (exit 3; "
            "with --no-wait at once, and exit 0)."
        ),
        own=RUN_CODES,
    ),
)
