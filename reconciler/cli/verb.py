"""What the imperative verbs share: the way past a manifest, the plan that is only shown, the run."""

from reconciler.app import change as use_case
from reconciler.app.ask import Ask, Way
from reconciler.app.session import open_session
from reconciler.cli import dry, places, screen
from reconciler.cli.grammar import Args, Usage
from reconciler.cli.render_data import write
from reconciler.cli.run import run, tell
from reconciler.model.json import Json
from reconciler.model.ref import Ref


def way(args: Args) -> Way:
    """`--override[=TTL]` or `--write-back`."""
    ttl = args.seconds("override")
    if ttl is not None and args.flag("write_back"):
        raise Usage("--override and --write-back exclude each other", "hold a value for a time, or declare it")
    if ttl is not None and ttl <= 0:
        raise Usage("--override needs a time that is more than nothing", "write --override=30m")
    return Way(ttl is not None, ttl, args.flag("write_back"))


def agents(args: Args) -> tuple[Ref, ...]:
    """The agents that are named."""
    from reconciler.app import read

    return read.agents(open_session(places.flags(args)), args.many("what"), args.text("selector"))


def carry_out(args: Args, ask: Ask) -> int:
    """Show the plan, or run it."""
    flags = places.flags(args)
    where = args.text("dry_run", "none")
    if where == "none":
        return run(
            args,
            lambda how, teller: use_case.change(
                flags, ask, how, tell=teller.told, confirm=teller.confirm, shown=teller.shown, emit=teller.emit
            ),
        )
    said, found = use_case.preview(flags, ask, client=where == "client")
    form = screen.data_format(args)
    if not form:
        tell(said, screen.stdout(args))
        dry.show(args, found, client=where == "client")
        return 0
    body = {**found.plan.to_json(), "request": said.to_json()}
    write(body, form, lambda: [f"{action.ref} {action.verb.value}" for action in found.plan.actions])
    if where == "client":
        screen.stderr(args).line(dry.CLIENT)
    return 0


def nothing_matches(args: Args) -> int:
    """A selector that chose nothing is no error."""
    screen.stdout(args).line("Nothing matches; nothing was changed.")
    return 0


def value_of(text: str) -> Json:
    """What stands behind `=`: as YAML has it, so `3` is a number, `"3"` a text and `[a, b]` a list."""
    from reconciler.declare.reader import read

    documents, problems = read(f"value: {text}\n", "the value")
    if problems or len(documents) != 1 or set(documents[0].value) != {"value"}:
        why = problems[0].message if problems else "it is no single value"
        raise Usage(f"{text!r} cannot be read as a value: {why}", "quote it: path='\"text\"'")
    return documents[0].value["value"]
