"""A description as text: what matters first, and what fits a small terminal where all is well."""

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


def show(found: Description, screen: Screen, *, full: bool = False) -> None:
    """Head, why it is not converged, what it is made of, conditions, spec, terminal; `full` leaves nothing out."""
    item = found.item
    health = f"  {item.health.value} ({item.health_reason})" if item.health is not None else ""
    screen.line(
        f"{screen.paint(str(item.ref), 'bold')}  {screen.paint(item.aggregate, SHADES.get(item.aggregate, ''))}"
        + printable(health)
    )
    _why(found, screen)
    pairs([(name, value) for name, value in _head(found, full) if value], screen, indent=2)
    _conditions(item.conditions, screen, full)
    odd = [(name, value) for name, value in found.parts if full or name in found.strange]
    if odd:
        _title("Parts", screen)
        pairs(odd, screen, indent=2)
    _declared(found, screen, full)
    if found.screen:
        _title("Last screen lines", screen)
        for line in found.screen if full or found.chain else found.screen[-SCREEN_LINES:]:
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
    rows += [("Needs", _links(found.needs)), ("Used by", _links(found.users))]
    if row is not None:
        rows += [
            ("Declared at", near(str(row.position or ""))),
            ("Labels", ", ".join(f"{key}={value}" for key, value in sorted(row.labels.items()))),
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


def _links(found: "tuple[tuple[Ref, str], ...]") -> str:
    return ", ".join(str(ref) if phase == "Current" else f"{ref} ({phase})" for ref, phase in found)


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
        for line in screen.wrapped(f"{arrow}{link.ref}: {link.why}", 2 + 2 * depth):
            screen.line(screen.paint(line, "yellow"))
    for action in found.item.actions:
        for reason in action.reasons:
            for path in reason.paths[:4]:
                screen.line(f"    {printable(path)}")
    attempt = found.item.attempt
    if attempt is not None:
        screen.line(f"  last error: [{attempt.error_class}] {printable(attempt.code)}: {printable(attempt.message)}")
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
    from reconciler.model.ref import Ref
