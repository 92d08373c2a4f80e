"""`houmao diff`: field by field, what is declared and what is there."""

from reconciler.cli.grammar import Args, Command, Example
from reconciler.cli.options import PLANNING, SOURCE, output


def diff(args: Args) -> int:
    """0 same, 1 different, 2 error: like diff(1)."""
    from reconciler.app import plan as use_case
    from reconciler.cli import dry, orders, places, render_plan, screen
    from reconciler.cli.render_data import write
    from reconciler.model.action import Verb

    found = use_case.plan(places.flags(args), orders.source(args), orders.planning(args))
    actions = [action for action in found.plan.actions if action.verb is not Verb.NOOP]
    form = screen.data_format(args)
    dry.warn(args, found)
    if form:
        items = [
            {"ref": str(a.ref), "verb": a.verb.value, "reasons": [r.to_json() for r in a.reasons],
             "changes": [c.to_json() for c in a.changes]}
            for a in actions
        ]  # fmt: skip
        write({"differences": [dict(item) for item in items]}, form, lambda: [str(a.ref) for a in actions])
    elif actions:
        render_plan.differences(actions, screen.stdout(args))
    return 1 if actions else 0


COMMANDS = (
    Command(
        "diff",
        "Show field by field what is declared and what is there.",
        diff,
        options=(*SOURCE, *PLANNING, output("text", "json", "yaml", "name", "jsonpath=")),
        examples=(
            Example("houmao diff -f team.yaml", "before and after of every field, with file and line"),
            Example("houmao diff -f team.yaml --target specialist/coder", "of one resource"),
        ),
        notes="Content of files is compared by digest and shown as digest and size.",
        own={"0": "the same", "1": "different", "2": "error"},
        trouble=2,
    ),
)
