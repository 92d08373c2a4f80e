"""`houmao project`: the overlay."""

from collections.abc import Callable

from reconciler.cli.grammar import Args, Command, Example
from reconciler.cli.options import output
from reconciler.model.json import JsonMap

FORMATS = ("text", "json", "yaml", "jsonpath=")


def init(args: Args) -> int:
    """Make it, or complete it."""
    from reconciler.app import project

    return _shown(args, lambda: project.init(_flags(args)))


def status(args: Args) -> int:
    """Say where everything is."""
    from reconciler.app import project

    return _shown(args, lambda: project.status(_flags(args)))


def _flags(args: Args) -> "Flags":
    from reconciler.cli import places

    return places.flags(args)


def _shown(args: Args, use_case: Callable[[], JsonMap]) -> int:
    """Lines on a terminal, JSON in a pipe."""
    from reconciler.cli import screen
    from reconciler.cli.render_data import write
    from reconciler.cli.table import in_words, pairs

    found, out = use_case(), screen.stdout(args)
    form = screen.piped_format(args, out)
    if form:
        write(found, form)
        return 0
    each_on_its_line = {key: "\n".join(map(in_words, value)) for key, value in found.items() if isinstance(value, list)}
    pairs([(key, each_on_its_line.get(key) or in_words(value)) for key, value in found.items()], out)
    return 0


COMMANDS = (
    Command(
        "project init",
        "Make the overlay of this directory.",
        init,
        options=(output(*FORMATS),),
        examples=(
            Example("houmao project init", "make .houmao here; a second time it changes nothing"),
            Example("houmao project init -o json", "what was made, as data"),
        ),
        notes="apply makes a missing overlay by itself. Parents are not searched: here means here.",
    ),
    Command(
        "project status",
        "Say which overlay is used, and why.",
        status,
        options=(output(*FORMATS),),
        examples=(
            Example("houmao project status", "every root, and where it comes from"),
            Example("houmao project status -o json", "as data"),
        ),
        notes="Creates nothing, and ends with 0 where there is no overlay either.",
    ),
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.app.session import Flags
