"""Judging one document: envelope, schema, provider, secrets; and what two documents may not share.

A document that passes becomes a `Draft`. One that does not is still read on as far as it goes, so that what later
stages would say of it is told in the same run (R-LOAD-11).
"""

from collections.abc import Mapping

from reconciler.declare import content, envelope, policy, refs, secrets
from reconciler.declare.catalogue import MOVED, OVERLAY, Catalogue
from reconciler.declare.desired import Draft, Gathered, Validate
from reconciler.declare.faults import UNKNOWN_FIELD, Fault
from reconciler.declare.inputs import Reading
from reconciler.declare.node import copied_map
from reconciler.declare.places import Written
from reconciler.declare.schema import Schema
from reconciler.model.errors import Problem
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.resource import Position, Resource, at_path, dotted


class Report:
    """Collects problems and warnings; knows where the text itself was not understood, and is silent there."""

    __slots__ = ("_misread", "problems", "warnings")

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.warnings: list[Problem] = []
        self._misread: frozenset[Position] = frozenset()

    def text_is_read(self) -> None:
        """What was found so far is about the text; what follows from it is not told again."""
        self._misread = frozenset(each.position for each in self.problems if each.position is not None)

    def fault(self, written: Written, fault: Fault, ref: Ref | None = None, *, mild: bool = False) -> None:
        """A fault of one document, at its position."""
        position = written.key_position(fault.path) if fault.at_key else written.position(fault.path)
        if position not in self._misread:
            told = str(ref) if ref else ""
            hint = fault.hint or f"`houmao explain {written.value.get('kind')}` tells what may stand here"
            problem = Problem(fault.code, fault.message, hint, position, dotted(fault.path), fault.rule, told)
            (self.warnings if mild else self.problems).append(problem)

    def double(self, ref: Ref, here: Position | None, there: Position | None, why: str = "declared") -> None:
        """One identity declared twice (R-LOAD-3)."""
        message = f"{ref} is already {why} at {there}"
        hint = "give one of them another name, or remove it"
        self.problems.append(Problem("declare.duplicate", message, hint, here, "metadata.name", "R-LOAD-3", str(ref)))


class Judge:
    """Judges documents one by one, in order of position."""

    __slots__ = (
        "_first",
        "_kinds",
        "_providers",
        "_reading",
        "_report",
        "_sessions",
        "_strict",
        "broken",
        "loose",
        "moves",
    )

    def __init__(
        self,
        reading: Reading,
        report: Report,
        kinds: Catalogue,
        providers: Mapping[str, policy.ProviderFacts],
        strict: Validate,
    ) -> None:
        self._reading = reading
        self._report = report
        self._kinds = kinds
        self._providers = providers
        self._strict = strict
        self._first: dict[Ref, Written] = {}
        self._sessions: dict[str, tuple[str, str, Position]] = {}
        self.broken: set[Ref] = set()
        """Refs whose document has a fault: a reference to one leads somewhere."""
        self.loose: list[tuple[Resource, Written]] = []
        """Documents with faults, with what references of theirs can be read."""
        self.moves: list[Move] = []
        """Renames, in order of position."""

    def draft(self, gathered: Gathered) -> Draft | None:
        """The document on its way, or None where it goes no further."""
        written, home, root = gathered
        value = written.value
        kind = value.get("kind")
        if kind == OVERLAY:
            hint = "build the directory it is in with -k"
            message = "an Overlay is composed, not applied"
            self._report.fault(written, Fault("declare.overlay.not_here", message, hint, ("kind",), "R-LOAD-6"))
            return None
        if kind == MOVED:
            self._move(written)
            return None
        schema = self._kinds.schema(kind) if isinstance(kind, str) else None
        ref = identity(value)
        if schema is None:
            self._report.fault(written, envelope.kind_fault(value, self._kinds.names()), ref)
            return None
        memo = self._reading.memo
        if memo is not None and memo.is_clean(written):
            fatal = False
        else:
            told = len(self._report.problems) + len(self._report.warnings)
            fatal = self._faults(written, schema, ref)
            if memo is not None and not fatal and told == len(self._report.problems) + len(self._report.warnings):
                memo.keep_clean(written)
        if ref is None:
            return None
        first = self._first.setdefault(ref, written)
        if first is not written:
            self._report.double(ref, written.position(("metadata", "name")), first.position(("metadata", "name")))
            return None
        spec = value.get("spec", {})
        if isinstance(spec, dict):
            self._session(written, spec, ref)
        if not fatal:
            return Draft(written, schema, ref, home, root)
        self.broken.add(ref)
        if isinstance(spec, dict):
            for fault in content.attach(schema, copied_map(spec), home, self._reading).faults:
                self._report.fault(written, fault, ref)
            self.loose.append((Resource(ref, spec, "", edges=refs.loose_edges(schema, spec)), written))
        return None

    def _move(self, written: Written) -> None:
        """A rename: told of, and no resource."""
        from reconciler.declare.moved import MODEL, Move

        faults = MODEL.document_faults(written.value)
        for fault in faults:
            self._report.fault(written, fault, None)
        spec = written.value.get("spec")
        if not faults and isinstance(spec, dict):
            at = written.position(("spec", "to"))
            self.moves.append(Move(Ref.parse(str(spec["from"])), Ref.parse(str(spec["to"])), at))

    def _faults(self, written: Written, schema: Schema, ref: Ref | None) -> bool:
        """Tell everything wrong with one document by itself; True when it cannot be used."""
        value = written.value
        faults = envelope.check(value, schema.kind, schema.optional)
        if "spec" in value:
            faults += [fault._replace(path=("spec", *fault.path)) for fault in schema.validate(value["spec"])]
        spec = value.get("spec", {})
        fatal = False
        if isinstance(spec, dict):
            faults += policy.doubles(schema, spec)
            faults += policy.of_provider(schema.kind, spec, self._providers)
            told = {fault.path for fault in faults}
            for fault, mild in secrets.judge(spec):
                if fault.path not in told:
                    self._report.fault(written, fault, ref, mild=mild)
                    fatal = fatal or not mild
        for fault in faults:
            mild = fault.code == UNKNOWN_FIELD and self._strict is not Validate.STRICT
            if not (mild and self._strict is Validate.IGNORE):
                self._report.fault(written, fault, ref, mild=mild)
            fatal = fatal or not mild
        return fatal

    def _session(self, written: Written, spec: JsonMap, ref: Ref) -> None:
        """Session names of two documents that tmux would make one (R-MOD-4a), valid ones or not."""
        for path in (("sessionName",), ("template", "sessionName")):
            name = at_path(spec, ".".join(path))
            if not isinstance(name, str):
                continue
            here = written.position(("spec", *path))
            other = self._sessions.setdefault(policy.escaped_session(name), (str(ref), name, here))
            if other[2] != here:
                message = f"{ref} and {other[0]} ({other[2]}) would have one tmux session: {name!r} and {other[1]!r}"
                where = dotted(("spec", *path))
                hint = "give one of them another"
                self._report.problems.append(Problem(policy.SESSION, message, hint, here, where, "R-MOD-4a", str(ref)))


TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.declare.moved import Move


def identity(value: Json) -> Ref | None:
    """Kind and name of a document, as far as they are there."""
    if not isinstance(value, dict):
        return None
    kind, metadata = value.get("kind"), value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return Ref(kind, name) if isinstance(kind, str) and isinstance(name, str) else None
