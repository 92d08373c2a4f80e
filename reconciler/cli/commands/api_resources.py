"""`houmao api-resources`: the kinds there are."""

from reconciler.cli.grammar import Args, Command, Example, Option
from reconciler.cli.options import output


def api_resources(args: Args) -> int:
    """One line per kind."""
    from reconciler.app.kind_names import plural, short
    from reconciler.cli import screen
    from reconciler.cli.render_data import write
    from reconciler.cli.table import table
    from reconciler.declare.catalogue import Catalogue
    from reconciler.model.json import Json
    from reconciler.model.resource import API_VERSION

    catalogue = Catalogue()
    kinds = catalogue.names()
    form = screen.data_format(args)
    if form == "name":
        write({}, form, lambda: [plural(kind) for kind in kinds])
        return 0
    docs = {kind: schema.doc for kind in kinds if (schema := catalogue.schema(kind)) is not None}
    if form:
        items: list[Json] = [
            {
                "name": plural(kind),
                "shortNames": [short(kind, kinds)],
                "apiVersion": API_VERSION,
                "kind": kind,
                "doc": docs[kind],
            }
            for kind in kinds
        ]
        write({"apiVersion": "v1", "kind": "APIResourceList", "items": items}, form)
        return 0
    rows = [[plural(kind), short(kind, kinds), API_VERSION, kind, docs[kind]] for kind in kinds]
    headers = ("NAME", "SHORT", "APIVERSION", "KIND", "WHAT IT IS")
    table(headers, rows, screen.stdout(args), bare=args.flag("no_headers"))
    return 0


COMMANDS = (
    Command(
        "api-resources",
        "List the kinds of resources.",
        api_resources,
        options=(Option(("--no-headers",), "Rows alone."), output("table", "json", "yaml", "name", "jsonpath=")),
        examples=(
            Example("houmao api-resources", "names as get and delete take them"),
            Example("houmao api-resources -o name", "only those"),
        ),
    ),
)
