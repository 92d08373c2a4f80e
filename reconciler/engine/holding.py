"""Overrides in a plan: what is held until when, what lapsed, and the actions that only keep such books. Pure.

An active override is part of what is declared by the time a plan is made; here it is only said, and put away when its
time is over (R-IMP-3). A resource made by hand that a declaration now claims changes its set by the same means.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from reconciler.engine.handler import Books, Case, Held
from reconciler.model import names
from reconciler.model.action import Action, Code, Disruption, Notice, Reason, Verb
from reconciler.model.json import JsonMap, canonical
from reconciler.model.ref import Ref
from reconciler.model.resource import Position
from reconciler.model.tuples import NamedTuple

BOOKS = frozenset({Code.HELD, Code.OVERRIDE_RELEASED, Code.DECLARED_BENEATH, Code.TAKEN_OVER})
"""Reasons that ask for nothing but a row."""


class Holding(NamedTuple):
    """The overrides of one resource: those in force, and those whose time is over."""

    active: tuple[Held, ...] = ()
    lapsed: tuple[Held, ...] = ()


def split(found: Iterable[Held], now: datetime) -> Holding:
    """An override is in force until its time, and not at it."""
    every = tuple(found)
    return Holding(
        tuple(held for held in every if held.until > now), tuple(held for held in every if held.until <= now)
    )


def keeps_books_only(action: Action) -> bool:
    """Nothing of the world changes: the settling transaction is all there is to do."""
    return action.verb is Verb.UPDATE and all(reason.code in BOOKS for reason in action.reasons)


def books_of(case_held: Holding, asked: Books, set_now: str, set_before: str | None) -> Books:
    """What settles with the resource's action: asked for by a verb, or found beside an apply."""
    put, drop, reasons = list(asked.put), list(asked.drop), list(asked.reasons)
    for held in case_held.active:
        if held.declared != held.known and held.path not in {one.path for one in put} and held.path not in drop:
            put.append(held._replace(known=held.declared))
            what = f"{held.path} is declared {short(held.declared)} now; it is held at {short(held.value)}"
            reasons.append(Reason(Code.DECLARED_BENEATH, f"{what} until {instant(held.until)}"))
    drop += [held.path for held in case_held.lapsed if held.path not in {one.path for one in put}]
    if set_before == names.IMPERATIVE and set_now != set_before:
        reasons.append(Reason(Code.TAKEN_OVER, f"made by hand; apply set {set_now!r} declares it and owns it from now"))
    return Books(tuple(put), tuple(dict.fromkeys(drop)), tuple(reasons), asked.absent)


def with_books(decided: Sequence[Action], case: Case) -> list[Action]:
    """The handler's actions, with what is said of overrides; where there are none, one for the books alone."""
    expired = lapsed_reasons(case)
    more = (*expired, *case.books.reasons)
    actions = list(decided)
    for at, action in enumerate(actions):
        if action.verb is not Verb.NOOP:
            actions[at] = action._replace(reasons=(*action.reasons, *more))
            return actions
    if case.books.reasons and case.row is not None:
        pre: JsonMap = {"generation": case.row.generation, "digest": case.row.digest}
        made = Action(Verb.UPDATE, case.ref, case.uid, case.books.reasons, disruption=Disruption.RECORD, pre=pre)
        return [made, *actions]
    return actions


def lapsed_reasons(case: Case) -> tuple[Reason, ...]:
    """Of each lapsed override that has an effect: the way back is not somebody's change (R-IMP-3)."""
    said: list[Reason] = []
    for held in case.lapsed:
        if any(_covers(held.path, f"spec.{change.path}") for change in case.changes) or _metadata_differs(held, case):
            text = f"{held.path} was held at {short(held.value)} by {held.by} until {instant(held.until)}"
            said.append(Reason(Code.OVERRIDE_EXPIRED, text, (f"{case.ref}.{held.path}",), (_position(case, held),)))
    return tuple(said)


def _position(case: Case, held: Held) -> Position | None:
    return case.want.at(held.path) if case.want is not None else None


def _covers(held: str, path: str) -> bool:
    return path == held or path.startswith((f"{held}.", f"{held}[")) or held.startswith((f"{path}.", f"{path}["))


def _metadata_differs(held: Held, case: Case) -> bool:
    for word, now, before in (
        ("labels", case.want.labels if case.want else {}, case.row.labels if case.row else {}),
        ("annotations", case.want.annotations if case.want else {}, case.row.annotations if case.row else {}),
    ):
        key = held.path.removeprefix(f"metadata.{word}.")
        if key != held.path:
            return now.get(key) != before.get(key)
    return False


def notices(held: Mapping[Ref, Holding], cases: Mapping[Ref, Case]) -> list[Notice]:
    """`Held` for each override in force on what is planned (R-IMP-2): visible, and no change."""
    return [
        Notice(Code.HELD, ref, sentence(one)) for ref, holding in held.items() if ref in cases for one in holding.active
    ]


def sentence(held: Held) -> str:
    """`spec.state is held at 'Stopped' until 2026-01-01T01:00:00Z by ann; declared 'Running'`."""
    text = f"{held.path} is held at {short(held.value)} until {instant(held.until)} by {held.by}"
    return f"{text}; declared {short(held.declared)}"


def instant(moment: datetime) -> str:
    """ISO 8601 in UTC, to the second."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def short(value: object) -> str:
    """A value in a sentence; what is not there is `unset`."""
    text = "unset" if value is None else repr(value) if isinstance(value, str) else canonical(value)
    return text if len(text) <= 60 else text[:57] + "…"
