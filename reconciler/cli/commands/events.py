"""`houmao events`: what happened to each resource, and what happens now."""

from reconciler.cli.grammar import Args, Argument, Command, Example, Option, Usage
from reconciler.cli.options import output


def events(args: Args) -> int:
    """A table or data; with --follow a line each, until told to stop."""
    recorded = args.maybe("replay")
    if recorded is not None:
        return _replay(args, recorded)
    from reconciler.app import events as use_case
    from reconciler.cli import places, screen
    from reconciler.cli.render_data import listed, write
    from reconciler.cli.table import table

    limit = args.count("limit")
    flags = places.flags(args)
    wanted, _ = use_case.asked(
        flags,
        args.many("what"),
        reasons=args.many("reason"),
        since_s=args.seconds("since"),
        limit=50 if limit is None else limit,
    )
    form = screen.data_format(args)
    if args.flag("follow"):
        return _follow(args, wanted, form)
    found = use_case.listed(flags, wanted)
    if form:
        items = [use_case.to_json(event) for event in found.items]
        write(listed(items, single=False), form, lambda: [str(event.ref) for event in found.items])
    elif found.items:
        from reconciler.cli.render_events import HEADERS, row

        table(HEADERS, [row(event, found.now) for event in found.items], screen.stdout(args))
    else:
        screen.stderr(args).line("Nothing happened.")
    return 0


def _replay(args: Args, path: str) -> int:
    """What a recorded stream says in the end."""
    from reconciler.app.replay import replay
    from reconciler.cli import screen
    from reconciler.cli.render_data import write
    from reconciler.cli.table import table

    if args.many("what") or args.flag("follow") or any(args.maybe(each) for each in ("reason", "since", "limit")):
        raise Usage("--replay reads one recorded stream to its end", "leave the other options away")
    found, form = replay(path), screen.data_format(args)
    if form:
        write(found.to_json(), form, lambda: [str(item["ref"]) for item in found.items])
        return 0
    out = screen.stdout(args)
    if found.items:
        table(("OBJECT", "VERB", "OUTCOME", "ATTEMPT", "WHY"), [_status(item) for item in found.items], out)
    ended = "no end: the program was killed, or still runs" if found.exit_code is None else f"exit {found.exit_code}"
    cut = ", the last line is cut off" if found.interrupted else ""
    out.line(f"{found.events} events, {len(found.runs)} run{'' if len(found.runs) == 1 else 's'}, {ended}{cut}.")
    return 0


def _status(item: "JsonMap") -> tuple[str, ...]:
    error = item.get("error")
    why = error.get("message") if isinstance(error, dict) else item.get("reason")
    return tuple(str(each or "") for each in (item["ref"], item["verb"], item["outcome"], item.get("attempt"), why))


def _follow(args: Args, wanted: "Wanted", form: str) -> int:
    import json

    from reconciler.app import events as use_case
    from reconciler.cli import places, screen
    from reconciler.cli.complain import printable
    from reconciler.cli.run import Stop

    if form not in ("", "json", "name"):
        raise Usage(f"--follow cannot print {form}", "with -o json it prints a line of JSON for each")
    stop, out = Stop(), screen.stdout(args)
    for event in use_case.follow(places.flags(args), wanted, lambda: stop.asked() is not None):
        if form == "json":
            out.line(json.dumps(use_case.to_json(event), ensure_ascii=False))
        elif form == "name":
            out.line(printable(str(event.ref)))
        else:
            times = f" ({event.times} times)" if event.times > 1 else ""
            out.line(printable(f"{event.last[:19]}Z  {event.reason}  {event.ref}  {event.message}{times}"))
        out.flush()
    return 128 + (stop.signal or 0)


TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.app.events import Wanted
    from reconciler.model.json import JsonMap

COMMANDS = (
    Command(
        "events",
        "Tell what happened to each resource, and with --follow what happens.",
        events,
        arguments=(Argument("what", "KIND NAME | KIND/NAME", "one resource, else all", least=0, most=2),),
        options=(
            Option(("--reason",), "Only this reason, such as LaunchDigestChanged; may be repeated.", "CODE", many=True),
            Option(("--since",), "Only what happened in the last so long.", "TIME", kind="seconds"),
            Option(("--limit",), "How many, the newest; 50 by default.", "N", kind="count"),
            Option(("--follow",), "Go on until Ctrl-C and tell each as it happens."),
            Option(("--replay",), "Instead: what a stream that --events recorded says in the end.", "FILE"),
            output("table", "json", "yaml", "name", "jsonpath=", "custom-columns="),
        ),
        examples=(
            Example("houmao events", "the newest fifty"),
            Example("houmao events instance/alice --since 1h", "of one agent, in the last hour"),
            Example("houmao events --reason ProviderExited -o json", "of one reason, as data"),
            Example("houmao events --follow", "as they happen"),
            Example("houmao events --replay watch.jsonl", "the final status of each, from a recorded stream"),
        ),
        notes=(
            "The same thing said again is one event that is counted. A resource keeps its fifty newest, for ninety "
            "days. With --follow, -o json prints a line of JSON for each. What a run does step by step is in "
            "`houmao apply --events FILE`, and --replay tells what became of each resource from that file alone, but "
            "for a last line that a crash cut off."
        ),
        own={"130": "--follow was stopped by Ctrl-C", "143": "--follow was stopped by SIGTERM"},
    ),
)
