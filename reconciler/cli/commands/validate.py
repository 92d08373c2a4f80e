"""`houmao validate`: check declarations without looking at anything that runs."""

from reconciler.cli.grammar import Args, Command, Example
from reconciler.cli.options import SOURCE, VALIDATE, output


def validate(args: Args) -> int:
    """Every fault at once; 1 when there is one."""
    from reconciler.app import plan as use_case
    from reconciler.cli import orders, places, screen
    from reconciler.cli.render_data import write
    from reconciler.model.errors import DeclarationError

    form = screen.data_format(args)
    found = use_case.validate(places.flags(args), orders.source(args), args.text("validate", "strict"))
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


COMMANDS = (
    Command(
        "validate",
        "Check declarations; nothing else is looked at.",
        validate,
        options=(*SOURCE, VALIDATE, output("text", "json", "yaml", "name", "jsonpath=")),
        examples=(
            Example("houmao validate -f team.yaml", "schema, references and limits, with file, line and column"),
            Example("houmao validate -f fleet/ -R -o json", "problems as data"),
        ),
        notes="Needs no overlay, no tmux and no network. All problems are reported together.",
    ),
)
