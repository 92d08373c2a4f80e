"""A description as text: what matters first, and no more than a terminal has room for."""

from io import StringIO

from reconciler.app.describe import Description
from reconciler.app.status import Condition
from reconciler.cli.complain import printable
from reconciler.cli.screen import Screen
from reconciler.cli.table import pairs, table
from reconciler.cli.values import CONTENT
from reconciler.model.json import Json, JsonMap

SHADES = {"Current": "green", "Failed": "red", "Unknown": "yellow", "InProgress": "yellow", "Held": "yellow"}
NORMAL = {"Progressing": "False", "Degraded": "False", "Drifted": "False", "Held": "False"}
"""What a condition says where all is well, if not True."""
ALWAYS = ("Synced", "Ready")
SPEC_LINES = 8
"""Lines of what is declared that are shown before the rest is counted."""
SCREEN_LINES = 5
"""Lines of a screen that are shown of an agent with which nothing is wrong."""
LOWEST = 24
"""Lines of the terminal that a description fits, the prompt below it included."""
WHY_LINES = 9
"""Lines on why something is not converged, where there are more."""
FEWEST = 3
"""Lines of a screen that are shown of an agent with which something is wrong, as many as there is room for."""
DEEPEST = 8
"""Links of a chain that are indented further than the one before."""
LINKS = 6
"""Resources that are named before the rest is counted."""


def show(found: Description, screen: Screen, *, full: bool = False) -> None:
    """Head, why it is not converged, what it is made of, conditions, spec, terminal; `full` leaves nothing out.

    Of what is not converged the default is what tells why: its conditions in words, the parts that are not there, and
    the lower end of its terminal.
    """
    if found.chain and not full:
        _troubled(found, screen)
        return
    _first(found, screen)
    _why(found, screen)
    pairs([(name, value) for name, value in _head(found, full) if value], screen, indent=2)
    _conditions(found.item.conditions, screen, full)
    _parts([(name, value) for name, value in found.parts if full or name in found.strange], screen)
    _declared(found, screen, full)
    _events(found.events if full else (), screen)
    _terminal(found, screen, len(found.screen) if full else SCREEN_LINES)


def _troubled(found: Description, screen: Screen) -> None:
    """What is not converged, in the lines of one terminal."""
    room = max(screen.height, LOWEST) - 1
    why = _lines(screen, lambda held: _why(found, held))
    if len(why) > WHY_LINES + 1:
        why = [*why[: WHY_LINES - 1], "  …", ""]
    odd = [
        f"{each.type} {each.status.value} ({each.reason})"
        for each in found.item.conditions
        if each.status.value != NORMAL.get(each.type, "True")
    ]
    kept = ("Provider", "Needs", "Declared at", "Suspended", "Protected")
    rows = [(name, value) for name, value in _head(found, full=False) if value and name in kept]
    shown = [
        *_lines(screen, lambda held: _first(found, held)),
        *why,
        *_lines(screen, lambda held: pairs([*rows, ("Conditions", ", ".join(odd))], held, indent=2)),
    ]
    parts = [(name, value) for name, value in found.parts if name in found.strange]
    shown += _lines(screen, lambda held: _parts(parts, held))
    below = _lines(screen, lambda held: _terminal(found, held, max(room - len(shown) - 3, FEWEST)))
    left = room - len(below) - 1
    for line in [*(shown if len(shown) <= left else [*shown[: left - 1], "  …"]), *below]:
        screen.line(line)
    screen.line(screen.paint("--full shows the rest: what is well, what is declared, more of its screen", "dim"))


def _lines(screen: Screen, draw: "Callable[[Screen], object]") -> list[str]:
    """What would be drawn."""
    held = StringIO()
    draw(screen.on(held))
    return held.getvalue().removesuffix("\n").split("\n") if held.getvalue() else []


def _first(found: Description, screen: Screen) -> None:
    """What it is, and how it is."""
    item = found.item
    health = f"  {item.health.value} ({item.health_reason})" if item.health is not None else ""
    screen.line(
        f"{screen.paint(str(item.ref), 'bold')}  {screen.paint(item.aggregate, SHADES.get(item.aggregate, ''))}"
        + printable(health)
    )


def _parts(parts: list[tuple[str, str]], screen: Screen) -> None:
    if parts:
        _title("Parts", screen)
        pairs(parts, screen, indent=2)


def _events(events: "tuple[Event, ...]", screen: Screen) -> None:
    """What happened to it, the oldest first."""
    if events:
        _title("Last events", screen)
    for event in events:
        times = f" ({event.times} times since {event.first[:19]}Z)" if event.times > 1 else ""
        for line in screen.wrapped(f"{event.last[:19]}Z  {event.reason}  {event.message}{times}", 2):
            screen.line(line)


def _terminal(found: Description, screen: Screen, count: int) -> None:
    """The lower end of its screen."""
    if found.screen:
        _title("Last screen lines", screen)
        for line in found.screen[-count:]:
            shown = f"  | {printable(line)}".rstrip()
            screen.line(shown[: screen.width] if screen.width else shown)


def _head(found: Description, full: bool) -> list[tuple[str, str]]:
    """What it is; with `full` also its numbers."""
    item = found.item
    row = item.row
    near = str if full else _Near(found.project)
    parts = dict(found.parts)
    rows = [("Provider", item.live("provider"))]
    if not full:
        runs = [parts[name].removeprefix("present ") for name in ("session", "process") if name in parts]
        rows.append(("Session", "" if {"session", "process"} & set(found.strange) else ", ".join(runs)))
    rows += [("Needs", _links(found.needs, full)), ("Used by", _links(found.users, full))]
    if row is not None:
        rows += [
            ("Declared at", near(str(row.position or ""))),
            ("Labels", ", ".join(f"{key}={value}" for key, value in sorted(row.labels.items()))),
            ("Suspended", item.suspended),
            ("Protected", "preventDestroy: delete needs --force-destroy" if row.prevent_destroy else ""),
        ]
    rows += [("Work directory", item.live("workdir")), ("Home", near(item.live("home")))]
    if full or item.live("agent_id") != item.uid:
        rows.append(("Agent id", item.live("agent_id")))
    if full or row is None:
        rows.append(("Uid", item.uid or "none yet"))
    if full and row is not None:
        rows += [("Apply set", row.apply_set), ("Generation", str(row.generation))]
    elif row is not None and row.apply_set != "default":
        rows.append(("Apply set", row.apply_set))
    return [*rows, ("Age", found.age)]


class _Near:
    """Paths as they are seen from the project."""

    def __init__(self, project: str) -> None:
        self._start = f"{project.rstrip('/')}/"

    def __call__(self, path: str) -> str:
        return path.removeprefix(self._start) if len(self._start) > 1 else path


def _links(found: "tuple[tuple[Ref, str], ...]", full: bool) -> str:
    """By name; those that are not as they should be first, where not all are named."""
    few = full or len(found) <= LINKS + 1
    named = found if few else sorted(found, key=lambda each: each[1] == "Current")[:LINKS]
    more = "" if few else f" and {len(found) - LINKS} more"
    return ", ".join(str(ref) if phase == "Current" else f"{ref} ({phase})" for ref, phase in named) + more


def _conditions(found: "tuple[Condition, ...]", screen: Screen, full: bool) -> None:
    if not found:
        return
    shown = [
        each for each in found if full or each.type in ALWAYS or each.status.value != NORMAL.get(each.type, "True")
    ]
    screen.line()
    rows = [(each.type, each.status.value, each.reason, each.message) for each in shown]
    table(("CONDITION", "STATUS", "REASON", "MESSAGE"), rows, screen)
    left = len(found) - len(shown)
    if left:
        screen.line(screen.paint(f"{left} more are as they should be; --full shows them", "dim"))


def _declared(found: Description, screen: Screen, full: bool) -> None:
    if not found.spec:
        return
    from reconciler.declare.dump import to_yaml

    _title("Declared", screen)
    lines = to_yaml([found.spec if full else _short(found.spec)]).rstrip("\n").split("\n")
    shown = lines if full or len(lines) <= SPEC_LINES + 1 else lines[:SPEC_LINES]
    for line in shown:
        screen.line(f"  {printable(line)}")
    if len(shown) < len(lines):
        screen.line(screen.paint(f"  {len(lines) - len(shown)} more lines; --full shows them", "dim"))


def _short(spec: JsonMap) -> JsonMap:
    """Contents by the beginning of their digest."""
    return {name: _content(value) for name, value in spec.items()}


def _content(value: Json) -> Json:
    if isinstance(value, dict):
        if value.keys() == {"digest", "size"}:
            return f"{str(value['digest'])[:CONTENT]}… ({value['size']} bytes)"
        return _short(value)
    return value


def _why(found: Description, screen: Screen) -> None:
    if not found.chain:
        return
    _title("Why it is not converged", screen)
    for depth, link in enumerate(found.chain):
        arrow = "" if depth == 0 else "<- "
        for line in screen.wrapped(f"{arrow}{link.ref}: {link.why}", 2 + 2 * min(depth, DEEPEST)):
            screen.line(screen.paint(line, "yellow"))
    for action in found.item.actions:
        for reason in action.reasons:
            for path in reason.paths[:4]:
                for line in screen.wrapped(path, 4):
                    screen.line(line)
    attempt = found.item.attempt
    if attempt is not None:
        for line in screen.wrapped(f"last error: [{attempt.error_class}] {attempt.code}: {attempt.message}", 2):
            screen.line(line)
        screen.line(f"  tried {attempt.tries} times; not before {printable(attempt.next_at[:19])}Z again")
    if found.next_step:
        for line in screen.wrapped(f"next: {found.next_step}", 2):
            screen.line(line)
    screen.line()


def _title(text: str, screen: Screen) -> None:
    screen.line()
    screen.line(screen.paint(text, "bold"))


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.model.ref import Ref
    from reconciler.ports.catalog import Event
