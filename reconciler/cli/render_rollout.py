"""Rollouts for people: how one stands, and the revisions of a set."""

from reconciler.app.rollout import History, Status
from reconciler.cli.complain import printable
from reconciler.cli.screen import Screen
from reconciler.cli.table import pairs, table


def status(found: Status, out: Screen) -> None:
    """What it comes to, then a line for each member."""
    strategy = found.strategy
    how = strategy.type if strategy.declared else f"{strategy.type} (nothing is declared)"
    if strategy.type != "Recreate":
        how += f", {strategy.unavailable} of {len(found.members)} not Ready at most"
    rows = [
        ("Rollout", str(found.ref)),
        ("Status", f"{found.word}: {found.message}"),
        ("Strategy", how),
        ("Revision", "none" if found.revision is None else str(found.revision)),
    ]
    if found.pin is not None:
        by = f"by {found.pin.by}, {found.pin.at[:19]}Z"
        rows.append(("Undone", f"to revision {found.pin.revision} {by}; a watch skips what its source still says"))
    pairs(rows, out)
    if found.members:
        out.line()
        yes = {True: "True", False: "False"}
        cells = [[member.ref.name, yes[member.updated], yes[member.ready]] for member in found.members]
        table(("NAME", "UPDATED", "READY"), cells, out)


def history(found: History, out: Screen) -> None:
    """Oldest first; what it is now is marked."""
    if not found.revisions:
        out.line(printable(f"Nothing is kept of {found.ref}."))
        return
    rows = []
    for each in found.revisions:
        mark = "*" if each.number == found.current else ""
        changed = ", ".join(str(ref) for ref in each.changed[:4])
        more = f" and {len(each.changed) - 4} more" if len(each.changed) > 4 else ""
        when = f"{each.run.started[:19]}Z"
        rows.append([f"{each.number}{mark}", when, each.run.actor, each.run.outcome, f"{changed}{more}"])
    table(("REVISION", "STARTED", "BY", "OUTCOME", "CHANGED"), rows, out)
