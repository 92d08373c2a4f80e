"""The `Moved` document: what was called one name is called another, and is the same thing (R-MOD-11).

It is no resource: it has no row and no action of its own. It stands in the source for as long as somebody may apply it
to an overlay that knows the old name, and does nothing where there is nothing to rename.
"""

from reconciler.declare import envelope
from reconciler.declare.catalogue import MOVED
from reconciler.declare.faults import Fault
from reconciler.declare.node import REQUIRED
from reconciler.declare.schema import Schema, Spec, field
from reconciler.declare.vocabulary import VALUE, AnyRef
from reconciler.model.field import Change
from reconciler.model.json import JsonMap
from reconciler.model.ref import Ref
from reconciler.model.resource import Position
from reconciler.model.tuples import NamedTuple


class Move(NamedTuple):
    """One rename, and where it is written."""

    old: Ref
    new: Ref
    position: Position


class MovedSpec(Spec):
    """From one name to another of the same kind."""

    from_: AnyRef = field(REQUIRED, change=Change.RECORD, doc="Kind/name as it was.")
    to: AnyRef = field(REQUIRED, change=Change.RECORD, doc="Kind/name as it is declared now.")


class MovedSchema(Schema):
    """Its metadata may be left out, because nothing refers to it."""

    __slots__ = ()

    def document_faults(self, value: JsonMap) -> list[Fault]:
        """Everything wrong with such a document."""
        nameless: JsonMap = {"metadata": {"name": "moved"}}
        faults = envelope.check(nameless | value, MOVED, self.optional)
        spec = value.get("spec")
        inner = self.validate(spec) if "spec" in value else []
        found = [*faults, *(fault._replace(path=("spec", *fault.path)) for fault in inner)]
        if not found and isinstance(spec, dict):
            old, new = Ref.parse(str(spec["from"])), Ref.parse(str(spec["to"]))
            if old.kind != new.kind or old == new:
                why = "a name moves to another name of its kind"
                found.append(
                    Fault(VALUE, f"{old} cannot become {new}: {why}", "correct it", ("spec", "to"), "R-MOD-11")
                )
        return found


MODEL = MovedSchema(MOVED, MovedSpec, doc="Renames a resource without replacing it; uid, history and session stay.")
