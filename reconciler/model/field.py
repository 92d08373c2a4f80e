"""What the engine knows about a field of a kind, without knowing the kind (R-MOD-10).

A `Shape` is derived once from a kind's schema: change class, merge key, sensitive bit, default, and the two facts that
loading needs (is it a reference, is it content). It is data, so that diffing and digests need no schema library.
"""

from collections.abc import Mapping
from enum import StrEnum

from reconciler.model.json import Json
from reconciler.model.tuples import NamedTuple


class Change(StrEnum):
    """What a change of a field costs (R §8.2), lightest first."""

    RECORD = "record"
    LIVE = "live"
    RELAUNCH = "relaunch"
    REPLACE = "replace"
    IMMUTABLE = "immutable"


class ListKind(StrEnum):
    """How a list is compared: as a sequence, as a set, or by a merge key."""

    SEQUENCE = "sequence"
    SET = "set"
    KEYED = "keyed"


class Field(NamedTuple):
    """The facts about one field, by its path below `spec` (`launch.env`)."""

    path: str
    change: Change
    default: Json
    sensitive: bool = False
    list_kind: ListKind | None = None
    merge_key: str | None = None
    ref_kind: str | None = None
    """The kind a reference field names; `*` where the value says it (`Kind/name`)."""
    content: str | None = None
    """`text`, `file` or `tree` where the value stands for bytes."""
    open_map: bool = False
    """A map with the operator's own keys (`env`): each key is a path of its own."""


Shape = Mapping[str, Field]
"""Path below `spec` to its facts; every field of the kind is in it."""


def field_at(shape: Shape, path: str) -> Field | None:
    """The facts that rule `path`: its own, or those of the nearest ancestor."""
    here = path
    while here:
        found = shape.get(here)
        if found is not None:
            return found
        here = here.rpartition(".")[0]
    return None
