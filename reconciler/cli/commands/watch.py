"""`houmao watch`: keep what runs as declared, until told to stop."""

from reconciler.cli.grammar import Args, Command, Example, Option, Usage
from reconciler.cli.options import GIT, LOGGING, METRICS, SOURCE, VALIDATE


def watch(args: Args) -> int:
    """Lead the overlay in the foreground; SIGTERM lets the running action finish."""
    from reconciler.app import wiring

    wiring.sparing()
    from reconciler.app.request import Emit
    from reconciler.app.watch import lead
    from reconciler.cli import orders, places
    from reconciler.cli.run import Stop, Teller
    from reconciler.cli.watching import Watching
    from reconciler.model.errors import ReconcilerError

    period = args.seconds("interval")
    if period is not None and period < 1:
        raise Usage("--interval must be at least 1s", "write --interval 60s; what happens is noticed without it")
    poll = args.seconds("poll")
    if poll is not None and poll < 1:
        raise Usage("--poll must be at least 1s", "write --poll 5m")
    source, wanted, how = orders.source(args), orders.planning(args), orders.running(args)
    if "-" in source.paths:
        raise Usage("a watch cannot read standard input again", "name a file or a directory with -f")
    if poll is not None and not source.git:
        raise Usage("--poll is about the repository of --source", "files are followed as they are saved")
    service = wiring.supervisor()  # before anything is started: the variables are for this process alone
    stop, teller = Stop(), Teller(args)
    once = args.flag("once")
    # A supervisor's log has times of its own.
    told = Watching(teller, None if once or service is not None else wiring.clock())
    emit: Emit = told.emit
    wakers: lead.MakeWakers = told.wakers(wiring.wakers)
    queued = None
    if teller.metering is not None:
        wakers, queued = teller.metering.over(wakers), teller.metering.meters.queued
    stopping = stop.asked
    if service is not None:
        from reconciler.app.watch.supervised import Supervised

        kept = Supervised(service, how.timeout_s)
        emit, stopping, wakers = kept.emit(emit), kept.stopping(stopping), kept.wakers(wakers)
    try:
        ended = lead.watch(
            places.flags(args),
            source,
            wanted,
            how._replace(stopping=stopping, yes=True),
            lead.WatchFlags(once, period or 60.0, poll or 60.0, queued),
            wakers=wakers,
            shown=teller.shown,
            emit=emit,
        )
    except ReconcilerError as error:
        teller.ended(error.exit_code, {"error": error.to_json()})
        raise
    told.ended(ended)
    return ended.exit_code


OPTIONS = (
    *SOURCE,
    *GIT,
    Option(
        ("--poll",),
        "How often to ask the repository of --source, 60s by default; a tenth more or less.",
        "TIME",
        kind="seconds",
    ),
    Option(("--once",), "Look once, do what there is to do, and leave."),
    Option(
        ("--interval",),
        "How often to look although nothing woke it, 60s by default; a tenth more or less.",
        "TIME",
        kind="seconds",
    ),
    Option(("--applyset",), "Name of the apply set; else the Project's name, else default.", "NAME"),
    VALIDATE,
    Option(("--parallelism",), "How many actions at a time, 8 by default.", "N", kind="count"),
    Option(("--timeout",), "How long one look may run actions, 10m by default.", "TIME", kind="seconds"),
    Option(
        ("--lock-timeout",),
        "How long to wait for another writer: not at all by default.",
        "TIME",
        kind="seconds",
    ),
    Option(("--events",), "Write what happens as JSON lines to a file, - or fd:N.", "WHERE"),
    *LOGGING,
    METRICS,
)
"""What a watch can be told; as a service it is told the same."""

COMMANDS = (
    Command(
        "watch",
        "Keep what runs as declared: follow the source, heal what ends, until told to stop.",
        watch,
        options=OPTIONS,
        examples=(
            Example("houmao watch -f fleet/ -R", "in the foreground, until Ctrl-C"),
            Example("houmao watch -f fleet/ -R --once", "one look, for a scheduler of your own"),
            Example(
                "houmao watch --source git+https://example.org/team/fleet.git@main:agents --poll 5m",
                "what is merged, as soon as it is",
            ),
            Example("houmao watch -f team.yaml --events watch.jsonl", "and what happens as JSON lines"),
            Example("houmao watch -f team.yaml --log watch.log --log-format json", "a log for a collector"),
            Example("houmao watch -f team.yaml --metrics 127.0.0.1:9464", "and what it counts, for Prometheus"),
        ),
        notes=(
            "It holds the lock of the overlay while it runs. A source that cannot be read changes nothing: the last "
            "that could be stays in force. An agent in the middle of a turn is not restarted because a file changed; "
            "what is no longer declared is reported and not removed. Ctrl-C or SIGTERM lets running actions finish. "
            "`houmao watch install` makes a service of it, `houmao watch status` says how that is."
        ),
        own={
            "1": "with --once: at least one resource failed, or the source cannot be read",
            "4": "another writer took over",
            "5": "another writer holds the overlay",
            "130": "stopped by Ctrl-C",
            "143": "stopped by SIGTERM",
        },
    ),
)
