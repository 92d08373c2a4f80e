"""`houmao agents single|self gateway …`: attach, detach, status, prompt, interrupt, keys and the terminal's state."""

from reconciler.cli.agent import READY, agent, pair, show, telling, text_of
from reconciler.cli.grammar import Args, Option, Usage

TIMINGS = {
    "watch-poll-interval": ("watchPollInterval", "Between two looks at the screen while something happens."),
    "stability-threshold": ("stabilityThreshold", "Unchanged that long, a screen is stable."),
    "completion-stability": ("completionStability", "At rest that long, a turn is over."),
    "unknown-to-stalled-timeout": ("unknownToStalledTimeout", "Unreadable that long, an agent is stalled."),
    "stale-active-recovery": ("staleActiveRecovery", "A prompt that nothing answers is let go after this."),
    "final-stable-active-recovery": ("finalStableActiveRecovery", "A busy sign that stands still is let go after."),
}
OVERRIDE = Option(("--override",), "How long to hold it, 1h by default.", "TIME", kind="seconds")
LOCK = Option(("--lock-timeout",), "How long to wait for another writer, 30s by default.", "TIME", kind="seconds")


def attach(args: Args) -> int:
    """Give it a gateway, and say how that one is."""
    from reconciler.app.gateway import attach as use_case
    from reconciler.app.gateway.remote import status

    wanted: JsonMap = {"background": True} if args.flag("background") else {}
    tui: JsonMap = {}
    for flag, (name, _) in TIMINGS.items():
        seconds = args.seconds(f"gateway_tui_{flag.replace('-', '_')}_seconds")
        if seconds is not None:
            if seconds <= 0:
                raise Usage(f"--gateway-tui-{flag}-seconds must be above zero")
            tui[name] = round(seconds * 1000)
    found = agent(args)
    use_case.attach(found, telling(args), {**wanted, **({"tui": tui} if tui else {})}, args.seconds("override"))
    show(args, status(found.again()))
    return 0


def detach(args: Args) -> int:
    """End its gateway, and say how it is without."""
    from reconciler.app.gateway import attach as use_case
    from reconciler.app.gateway.remote import status

    found = agent(args)
    use_case.detach(found, telling(args), args.seconds("override"))
    show(args, status(found.again()))
    return 0


def gateway_status(args: Args) -> int:
    """How its gateway is; success also where it has none."""
    from reconciler.app.gateway.remote import status

    show(args, status(agent(args)))
    return 0


def prompt(args: Args) -> int:
    """A prompt through the gateway, handed over now or refused; its error object is printed too."""
    from reconciler.app.gateway.remote import GatewaySaidNo, ask_prompt

    text = text_of(args, "prompt", "a prompt")
    body: JsonMap = {
        "schema_version": 2,
        "prompt": text,
        "admission_policy": args.text("admission_policy", "ready-only").replace("-", "_"),
    }
    model, level = args.maybe("model"), args.count("reasoning_level")
    if model is not None or level is not None:
        reasoning: JsonMap = {"reasoning": {"level": level}} if level is not None else {}
        body["execution"] = {"model": {**({"name": model} if model is not None else {}), **reasoning}}
    chat = _chat(args)
    if chat is not None:
        body["chat_session"] = chat
    found = agent(args)
    try:
        answer = ask_prompt(found, body, args.seconds("ready_within") or 0.0)
    except GatewaySaidNo as no:
        if not isinstance(no.detail, dict):
            raise
        show(args, no.detail)
        return 1
    show(args, answer)
    return 0


def _chat(args: Args) -> "JsonMap | None":
    """The conversation that is asked for; None for the one it is in."""
    mode, chosen = args.maybe("chat_session_mode"), args.maybe("chat_session_id")
    if (mode == "exact") != (chosen is not None):
        raise Usage(
            "--chat-session-id goes with --chat-session-mode exact, and that mode needs it",
            "--chat-session-mode exact --chat-session-id ID",
        )
    if mode is None:
        return None
    return {"mode": mode, **({"id": chosen} if chosen is not None else {})}


def interrupt(args: Args) -> int:
    """Put an interrupt in the gateway's queue."""
    from reconciler.app.gateway.remote import ask, request_id

    found = agent(args)
    body: JsonMap = {"schema_version": 1, "kind": "interrupt", "payload": {}}
    show(args, ask(found, "POST", "/v1/requests", body, request_id=request_id(found)))
    return 0


def send_keys(args: Args) -> int:
    """Type keys through the gateway."""
    from reconciler.app.gateway.remote import ask, request_id

    sequence = args.maybe("sequence")
    if not sequence:
        raise Usage("agents … gateway send-keys needs --sequence KEYS", "--sequence '/model<[Enter]>'")
    found = agent(args)
    body: JsonMap = {"sequence": sequence, "escape_special_keys": args.flag("escape_special_keys")}
    show(args, ask(found, "POST", "/v1/control/send-keys", body, request_id=request_id(found)))
    return 0


def tui(args: Args) -> int:
    """State or history of the terminal as the gateway follows it, or that a prompt was typed by hand."""
    from reconciler.app.gateway.remote import ask

    word = args.command.path.rpartition(" ")[2]
    if word == "note-prompt":
        text = text_of(args, "prompt", "the prompt that was typed")
        show(args, ask(agent(args), "POST", "/v1/control/tui/note-prompt", {"prompt": text}))
        return 0
    if word == "history":
        limit = args.count("limit")
        if limit is not None and not 1 <= limit <= 1000:
            raise Usage("--limit is 1 to 1000")
        show(args, ask(agent(args), "GET", f"/v1/control/tui/history?limit={limit or 100}"))
        return 0
    show(args, ask(agent(args), "GET", "/v1/control/tui/state"))
    return 0


def watch(args: Args) -> int:
    """The terminal's state, a line whenever it changes, until interrupted or for so many looks."""
    from reconciler.app.gateway.remote import ask
    from reconciler.cli import screen
    from reconciler.cli.complain import printable

    interval = args.seconds("interval_seconds")
    interval = 1.0 if interval is None else interval
    if interval <= 0:
        raise Usage("--interval-seconds must be above zero")
    looks, found, before = args.count("looks"), agent(args), ""
    data, out = screen.data_format(args), screen.stdout(args)
    while looks is None or looks > 0:
        body = ask(found, "GET", "/v1/control/tui/state")
        turn, last, surface = (body.get(key) for key in ("turn", "last_turn", "surface"))
        line = ", ".join(
            f"{name} {value.get(key)}"
            for name, value, key in (
                ("turn", turn, "phase"),
                ("last", last, "result"),
                ("accepting", surface, "accepting_input"),
            )
            if isinstance(value, dict)
        )
        if data:
            show(args, body)
        elif line != before:
            out.line(printable(f"{body.get('observed_at_utc')}  {line}"))
        out.flush()
        before = line
        if looks is not None:
            looks -= 1
            if looks == 0:
                break
        found.session.reader.clock.sleep(interval)
    return 0


TEXT = Option(("--prompt",), "The prompt; else standard input.", "TEXT")

COMMANDS = (
    *pair(
        "gateway attach",
        "Give an agent a gateway, as an override of what is declared.",
        attach,
        options=(
            Option(("--background",), "In a process of its own, not in a window of the agent's session."),
            *(
                Option((f"--gateway-tui-{flag}-seconds",), doc, "SECONDS", kind="seconds")
                for flag, (_, doc) in TIMINGS.items()
            ),
            OVERRIDE,
            LOCK,
        ),
        examples=(("", "in a window named gateway"), ("--background", "one that outlives the tmux session")),
        notes="Where a gateway answers already and nothing else is asked for, nothing is done.",
    ),
    *pair(
        "gateway detach",
        "End an agent's gateway; a declared one is held detached for a while.",
        detach,
        options=(OVERRIDE, LOCK),
        examples=(("", "what is queued stays for the next gateway"),),
    ),
    *pair(
        "gateway status",
        "Say how an agent's gateway is; that it has none is an answer too.",
        gateway_status,
        examples=(("", "health, admission, queue"), ("-o json", "as data")),
    ),
    *pair(
        "gateway prompt",
        "Have the gateway hand a prompt over now, if it may.",
        prompt,
        options=(
            TEXT,
            Option(
                ("--admission-policy",),
                "What must hold: ready-only (the default), if-no-pending, or always.",
                "POLICY",
                kind="choice",
                choices=("ready-only", "if-no-pending", "always"),
            ),
            Option(("--model",), "Headless: another model for this turn.", "NAME"),
            Option(("--reasoning-level",), "Headless: another level for this turn.", "N", kind="count"),
            Option(
                ("--chat-session-mode",),
                "The conversation it belongs to, else the current one: new, or headless any of them.",
                "MODE",
                kind="choice",
                choices=("auto", "new", "current", "tool_last_or_new", "exact"),
            ),
            Option(("--chat-session-id",), "The conversation, with exact.", "ID"),
            READY,
        ),
        examples=(
            ("--prompt 'Write the tests.'", "refused while it is busy"),
            ("--prompt 'Write the tests.' --ready-within 5m", "when it is ready"),
            ("--prompt 'Another matter.' --chat-session-mode new", "in a new conversation"),
        ),
        notes=(
            "A terminal is given its program's own command for a new conversation first; a prompt to a headless agent "
            "begins a turn, which `agents … turn` follows."
        ),
    ),
    *pair(
        "gateway interrupt",
        "Put an interrupt in the gateway's queue.",
        interrupt,
        examples=(("", "several in a row become one"),),
    ),
    *pair(
        "gateway send-keys",
        "Have the gateway type keys.",
        send_keys,
        options=(
            Option(("--sequence",), "Text with keys in it, such as /model<[Enter]>.", "KEYS"),
            Option(("--escape-special-keys",), "Take the whole sequence for text."),
        ),
        examples=(("--sequence '/model<[Enter]>'", "no Enter that is not written"),),
    ),
    *pair("gateway tui state", "Print the state of the agent's terminal.", tui, examples=(("", "as of now"),)),
    *pair(
        "gateway tui history",
        "Print what became of the agent's terminal, newest last.",
        tui,
        options=(Option(("--limit",), "How many entries, 100 by default.", "N", kind="count"),),
        examples=(("--limit 20", "since the gateway started"),),
    ),
    *pair(
        "gateway tui watch",
        "Print the terminal's state whenever it changes.",
        watch,
        options=(
            Option(("--interval-seconds",), "Between two looks, 1 by default.", "SECONDS", kind="seconds"),
            Option(("--looks",), "Stop after so many looks.", "N", kind="count"),
        ),
        examples=(("--interval-seconds 2", "until it is interrupted"),),
    ),
    *pair(
        "gateway tui note-prompt",
        "Tell the gateway of a prompt that was typed by hand.",
        tui,
        options=(TEXT,),
        examples=(("--prompt 'Write the tests.'", "nothing is sent"),),
    ),
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.model.json import JsonMap
