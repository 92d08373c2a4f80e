"""What the commands about one agent share: which one is meant, how its answers are printed, and the pair of families.

Each of them exists twice: `agents single (--agent-id|--agent-name) …` names the agent, `agents self …` is the one in
whose terminal it is typed.
"""

import sys
from collections.abc import Callable, Sequence

from reconciler.app.agents import Agent, Selector, own, resolve
from reconciler.cli import places, screen
from reconciler.cli.complain import printable
from reconciler.cli.grammar import Args, Argument, Command, Example, Option, Usage
from reconciler.cli.options import output
from reconciler.cli.render_data import write
from reconciler.model.json import JsonMap

READY = Option(
    ("--ready-within",), "Wait up to this long until the agent is ready; 0 by default.", "TIME", kind="seconds"
)
SINGLE, SELF = "agents single", "agents self"
WHICH = (
    Option(("--agent-id",), "The agent with this id; may stand before the verb.", "ID"),
    Option(("--agent-name",), "The agent of this name (alice or HOUMAO-alice); may stand before the verb.", "NAME"),
)
FORMS = output("text", "json", "yaml", "jsonpath=")
CODES = {"1": "it was refused, or it failed; the message says which"}

Run = Callable[[Args], int]
TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.app.ask import Said
    from reconciler.app.lifecycle import Telling


def agent(args: Args) -> Agent:
    """The agent that is meant."""
    flags = places.flags(args)
    if args.command.path.startswith(SELF):
        return own(flags)
    return resolve(flags, Selector(args.maybe("agent_id"), args.maybe("agent_name")))


def pair(
    verb: str,
    summary: str,
    run: Run,
    *,
    arguments: tuple[Argument, ...] = (),
    options: tuple[Option, ...] = (),
    examples: Sequence[tuple[str, str]],
    notes: str = "",
    families: tuple[str, ...] = (SINGLE, SELF),
) -> tuple[Command, ...]:
    """The command in each family; `examples` are what follows the verb, and what it is for."""
    chosen = " --agent-name alice"
    return tuple(
        Command(
            f"{family} {verb}",
            summary,
            run,
            arguments=arguments,
            options=(*(WHICH if family == SINGLE else ()), *options, FORMS),
            examples=tuple(
                Example(f"houmao {family}{chosen if family == SINGLE else ''} {verb} {rest}".rstrip(), doc)
                for rest, doc in examples
            ),
            notes=notes,
            own=CODES,
        )
        for family in families
    )


def telling(args: Args) -> "Telling":
    """How a run on one agent goes: its name and the verb are the confirmation that a plan over many would ask for."""
    from reconciler.app.lifecycle import Telling
    from reconciler.app.request import RunFlags
    from reconciler.cli.run import Stop, Teller

    stopper, teller = Stop(), Teller(args)
    timeout = args.seconds("timeout")
    how = RunFlags(
        yes=True,
        timeout_s=600.0 if timeout is None else timeout,
        lock_timeout_s=args.seconds("lock_timeout"),
        stopping=stopper.asked,
    )
    return Telling(how, teller.confirm, lambda plan: None, lambda kind, fields: None, _Aloud(teller.told))


class _Aloud(list["Said"]):
    """What was said so far; each is printed when it is said (R-IMP-1), beside the answer where that is data."""

    def __init__(self, told: Callable[["Said"], None]) -> None:
        super().__init__()
        self._told = told

    def append(self, said: "Said") -> None:
        super().append(said)
        self._told(said)


def show(args: Args, body: JsonMap) -> None:
    """One answer: as data, or a line per key for people."""
    form = screen.data_format(args)
    if form:
        write(body, form)
        return
    from reconciler.cli.table import in_words, pairs

    rows = [(name.replace("_", " "), in_words(value)) for name, value in body.items() if value not in (None, [], {})]
    pairs(rows, screen.stdout(args))


def text_of(args: Args, key: str, what: str) -> str:
    """A text given as an option, or on standard input where it is not; raises Usage where there is none."""
    given = args.maybe(key)
    if given is not None:
        return given
    if sys.stdin is None or sys.stdin.isatty():
        raise Usage(f"{args.command.path} needs {what}", f"give it with --{key.replace('_', '-')} TEXT, or pipe it in")
    data = sys.stdin.buffer.read()
    try:
        return data.decode()
    except UnicodeDecodeError as fault:
        raise Usage(f"{what} on standard input is no UTF-8 text", str(fault)) from fault


def raw(data: bytes) -> None:
    """Bytes as they are, for a program; on a terminal without anything it would obey."""
    if sys.stdout.isatty():
        sys.stdout.write(printable(data.decode(errors="replace")))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
