"""`houmao export`: manifests of what is recorded."""

from reconciler.cli.grammar import Args, Argument, Command, Example, Option
from reconciler.cli.options import SELECTOR, output


def export(args: Args) -> int:
    """Print YAML, or write a directory that can be applied."""
    from reconciler.app import export as use_case
    from reconciler.cli import places, screen
    from reconciler.cli.complain import printable
    from reconciler.cli.render_data import listed, write

    found = use_case.export(
        places.flags(args),
        args.many("what"),
        selector=args.text("selector"),
        apply_set=args.maybe("applyset"),
        directory=args.maybe("to"),
    )
    talk = screen.stderr(args)
    sets = [name for name in found.apply_sets if name != "default"]
    if sets:
        talk.line(f"apply it with --applyset={printable(sets[0])}, which owns these resources")
    if len(found.apply_sets) > 1:
        talk.line("these resources belong to several apply sets: export one at a time with --applyset")
    if found.written:
        for path in found.written:
            screen.stdout(args).line(printable(path))
        return 0
    form = screen.data_format(args)
    names = [f"{ref.kind.lower()}/{ref.name}" for ref in use_case.refs(found)]
    if form and form != "yaml":
        write(listed(found.documents, single=False), form, lambda: names)
        return 0
    from sys import stdout

    from reconciler.declare.dump import to_yaml

    stdout.write(to_yaml(found.documents))
    if found.payloads:
        talk.line(f"refers to {len(found.payloads)} files and directories below content/: --to DIR writes them too")
    return 0


COMMANDS = (
    Command(
        "export",
        "Write manifests of what is recorded; applied again, they plan nothing.",
        export,
        arguments=(
            Argument(
                "what", "[KIND [NAME…] | KIND/NAME…]", "what to export; everything without it", least=0, most=None
            ),
        ),
        options=(
            Option(("--to",), "Write fleet.yaml, and the files it refers to, into this directory.", "DIR"),
            SELECTOR,
            Option(("--applyset",), "Only what this apply set owns.", "NAME"),
            output("yaml", "json", "name", "jsonpath="),
        ),
        examples=(
            Example("houmao export --to fleet/", "a directory to put under version control"),
            Example("houmao export specialist/coder", "one resource, as YAML"),
            Example("houmao export -l team=core -o json", "some of them, as JSON"),
        ),
        notes="What an owner implies (members of a set, the role and recipe of a specialist) is left out.",
    ),
)
