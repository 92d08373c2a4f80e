"""`houmao explain`: what a kind is, and what may be written in it."""

from reconciler.cli.grammar import Args, Argument, Command, Example
from reconciler.cli.options import output


def explain(args: Args) -> int:
    """Text about a kind or a field, or its JSON Schema."""
    from reconciler.app.kind_names import kind_of
    from reconciler.cli import screen
    from reconciler.cli.complain import printable
    from reconciler.declare.catalogue import Catalogue
    from reconciler.declare.explain import explain as lines_about
    from reconciler.model.errors import UsageFault

    word, _, path = args.text("what").partition(".")
    catalogue = Catalogue()
    schema = catalogue.schema(kind_of(word, catalogue.names()))
    if schema is None:
        raise UsageFault(f"there is no kind {word!r}", hint="`houmao api-resources` lists the kinds")
    if screen.data_format(args):
        from reconciler.cli.render_data import write
        from reconciler.declare.jsonschema import of_kind

        write(of_kind(schema), "json")
        return 0
    out = screen.stdout(args)
    for line in lines_about(schema, path):
        out.line(printable(line))
    return 0


COMMANDS = (
    Command(
        "explain",
        "Say what a kind is, and what may be written in it.",
        explain,
        arguments=(Argument("what", "KIND[.FIELD]", "the kind, or one of its fields"),),
        options=(output("text", "jsonschema", doc="Text, or the JSON Schema of the kind."),),
        examples=(
            Example("houmao explain instance", "every field of a kind"),
            Example("houmao explain instance.retry.base", "one field: type, default, what a change of it costs"),
            Example("houmao explain specialist --output=jsonschema", "for editors"),
        ),
    ),
)
