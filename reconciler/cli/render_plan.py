"""A plan as a person reads it: one line per action, what it costs, why, and where that was written."""

from collections.abc import Iterable, Sequence

from reconciler.app.gate import no_changes
from reconciler.cli.complain import printable
from reconciler.cli.screen import Screen
from reconciler.model.action import Action, Disruption, Plan, Verb
from reconciler.model.change import FieldChange
from reconciler.model.resource import Position

SYMBOLS = {
    Verb.CREATE: ("+", "green"),
    Verb.ADOPT: ("+", "green"),
    Verb.UPDATE: ("~", "yellow"),
    Verb.RENAME: ("~", "yellow"),
    Verb.VERIFY: ("~", "yellow"),
    Verb.RELAUNCH: ("!", "magenta"),
    Verb.REPLACE: ("!", "magenta"),
    Verb.STOP: ("-", "red"),
    Verb.REMOVE: ("-", "red"),
    Verb.FORGET: ("-", "red"),
    Verb.WAIT: (".", "cyan"),
    Verb.BLOCKED: ("x", "red"),
    Verb.NOOP: (" ", "dim"),
}
COSTS = {
    Disruption.RESTART: "restarts",
    Disruption.LOSES_CONVERSATION: "loses its conversation",
    Disruption.LOSES_DATA: "loses data",
}
PLACES = 6
"""How many paths and positions of one reason are listed before the rest is counted."""


def show(plan: Plan, screen: Screen, *, nothing: str | None = None, wide: bool = False) -> None:
    """The whole plan: counts, actions in the order they may start, notices.

    `nothing` is what an empty one says; `wide` shows every differing field too.
    """
    if plan.empty:
        screen.line(nothing or no_changes(plan.declared).rstrip())
    else:
        screen.line(screen.paint(headline(plan), "bold"))
        screen.line()
        for action in plan.actions:
            if action.verb is not Verb.NOOP:
                _action(action, screen)
                if wide:
                    _fields(action.changes, screen, 8)
        screen.line()
        _costs(plan, screen)
    _notices(plan, screen)


def headline(plan: Plan) -> str:
    """`Plan for 'default': 2 to create, 1 to relaunch`."""
    counts = plan.counts()
    parts = [f"{counts[verb]} {_participle(verb)}" for verb in counts if verb != Verb.NOOP.value]
    return f"Plan for apply set '{printable(plan.apply_set)}': {', '.join(parts)}"


def _participle(verb: str) -> str:
    return {"wait": "waiting", "blocked": "blocked"}.get(verb, f"to {verb}")


def _action(action: Action, screen: Screen) -> None:
    symbol, colour = SYMBOLS[action.verb]
    verb = f"{action.verb.value}({action.held.value})" if action.held else action.verb.value
    cost = COSTS.get(action.disruption, "") if action.runs else ""
    head = f"  {symbol} {verb:<9} {action.ref}"
    screen.line(screen.paint(head, colour) + (f"  {screen.paint(f'[{cost}]', 'bold')}" if cost else ""))
    for reason in action.reasons:
        for line in screen.wrapped(f"{reason.code.value}: {reason.text}", 6):
            screen.line(line)
        for line in _where(reason.paths, reason.positions):
            if line == str(action.ref):
                continue  # it has no place, and its name stands above
            screen.line(screen.paint(f"        {line}", "dim"))


def _where(paths: Sequence[str], positions: Sequence[Position | None]) -> list[str]:
    """Each path with the place that set it; a place alone where there is no path."""
    if not paths:
        found = [str(position) for position in positions if position is not None]
    else:
        padded = [*positions, *[None] * (len(paths) - len(positions))]
        found = [f"{path}  {position}" if position else path for path, position in zip(paths, padded, strict=False)]
    unique = list(dict.fromkeys(found))
    more = [f"and {len(unique) - PLACES} more"] if len(unique) > PLACES else []
    return [*unique[:PLACES], *more]


def _costs(plan: Plan, screen: Screen) -> None:
    """What the plan costs whoever uses the agents; the dear ones are named one by one (R-ACT-6)."""
    costs = plan.disruptions()
    dear = [a for a in plan.running if a.disruption in (Disruption.LOSES_CONVERSATION, Disruption.LOSES_DATA)]
    restarts = costs.get(Disruption.RESTART.value, 0)
    if restarts:
        screen.line(f"{_agents(restarts)} restarted, keeping the conversation.")
    for cost in (Disruption.LOSES_CONVERSATION, Disruption.LOSES_DATA):
        named = [str(action.ref) for action in dear if action.disruption is cost]
        if named:
            what = "data" if cost is Disruption.LOSES_DATA else "the conversation"
            head = f"{len(named)} {'loses' if len(named) == 1 else 'lose'} {what}: "
            for line in screen.wrapped(head + ", ".join(named), 0):
                screen.line(screen.paint(line, "red"))
    if not restarts and not dear:
        screen.line("No running agent is disturbed.")


def _agents(count: int) -> str:
    return "1 running agent is" if count == 1 else f"{count} running agents are"


def _notices(plan: Plan, screen: Screen) -> None:
    if not plan.notices:
        return
    screen.line()
    for notice in plan.notices:
        for line in screen.wrapped(f"note: {notice.ref} {notice.code.value}: {notice.text}", 0):
            screen.line(screen.paint(line, "cyan"))


def differences(actions: Iterable[Action], screen: Screen) -> None:
    """Every differing field with both values, what kind of difference it is, and where it was declared (R-DIF-4)."""
    for action in actions:
        symbol, colour = SYMBOLS[action.verb]
        screen.line(screen.paint(f"{symbol} {action.ref}", colour))
        for reason in action.reasons:
            for line in screen.wrapped(f"{reason.code.value}: {reason.text}", 4):
                screen.line(line)
        _fields(action.changes, screen, 4)


def _fields(changes: Sequence[FieldChange], screen: Screen, indent: int) -> None:
    if not changes:
        return
    from reconciler.cli.values import sides

    space = " " * indent
    for change in changes:
        place = f"  {change.position}" if change.position else ""
        screen.line(f"{space}{printable(change.label)}  {screen.paint(change.classification.value + place, 'dim')}")
        for sign, text in sides(change):
            shade = {"-": "red", "+": "green"}.get(sign, "dim")
            screen.line(screen.paint(f"{space}  {sign} {text}", shade))
