"""`houmao agents single|self …`: state, prompt, interrupt, stop, relaunch."""

from reconciler.cli.agent import READY, SINGLE, agent, pair, show, telling, text_of
from reconciler.cli.grammar import Args, Option, Usage

FORCE = Option(("--force",), "Send it whatever the screen shows; the answer says what that overrode.")


def state(args: Args) -> int:
    """Can it be talked to, and where its turn stands."""
    from reconciler.app.agent_state import managed_state
    from reconciler.cli import screen
    from reconciler.cli.table import pairs

    body = managed_state(agent(args))
    if screen.data_format(args):
        show(args, body)
    else:
        pairs([(name, value) for name, value in _in_short(body) if value], screen.stdout(args))
    return 0


def _in_short(body: "JsonMap") -> "list[tuple[str, str]]":
    """The state for people: who, how, where; each thing once."""
    from reconciler.cli.table import in_words

    who = body["identity"] if isinstance(body["identity"], dict) else {}
    diagnostics = body["diagnostics"] if isinstance(body["diagnostics"], list) else []
    said = [f"{each['kind']}: {each['message']}" for each in diagnostics if isinstance(each, dict)]
    where = [str(who[key]) for key in ("tmux_session_name", "terminal_id") if who.get(key)]
    return [
        ("Agent", f"{who.get('agent_name')}, {body['tracked_agent_id']}"),
        ("Availability", in_words(body["availability"])),
        ("Turn", _turn(body["turn"])),
        ("Last turn", _turn(body["last_turn"])),
        ("Diagnostics", "\n".join(said)),
        ("Lifecycle", in_words(who.get("lifecycle_state"))),
        ("Tool", f"{who.get('tool')}, {who.get('transport')}"),
        ("Session", ", ".join(where)),
        ("Gateway", in_words(body["gateway"]) if body["gateway"] else ""),
        ("Manifest", str(who.get("manifest_path") or "")),
        ("Memo", str(body["memo_file"])),
        ("Pages", str(body["pages_dir"])),
    ]


def _turn(value: "Json") -> str:
    """Its phase or its result, and what else is known of it."""
    from reconciler.cli.table import in_words

    if not isinstance(value, dict):
        return ""
    first = str(value.get("phase") or value.get("result"))
    more: JsonMap = {name: part for name, part in value.items() if name not in ("phase", "result") and part is not None}
    return f"{first} ({in_words(more)})" if more else first


def prompt(args: Args) -> int:
    """Hand a prompt over; with --wait print the answer as it comes."""
    from reconciler.app import messages
    from reconciler.app.answer import Answer
    from reconciler.cli import screen
    from reconciler.cli.complain import printable

    text = text_of(args, "prompt", "a prompt")
    model, level = args.maybe("model"), args.count("reasoning_level")
    found = agent(args)
    answer = Answer(found, text) if args.flag("wait") else None
    sent = messages.prompt(
        found,
        text,
        force=args.flag("force"),
        within_s=args.seconds("ready_within") or 0.0,
        model=model,
        level=level,
    )
    body = sent.to_json()
    if answer is None or not sent.success:
        show(args, body)
        return 0 if sent.success else 1
    data = screen.data_format(args)
    out = screen.stdout(args)
    lines: list[str] = []
    for fresh in answer.lines(sent, args.seconds("timeout") or 600.0):
        lines.append(fresh)
        if not data:
            out.line(printable(fresh))
            out.flush()
    if data:
        show(args, {**body, "answer": "\n".join(lines), "result": answer.result})
    return 0 if answer.over else 3


def interrupt(args: Args) -> int:
    """Stop the running turn."""
    from reconciler.app import messages

    sent = messages.interrupt(agent(args), force=args.flag("force"))
    show(
        args,
        {
            "success": sent.success,
            "tracked_agent_id": sent.agent.agent_id,
            "detail": sent.detail,
            "turn_id": sent.turn_id,
            "delivery": sent.outcome.value,
        },
    )
    return 0 if sent.success else 1


def stop(args: Args) -> int:
    """End it; what is declared is held Stopped for a while."""
    from reconciler.app import lifecycle

    found = agent(args)
    ttl = args.seconds("override")
    return _changed(args, lambda told: lifecycle.stop(found, told, ttl))


def relaunch(args: Args) -> int:
    """Start its program anew."""
    from reconciler.app import lifecycle

    mode, chat = args.maybe("chat_session_mode"), args.maybe("chat_session_id")
    if (mode == "exact") != (chat is not None):
        raise Usage(
            "--chat-session-id goes with --chat-session-mode exact, and that mode needs it",
            "--chat-session-mode exact --chat-session-id ID",
        )
    resume: JsonMap | None = None if mode is None else {"mode": mode, **({"id": chat} if chat else {})}
    found = agent(args)
    return _changed(args, lambda told: lifecycle.relaunch(found, told, resume))


def _changed(args: Args, change: "Callable[[Telling], Changed]") -> int:
    done = change(telling(args))
    show(args, done.to_json())
    return done.exit_code


RUN = (
    Option(("--timeout",), "How long in all, 10m by default.", "TIME", kind="seconds"),
    Option(
        ("--lock-timeout",),
        "How long to wait for another writer: 30s by default, in CI not at all.",
        "TIME",
        kind="seconds",
    ),
)

COMMANDS = (
    *pair(
        "state",
        "Say whether an agent can be talked to, and where its turn stands.",
        state,
        examples=(("", "its turn, its last result, its memory"), ("-o json", "as data")),
    ),
    *pair(
        "prompt",
        "Give an agent a prompt, once, when it is ready for one.",
        prompt,
        options=(
            Option(("--prompt",), "The prompt; else standard input.", "TEXT"),
            Option(("--wait",), "Print the answer as it comes, until the turn is over."),
            READY,
            FORCE,
            Option(("--timeout",), "With --wait: how long, 10m by default.", "TIME", kind="seconds"),
            Option(("--model",), "Headless: another model for this turn.", "NAME"),
            Option(("--reasoning-level",), "Headless: another level for this turn.", "N", kind="count"),
        ),
        examples=(
            ("--prompt 'Write the tests.'", "refused while it is busy"),
            ("--prompt 'Write the tests.' --ready-within 5m --wait", "when it is ready, and print the answer"),
        ),
        notes=(
            "The prompt is typed only while the agent's terminal shows what it was judged by, and never into an idle "
            "shell, a dead pane or a running turn. The answer says delivered, undelivered or unknown; what is unknown "
            "is never sent again. A headless agent runs it as a turn."
        ),
    ),
    *pair(
        "interrupt",
        "Stop the turn an agent is at.",
        interrupt,
        options=(FORCE,),
        examples=(("", "one Escape, or SIGTERM to a headless turn; success where none runs"),),
    ),
    *pair(
        "stop",
        "End an agent; a declared one is held Stopped for a while.",
        stop,
        options=(
            Option(("--override",), "How long to hold it, 1h by default.", "TIME", kind="seconds"),
            *RUN,
        ),
        examples=(("", "its home is kept"),),
        notes=(
            "Success where it is stopped already. A record that says it runs and is not true is settled, and the "
            "answer says which class was found."
        ),
        families=(SINGLE,),
    ),
    *pair(
        "relaunch",
        "Start an agent's program anew, or start a stopped agent again.",
        relaunch,
        options=(
            Option(
                ("--chat-session-mode",),
                "Which conversation to go on with; else as declared.",
                "MODE",
                kind="choice",
                choices=("new", "tool_last_or_new", "exact"),
            ),
            Option(("--chat-session-id",), "The conversation, with --chat-session-mode exact.", "ID"),
            *RUN,
        ),
        examples=(("", "on its home, with its conversation"), ("--chat-session-mode new", "with a new one")),
        notes="What is left of a broken agent is ended first; the answer says which class was found.",
    ),
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.app.lifecycle import Changed, Telling
    from reconciler.model.json import Json, JsonMap
