"""`houmao project migrate`: an overlay of an older release."""

from reconciler.cli import authoring
from reconciler.cli.grammar import Args, Command, Example, Option


def migrate(args: Args) -> int:
    """Say what has to happen, or do it."""
    from reconciler.app import migrate as use_case
    from reconciler.cli import places

    flags = places.flags(args)
    return authoring.looked(args, use_case.apply(flags) if args.flag("apply") else use_case.plan(flags))


COMMANDS = (
    Command(
        "project migrate",
        "Bring the overlay of an older release to this one.",
        migrate,
        options=(Option(("--apply",), "Do it; without it only what would be done is said."), *authoring.LOOKING),
        examples=(
            Example("houmao project migrate", "what would be done"),
            Example("houmao project migrate --apply", "do it; a copy of the old catalog is kept beside it"),
        ),
        notes="Only ever done when asked. A catalog of a newer release is left alone.",
    ),
)
