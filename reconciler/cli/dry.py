"""Plans that are only shown: `plan`, and `apply --dry-run`."""

from reconciler.app import plan as use_case
from reconciler.app.plan import PlanResult
from reconciler.cli import orders, places, render_plan, screen
from reconciler.cli.complain import printable
from reconciler.cli.grammar import Args
from reconciler.cli.render_data import write
from reconciler.model.action import Plan
from reconciler.model.json import JsonMap

CLIENT = "Compared with what was last applied; nothing was observed."


def dry_run(args: Args, *, client: bool) -> int:
    """Show what an apply would do; 0 however much that is."""
    flags, source, wanted = places.flags(args), orders.source(args), orders.planning(args)
    found = (use_case.client_diff if client else use_case.plan)(flags, source, wanted)
    show(args, found, client=client)
    return 0


def show(args: Args, found: PlanResult, *, client: bool = False) -> None:
    """The plan in the form asked for; warnings go to standard error."""
    warn(args, found)
    if as_data(args, found.plan, found.plan.to_json()):
        if client:
            screen.stderr(args).line(CLIENT)
        return
    out = screen.stdout(args)
    render_plan.show(found.plan, out, wide=screen.is_wide(args))
    if client:
        out.line(CLIENT)
    elif not found.overlay_exists and not found.plan.empty:
        out.line(f"There is no overlay yet; apply creates {printable(found.overlay)}.")
    if found.unknown:
        out.line(out.paint(f"{found.unknown} could not be observed and are left alone.", "yellow"))


def as_data(args: Args, plan: Plan, body: JsonMap) -> bool:
    """Write a plan for a program; False where text for people is wanted."""
    form = screen.data_format(args)
    if form == "markdown":
        from reconciler.cli import render_markdown

        screen.stdout(args).line(render_markdown.plan(plan).rstrip("\n"))
    elif form:
        names = [f"{action.ref} {action.verb.value}" for action in plan.actions]
        write(body, form, lambda: names)
    return bool(form)


def saved(args: Args, found: PlanResult, where: str) -> None:
    """The plan as text, and where it was written."""
    warn(args, found)
    out = screen.stdout(args)
    render_plan.show(found.plan, out)
    if found.unknown:
        out.line(out.paint(f"{found.unknown} could not be observed and are left alone.", "yellow"))
    out.line(f"Written to {printable(where)}; `houmao apply {printable(where)}` does exactly that.")


def warn(args: Args, found: PlanResult) -> None:
    """What loading warned of."""
    out = screen.stderr(args)
    for warning in found.warnings:
        where = f"{warning.position}: " if warning.position else ""
        out.line(out.paint(f"{where}warning[{warning.code}]: {warning.message}", "yellow"))
        if warning.hint:
            out.line(f"  hint: {printable(warning.hint)}")
