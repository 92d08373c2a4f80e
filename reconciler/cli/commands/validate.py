"""`houmao validate`: check declarations without looking at anything that runs."""

from reconciler.cli.grammar import Args, Command, Example
from reconciler.cli.options import SOURCE, VALIDATE, output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.app.plan import Validation


def validate(args: Args) -> int:
    """Every fault at once; 1 when there is one."""
    from reconciler.app import plan as use_case
    from reconciler.cli import orders, places, screen
    from reconciler.cli.render_data import write
    from reconciler.model.errors import DeclarationError

    form = screen.data_format(args)
    found = use_case.validate(places.flags(args), orders.source(args), args.text("validate", "strict"))
    if form == "github":
        return _annotated(args, found)
    if found.problems:
        raise DeclarationError(list(found.problems))
    refs = [str(ref) for ref, resource in sorted(found.resources.items()) if not resource.derived]
    if form:
        warnings = [warning.to_json() for warning in found.warnings]
        write({"documents": found.documents, "resources": [*refs], "warnings": [*warnings]}, form, lambda: refs)
        return 0
    out = screen.stdout(args)
    for warning in found.warnings:
        where = f"{warning.position}: " if warning.position else ""
        screen.stderr(args).line(out.paint(f"{where}warning[{warning.code}]: {warning.message}", "yellow"))
    out.line(f"{found.documents} {'document is' if found.documents == 1 else 'documents are'} valid.")
    return 0


def _annotated(args: Args, found: "Validation") -> int:
    """Workflow commands and a count. A runner obeys both streams, so nothing else that was read is repeated."""
    from reconciler.cli import render_github, screen

    out = screen.stdout(args)
    for problem in found.problems:
        out.line(render_github.annotation(problem))
    for warning in found.warnings:
        out.line(render_github.annotation(warning, "warning"))
    count = len(found.problems)
    if not count:
        out.line(f"{found.documents} {'document is' if found.documents == 1 else 'documents are'} valid.")
        return 0
    screen.stderr(args).line(f"{count} {'problem' if count == 1 else 'problems'}")
    return 1


COMMANDS = (
    Command(
        "validate",
        "Check declarations; nothing else is looked at.",
        validate,
        options=(*SOURCE, VALIDATE, output("text", "json", "yaml", "name", "jsonpath=", "github")),
        examples=(
            Example("houmao validate -f team.yaml", "schema, references and limits, with file, line and column"),
            Example("houmao validate -f fleet/ -R -o json", "problems as data"),
            Example("houmao validate -f fleet/ -R -o github", "problems beside the lines of a pull request"),
        ),
        notes="Needs no overlay, no tmux and no network. All problems are reported together.",
    ),
)
