"""`houmao reconcile`: one look of the watch, now."""

from reconciler.cli.grammar import Args, Command, Example, Option
from reconciler.cli.options import output


def reconcile(args: Args) -> int:
    """Ask the watch, print what it does, and end as its look ended."""
    from reconciler.app import reconciling
    from reconciler.cli import places, screen
    from reconciler.cli.complain import printable
    from reconciler.cli.render_data import write
    from reconciler.cli.render_report import Progress

    form = screen.data_format(args)
    out = screen.stderr(args) if form else screen.stdout(args)
    progress = Progress(out)
    timeout = args.seconds("timeout")
    found = reconciling.reconcile(
        places.flags(args),
        600.0 if timeout is None else timeout,
        emit=lambda kind, fields: progress.event(kind, fields),
    )
    if form:
        write(found.to_json(), form, lambda: [f"exit {found.exit_code}"])
        return found.exit_code
    if found.error is not None:
        out.line(out.paint(printable(f"error[{found.error.get('code')}]: {found.error.get('message')}"), "red"))
        if found.error.get("hint"):
            out.line(printable(f"  hint: {found.error['hint']}"))
        return found.exit_code
    counts = (found.report or {}).get("summary")
    done = ", ".join(f"{count} {word}" for word, count in counts.items()) if isinstance(counts, dict) else ""
    out.line(out.paint(f"The watch (process {found.leader}) looked: {done or 'nothing to do'}.", "bold"))
    for each in _waiting(found.report):
        for line in out.wrapped(printable(each), 2):
            out.line(line)
    return found.exit_code


def _waiting(report: "JsonMap | None") -> list[str]:
    plan = (report or {}).get("plan")
    actions = plan.get("actions") if isinstance(plan, dict) else None
    lines = []
    for action in actions if isinstance(actions, list) else ():
        if isinstance(action, dict) and action.get("verb") in ("wait", "blocked"):
            reasons = action.get("reasons")
            first = reasons[0] if isinstance(reasons, list) and reasons else {}
            lines.append(
                f"{action['verb']} {action.get('ref')}: {first.get('text') if isinstance(first, dict) else ''}"
            )
    return lines


TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.model.json import JsonMap

COMMANDS = (
    Command(
        "reconcile",
        "Have the watch look now, with its source read anew, and say what came of it.",
        reconcile,
        options=(
            Option(("--now",), "It is always now; accepted for those who write it."),
            Option(("--timeout",), "How long to wait for the answer, 10m by default.", "TIME", kind="seconds"),
            output("text", "json", "yaml", "name", "jsonpath="),
        ),
        examples=(
            Example("houmao reconcile --now", "do not wait for the next look"),
            Example("houmao reconcile -o json", "its report, as `apply -o json` has it"),
        ),
        notes=(
            "The JSON has leader, exitCode, error and report. Where no watch leads, `houmao apply` acts by itself. "
            "What the watch holds back (a busy agent, a suspended set) it still holds back."
        ),
        own={
            "1": "something failed, the source cannot be read, or no watch leads this overlay",
            "3": "the watch did not answer in time",
            "5": "the watch is stopped",
        },
    ),
)
