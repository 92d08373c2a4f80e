"""A description as one screen of text."""

from reconciler.app.describe import Description
from reconciler.cli.complain import printable
from reconciler.cli.screen import Screen
from reconciler.cli.table import pairs, table

SHADES = {"Current": "green", "Failed": "red", "Unknown": "yellow", "InProgress": "yellow", "Held": "yellow"}


def show(found: Description, screen: Screen) -> None:
    """Head, why it is not converged, conditions, parts, spec, neighbours, terminal."""
    item = found.item
    screen.line(
        f"{screen.paint(str(item.ref), 'bold')}  {screen.paint(item.aggregate, SHADES.get(item.aggregate, ''))}"
    )
    pairs(_head(found), screen, indent=2)
    _why(found, screen)
    screen.line()
    rows = [(c.type, c.status.value, c.reason, c.message) for c in item.conditions]
    table(("CONDITION", "STATUS", "REASON", "MESSAGE"), rows, screen)
    if found.parts:
        _title("Parts", screen)
        pairs(found.parts, screen, indent=2)
    if found.spec:
        from reconciler.declare.dump import to_yaml

        _title("Declared", screen)
        for line in to_yaml([found.spec]).rstrip("\n").split("\n"):
            screen.line(f"  {printable(line)}")
    for title, links in (("Needs", found.needs), ("Used by", found.users)):
        if links:
            _title(title, screen)
            for ref, phase in links:
                screen.line(f"  {printable(str(ref))}  {screen.paint(phase, SHADES.get(phase, ''))}")
    if found.events:
        _title("Last events", screen)
        for event in found.events:
            times = f" ({event.times} times since {event.first[:19]}Z)" if event.times > 1 else ""
            for line in screen.wrapped(f"{event.last[:19]}Z  {event.reason}  {event.message}{times}", 2):
                screen.line(line)
    if found.screen:
        _title("Last screen lines", screen)
        for line in found.screen:
            shown = f"  | {printable(line)}".rstrip()
            screen.line(shown[: screen.width] if screen.width else shown)


def _head(found: Description) -> list[tuple[str, str]]:
    item = found.item
    row = item.row
    rows = [("Uid", item.uid or "none yet")]
    if row is not None:
        rows += [("Apply set", row.apply_set), ("Declared at", row.position), ("Generation", str(row.generation))]
        if row.labels:
            rows.append(("Labels", ", ".join(f"{key}={value}" for key, value in sorted(row.labels.items()))))
        if row.prevent_destroy:
            rows.append(("Protected", "preventDestroy: delete needs --force-destroy"))
    if item.health is not None:
        rows.append(("Health", f"{item.health.value} ({item.health_reason})"))
    for key, title in (("provider", "Provider"), ("agent_id", "Agent id"), ("workdir", "Work directory")):
        if item.live(key):
            rows.append((title, item.live(key)))
    return [*[(name, value) for name, value in rows if value], ("Age", found.age)]


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


def _title(text: str, screen: Screen) -> None:
    screen.line()
    screen.line(screen.paint(text, "bold"))
