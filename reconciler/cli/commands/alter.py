"""`houmao set`, `patch`, `label` and `annotate`: change what is desired, of one resource or of many."""

from reconciler.cli.grammar import Args, Argument, Command, Example, Option, Usage
from reconciler.cli.options import DRY, OUTPUT_PLAN, RUN_CODES, RUNNING, SELECTOR, WAY, output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.model.ref import Ref

SHARED = (SELECTOR, *WAY, DRY, *RUNNING, output(*OUTPUT_PLAN))
WAYS = (
    "A patch to desired state. What a manifest declares is changed only by --write-back, which edits that file, or "
    "--override, which holds the value for a time; what was made by hand is simply changed."
)


def set_(args: Args) -> int:
    """`path=value` below spec; `path-` takes it away."""
    from reconciler.app import verbs
    from reconciler.cli import verb

    refs, pairs = _split(args)
    way = verb.way(args)
    values = {key: None if value is None else verb.value_of(value) for key, value in pairs}
    return verb.carry_out(args, verbs.settings("set", refs, values, way)) if refs else verb.nothing_matches(args)


def patch(args: Args) -> int:
    """A merge patch, as JSON or YAML."""
    from reconciler.app import verbs
    from reconciler.cli import verb
    from reconciler.declare.reader import read

    text = args.text("patch")
    if not text:
        raise Usage("patch needs -p PATCH", 'houmao patch specialist/coder -p \'{"spec": {"model": "opus"}}\'')
    if text.startswith("@"):
        from reconciler.app.wiring import local_files

        text = local_files().read(text[1:]).decode()
    documents, problems = read(text, "the patch")
    if problems or len(documents) != 1:
        raise Usage(f"the patch cannot be read: {problems[0].message if problems else 'it is no single document'}")
    way = verb.way(args)
    refs = _refs(args, args.many("what"))
    asked = verbs.patch("patch", refs, documents[0].value, way)
    return verb.carry_out(args, asked) if refs else verb.nothing_matches(args)


def label(args: Args) -> int:
    """Labels."""
    return _notes(args, "labels")


def annotate(args: Args) -> int:
    """Annotations."""
    return _notes(args, "annotations")


def _notes(args: Args, word: str) -> int:
    from reconciler.app import verbs
    from reconciler.cli import verb

    refs, pairs = _split(args)
    asked = verbs.notes(args.command.path, refs, word, dict(pairs), verb.way(args))
    return verb.carry_out(args, asked) if refs else verb.nothing_matches(args)


def _split(args: Args) -> "tuple[tuple[Ref, ...], list[tuple[str, str | None]]]":
    """Resources first, then `key=value` and `key-`."""
    words = args.many("what")
    first = next((at for at, word in enumerate(words) if "=" in word or word.endswith("-")), len(words))
    pairs: list[tuple[str, str | None]] = []
    for word in words[first:]:
        key, equals, value = word.partition("=")
        if equals and key:
            pairs.append((key, value))
        elif not equals and len(word) > 1 and word.endswith("-"):
            pairs.append((word[:-1], None))
        else:
            raise Usage(f"{word!r} is neither key=value nor key-", "resources come first, then what to change")
    if not pairs:
        raise Usage(f"{args.command.path} needs something to change: key=value, or key- to take it away")
    return _refs(args, words[:first]), pairs


def _refs(args: Args, words: tuple[str, ...]) -> "tuple[Ref, ...]":
    from reconciler.app import read
    from reconciler.app.session import open_session
    from reconciler.cli import places

    if not words:
        raise Usage(f"{args.command.path} needs to know what: KIND/NAME, KIND NAME…, or KIND with -l LABELS")
    return read.refs(open_session(places.flags(args)), words, args.text("selector"))


WHAT = Argument(
    "what", "KIND/NAME… | KIND NAME… | KIND KEY=VALUE… KEY-…", "resources, then changes", least=1, most=None
)

COMMANDS = (
    Command(
        "set",
        "Change fields of what is desired.",
        set_,
        arguments=(WHAT._replace(metavar="KIND/NAME… PATH=VALUE… PATH-…", doc="paths lie below spec"),),
        options=SHARED,
        examples=(
            Example("houmao set specialist/coder model=opus --override=2h", "for two hours; its agents relaunch"),
            Example("houmao set instanceset/crew replicas=3 --write-back", "in the file that declares it"),
            Example("houmao set instances state=Running -l team=core --dry-run=server", "what that would do"),
        ),
        notes=f"{WAYS} Values are read as YAML: 3 is a number, true a truth value, [a, b] a list.",
        own=RUN_CODES,
    ),
    Command(
        "patch",
        "Change what is desired by a merge patch.",
        patch,
        arguments=(WHAT._replace(metavar="KIND/NAME… | KIND NAME…", doc="what to change"),),
        options=(Option(("-p", "--patch"), "JSON or YAML with spec or metadata, or @FILE.", "PATCH"), *SHARED),
        examples=(
            Example('houmao patch specialist/coder -p \'{"spec": {"env": {"LEVEL": "2"}}}\' --override', "for an hour"),
            Example("houmao patch instances -l team=core -p @quiet.yaml --write-back", "many, from a file"),
        ),
        notes=f"{WAYS} A merge patch (RFC 7386): null takes a key away, a list is replaced as a whole.",
        own=RUN_CODES,
    ),
    Command(
        "label",
        "Set or take away labels.",
        label,
        arguments=(WHAT._replace(metavar="KIND/NAME… KEY=VALUE… KEY-…"),),
        options=SHARED,
        examples=(
            Example("houmao label instance/alice duty=night --override=8h", "until the morning"),
            Example("houmao label instances duty- -l duty=night --write-back", "take it away in the manifests"),
        ),
        notes=WAYS,
        own=RUN_CODES,
    ),
    Command(
        "annotate",
        "Set or take away annotations.",
        annotate,
        arguments=(WHAT._replace(metavar="KIND/NAME… KEY=VALUE… KEY-…"),),
        options=SHARED,
        examples=(Example('houmao annotate instance/alice note="waits for review" --override', "for an hour"),),
        notes=WAYS,
        own=RUN_CODES,
    ),
)
