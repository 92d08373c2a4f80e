"""`houmao adopt` and `houmao import`: take over what runs unmanaged."""

from reconciler.cli.grammar import Args, Argument, Command, Example, Option, Usage
from reconciler.cli.options import DRY, OUTPUT_PLAN, RUN_CODES, RUNNING, output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.model.ref import Ref

SOURCES = (
    Option(("--specialist",), "The specialist it is one of.", "NAME"),
    Option(("--profile",), "The launch profile it is born from.", "NAME"),
    Option(("--recipe",), "The recipe it is built by.", "NAME"),
)


def adopt(args: Args) -> int:
    """A patch to desired state that binds a session to it."""
    from reconciler.app import adopt as use_case
    from reconciler.app.session import open_session
    from reconciler.cli import places, verb
    from reconciler.model.ref import Ref

    name = args.text("what")
    kind, slash, rest = name.partition("/")
    ref = Ref("Instance", name)
    if slash:
        from reconciler.app import kind_names

        ref = Ref(kind_names.kind_of(kind, open_session(places.flags(args)).handlers), rest)
    if ref.kind != "Instance":
        raise Usage(f"{ref} is no instance", "houmao adopt instance/alice --session work --specialist coder")
    if args.maybe("session") is None:
        raise Usage("adopt needs --session", "`houmao get --unmanaged` lists what could be adopted")
    source = _source(args)
    if source is None:
        raise Usage("adopt needs --specialist, --profile or --recipe", "what the agent is made of from its next launch")
    return verb.carry_out(args, use_case.one(places.flags(args), ref, args.text("session"), source))


def import_(args: Args) -> int:
    """Print manifests."""
    from reconciler.app import adopt as use_case
    from reconciler.cli import places, screen
    from reconciler.cli.complain import printable
    from reconciler.cli.render_data import listed, write

    if not args.flag("generate"):
        raise Usage("import needs --generate", "it prints manifests; applying them adopts")
    found = use_case.generate(places.flags(args), args.many("what"), _source(args))
    talk = screen.stderr(args)
    for name, why in found.left_out:
        talk.line(f"left out {printable(name)}: {printable(why)}")
    form = screen.data_format(args)
    if form and form != "yaml":
        write(listed(found.documents, single=False), form)
        return 0
    from sys import stdout

    from reconciler.declare.dump import to_yaml

    stdout.write(to_yaml(found.documents))
    return 0


def _source(args: Args) -> "Ref | None":
    from reconciler.model.ref import Ref

    kinds = {"specialist": "Specialist", "profile": "LaunchProfile", "recipe": "Recipe"}
    given = [Ref(kind, name) for key, kind in kinds.items() if (name := args.maybe(key)) is not None]
    if len(given) > 1:
        raise Usage("--specialist, --profile and --recipe exclude one another")
    return given[0] if given else None


COMMANDS = (
    Command(
        "adopt",
        "Take over a tmux session that nobody owns, as it runs.",
        adopt,
        arguments=(Argument("what", "NAME | instance/NAME", "the instance it becomes"),),
        options=(
            Option(("--session",), "The session, by its name or as $ID.", "SESSION"),
            *SOURCES,
            DRY,
            *RUNNING,
            output(*OUTPUT_PLAN),
        ),
        examples=(
            Example("houmao adopt alice --session work --specialist coder", "the session work becomes alice"),
            Example("houmao adopt alice --session '$3' --profile day --dry-run=server", "only what would be done"),
        ),
        notes=(
            "A patch to desired state. The session gets our marks and a registry record, its program goes on as it "
            "is; what it was started from is not known, so the next intended change relaunches it. In a manifest the "
            "annotation houmao/adopt: IfUnowned with spec.sessionName does the same."
        ),
        own=RUN_CODES,
    ),
    Command(
        "import",
        "Print manifests for what runs unmanaged.",
        import_,
        arguments=(Argument("what", "[SESSION…]", "sessions; all without it", least=0, most=None),),
        options=(
            Option(("--generate",), "Print the manifests; nothing is changed."),
            *SOURCES,
            output("yaml", "json", "jsonpath="),
        ),
        examples=(
            Example("houmao import --generate --specialist coder > adopted.yaml", "every session that nobody owns"),
            Example("houmao import --generate work --profile day", "one of them"),
        ),
        notes="Applying what it prints adopts the sessions, and does nothing else.",
    ),
)
