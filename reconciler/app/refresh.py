"""Use case: what observation says against what is recorded; nothing is planned and nothing written (R-PLN-7)."""

from reconciler.app import holding
from reconciler.app.desired import load
from reconciler.app.request import PlanFlags, Source
from reconciler.app.session import Flags, opened
from reconciler.engine import refresh as comparing
from reconciler.engine.observe import observe
from reconciler.engine.refresh import Refreshed
from reconciler.kinds.instance.recorded import differences
from reconciler.model.json import Json, JsonMap
from reconciler.model.tuples import NamedTuple

PARTS: dict[str, comparing.PartsOf] = {"Instance": differences}


class RefreshResult(NamedTuple):
    """What was found, and where."""

    found: Refreshed
    overlay_id: str
    apply_set: str
    revision: str

    def to_json(self) -> JsonMap:
        """The same shape in which a plan says what it is of; it never has an action."""
        changed: list[Json] = [each.to_json() for each in self.found.changed]
        unknown: list[Json] = [{"ref": str(ref), "why": why} for ref, why in self.found.unknown]
        return {
            "refreshOnly": True,
            "overlayId": self.overlay_id,
            "applySet": self.apply_set,
            "sourceRevision": self.revision,
            "recorded": self.found.recorded,
            "changed": changed,
            "unknown": unknown,
            "actions": [],
        }


def refresh(flags: Flags, source: Source, wanted: PlanFlags) -> RefreshResult:
    """Look at everything that the apply set has recorded."""
    with opened(flags) as session:
        desired = load(session, source, wanted)
        session = desired.session
        declared, _ = holding.laid_over(desired.declared, session.reader, desired.moves)
        snapshot = observe(declared, desired.apply_set, session.handlers, session.reader, moves=desired.moves)
        found = comparing.compare(declared, snapshot, session.handlers, PARTS)
        return RefreshResult(found, session.reader.overlay_id, desired.apply_set, desired.revision)
