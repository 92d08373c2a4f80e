"""`houmao create`: a new resource, by hand."""

from reconciler.cli.grammar import Args, Argument, Command, Example, Option, Usage
from reconciler.cli.options import DRY, OUTPUT_PLAN, RUN_CODES, RUNNING, output


def create(args: Args) -> int:
    """Make it in the apply set `imperative`, or print what would declare it."""
    from reconciler.app import kind_names, verbs
    from reconciler.app.session import open_session
    from reconciler.cli import places, screen, verb
    from reconciler.cli.render_data import write
    from reconciler.declare.dump import document

    words = args.many("what")
    kind_word, slash, name = words[0].partition("/")
    rest = words[1:] if slash else words[2:]
    if not slash:
        name = words[1] if len(words) > 1 else ""
    if not name or "=" in name:
        raise Usage("create needs a kind and a name", "houmao create instance alice specialistRef=coder")
    kind = kind_names.kind_of(kind_word, open_session(places.flags(args)).handlers)
    values = {}
    for word in rest:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise Usage(f"{word!r} is no PATH=VALUE", "paths lie below spec: model=opus, resume.mode=new")
        values[key] = verb.value_of(value)
    labels, annotations = _pairs(args.many("label")), _pairs(args.many("annotation"))
    made = document(kind, name, verbs.nested(values), labels, annotations)
    form = screen.data_format(args)
    if args.text("dry_run") == "client" and form in ("yaml", "json"):
        write(made, form)
        return 0
    return verb.carry_out(args, verbs.create([made]))


def _pairs(words: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise Usage(f"{word!r} is no KEY=VALUE")
        found[key] = value
    return found


COMMANDS = (
    Command(
        "create",
        "Make a new resource by hand.",
        create,
        arguments=(
            Argument("what", "KIND NAME PATH=VALUE…", "what to make; paths lie below spec", least=1, most=None),
        ),
        options=(
            Option(("--label",), "A label; may be repeated.", "KEY=VALUE", many=True),
            Option(("--annotation",), "An annotation; may be repeated.", "KEY=VALUE", many=True),
            DRY,
            *RUNNING,
            output(*OUTPUT_PLAN),
        ),
        examples=(
            Example('houmao create specialist coder provider=echo prompt="You write code."', "a specialist"),
            Example("houmao create instance alice specialistRef=coder --label team=core", "an agent of it"),
            Example("houmao create instance bob specialistRef=coder --dry-run=client -o yaml", "only its manifest"),
        ),
        notes=(
            "A patch to desired state. What is made by hand belongs to the apply set imperative; `houmao export` "
            "prints it, and applying that text makes it the text's, with nothing started or stopped. With "
            "--dry-run=client and -o yaml or json nothing is compared: the manifest is printed."
        ),
        own=RUN_CODES,
    ),
)
