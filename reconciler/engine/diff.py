"""The three-way difference of R §7: declared, last applied, observed, path by path, for every kind alike.

Receives canonical values and a kind's Shape; hands on FieldChanges. Pure. Values equal to a field's default and absent
values never differ (R-CAN-4), and a path nobody ever declared never appears (R-DIF-2).
"""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.model.change import ABSENT, UNKNOWN, Classification, FieldChange, Missing, NotKnown, Side
from reconciler.model.field import Change, Field, ListKind, Shape, field_at
from reconciler.model.json import Json, JsonMap
from reconciler.model.resource import Position, Resource

Leaves = Mapping[str, Json]


def classify(declared: Side, last: Side, observed: Side) -> Classification:
    """Exactly one row of the table for any three sides (R-DIF-1)."""
    if isinstance(observed, NotKnown):
        return Classification.UNDECIDABLE
    if same(declared, last):
        if same(observed, declared) or isinstance(declared, Missing):
            return Classification.IN_SYNC
        return Classification.DRIFTED
    if same(observed, declared):
        return Classification.CONVERGED
    if isinstance(declared, Missing):
        return Classification.FIELD_REMOVED if same(observed, last) else Classification.REMOVED_OVER_DRIFT
    return Classification.SPEC_CHANGED if same(observed, last) else Classification.SPEC_CHANGED_DRIFTED


def same(one: Side, other: Side) -> bool:
    """Equality of two sides; `True` and `1` differ, as they do in JSON."""
    if isinstance(one, Missing) or isinstance(other, Missing):
        return isinstance(one, Missing) and isinstance(other, Missing)
    return type(one) is type(other) and one == other


def changes(
    want: Resource | None,
    last: JsonMap | None,
    facts: JsonMap | None,
    shape: Shape,
    *,
    complete: bool,
    ignore: Sequence[str] = (),
) -> tuple[FieldChange, ...]:
    """Every path of one resource that is not in sync, sorted by path.

    `facts` is None where nothing is there (existence is the handler's business), and then observed is taken as last
    applied. With `complete` false, a path missing from `facts` was not looked at and counts as last applied too.
    """
    declared = dict(leaves(want.spec, shape)) if want else {}
    applied = dict(leaves(last, shape)) if last is not None else {}
    observed = dict(leaves(facts, shape)) if facts is not None else {}
    found: list[FieldChange] = []
    for path in sorted(declared.keys() | applied.keys()):
        if any(path == skip or path.startswith((skip + ".", skip + "[")) for skip in ignore):
            continue
        field = field_at(shape, path)
        one = side(declared, path, field, there=want is not None)
        two = side(applied, path, field, there=last is not None)
        if facts is not None and (complete or path in observed):
            three = side(observed, path, field, there=True)
        else:
            three = two if last is not None else ABSENT
        kind = classify(one, two, three)
        if kind is Classification.IN_SYNC:
            continue
        found.append(
            FieldChange(
                path=path,
                classification=kind,
                change=field.change if field else Change.RECORD,
                declared=one,
                last=two,
                observed=three,
                masked=bool(field and field.sensitive),
                content=bool(field and field.content),
                position=position_of(want, path),
            )
        )
    return tuple(found)


def side(found: Leaves, path: str, field: Field | None, *, there: bool) -> Side:
    """The value one side has at `path`; a missing one is the field's default where the resource exists at all."""
    if path in found:
        return found[path]
    if there and field is not None and field.path == path and field.default is not None:
        return field.default
    return ABSENT


def position_of(want: Resource | None, path: str) -> Position | None:
    """Where the declared value of a spec path was written."""
    return want.at(f"spec.{path}") if want else None


def leaves(spec: JsonMap, shape: Shape) -> Iterator[tuple[str, Json]]:
    """Flatten a canonical spec to the paths that are compared one by one.

    Maps open up, except a content value, which stands for its bytes. Lists with a merge key open up by that key;
    other lists are one value (sets are already sorted).
    """
    yield from _walk("", spec, shape)


def _walk(prefix: str, value: Json, shape: Shape) -> Iterator[tuple[str, Json]]:
    field = shape.get(prefix) if prefix else None
    if isinstance(value, dict) and not (field and field.content):
        for key in sorted(value):
            yield from _walk(f"{prefix}.{key}" if prefix else key, value[key], shape)
    elif isinstance(value, list) and field and field.list_kind is ListKind.KEYED and field.merge_key:
        for item in value:
            name = item.get(field.merge_key) if isinstance(item, dict) else item
            yield f"{prefix}[{field.merge_key}={name}]", item
    elif value is not None:
        yield prefix, value


def unobserved(found: Sequence[FieldChange]) -> bool:
    """True when some path could not be decided."""
    return any(change.classification is Classification.UNDECIDABLE for change in found)


def heaviest(found: Sequence[FieldChange]) -> Change:
    """The costliest class among changes; `record` when there are none."""
    order = list(Change)
    return max((change.change for change in found), key=order.index, default=Change.RECORD)


__all__ = ["ABSENT", "UNKNOWN", "changes", "classify", "heaviest", "leaves", "same", "unobserved"]
