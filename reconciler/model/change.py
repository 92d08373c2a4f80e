"""One path on which declared, last applied and observed were compared (R §7)."""

from enum import StrEnum

from reconciler.model.errors import position_json
from reconciler.model.field import Change
from reconciler.model.json import Json, JsonMap
from reconciler.model.resource import Position
from reconciler.model.tuples import NamedTuple


class Classification(StrEnum):
    """The rows of the three-way table; exactly one holds for each path (R-DIF-1)."""

    IN_SYNC = "InSync"
    SPEC_CHANGED = "SpecChanged"
    CONVERGED = "Converged"
    DRIFTED = "Drifted"
    SPEC_CHANGED_DRIFTED = "SpecChanged+Drifted"
    FIELD_REMOVED = "FieldRemoved"
    REMOVED_OVER_DRIFT = "RemovedOverDrift"
    UNDECIDABLE = "Undecidable"


class Missing:
    """Stands for "no value here"; distinct from null."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<absent>"

    def __bool__(self) -> bool:
        return False


class NotKnown(Missing):
    """Stands for "could not be observed"."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<unknown>"


ABSENT = Missing()
UNKNOWN = NotKnown()

Side = Json | Missing


class FieldChange(NamedTuple):
    """One path that is not in sync, with what each side says; `masked` values never leave the process."""

    path: str
    classification: Classification
    change: Change
    declared: Side = ABSENT
    last: Side = ABSENT
    observed: Side = ABSENT
    masked: bool = False
    content: bool = False
    position: Position | None = None

    @property
    def label(self) -> str:
        """`spec.promptFile#content` where the bytes differ, else `spec.model`."""
        return f"spec.{self.path}#content" if self.content else f"spec.{self.path}"

    def to_json(self) -> JsonMap:
        """`{path, classification, class, declared, lastApplied, observed, position}`; absent sides are left out."""
        out: JsonMap = {
            "path": self.label,
            "classification": self.classification.value,
            "class": self.change.value,
        }
        for name, side in (("declared", self.declared), ("lastApplied", self.last), ("observed", self.observed)):
            if not isinstance(side, Missing):
                out[name] = "(sensitive)" if self.masked else side
            elif isinstance(side, NotKnown):
                out[name] = "(unknown)"
        out["position"] = position_json(self.position)
        return out
