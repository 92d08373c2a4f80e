"""Runs as a table, and one of them as a screen of text."""

from collections.abc import Sequence

from reconciler.app.history import Changed, Detail, Listed, Told, shown
from reconciler.app.status import age
from reconciler.cli.complain import printable
from reconciler.cli.render_report import MARKS
from reconciler.cli.screen import Screen
from reconciler.cli.table import pairs, table
from reconciler.model.json import Json, JsonMap, canonical
from reconciler.ports.catalog import RunRow

HEADERS = ("REVISION", "SET", "WHEN", "WHO", "COMMAND", "SOURCE", "OUTCOME", "WHAT")
HOW = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}
LONGEST = 60
"""Of a value; what is longer is cut, and -o json has all of it."""


def nothing(found: Listed) -> str:
    """Why there is nothing to list."""
    if not found.overlay_exists:
        return "There is no overlay yet; `houmao apply` creates one."
    return f"No run touched {found.ref}." if found.ref is not None else "No run changed anything yet."


def listed(found: Listed, screen: Screen, *, bare: bool) -> None:
    """One row per run."""
    rows = [
        (
            str(each.revision.run.revision),
            each.revision.run.apply_set,
            _ago(each.revision.run, found),
            each.revision.run.actor,
            each.revision.run.command or "-",
            source(each.revision.run),
            each.revision.run.outcome,
            _reason(each.about) if found.ref is not None else _counts(each.about),
        )
        for each in found.items
    ]
    table(HEADERS, rows, screen, bare=bare)


def _ago(run: RunRow, found: Listed | Detail) -> str:
    from datetime import datetime

    try:
        return age(datetime.fromisoformat(run.started), found.now)
    except ValueError:
        return run.started


def source(run: RunRow) -> str:
    """A commit by its first characters; others as they are."""
    text = run.source_revision
    return text[:12] if text else "-"


def _counts(actions: Sequence[JsonMap]) -> str:
    counts: dict[str, int] = {}
    for each in actions:
        settled = each.get("outcome") == "settled"
        word = str(each.get("verb")) if settled else f"{each.get('verb')} {each.get('outcome')}"
        counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{count} {word}" for word, count in counts.items()) or "-"


def _reason(actions: Sequence[JsonMap]) -> str:
    return "; ".join(_said(each) for each in actions)


def _said(action: JsonMap) -> str:
    reasons = action.get("reasons")
    why = [str(each.get("text")) for each in reasons if isinstance(each, dict)] if isinstance(reasons, list) else []
    return f"{action.get('verb')} ({'; '.join(why)})" if why else str(action.get("verb"))


def show(found: Detail, screen: Screen) -> None:
    """Head, what was declared differently, what became of each action."""
    run = found.told.revision.run
    screen.line(screen.paint(f"Revision {run.revision} of {run.apply_set}", "bold") + f"  {printable(run.outcome)}")
    rows = [
        ("Run", run.id),
        ("Command", run.command),
        ("Who", run.actor),
        ("When", f"{run.started[:19]} to {run.ended[:19]} UTC"),
        ("Source", run.source_revision),
        ("Plan", run.plan_digest),
    ]
    pairs([(name, value) for name, value in rows if value], screen, indent=2)
    _changes(found, screen)
    _actions(found.told, screen)


def _changes(found: Detail, screen: Screen) -> None:
    screen.line()
    if not found.told.revision.whole:
        screen.line("It declared no set: what it did is all there is to tell.")
        return
    since = f"since revision {found.before.run.revision}" if found.before else "as the first revision"
    if not found.changes:
        screen.line(f"Nothing was declared differently {since}.")
        return
    screen.line(screen.paint(f"Declared differently {since}", "bold"))
    for each in found.changes:
        _change(each, screen)


def _change(each: Changed, screen: Screen) -> None:
    mark, colour = HOW[each.how]
    screen.line(screen.paint(f"  {mark} {each.ref}", colour))
    for field in each.fields:
        if field.content:
            screen.line(f"      {printable(field.label)}: its bytes changed")
        else:
            before, after = _value(shown(field, field.last)), _value(shown(field, field.declared))
            for line in screen.wrapped(f"{field.label}: {before} -> {after}", 6):
                screen.line(line)
    for path in each.labels:
        screen.line(f"      {printable(path)}")


def _value(value: Json) -> str:
    if value is None:
        return "(none)"
    text = value if isinstance(value, str) else canonical(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _actions(told: Told, screen: Screen) -> None:
    screen.line()
    if not told.about:
        screen.line("What it did was not written down.")
        return
    screen.line(screen.paint("Actions", "bold"))
    for action in told.about:
        mark, colour = MARKS.get(str(action.get("outcome")), (" ", ""))
        first, *others = screen.wrapped(f"{action.get('ref')}: {_said(action)}", 4)
        screen.line(f"  {screen.paint(mark, colour)} {first.lstrip()}")
        for line in others:
            screen.line(line)
        if action.get("reason"):
            screen.line(f"      {printable(str(action['reason']))}")
        error = action.get("error")
        if isinstance(error, dict):
            for line in screen.wrapped(f"error[{error.get('code')}]: {error.get('message')}", 6):
                screen.line(screen.paint(line, "red"))
