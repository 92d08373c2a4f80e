"""`houmao show`: a plan file, as it would be applied."""

from reconciler.cli.grammar import Args, Argument, Command, Example
from reconciler.cli.options import OUTPUT_PLAN, output


def show(args: Args) -> int:
    """Print it; no overlay, no tmux, no declarations are looked at."""
    from reconciler.app import apply_file as use_case
    from reconciler.cli import dry, render_plan, screen

    found, expired = use_case.show(args.text("plan"))
    if expired:
        screen.stderr(args).line(f"This plan was good until {found.expires}: it will not be applied.")
    if dry.as_data(args, found.plan, found.to_json()):
        return 0
    out = screen.stdout(args)
    render_plan.show(found.plan, out, wide=screen.is_wide(args))
    out.line(f"Planned at {found.plan.created_at}, good until {found.expires}.")
    return 0


COMMANDS = (
    Command(
        "show",
        "Show a plan file.",
        show,
        arguments=(Argument("plan", "FILE", "what `houmao plan -o FILE.json` wrote"),),
        options=(output(*OUTPUT_PLAN, "markdown"),),
        examples=(
            Example("houmao show plan.json", "every action with its reason, as when it was planned"),
            Example("houmao show plan.json -o json", "the file as data"),
        ),
        notes="A file that was edited or damaged is refused. One that is too old is shown, and not applied any more.",
    ),
)
