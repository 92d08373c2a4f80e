"""A plan read back from its JSON: strict, so that what is shown and run is what was written.

The one rule: a plan made of a text writes that text again. Whatever does not is no plan of this format.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from reconciler.model.action import Action, Code, Disruption, Notice, Plan, Reason, Verb
from reconciler.model.change import ABSENT, Classification, FieldChange
from reconciler.model.field import Change
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import Position

W = TypeVar("W", bound=StrEnum)
T = TypeVar("T")


def plan_of(body: JsonMap) -> Plan:
    """The plan that `body` is the JSON of; raises ValueError naming what does not fit."""
    summary = mapping(body, "summary")
    found = Plan(
        overlay_id=text(body, "overlayId"),
        apply_set=text(body, "applySet"),
        source_revision=text(body, "sourceRevision"),
        inputs_digest=text(body, "inputsDigest"),
        engine_version=text(body, "engineVersion"),
        actions=tuple(_each(body, "actions", _action)),
        notices=tuple(_each(body, "notices", _notice)),
        guards=tuple(texts(body, "guardsAcknowledged")),
        created_at=text(body, "createdAt"),
        declared=number(summary, "declared"),
    )
    again = found.to_json()
    for key, value in again.items():
        if body.get(key) != value:
            raise ValueError(f"{key} is not what its actions say")
    return found


def text(body: JsonMap, key: str) -> str:
    """A text; raises ValueError for anything else, as those below do."""
    found = body.get(key)
    if not isinstance(found, str):
        raise ValueError(f"{key} must be a text")
    return found


def number(body: JsonMap, key: str) -> int:
    """A whole number."""
    found = body.get(key)
    if not isinstance(found, int) or isinstance(found, bool):
        raise ValueError(f"{key} must be a whole number")
    return found


def mapping(body: JsonMap, key: str) -> JsonMap:
    """An object."""
    found = body.get(key)
    if not isinstance(found, dict):
        raise ValueError(f"{key} must be an object")
    return found


def texts(body: JsonMap, key: str) -> list[str]:
    """A list of texts."""
    found = body.get(key)
    if not isinstance(found, list):
        raise ValueError(f"{key} must be a list")
    every = [one for one in found if isinstance(one, str)]
    if len(every) != len(found):
        raise ValueError(f"{key} must be a list of texts")
    return every


def optional(body: JsonMap, key: str) -> str | None:
    """A text or null."""
    return None if body.get(key) is None else text(body, key)


def _each(body: JsonMap, key: str, make: Callable[[JsonMap], T]) -> list[T]:
    found = body.get(key)
    if not isinstance(found, list):
        raise ValueError(f"{key} must be a list")
    made: list[T] = []
    for at, one in enumerate(found):
        if not isinstance(one, dict):
            raise ValueError(f"{key}[{at}] must be an object")
        try:
            made.append(make(one))
        except ValueError as error:
            raise ValueError(f"{key}[{at}].{error}") from None
    return made


def _action(body: JsonMap) -> Action:
    uid = optional(body, "uid")
    return Action(
        verb=_word(Verb, body, "verb"),
        ref=Ref.parse(text(body, "ref")),
        uid=None if uid is None else Uid(uid),
        reasons=tuple(_each(body, "reasons", _reason)),
        needs=tuple(Ref.parse(one) for one in texts(body, "needs")),
        disruption=_word(Disruption, body, "disruption"),
        changes=tuple(_each(body, "changes", _change)) if "changes" in body else (),
        pre=mapping(body, "preconditions"),
        post=mapping(body, "post"),
        timeout_ms=number(body, "timeout_ms"),
        held=_word(Verb, body, "held") if "held" in body else None,
    )


def _reason(body: JsonMap) -> Reason:
    positions = body.get("positions")
    if not isinstance(positions, list):
        raise ValueError("positions must be a list")
    return Reason(
        _word(Code, body, "code"),
        text(body, "text"),
        tuple(texts(body, "paths")),
        tuple(_position(one) for one in positions),
    )


def _change(body: JsonMap) -> FieldChange:
    """Values that were masked or not known stay the words that stand for them."""
    label = text(body, "path")
    if not label.startswith("spec."):
        raise ValueError("path must begin with spec.")
    return FieldChange(
        path=label.removeprefix("spec.").removesuffix("#content"),
        classification=_word(Classification, body, "classification"),
        change=_word(Change, body, "class"),
        declared=body.get("declared", ABSENT),
        last=body.get("lastApplied", ABSENT),
        observed=body.get("observed", ABSENT),
        content=label.endswith("#content"),
        position=_position(body.get("position")),
    )


def _notice(body: JsonMap) -> Notice:
    return Notice(_word(Code, body, "code"), Ref.parse(text(body, "ref")), text(body, "text"))


def _position(value: Json) -> Position | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("position must be an object or null")
    return Position(text(value, "file"), number(value, "line"), number(value, "column"))


def _word(words: type[W], body: JsonMap, key: str) -> W:
    found = text(body, key)
    try:
        return words(found)
    except ValueError:
        raise ValueError(f"{key} {found[:40]!r} is not known to this release") from None
