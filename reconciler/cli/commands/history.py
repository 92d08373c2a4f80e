"""`houmao history`: the runs, one of them, and the way back to it."""

from reconciler.cli.grammar import Args, Argument, Command, Example, Option
from reconciler.cli.options import DRY, OUTPUT_PLAN, PLANNING, RUN_CODES, RUNNING, output

APPLY_SET = Option(("--applyset",), "Only runs of this apply set.", "NAME")

GUARDS = frozenset(
    (
        "--target",
        "--exclude",
        "--prune",
        "--prune-limit",
        "--allow-source-change",
        "--allow-kind-removal",
        "--force-conflicts",
        "--force-destroy",
    )
)
"""Flags of an apply that a way back has as well."""


def history(args: Args) -> int:
    """A table of runs, or data."""
    from reconciler.app import history as use_case
    from reconciler.cli import places, render_history, screen
    from reconciler.cli.render_data import listed, write

    limit = args.count("limit")
    found = use_case.history(
        places.flags(args),
        args.many("what"),
        apply_set=args.maybe("applyset"),
        limit=20 if limit is None else limit,
    )
    form = screen.data_format(args)
    if form:
        items = [each.to_json() for each in found.items]
        write(listed(items, single=False), form, lambda: [each.revision.run.id for each in found.items])
    elif found.items:
        render_history.listed(found, screen.stdout(args), bare=args.flag("no_headers"))
    else:
        screen.stderr(args).line(render_history.nothing(found))
    return 0


def show(args: Args) -> int:
    """One revision on one screen, or data."""
    from reconciler.app import history as use_case
    from reconciler.cli import places, render_history, screen
    from reconciler.cli.render_data import write

    found = use_case.show(places.flags(args), args.text("revision"), apply_set=args.maybe("applyset"))
    form = screen.data_format(args)
    if form:
        write(found.to_json(), form, lambda: [found.told.revision.run.id])
    else:
        render_history.show(found, screen.stdout(args))
    return 0


def rollback(args: Args) -> int:
    """Plan what the revision declared, ask, run."""
    from reconciler.app import rollback as use_case
    from reconciler.cli import orders, places
    from reconciler.cli.dry import show as show_plan
    from reconciler.cli.run import run

    flags, which, wanted = places.flags(args), args.maybe("revision"), orders.planning(args)
    dry = args.text("dry_run", "none")
    if dry != "none":
        show_plan(args, use_case.preview(flags, which, wanted, client=dry == "client"), client=dry == "client")
        return 0
    return run(
        args,
        lambda how, teller: use_case.rollback(
            flags, which, wanted, how, confirm=teller.confirm, shown=teller.shown, emit=teller.emit
        ),
    )


REVISION = Argument("revision", "REVISION | RUN", "the number of a revision, or the beginning of a run's id", least=1)

COMMANDS = (
    Command(
        "history",
        "List the runs: who, when, from which source, and what they did.",
        history,
        arguments=(Argument("what", "KIND NAME | KIND/NAME", "one resource, else every run", least=0, most=2),),
        options=(
            APPLY_SET,
            Option(("--limit",), "How many, newest first; 20 by default.", "N", kind="count"),
            Option(("--no-headers",), "Rows alone."),
            output("table", "json", "yaml", "name", "jsonpath=", "custom-columns="),
        ),
        examples=(
            Example("houmao history", "the last 20 runs"),
            Example("houmao history instance/alice", "what was done to one agent, and why"),
            Example("houmao history --limit 3 -o json", "as data"),
        ),
        notes=(
            "Each apply set counts its own revisions. A run that changed nothing is none. What a revision changed is "
            "told by `houmao history show`."
        ),
    ),
    Command(
        "history show",
        "Show one revision: what it changed in what is declared, and what became of each action.",
        show,
        arguments=(REVISION,),
        options=(APPLY_SET, output("text", "json", "yaml", "name", "jsonpath=")),
        examples=(
            Example("houmao history show 2", "the second revision"),
            Example("houmao history show 2 --applyset default -o json", "as data, where several sets have one"),
        ),
        notes="Values of sensitive fields are never shown; of files only that their content changed.",
    ),
    Command(
        "history rollback",
        "Make what runs match what a revision declared; the result is the next revision.",
        rollback,
        arguments=(REVISION._replace(doc="where to go back to, else the good one before the newest", least=0),),
        options=(
            APPLY_SET._replace(doc="Of this apply set, where there are several."),
            DRY,
            *(option for option in PLANNING if option.names[0] in GUARDS),
            *RUNNING,
            output(*OUTPUT_PLAN),
        ),
        examples=(
            Example("houmao history rollback", "undo the newest change"),
            Example("houmao history rollback 1 --dry-run=server", "only show what going back would do"),
            Example("houmao history rollback 1 --prune --yes", "and remove what was declared since"),
        ),
        notes=(
            "The plan, its guards and its questions are those of an apply. What was added since stays, as something no "
            "longer declared, unless --prune is given. Credentials stay what they are now. Your files are not touched: "
            "a watch skips what was undone until they say something else, and the next `houmao apply` of them does "
            "again what they declare."
        ),
        own=RUN_CODES,
    ),
)
