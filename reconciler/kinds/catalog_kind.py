"""The shared handler of kinds that are a catalog row plus content: Role, Skill, Setup, Recipe, Specialist and others.

Observing reads the definition tables once; facts come back in the canonical shape of the spec, so the engine finds
edits by other programs. Steps write content, then the `agents/` projection; rows go with the settling transaction.
"""

from collections.abc import Callable, Mapping, Sequence

from reconciler.engine.handler import (
    Absent,
    Case,
    Context,
    KindSchema,
    Lookup,
    Present,
    Seen,
    Step,
    Target,
    Unknown,
)
from reconciler.model.action import Action, Code, Disruption, Reason, Verb
from reconciler.model.change import Classification, FieldChange
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import JsonMap
from reconciler.model.ref import Ref
from reconciler.model.resource import Position, Resource, adopts
from reconciler.ports.bundle import Ports, Reader
from reconciler.ports.catalog import Definition, Transaction

Unmet = Callable[[Target, JsonMap, Reader], tuple[Reason, ...]]
Contents = Callable[[Ports, Context, Resource], None]


class CatalogKind:
    """A kind whose whole state is its definition: `create`, `update` and `remove` of a row and its content."""

    def __init__(
        self,
        kind: str,
        *,
        schema: Callable[[], KindSchema],
        write: Contents | None = None,
        drop: Contents | None = None,
        project: Contents | None = None,
        unmet: Unmet | None = None,
        extra: Callable[[Target, JsonMap, Reader], JsonMap] | None = None,
        definition: Callable[[Resource, Context], Definition] | None = None,
    ) -> None:
        self.kind = kind
        self._schema = schema
        self._write = write
        self._drop = drop
        self._project = project
        self._unmet = unmet
        self._extra = extra
        self._definition = definition or plain_definition

    @property
    def schema(self) -> KindSchema:
        """Imported when first asked for."""
        return self._schema()

    def observe(self, targets: Sequence[Target], ports: Reader) -> Mapping[Ref, Seen]:
        """One query for the kind; an unreadable catalog is Unknown for each target."""
        try:
            found = ports.catalog.definitions(self.kind)
        except ReconcilerError as error:
            return {target.ref: Unknown(error.message) for target in targets}
        return {target.ref: self._seen(target, found.get((target.was or target.ref).name), ports) for target in targets}

    def _seen(self, target: Target, found: Definition | None, ports: Reader) -> Seen:
        spec = target.want.spec if target.want else found.facts if found else {}
        unmet = self._unmet(target, spec, ports) if self._unmet else ()
        extra = self._extra(target, spec, ports) if self._extra else {}
        if found is None:
            return Absent("the catalog has no such definition", stamp=extra, unmet=unmet)
        return Present(found.facts, {**extra, "uid": found.uid}, complete=True, unmet=unmet)

    def plan(self, case: Case, look: Lookup) -> Sequence[Action]:
        """`create` what is missing, `update` what differs, `remove` what may go."""
        del look
        if case.want is None:
            reason = case.removal or Reason(Code.NOT_DECLARED, "no longer declared")
            return (Action(Verb.REMOVE, case.ref, case.uid, (reason,), disruption=Disruption.RECORD),)
        if case.row is None:
            return self._first(case)
        if isinstance(case.seen, Absent):
            reason = Reason(Code.MISSING, f"recorded as applied, but {case.seen.evidence}")
            return (self._act(Verb.CREATE, case, (reason,)),)
        reasons = reasons_for(case)
        return (self._act(Verb.UPDATE, case, reasons),) if reasons else ()

    def _first(self, case: Case) -> Sequence[Action]:
        if case.intent is not None:
            return (
                self._act(
                    Verb.CREATE, case, (Reason(Code.INTERRUPTED, "an earlier apply began it and did not finish"),)
                ),
            )
        if isinstance(case.seen, Present) and adopts(case.want):
            reason = Reason(Code.ADOPTED, "the catalog has it, nobody owns it, and it is declared to adopt")
            return (self._act(Verb.ADOPT, case, (reason,)),)
        if isinstance(case.seen, Present):
            reason = Reason(
                Code.UNMANAGED,
                f"the catalog already has a {self.kind} of this name that no apply set owns; "
                "annotate it houmao/adopt: IfUnowned to take it over, or declare it under another name",
            )
            return (Action(Verb.BLOCKED, case.ref, None, (reason,), held=Verb.CREATE),)
        return (
            self._act(Verb.CREATE, case, (Reason(Code.NEW, "declared, not in the catalog yet", *declared_at(case)),)),
        )

    def _act(self, verb: Verb, case: Case, reasons: tuple[Reason, ...]) -> Action:
        generation = (case.row.generation if case.row else 0) + (
            0 if case.row and case.want and case.row.digest == case.want.digest else 1
        )
        return Action(
            verb,
            case.ref,
            case.uid,
            reasons,
            disruption=Disruption.RECORD,
            changes=case.changes if case.row else (),
            pre={"generation": case.row.generation, "digest": case.row.digest} if case.row else {},
            post={"generation": generation, "digest": case.want.digest if case.want else None},
        )

    def steps(self, action: Action, case: Case, look: Lookup) -> Sequence[Step]:
        """`write-content`, `write-projection`, and the rows with the settling commit; or their removal."""
        del look
        if action.verb is Verb.REMOVE:
            drop = self._drop
            return (
                Step(
                    "drop-content",
                    run=lambda ports, context: drop(ports, context, _recorded(context)) if drop else None,
                ),
                Step("drop-rows", run=_nothing, commit=lambda tx, context: tx.drop_definition(context.case.ref)),
            )
        steps: list[Step] = []
        write, project = self._write, self._project
        if write is not None:
            steps.append(Step("write-content", run=lambda ports, context: write(ports, context, _wanted(context))))
        if project is not None:
            steps.append(Step("write-projection", run=lambda ports, context: project(ports, context, _wanted(context))))
        if action.verb is Verb.RENAME and self._drop is not None:
            steps.append(Step("drop-old-name", run=self._drop_old))
        steps.append(Step("write-rows", run=_nothing, commit=self._put))
        del case
        return tuple(steps)

    def _drop_old(self, ports: Ports, context: Context) -> None:
        """Content and projection under the old name, and those of what it derived under old names."""
        want, was = _wanted(context), context.case.was
        now = {child.ref for child in context.look.children(want.ref)}
        old = [one for one in context.look.owned(want.ref) if one.ref not in now]
        for resource in (*([Resource(was, want.spec, want.digest)] if was is not None else []), *old):
            if self._drop is not None:
                self._drop(ports, context, resource)

    def _put(self, tx: Transaction, context: Context) -> None:
        """Derived rows first: the definition refers to them."""
        want = _wanted(context)
        children = [child for child in context.look.children(want.ref) if child.derived]
        refs = {child.ref for child in children}
        for child in sorted(children, key=lambda one: (any(edge.to in refs for edge in one.edges), one.ref)):
            tx.put_definition(plain_definition(child, context))
        tx.put_definition(self._definition(want, context))
        kinds = {child.ref.kind for child in children}
        for before in context.look.owned(want.ref):
            if before.ref.kind not in kinds:
                tx.drop_definition(before.ref)


def declared_at(case: Case) -> tuple[tuple[str, ...], tuple[Position | None, ...]]:
    """The resource as a whole, and where it is declared: for reasons that are about no field of it."""
    return ((str(case.ref),), (case.want.position,)) if case.want is not None else ((), ())


def reasons_for(case: Case) -> tuple[Reason, ...]:
    """One reason per classification among the changes, each naming its paths and both values."""
    reasons: list[Reason] = []
    if case.intent is not None:
        reasons.append(Reason(Code.INTERRUPTED, "an earlier apply began to change it and did not finish"))
    by_kind: dict[Classification, list[FieldChange]] = {}
    for change in case.changes:
        by_kind.setdefault(change.classification, []).append(change)
    for kind in Classification:
        found = by_kind.get(kind)
        if found:
            reasons.append(_reason(case.ref, kind, found))
    for ref, changes in case.derived:
        own = [change for change in changes if change.classification is Classification.DRIFTED]
        if own:
            reasons.append(_reason(ref, Classification.DRIFTED, own))
    if case.want is not None and case.row is not None:
        reasons += metadata_reasons(case)
    return tuple(reasons)


def metadata_reasons(case: Case) -> list[Reason]:
    """Labels and annotations live in the inventory: a change of them is a record, never a new generation."""
    want, row = case.want, case.row
    if want is None or row is None:
        return []
    differing = [
        word
        for word, one, two in (("labels", want.labels, row.labels), ("annotations", want.annotations, row.annotations))
        if dict(one) != dict(two)
    ]
    if not differing:
        return []
    paths = tuple(f"{case.ref}.metadata.{word}" for word in differing)
    return [Reason(Code.METADATA_CHANGED, f"{' and '.join(differing)} changed", paths)]


def _reason(ref: Ref, kind: Classification, found: Sequence[FieldChange]) -> Reason:
    text = "; ".join(sentence(change) for change in found[:4])
    if len(found) > 4:
        text += f"; and {len(found) - 4} more"
    return Reason(
        Code(kind.value),
        text,
        tuple(f"{ref}.{change.label}" for change in found),
        tuple(change.position for change in found),
    )


def sentence(change: FieldChange) -> str:
    """`model is 'a', declared 'b'`: the field, what is, and what is asked for; secrets masked."""
    name = change.path
    if change.content:
        return f"the content of {name} changed"
    if change.masked:
        return f"{name} differs (sensitive)"
    now = change.observed if change.classification is Classification.DRIFTED else change.last
    if change.classification in (Classification.FIELD_REMOVED, Classification.REMOVED_OVER_DRIFT):
        return f"{name} is {short(change.last)}, no longer declared"
    if change.classification is Classification.CONVERGED:
        return f"{name} is {short(change.declared)} already"
    if change.classification is Classification.SPEC_CHANGED_DRIFTED:
        edited = f"somebody made it {short(change.observed)}"
        return f"{name} was {short(change.last)}, {edited}, declared {short(change.declared)}"
    return f"{name} is {short(now)}, declared {short(change.declared)}"


def short(value: object) -> str:
    """A value in a sentence: quoted text, cut to 60 characters."""
    text = (
        repr(value)
        if isinstance(value, str)
        else "unset"
        if not value and not isinstance(value, bool | int)
        else str(value)
    )
    return text if len(text) <= 60 else text[:57] + "…"


def plain_definition(resource: Resource, context: Context) -> Definition:
    """The definition of a resource, with its payloads by convention of the content store."""
    from reconciler.kinds.content import content_refs

    uid = context.uid if resource.ref == context.case.ref else context.child_uids.get(resource.ref)
    return Definition(resource.ref, resource.spec, content_refs(resource), uid)


def _nothing(ports: Ports, context: Context) -> None:
    """The rows of this step go with the settling commit."""
    del ports, context


def _wanted(context: Context) -> Resource:
    want = context.case.want
    if want is None:
        raise ReconcilerError(f"{context.case.ref} has no declaration to write")
    return want


def _recorded(context: Context) -> Resource:
    """What was last applied, for removing its content."""
    return context.look.get(context.case.ref) or Resource(context.case.ref, {}, "")
