"""`houmao agents single|self gateway reminders …`: what a gateway tells its agent later."""

from reconciler.cli.agent import agent, pair, show
from reconciler.cli.grammar import Args, Option, Usage

ID = Option(("--id", "--reminder-id"), "The reminder.", "ID")
CONTENT = (
    Option(("--title",), "What it is called.", "TEXT"),
    Option(("--mode",), "Once, or again and again.", "MODE", kind="choice", choices=("one_off", "repeat")),
    Option(("--prompt",), "The prompt to give.", "TEXT"),
    Option(("--sequence",), "Or the keys to type, such as /compact.", "KEYS"),
    Option(("--no-ensure-enter",), "Do not end the keys with Enter."),
    Option(("--ranking",), "The smallest one comes first; 0 by default, may be negative.", "N"),
    Option(("--before-all",), "Before every other reminder."),
    Option(("--after-all",), "After every other reminder."),
    Option(("--paused",), "Do not fire; while it is the first one, no other does."),
    Option(("--after", "--start-after-seconds"), "Due so long from now.", "SECONDS", kind="seconds"),
    Option(("--deliver-at-utc",), "Or due at this moment, such as 2026-12-01T09:00:00Z.", "TIME"),
    Option(("--interval-seconds",), "With --mode repeat: between two of them.", "SECONDS", kind="seconds"),
)


def reminders(args: Args) -> int:
    """One of the five, by the last word of its name."""
    from reconciler.app.gateway.remote import ask

    word = args.command.path.rpartition(" ")[2]
    if word == "list":
        show(args, ask(agent(args), "GET", "/v1/reminders"))
        return 0
    if word == "create":
        found = agent(args)
        body = _content(args, found, {})
        show(args, ask(found, "POST", "/v1/reminders", {"schema_version": 1, "reminders": [body]}))
        return 0
    reminder_id = _id(args)
    path = f"/v1/reminders/{reminder_id}"
    if word == "set":
        found = agent(args)
        before = ask(found, "GET", path)
        show(args, ask(found, "PUT", path, _content(args, found, before)))
        return 0
    show(args, ask(agent(args), "DELETE" if word == "remove" else "GET", path))
    return 0


def _id(args: Args) -> str:
    found = args.maybe("reminder_id")
    if found is None:
        raise Usage(f"{args.command.path} needs --reminder-id ID", "`… gateway reminders list` shows them")
    kind, _, digits = found.partition("-")
    if kind != "greminder" or len(digits) != 12 or digits.strip("0123456789abcdef"):
        raise Usage(f"{found!r} is no id of a reminder", "they look like greminder-0123456789ab")
    return found


def _content(args: Args, found: "Agent", before: "JsonMap") -> "JsonMap":
    """A reminder from its options, over what it was before."""
    body: JsonMap = {
        key: before[key]
        for key in ("mode", "title", "ranking", "paused", "prompt", "send_keys", "interval_seconds")
        if before.get(key) is not None
    }
    if before:
        body["deliver_at_utc"] = before["next_due_at_utc"]
    mode, title = args.maybe("mode"), args.maybe("title")
    body |= {**({"mode": mode} if mode else {}), **({"title": title} if title else {})}
    body.setdefault("mode", "one_off")
    _delivery(args, body)
    _when(args, body)
    if args.flag("paused"):
        body["paused"] = True
    elif before and (title or mode or args.maybe("prompt") or args.maybe("sequence")):
        body["paused"] = bool(before.get("paused"))
    body["ranking"] = _ranking(args, found, body.get("ranking"))
    for key, flag in (("title", "--title TEXT"),):
        if key not in body:
            raise Usage(f"{args.command.path} needs {flag}")
    return body


def _delivery(args: Args, body: "JsonMap") -> None:
    prompt, sequence = args.maybe("prompt"), args.maybe("sequence")
    if prompt is not None and sequence is not None:
        raise Usage("--prompt and --sequence exclude each other")
    if prompt is not None:
        body.pop("send_keys", None)
        body["prompt"] = prompt
    if sequence is not None:
        body.pop("prompt", None)
        body["send_keys"] = {"sequence": sequence, "ensure_enter": not args.flag("no_ensure_enter")}
    if "prompt" not in body and "send_keys" not in body:
        raise Usage(f"{args.command.path} needs --prompt TEXT or --sequence KEYS")


def _when(args: Args, body: "JsonMap") -> None:
    after, at, interval = (
        args.seconds("start_after_seconds"),
        args.maybe("deliver_at_utc"),
        args.seconds("interval_seconds"),
    )
    if after is not None and at is not None:
        raise Usage("--start-after-seconds and --deliver-at-utc exclude each other")
    if after is not None:
        body.pop("deliver_at_utc", None)
        body["start_after_seconds"] = after
    if at is not None:
        body["deliver_at_utc"] = at
    if "start_after_seconds" not in body and "deliver_at_utc" not in body:
        raise Usage(f"{args.command.path} needs --start-after-seconds SECONDS or --deliver-at-utc TIME")
    if interval is not None:
        body["interval_seconds"] = interval
    if body["mode"] != "repeat":
        if interval is not None:
            raise Usage("--interval-seconds goes with --mode repeat")
        body.pop("interval_seconds", None)
    elif "interval_seconds" not in body:
        raise Usage("--mode repeat needs --interval-seconds SECONDS")


def _ranking(args: Args, found: "Agent", before: "Json") -> int:
    from reconciler.app.gateway.remote import ask

    given, first, last = args.maybe("ranking"), args.flag("before_all"), args.flag("after_all")
    if sum((given is not None, first, last)) > 1:
        raise Usage("--ranking, --before-all and --after-all exclude each other")
    if given is not None:
        if not given.removeprefix("-").isdecimal() or len(given) > 8:
            raise Usage(f"--ranking is a whole number, not {given!r}")
        return int(given)
    if not (first or last):
        return before if isinstance(before, int) else 0
    listed = ask(found, "GET", "/v1/reminders")["reminders"]
    ranks = [each["ranking"] for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    numbers = [rank for rank in ranks if isinstance(rank, int)]
    return min(numbers, default=1) - 1 if first else max(numbers, default=-1) + 1


COMMANDS = (
    *pair("gateway reminders list", "List an agent's reminders.", reminders, examples=(("", "the first may fire"),)),
    *pair(
        "gateway reminders get",
        "Print one reminder.",
        reminders,
        options=(ID,),
        examples=(("--reminder-id greminder-0123456789ab", "when it is due"),),
    ),
    *pair(
        "gateway reminders create",
        "Have the gateway tell its agent something later.",
        reminders,
        options=CONTENT,
        examples=(("--title t --prompt Test --after 600", "once, in ten minutes"),),
        notes=(
            "With --mode repeat and --interval-seconds it comes again and again. It fires only while the agent waits "
            "for a prompt and nothing is queued; one that was missed fires once."
        ),
    ),
    *pair(
        "gateway reminders set",
        "Change a reminder.",
        reminders,
        options=(ID, *CONTENT),
        examples=(("--id greminder-0123456789ab --paused", "hold it"),),
    ),
    *pair(
        "gateway reminders remove",
        "Take a reminder away.",
        reminders,
        options=(ID,),
        examples=(("--reminder-id greminder-0123456789ab", "for good"),),
    ),
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.app.agents import Agent
    from reconciler.model.json import Json, JsonMap
