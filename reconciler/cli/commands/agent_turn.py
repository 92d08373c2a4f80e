"""`houmao agents single|self turn …`: the turns of a headless agent."""

from reconciler.cli.agent import agent, pair, raw, show, text_of
from reconciler.cli.grammar import Args, Argument, Option

TURN = (Argument("turn_id", "TURN_ID", "the turn, such as turn-0001"),)


def submit(args: Args) -> int:
    """Run one turn, and wait for it."""
    from reconciler.app import turns
    from reconciler.ports.build import ModelConfig

    text = text_of(args, "prompt", "a prompt")
    model, level = args.maybe("model"), args.count("reasoning_level")
    chosen = None if model is None and level is None else ModelConfig(model, level)
    turn = turns.submit(agent(args), text, model=chosen, wait=not args.flag("no_wait"))
    body = turn.submitted_json()
    show(args, body)
    return 0 if body["success"] else 1


def status(args: Args) -> int:
    """How one turn stands."""
    from reconciler.app import turns

    show(args, turns.status(agent(args), args.text("turn_id")).to_json())
    return 0


def events(args: Args) -> int:
    """Its events, in the words of all providers."""
    from reconciler.app import turns
    from reconciler.cli import screen
    from reconciler.cli.complain import printable
    from reconciler.cli.render_data import write

    found = turns.events(agent(args), args.text("turn_id"))
    if args.text("detail", "concise") == "concise":
        found = [{key: value for key, value in event.items() if key != "raw_payload"} for event in found]
    form = screen.data_format(args)
    if form:
        write({"events": [*found]}, form)
        return 0
    out = screen.stdout(args)
    for event in found:
        out.line(printable(f"{event['kind']}: {event['message'] or event['provider_event_type']}"))
    return 0


def stdout(args: Args) -> int:
    """What its program printed."""
    from reconciler.app import turns
    from reconciler.build.turn import STDOUT

    return _printed(args, turns.output(agent(args), args.text("turn_id"), STDOUT))


def stderr(args: Args) -> int:
    """What its program complained about."""
    from reconciler.app import turns
    from reconciler.build.turn import STDERR

    return _printed(args, turns.output(agent(args), args.text("turn_id"), STDERR))


def _printed(args: Args, data: bytes) -> int:
    """Bytes as they are, or as a text in an object."""
    from reconciler.cli import screen
    from reconciler.cli.render_data import write

    form = screen.data_format(args)
    if form:
        stream = args.command.path.rpartition(" ")[2]
        write({"turn_id": args.text("turn_id"), "stream": stream, "text": data.decode(errors="replace")}, form)
        return 0
    raw(data)
    return 0


COMMANDS = (
    *pair(
        "turn submit",
        "Run one turn of a headless agent, and wait until it is over.",
        submit,
        options=(
            Option(("--prompt",), "The prompt; else standard input.", "TEXT"),
            Option(("--model",), "Another model for this turn.", "NAME"),
            Option(("--reasoning-level",), "Another level for this turn.", "N", kind="count"),
            Option(("--no-wait",), "Return when it has begun."),
        ),
        examples=(("--prompt 'Review the last commit.'", "in the conversation of its last turn"),),
        notes="One turn at a time. An agent with a terminal takes no turns: it is told so, and nothing is sent.",
    ),
    *pair(
        "turn status",
        "Say how a turn stands.",
        status,
        arguments=TURN,
        examples=(("turn-0001", "and where its output is"),),
    ),
    *pair(
        "turn events",
        "Print the events of a turn, in the words of all providers.",
        events,
        arguments=TURN,
        options=(
            Option(
                ("--detail",),
                "concise, or detail with the provider's own lines.",
                "HOW",
                kind="choice",
                choices=("concise", "detail"),
            ),
        ),
        examples=(("turn-0001", "what it said and did"),),
    ),
    *pair(
        "turn stdout",
        "Print what the program of a turn wrote.",
        stdout,
        arguments=TURN,
        examples=(("turn-0001", "its event lines"),),
    ),
    *pair(
        "turn stderr",
        "Print what the program of a turn complained about.",
        stderr,
        arguments=TURN,
        examples=(("turn-0001", "for people"),),
    ),
)
