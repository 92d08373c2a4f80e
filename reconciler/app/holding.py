"""Overrides as recorded, laid over what is declared before anything is planned (R-IMP-3)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from reconciler.engine.handler import Held, HeldAbsent
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader


class HeldSet(NamedTuple):
    """What is declared with what is held in place, and every override that stands behind that."""

    declared: Mapping[Ref, Resource]
    held: Mapping[Ref, tuple[Held, ...]] = {}


def recorded(reader: Reader) -> dict[Ref, tuple[Held, ...]]:
    """Every override by the resource it is on; lapsed ones too."""
    found = reader.catalog.overrides()
    if not found:
        return {}
    refs = {row.uid: row.ref for row in reader.catalog.inventory()}
    held: dict[Ref, list[Held]] = {}
    for one in found:
        ref = refs.get(one.uid)
        if ref is not None:
            until = datetime.fromisoformat(one.until)
            held.setdefault(ref, []).append(Held(one.path, one.value, one.by, until, one.declared, one.declared))
    return {ref: tuple(every) for ref, every in sorted(held.items())}


def absences(reader: Reader) -> dict[Ref, HeldAbsent]:
    """What was deleted although it is declared, and until when it stays so; lapsed ones too."""
    return {one.ref: HeldAbsent(one.by, datetime.fromisoformat(one.until)) for one in reader.catalog.absences()}


def laid_over(declared: Mapping[Ref, Resource], reader: Reader, moves: Sequence[tuple[Ref, Ref]] = ()) -> HeldSet:
    """What is in force is as good as declared; what it stands over is kept beside it."""
    every = recorded(reader)
    for old, new in moves:
        if old in every and new in declared and new not in every:
            every[new] = every.pop(old)
    if not every:
        return HeldSet(declared)
    from reconciler.declare import hold
    from reconciler.declare.catalogue import Catalogue

    now = reader.clock.now_utc()
    told = {
        ref: tuple(one._replace(declared=hold.value_at(declared[ref], one.path)) for one in found)
        for ref, found in every.items()
        if ref in declared
    }
    values = {ref: [(one.path, one.value) for one in found if one.until > now] for ref, found in told.items()}
    return HeldSet(hold.laid_over(declared, values, Catalogue()), told)
