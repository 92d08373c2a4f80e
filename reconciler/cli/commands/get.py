"""`houmao get`: list what is recorded, beside what is there."""

from reconciler.cli.grammar import Args, Argument, Command, Example, Option, Usage
from reconciler.cli.options import OUTPUT_DATA, SELECTOR, output


def get(args: Args) -> int:
    """One table per kind, or data."""
    if not args.many("what") and not args.flag("unmanaged"):
        raise Usage("get needs a kind", "houmao get instances; `houmao api-resources` lists the kinds")
    from reconciler.app import columns, read
    from reconciler.cli import places, screen
    from reconciler.cli.render_data import listed, write
    from reconciler.cli.table import table

    if args.flag("unmanaged"):
        return _unmanaged(args)
    form = screen.data_format(args)
    found = read.get(
        places.flags(args),
        args.many("what"),
        selector=args.text("selector"),
        apply_set=args.maybe("applyset"),
        specs=form not in ("", "name") or screen.is_wide(args),
    )
    if form:
        names = [f"{item.ref.kind.lower()}/{item.ref.name}" for item in found.items]
        body = {} if form == "name" else listed([item.to_json() for item in found.items], single=found.single)
        write(body, form, lambda: names)
        return 0
    out = screen.stdout(args)
    if not found.items:
        note = (
            "Nothing is recorded." if found.overlay_exists else "There is no overlay yet; `houmao apply` creates one."
        )
        screen.stderr(args).line(note)
        return 0
    shown, wide = [kind for kind in found.kinds if found.of(kind)], screen.is_wide(args)
    for index, kind in enumerate(shown):
        items = found.of(kind)
        cells = columns.of(kind, items, wide=wide)
        if len(shown) > 1:
            out.line(("\n" if index else "") + out.paint(kind, "bold"))
        rows = [[cell(item, found.now) for _, cell in cells] for item in items]
        table(
            [header for header, _ in cells],
            rows,
            out,
            bare=args.flag("no_headers"),
            fit=not wide,
            spare=() if wide else columns.SPARE,
        )
    return 0


def _unmanaged(args: Args) -> int:
    from reconciler.app import read
    from reconciler.cli import places, screen
    from reconciler.cli.render_data import listed, write
    from reconciler.cli.table import table

    if args.many("what") not in ((), ("sessions",)) or args.maybe("selector"):
        raise Usage("get --unmanaged lists tmux sessions and takes nothing else", "houmao get --unmanaged")
    found = read.unmanaged(places.flags(args))
    form = screen.data_format(args)
    if form:
        write(
            listed([one.to_json() for one in found], single=False),
            form,
            lambda: [f"session/{one.session}" for one in found],
        )
        return 0
    rows = [[one.session, one.session_id, str(one.panes), one.uid or "-"] for one in found]
    table(("SESSION", "ID", "PANES", "UID"), rows, screen.stdout(args), bare=args.flag("no_headers"))
    return 0


COMMANDS = (
    Command(
        "get",
        "List resources, with what is seen of them.",
        get,
        arguments=(Argument("what", "KIND [NAME…] | KIND/NAME… | all", "what to list", least=0, most=None),),
        options=(
            SELECTOR,
            Option(("--applyset",), "Only what this apply set owns.", "NAME"),
            Option(("--unmanaged",), "List tmux sessions that nobody here owns."),
            Option(("--no-headers",), "Rows alone."),
            output(*OUTPUT_DATA),
        ),
        examples=(
            Example("houmao get instances", "every agent: does it run, is it as declared, is it ready"),
            Example("houmao get inst alice -o wide", "one of them, with more columns"),
            Example("houmao get all", "every kind"),
            Example("houmao get instances -l team=core -o json", "as data"),
            Example("houmao get instances -o jsonpath='{.items[*].metadata.name}'", "only the names"),
            Example(
                "houmao get instances -o custom-columns=NAME:.metadata.name,PID:.status.pid", "columns of your own"
            ),
            Example("houmao get --unmanaged", "sessions that are not ours"),
        ),
        notes=(
            "Kinds may be written singular, plural or short (inst, sp). SYNCED is false where an apply of the same "
            "declarations would do something. READY asks the screens of up to 100 agents, and is Unknown beyond that "
            "unless they are named."
        ),
    ),
)
