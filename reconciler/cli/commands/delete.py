"""`houmao delete`: remove what is named."""

from reconciler.cli.grammar import Args, Argument, Command, Example, Option, Usage
from reconciler.cli.options import RUN_CODES, RUNNING, SELECTOR, SOURCE, output


def delete(args: Args) -> int:
    """Plan the removals, ask, run."""
    from reconciler.app import apply as use_case
    from reconciler.app import read
    from reconciler.app.session import open_session
    from reconciler.cli import orders, places, verb
    from reconciler.cli.run import run

    words = args.many("what")
    source = orders.source(args) if orders.has_source(args) else None
    selector = args.text("selector")
    if not words and source is None:
        raise Usage("delete needs to know what: KIND NAME, KIND/NAME or -f PATH", "houmao delete instance alice")
    flags = places.flags(args)
    named = read.refs(open_session(flags), words, selector)
    refs = tuple(str(ref) for ref in named)
    if words and not refs and source is None:
        from reconciler.cli.screen import stdout

        stdout(args).line("Nothing matches; nothing was deleted.")
        return 0
    return run(
        args,
        lambda how, teller: use_case.delete(
            flags,
            refs,
            source,
            cascade=args.text("cascade", "no"),
            force_destroy=args.many("force_destroy"),
            selector=selector if source is not None else "",
            override_s=verb.way(args).ttl_s,
            how=how,
            confirm=teller.confirm,
            shown=teller.shown,
            emit=teller.emit,
        ),
    )


COMMANDS = (
    Command(
        "delete",
        "Stop and remove what is named.",
        delete,
        arguments=(Argument("what", "KIND NAME… | KIND/NAME…", "what to remove", least=0, most=None),),
        options=(
            *SOURCE,
            SELECTOR,
            Option(
                ("--cascade",),
                "What uses it: no refuses, yes removes that too, orphan leaves it without.",
                "HOW",
                kind="choice",
                choices=("no", "yes", "orphan"),
            ),
            Option(
                ("--force-destroy",),
                "Remove this resource in spite of preventDestroy; may be repeated.",
                "KIND/NAME",
                many=True,
            ),
            Option(
                ("--override",),
                "Delete also what a file declares, and hold it absent for a time, 1h when none is given.",
                "TTL",
                kind="seconds",
            ),
            *RUNNING,
            output("text", "json", "yaml", "name", "jsonpath="),
        ),
        examples=(
            Example("houmao delete instance alice", "stop one agent that is declared no more; its home is kept"),
            Example("houmao delete instance alice --override", "also where a file still declares it, for an hour"),
            Example("houmao delete specialist/coder --cascade", "and everything made of it"),
            Example("houmao delete -f team.yaml --yes", "everything team.yaml declares"),
            Example("houmao delete instances -l team=core", "every agent with a label"),
        ),
        notes=(
            "--cascade alone means --cascade=yes. The home of an agent is kept, and the report says where. What a "
            "file still declares is refused: take it out there and run `houmao apply --prune`, name the file with -f, "
            "or say --override: apply leaves it away until the time is over or `houmao release`."
        ),
        own=RUN_CODES,
    ),
)
