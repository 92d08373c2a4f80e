"""`houmao diff`: field by field, what is declared and what is there."""

from reconciler.cli.grammar import Args, Command, Example
from reconciler.cli.options import GIT, PLANNING, SOURCE, output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.model.action import Action
    from reconciler.model.json import Json, JsonMap


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
    if form == "markdown":
        from reconciler.cli import render_markdown

        screen.stdout(args).line(render_markdown.differences(actions).rstrip("\n"))
    elif form:
        items: list[Json] = [_item(action) for action in actions]
        write({"differences": items}, form, lambda: [str(action.ref) for action in actions])
    elif actions:
        render_plan.differences(actions, screen.stdout(args))
    return 1 if actions else 0


def _item(action: "Action") -> "JsonMap":
    return {
        "ref": str(action.ref),
        "verb": action.verb.value,
        "reasons": [reason.to_json() for reason in action.reasons],
        "changes": [change.to_json() for change in action.changes],
    }


COMMANDS = (
    Command(
        "diff",
        "Show field by field what is declared and what is there.",
        diff,
        options=(*SOURCE, *GIT, *PLANNING, output("text", "json", "yaml", "name", "jsonpath=", "markdown")),
        examples=(
            Example("houmao diff -f team.yaml", "before and after of every field, with file and line"),
            Example("houmao diff -f team.yaml --target specialist/coder", "of one resource"),
            Example("houmao diff -f fleet/ -o markdown", "a table for a pull request"),
        ),
        notes="Content of files is compared by digest and shown as digest and size.",
        own={"0": "the same", "1": "different", "2": "error"},
        trouble=2,
    ),
)
