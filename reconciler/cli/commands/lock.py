"""`houmao lock status`: who writes."""

from reconciler.cli.grammar import Args, Command, Example
from reconciler.cli.options import output


def status(args: Args) -> int:
    """Holder and last writer; always 0."""
    from reconciler.app import doctor
    from reconciler.cli import places, screen
    from reconciler.cli.render_data import write
    from reconciler.cli.table import pairs

    found = doctor.lock_status(places.flags(args))
    form = screen.data_format(args)
    if form:
        write(found, form, lambda: [str(found.get("pid") or "free")])
        return 0
    lease = found.get("lease")
    rows = [("Lock", str(found["detail"])), ("File", str(found["path"]))]
    if found.get("hint"):
        rows.append(("What to do", str(found["hint"])))
    if isinstance(lease, dict):
        alive = {True: "still runs", False: "has ended"}.get(lease["alive"] is True, "")
        rows.append(
            (
                "Last writer",
                f"{lease['purpose']} by {lease['owner']} (pid {lease['pid']}, {alive}), token {lease['token']}",
            )
        )
        rows.append(("Since", str(lease["since"])))
    pairs(rows, screen.stdout(args))
    return 0


COMMANDS = (
    Command(
        "lock status",
        "Say who holds the lock of the overlay, and who wrote last.",
        status,
        options=(output("text", "json", "yaml", "name", "jsonpath="),),
        examples=(Example("houmao lock status", "when an apply was refused with exit 5"),),
        notes="The kernel frees the lock when its holder ends; there is nothing to unlock by hand.",
    ),
)
