"""`houmao undelete`: what was removed, and bringing it back."""

from reconciler.cli.grammar import Args, Argument, Command, Example
from reconciler.cli.options import DRY, RUN_CODES, RUNNING, output


def undelete(args: Args) -> int:
    """List, or plan and run."""
    from reconciler.app import undelete as use_case
    from reconciler.cli import places

    words, flags = args.many("what"), places.flags(args)
    if not words:
        return _list(args)
    dry = args.text("dry_run", "none")
    if dry != "none":
        from reconciler.cli.dry import show

        show(args, use_case.preview(flags, words, client=dry == "client"), client=dry == "client")
        return 0
    from reconciler.cli.run import run

    return run(
        args,
        lambda how, teller: use_case.undelete(
            flags, words, how, confirm=teller.confirm, shown=teller.shown, emit=teller.emit
        ),
    )


def _list(args: Args) -> int:
    from datetime import datetime

    from reconciler.app import undelete as use_case
    from reconciler.app.status import age
    from reconciler.cli import places, screen
    from reconciler.cli.render_data import listed, write
    from reconciler.cli.table import table

    found = use_case.graves(places.flags(args))
    form = screen.data_format(args)
    if form:
        names = [f"{each.tombstone.row.ref.kind.lower()}/{each.tombstone.row.ref.name}" for each in found.items]
        write(listed([each.to_json() for each in found.items], single=False), form, lambda: names)
        return 0
    if not found.items:
        screen.stderr(args).line("Nothing that was removed is left.")
        return 0
    rows = [
        (
            str(each.tombstone.row.ref),
            each.tombstone.row.apply_set,
            "until the next gc" if each.expired else age(found.now, datetime.fromisoformat(each.tombstone.until)),
            str(each.owner or "-"),
            each.tombstone.row.live.get("home") or "-",
        )
        for each in found.items
    ]
    table(("REMOVED", "SET", "LEFT", "COMES WITH", "HOME"), rows, screen.stdout(args))
    return 0


COMMANDS = (
    Command(
        "undelete",
        "Bring back what was deleted or pruned, under the same identity; list what can be.",
        undelete,
        arguments=(
            Argument("what", "KIND NAME… | KIND/NAME…", "what to bring back; a list without", least=0, most=None),
        ),
        options=(
            DRY,
            *RUNNING,
            output("text", "json", "yaml", "name", "jsonpath="),
        ),
        examples=(
            Example("houmao undelete", "what was removed, and how long it can be brought back"),
            Example("houmao undelete instance/alice", "the agent, on the home it had"),
            Example("houmao undelete specialist coder --dry-run=server", "only show the plan"),
        ),
        notes=(
            "What is removed can be brought back for seven days, an agent as long as its lifecycle.retain says, and "
            "after that until `houmao gc` is run. What it is made of comes with it where that was removed too; what is "
            "gone, such as a credential that the overlay kept, is named, and then nothing is done. A file that does "
            "not declare it still does not: the next apply lists it as no longer declared."
        ),
        own=RUN_CODES,
    ),
)
