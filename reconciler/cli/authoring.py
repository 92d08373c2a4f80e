"""What the authoring commands share: options from the table of flags, and how an answer is shown.

A command that changes something shows its plan as `apply` does, and answers one document with the keys it has always
had; what went wrong is an error like any other.
"""

import sys
from collections.abc import Callable, Sequence

from reconciler.app.authoring.edits import Given
from reconciler.app.authoring.flags import Flag, How
from reconciler.cli.grammar import Args, Option, Usage
from reconciler.cli.options import DRY, output
from reconciler.model.json import Json, JsonMap

FORMATS = ("text", "json", "yaml", "jsonpath=")
CHANGING = (
    Option(("-y", "--yes"), "Replace what has the name, and do not ask before agents lose their conversation."),
    DRY,
    Option(("--timeout",), "How long in all, 10m by default.", "TIME", kind="seconds"),
    Option(
        ("--lock-timeout",),
        "How long to wait for another writer: 30s by default, in CI not at all.",
        "TIME",
        kind="seconds",
    ),
    output(*FORMATS),
)
"""Of every command that changes something."""
LOOKING = (output(*FORMATS),)
CASCADE = Option(("--cascade",), "Remove what uses it too.", "HOW", kind="choice", choices=("no", "yes"), alone="yes")
NAME = Option(("--name",), "Its name.", "NAME")
CODES = {
    "3": "not converged in time",
    "4": "the world moved since the plan was shown",
    "5": "another writer holds the overlay",
    "6": "a safeguard refused; the message says what to do",
}


def options(family: Sequence[Flag]) -> tuple[Option, ...]:
    """The options of a family's flags."""
    return tuple(
        Option(
            (flag.name,),
            flag.doc,
            flag.metavar,
            many=flag.many or flag.name == "--with-skill",
            kind="choice" if flag.choices else flag.kind,
            choices=flag.choices,
            other=flag.other,
        )
        if flag.metavar or flag.how not in (How.CONST, How.CLEAR, How.ELSE)
        else Option((flag.name,), flag.doc, other=flag.other)
        for flag in family
    )


def given(args: Args, family: Sequence[Flag]) -> Given:
    """What was written of a family's flags, by key."""
    found: dict[str, tuple[str, ...] | bool] = {}
    for flag in family:
        values = args.many(flag.key)
        if values:
            found[flag.key] = values
        elif args.flag(flag.key):
            found[flag.key] = True
    return found


def name_of(args: Args) -> str:
    """The name that has to be given; raises Usage."""
    name = args.text("name").strip()
    if not name:
        raise Usage(f"{args.command.path} needs --name NAME", f"`houmao {args.command.path} --help` has examples")
    return name


def changed(args: Args, use_case: "Callable[[Talk], Changed]") -> int:
    """Run a change and answer; the exit code is that of its report."""
    from reconciler.app.authoring.change import Talk
    from reconciler.cli import orders, screen
    from reconciler.cli.run import Stop, Teller
    from reconciler.cli.verb import way

    dry = args.text("dry_run", "none") != "none"
    how = orders.running(args)
    stop, teller = Stop(), Teller(args)

    def warn(text: str) -> None:
        screen.stderr(args).line(f"warning: {text}")

    talk = Talk(
        how._replace(stopping=stop.asked),
        teller.confirm,
        teller.shown,
        teller.emit,
        tell=teller.told,
        warn=warn,
        dry=dry,
        verb=args.command.path,
        way=way(args),
    )
    done = use_case(talk)
    form = screen.data_format(args)
    if done.report.exit_code:
        if form:
            raise failure(done.report)
        return teller.report(done.report)
    if dry:
        if form:
            show(args, done.report.plan.to_json())
        return 0
    if form:
        show(args, done.body)
        return 0
    return teller.report(done.report)


def failure(report: "Report") -> "ReconcilerError":
    """The first thing that went wrong, as the error that a program reads."""
    from reconciler.model.errors import ActionFailed, DeadlineExceeded

    for outcome in report.outcomes:
        if outcome.fault is not None:
            fault = outcome.fault
            return ActionFailed(fault.message, hint=fault.hint, code=fault.code, ref=str(outcome.action.ref))
    for action in report.plan.actions:
        if action.verb.value in ("blocked", "wait"):
            why = "; ".join(reason.text for reason in action.reasons)
            return ActionFailed(f"{action.ref} is held back: {why}", ref=str(action.ref))
    if report.timed_out:
        return DeadlineExceeded("not converged in time", hint="give more with --timeout")
    error = ActionFailed("the plan did not run to its end", hint="`houmao describe` says why")
    error.exit_code = report.exit_code
    return error


def looked(
    args: Args, body: JsonMap, table: "Callable[[JsonMap], tuple[Sequence[str], list[list[str]]]] | None" = None
) -> int:
    """Show what was looked up: data, a table of the key fields, or one thing line by line."""
    from reconciler.cli import screen

    if screen.data_format(args):
        show(args, body)
        return 0
    out = screen.stdout(args)
    if table is not None:
        headers, rows = table(body)
        if not rows:
            screen.stderr(args).line("There is none.")
            return 0
        from reconciler.cli.table import table as draw

        draw(headers, rows, out)
        return 0
    from reconciler.cli.table import pairs

    pairs(lines(body), out)
    return 0


def show(args: Args, body: JsonMap) -> None:
    """One document in the form that was asked for."""
    from reconciler.cli import screen
    from reconciler.cli.render_data import write

    write(body, screen.data_format(args))


def lines(body: JsonMap, prefix: str = "") -> list[tuple[str, str]]:
    """Every value with its path: nothing is left out of what a person sees (§11 row 18)."""
    found: list[tuple[str, str]] = []
    for key, value in body.items():
        found += _line(f"{prefix}{key}", value)
    return found


def _line(key: str, value: Json) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return lines(value, f"{key}.") or [(key, "none")]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [pair for at, item in enumerate(value) for pair in _line(f"{key}[{at}]", item)]
    return [(key, said(value))]


def said(value: Json) -> str:
    """A value as a word."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in (None, "", {}) else str(value)


def columns(key: str, *fields: tuple[str, str]) -> "Callable[[JsonMap], tuple[Sequence[str], list[list[str]]]]":
    """A table of the list at `key`: a header and a dotted path for each column."""
    from reconciler.model.resource import at_path

    def table(body: JsonMap) -> tuple[Sequence[str], list[list[str]]]:
        listed = body.get(key)
        items = listed if isinstance(listed, list) else []
        rows = [
            [_cell(at_path(item, path) if isinstance(item, dict) else item) for _, path in fields] for item in items
        ]
        return [header for header, _ in fields], rows

    return table


def _cell(value: Json) -> str:
    return "-" if value in (None, "", {}, []) else said(value)


def stdin() -> str:
    """Standard input, whole."""
    return sys.stdin.read()


TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.app.authoring.change import Talk
    from reconciler.app.authoring.family import Changed
    from reconciler.model.errors import ReconcilerError
    from reconciler.model.outcome import Report
