"""What was deleted although it is declared, in a plan: it stays absent until its time or its release (R-IMP-4). Pure.

Such a resource has no case, so nothing is planned for it nor for what it owns. What is made of it and would have to be
acted upon waits; what runs as it should goes on.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from reconciler.engine import order
from reconciler.engine.handler import Absent, Case, HeldAbsent
from reconciler.engine.holding import instant
from reconciler.model.action import Action, Code, Disruption, Notice, Reason, Verb
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.ports.catalog import InventoryRow

ENDS = frozenset({Verb.STOP, Verb.REMOVE, Verb.FORGET})
"""An end of something waits for nothing that is absent."""


def in_force(
    declared: Mapping[Ref, Resource],
    inventory: Mapping[Ref, InventoryRow],
    held: Mapping[Ref, HeldAbsent],
    now: datetime,
) -> dict[Ref, HeldAbsent]:
    """Declared resources that are left out: those held absent until later, and what they own; none that is there."""
    roots = {ref: one for ref, one in held.items() if one.until > now and ref not in inventory}
    if not roots:
        return {}
    found: dict[Ref, HeldAbsent] = {}
    for ref, resource in declared.items():
        one = roots.get(ref) or (roots.get(resource.owner) if resource.owner is not None else None)
        if one is not None and ref not in inventory:
            found[ref] = one
    return found


def notices(found: Mapping[Ref, HeldAbsent], declared: Mapping[Ref, Resource]) -> list[Notice]:
    """`Held` for each that is declared itself; what it owns goes without saying."""
    return [
        Notice(Code.HELD, ref, sentence(one, declared[ref]))
        for ref, one in found.items()
        if declared[ref].owner not in found
    ]


def sentence(held: HeldAbsent, resource: Resource | None = None) -> str:
    """`it is held absent until 2026-01-01T01:00:00Z by ann; declared in fleet.yaml:3:1`."""
    position = resource.position if resource is not None else None
    where = f"; declared in {position}" if position is not None else ""
    return f"it is held absent until {instant(held.until)} by {held.by}{where}"


def lapsed(ref: Ref, row: InventoryRow | None, held: Mapping[Ref, HeldAbsent], now: datetime) -> tuple[Reason, ...]:
    """Why it comes back now and not before (R-IMP-3)."""
    one = held.get(ref)
    if row is not None or one is None or one.until > now:
        return ()
    text = f"it was held absent by {one.by} until {instant(one.until)}"
    return (Reason(Code.OVERRIDE_EXPIRED, text, (str(ref),)),)


def waiting(
    actions: Sequence[Action], found: Mapping[Ref, HeldAbsent], needs: Mapping[Ref, Collection[Ref]]
) -> list[Action]:
    """What needs, through any number of others, something that is held absent, waits."""
    if not found:
        return list(actions)
    users = order.reversed_edges({ref: tuple(below) for ref, below in needs.items()})
    behind: dict[Ref, Ref] = {}
    stack = [(ref, ref) for ref in sorted(found)]
    while stack:
        ref, root = stack.pop()
        for user in users.get(ref, ()):
            if user not in behind and user not in found:
                behind[user] = root
                stack.append((user, root))
    result: list[Action] = []
    for action in actions:
        absent = behind.get(action.ref)
        if absent is not None and action.runs and action.verb not in ENDS:
            text = f"waits for {absent}, which is held absent until {instant(found[absent].until)}"
            reason = Reason(Code.DEPENDENCY, text)
            action = action._replace(verb=Verb.WAIT, held=action.verb, reasons=(reason, *action.reasons))
        result.append(action)
    return result


def released(ended: Mapping[Ref, HeldAbsent], now: datetime) -> Iterable[tuple[Action, Case]]:
    """One row for each that is held absent no more: only the hold is forgotten."""
    for ref, one in sorted(ended.items()):
        text = f"it is held absent no more (by {one.by}, until {instant(one.until)}); the next apply makes it"
        reason = Reason(Code.OVERRIDE_RELEASED, text, (str(ref),))
        case = Case(ref, None, None, None, Absent("it was deleted"), (), None, (), now)
        yield Action(Verb.FORGET, ref, None, (reason,), disruption=Disruption.RECORD), case
