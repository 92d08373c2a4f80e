"""A plan as a comment on a pull request: one table, nothing in it that a name or a value could make into markup.

Every character that Markdown or HTML could obey is written as a character reference, in every cell. So no cell ends
early, nothing is a link, a mention, an image or a tag, and a reader sees exactly the text.
"""

import re
from collections.abc import Iterable, Sequence

from reconciler.cli.complain import printable
from reconciler.cli.render_plan import COSTS, SYMBOLS, headline
from reconciler.model.action import Action, Disruption, Plan, Reason, Verb
from reconciler.model.change import FieldChange

LONGEST = 60_000
"""How much is written before the rest is counted: comments end at 65,536 characters."""
CELL = 300
"""How much of one text is shown."""
_WWW = re.compile(r"(www)\.", re.IGNORECASE)
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,.;()'/=+%-")


def cell(text: str) -> str:
    """`text` as it is, whatever it holds; long ones are cut."""
    plain = " ".join(printable(text).split())
    shown = plain if len(plain) <= CELL else f"{plain[:CELL]}…"
    safe = "".join(c if c in _PLAIN or (not c.isascii() and c.isalnum()) else f"&#{ord(c)};" for c in shown)
    # A colon before a space begins no address and no emoji.
    safe = safe.replace("&#58; ", ": ")
    return _WWW.sub(r"\1&#46;", safe)


def plan(found: Plan) -> str:
    """Headline, one row per action with reasons and places, what it costs, notices, and which plan it is."""
    if found.empty:
        count = found.declared
        lines = [f"### No changes: {count} {'resource is' if count == 1 else 'resources are'} as declared", ""]
    else:
        lines = [f"### {cell(headline(found))}", ""]
        actions = [action for action in found.actions if action.verb is not Verb.NOOP]
        lines += _table(("", "Action", "Resource", "Why", "Where"), [_row(action) for action in actions])
        lines += _costs(found)
    if found.notices:
        rows = [(notice.code.value, str(notice.ref), notice.text) for notice in found.notices]
        lines += _table(("Notice", "Resource", ""), [tuple(map(cell, row)) for row in rows])
    at = f" of {cell(found.source_revision[:12])}" if found.source_revision else ""
    lines.append(f"<sub>plan {cell(found.digest().removeprefix('sha256:')[:12])}{at}</sub>")
    return "\n".join(lines) + "\n"


def differences(actions: Iterable[Action]) -> str:
    """Every differing field with both values, where it was declared, and what kind of difference it is."""
    rows: list[tuple[str, ...]] = []
    for action in actions:
        symbol, _ = SYMBOLS[action.verb]
        head = (cell(symbol), cell(str(action.ref)))
        if not action.changes:
            rows.append((*head, "", "", "", _why(action.reasons), _where(action)))
        rows += [(*head, *_change(change)) for change in action.changes]
    if not rows:
        return "### No differences\n"
    headers = ("", "Resource", "Field", "There", "Declared", "Kind", "Where")
    count = len({row[1] for row in rows})
    title = f"### {count} {'resource differs' if count == 1 else 'resources differ'}"
    return "\n".join([title, "", *_table(headers, rows)]) + "\n"


def _row(action: Action) -> tuple[str, ...]:
    symbol, _ = SYMBOLS[action.verb]
    verb = f"{action.verb.value} ({action.held.value})" if action.held else action.verb.value
    cost = COSTS.get(action.disruption, "") if action.runs else ""
    shown = f"{cell(verb)}<br>**{cell(cost)}**" if cost else cell(verb)
    return (cell(symbol), shown, cell(str(action.ref)), _why(action.reasons), _where(action))


def _why(reasons: Sequence[Reason]) -> str:
    return "<br>".join(f"{cell(reason.code.value)}: {cell(reason.text)}" for reason in reasons)


def _where(action: Action) -> str:
    """The places that forced it, each once."""
    places = [str(position) for reason in action.reasons for position in reason.positions if position]
    places += [str(change.position) for change in action.changes if change.position]
    unique = list(dict.fromkeys(places))
    more = [f"and {len(unique) - 6} more"] if len(unique) > 6 else []
    return "<br>".join(map(cell, [*unique[:6], *more]))


def _change(change: FieldChange) -> tuple[str, ...]:
    from reconciler.cli.values import sides

    there: list[str] = []
    declared: list[str] = []
    for sign, text in sides(change):
        (declared if sign == "+" else there).append(cell(text))
    kind, place = cell(change.classification.value), cell(str(change.position or ""))
    return (cell(change.label), "<br>".join(there), "<br>".join(declared), kind, place)


def _costs(found: Plan) -> list[str]:
    """Restarts are counted; what loses something is named (R-ACT-6)."""
    lines = []
    restarts = found.disruptions().get(Disruption.RESTART.value, 0)
    if restarts:
        who = "1 running agent is" if restarts == 1 else f"{restarts} running agents are"
        lines.append(f"{who} restarted, keeping the conversation.")
    for cost, what in ((Disruption.LOSES_CONVERSATION, "the conversation"), (Disruption.LOSES_DATA, "data")):
        named = [cell(str(action.ref)) for action in found.running if action.disruption is cost]
        if named:
            lines.append(f"**{len(named)} {'loses' if len(named) == 1 else 'lose'} {what}**: {', '.join(named)}")
    return [*(lines or ["No running agent is disturbed."]), ""]


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Whole rows only; what does not fit is counted."""
    lines = [f"| {' | '.join(headers)} |", f"|{' --- |' * len(headers)}"]
    size = 0
    for at, row in enumerate(rows):
        line = f"| {' | '.join(row)} |"
        size += len(line) + 1
        if size > LONGEST:
            return [*lines, "", f"… and {len(rows) - at} more.", ""]
        lines.append(line)
    return [*lines, ""]
