"""From files to the desired state: every document read, judged, made canonical and bound, all faults told at once.

The stages are those of R-CAN-1. Each takes what the one before left and goes on past faults, so that one run reports
everything (R-LOAD-11). Nothing here depends on the order of files or documents (R-LOAD-2): what is judged in order is
judged in order of position.
"""

import posixpath
from collections.abc import Callable, Mapping

from reconciler.declare import content, envelope, origin, policy, refs
from reconciler.declare.bind import Binder, Place
from reconciler.declare.catalogue import Catalogue
from reconciler.declare.desired import (
    Compiled,
    Declared,
    Draft,
    Gathered,
    Validate,
    no_documents,
    ordered,
    state_digest,
)
from reconciler.declare.faults import Fault
from reconciler.declare.inputs import STDIN, Reading, Root, Source, TextFile, gather
from reconciler.declare.judge import Judge, Report
from reconciler.declare.node import copied, copied_map, values_at
from reconciler.declare.places import Positions, Written
from reconciler.declare.schema import Child, Schema
from reconciler.model.errors import Problem
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref, name_fault
from reconciler.model.resource import Resource
from reconciler.ports.files import FilesReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.declare.memo import Memo
    from reconciler.declare.moved import Move

__all__ = ["Compiled", "Source", "Validate", "compile_source", "fill_defaults", "sparse"]


def compile_source(
    source: Source,
    *,
    files: FilesReader,
    kinds: Catalogue,
    providers: Mapping[str, policy.ProviderFacts],
    known: Callable[[Ref], bool],
    strict: Validate = Validate.STRICT,
    memo: "Memo | None" = None,
) -> Compiled:
    """Compile a source. Never raises for what was declared: look at `problems`.

    `known` says whether the catalog has a ref that nobody declares. Zero documents is a problem among others
    (`declare.no_documents`); a caller that knows what the apply set owns looks at `documents` first (R-LOAD-10).
    With a memo of the last compile, what did not change since is taken from there; composing changes documents in
    place, and goes without.
    """
    reading = Reading(files, memo if source.composition is None else None)
    if memo is not None:
        memo.begin(providers, strict)
    gathered, roots = gather_documents(source, reading, kinds)
    report = Report(reading.problems)
    report.text_is_read()
    judge = Judge(reading, report, kinds, providers, strict)
    # By position, so that of two that exclude one another always the same one is told.
    gathered.sort(key=lambda each: (each.written.file, each.written.index))
    drafts = [draft for each in gathered if (draft := judge.draft(each)) is not None]
    project = project_of(drafts, report)
    builder = Builder(reading, report, judge, kinds, project)
    for draft in drafts:
        builder.build(draft)
    binder = Binder(builder.resources, builder.places, judge, report, kinds, known)
    binder.bind()
    resources = dict(sorted(builder.resources.items()))
    found = resources.get(project.ref) if project is not None else None
    report.problems += move_faults(judge.moves, resources)
    report.problems += policy.mismatched(resources)
    report.problems += policy.profile_env(resources, providers)
    report.problems += policy.collisions(resources.values())
    report.problems += policy.without_windows(found, resources.values())
    for problem, mild in policy.over_limits(found, resources.values()):
        (report.warnings if mild else report.problems).append(problem)
    if not gathered and not report.problems:
        report.problems.append(no_documents(source))
    ids, tree = root_ids(roots, found, files)
    if memo is not None:
        memo.end()
    return Compiled(
        resources=resources,
        problems=ordered(report.problems),
        warnings=ordered(report.warnings),
        inputs=tuple(sorted(reading.stamps.items())),
        directories=tuple(sorted(reading.directories.items())),
        source_root="\n".join(sorted(set(ids.values()))),
        roots=tuple(sorted(set(ids.values()))),
        project=found,
        inputs_digest=state_digest(resources),
        source_revision=origin.revision(tree, files),
        documents=len(gathered),
        root_of={ref: ids[root] for ref, root in builder.root_of.items()},
        moves=tuple(sorted((move.old, move.new) for move in judge.moves)),
        from_catalog=tuple(sorted(binder.from_catalog)),
    )


def move_faults(moves: "list[Move]", resources: Mapping[Ref, Resource]) -> list[Problem]:
    """One old name becomes one new name, and is declared no more."""
    found: list[Problem] = []
    old: set[Ref] = set()
    new: set[Ref] = set()
    for move in moves:
        if move.old in resources:
            why, hint = f"{move.old} moved to {move.new} and is still declared", "remove one of the two"
        elif move.old in old or move.new in new:
            why, hint = f"{move.old} or {move.new} is in another Moved document as well", "keep one of them"
        else:
            old.add(move.old)
            new.add(move.new)
            continue
        found.append(Problem("declare.moved", why, hint, move.position, "spec.to", "R-MOD-11", str(move.new)))
    return found


def gather_documents(source: Source, reading: Reading, kinds: Catalogue) -> tuple[list[Gathered], list[Root]]:
    """Every document of a source, and its roots."""
    if source.composition is not None:
        from reconciler.declare import composition

        return composition.build(source, reading, kinds)
    files, roots = gather(source, reading)
    found: list[Gathered] = []
    for file in files:
        data = source.stdin or b"" if file.path == STDIN else None
        home = content.HomeOf(home_of(file))
        found += [Gathered(document, home, file.root.where) for document in reading.documents(file, data)]
    return found, roots


def home_of(file: TextFile) -> content.Home:
    """Relative paths of a file begin beside it, and stay inside its root."""
    directory = file.root.directory if file.path == STDIN else posixpath.dirname(file.path)
    return content.Home(directory, file.root.directory)


def project_of(drafts: list[Draft], report: Report) -> Draft | None:
    """The one Project; more are reported."""
    found = [draft for draft in drafts if draft.schema.kind == "Project"]
    for extra in found[1:]:
        message = f"{extra.ref} is a second Project; the first is at {found[0].name_at}"
        told = str(extra.ref)
        report.problems.append(
            Problem("declare.project.second", message, "keep one", extra.name_at, "kind", "R-MOD-1", told)
        )
    return found[0] if found else None


def root_ids(
    roots: list[Root], project: Resource | None, files: FilesReader
) -> tuple[dict[str, str], origin.WorkTree | None]:
    """The id of each root by where it is (R-PRU-10), and the work tree of the first."""
    trees = {root.where: origin.work_tree(root.directory, files) for root in roots}
    first = next(iter(trees.values()), None)
    declared = project.annotations.get(envelope.SOURCE_ID_KEY) if project is not None else None
    if declared is not None:
        return dict.fromkeys(trees, declared), first
    return {where: origin.root_id(where, tree, files) for where, tree in trees.items()}, first


class Builder:
    """Makes drafts canonical: defaults, content, digests, children."""

    __slots__ = ("_defaults", "_judge", "_kinds", "_reading", "_report", "places", "resources", "root_of")

    def __init__(self, reading: Reading, report: Report, judge: Judge, kinds: Catalogue, project: Draft | None) -> None:
        self._reading = reading
        self._report = report
        self._judge = judge
        self._kinds = kinds
        spec = project.written.value.get("spec") if project is not None else None
        self._defaults = spec.get("defaults") if isinstance(spec, dict) else None
        self.resources: dict[Ref, Resource] = {}
        self.places: dict[Ref, Place] = {}
        self.root_of: dict[Ref, str] = {}

    def build(self, draft: Draft) -> None:
        """The resource of a draft, and its children."""
        memo = self._reading.memo
        if memo is None:
            made = self._made(draft)
        elif (kept := memo.made(draft.written, self._defaults)) is not None:
            made = [(resource.again(), place) for resource, place in kept.resources]
        else:
            told = len(self._report.problems)
            made = self._made(draft)
            alone = all(source.path is None for resource, _ in made for source in resource.contents)
            if made and alone and told == len(self._report.problems):
                _keep(memo, draft.written, self._defaults, made)
        for resource, place in made:
            self._add(resource, place, draft.root)

    def _made(self, draft: Draft) -> "list[tuple[Declared, Place]]":
        """They, the children last; none where its content cannot be had."""
        written, schema, ref, home, _ = draft
        given = written.value.get("spec", {})
        assert isinstance(given, dict)
        # Attaching changes the spec in place, and the document is asked for its texts again.
        spec = with_defaults(schema.kind, copied_map(given) if schema.content_spots else given, self._defaults)
        attached = content.attach(schema, spec, home, self._reading)
        for fault in attached.faults:
            self._report.fault(written, fault, ref)
        if attached.faults:
            self._judge.broken.add(ref)
            self._judge.loose.append((Resource(ref, spec, "", edges=refs.loose_edges(schema, spec)), written))
            return []
        canonical = schema.canonical(spec)
        metadata = written.value["metadata"]
        assert isinstance(metadata, dict)
        resource = Declared(
            written,
            ref,
            canonical,
            schema.digest(canonical),
            labels=texts(metadata.get("labels")),
            annotations=texts(metadata.get("annotations")),
            positions=Positions(written),
            edges=refs.edges_of(schema, canonical),
            contents=attached.contents,
        )
        children = schema.children(resource)
        if any(child.full for child in children):
            # Who waits is the child; its owner is only a row.
            resource.edges = tuple(edge for edge in resource.edges if "dependsOn" not in edge.path.split("."))
        made = [(resource, Place(written, ()))]
        for child in children:
            named = self._child(child, resource, written)
            if named is not None:
                made.append((named, Place(written, child.moved)))
        return made

    def _child(self, child: Child, owner: Resource, written: Written) -> Declared | None:
        ref = Ref(child.kind, child.name)
        why = name_fault(child.name)
        if why is not None:
            hint = f"choose a shorter name for {owner.ref}"
            message = f"{owner.ref} makes {ref}, whose name {why}"
            self._report.fault(
                written, Fault("declare.name", message, hint, ("metadata", "name"), "R-MOD-4"), owner.ref
            )
            return None
        schema = self._kinds.schema(child.kind)
        assert schema is not None
        used = content_digests(schema, child.spec)
        return Declared(
            written,
            ref,
            child.spec,
            schema.digest(child.spec),
            labels=owner.labels if child.full else None,
            positions=Positions(written, child.moved),
            edges=refs.edges_of(schema, child.spec),
            contents=tuple(source for source in owner.contents if source.digest in used),
            owner=owner.ref,
            derived=not child.full,
        )

    def _add(self, resource: Resource, place: Place, root: str) -> None:
        other = self.resources.get(resource.ref)
        if other is None:
            self.resources[resource.ref] = resource
            self.places[resource.ref] = place
            self.root_of[resource.ref] = root
            return
        made, plain = (resource, other) if resource.owner is not None else (other, resource)
        why = f"made by {made.owner}, declared" if made.owner else "declared"
        self._report.double(resource.ref, plain.position, made.position, why)


def _keep(memo: "Memo", written: Written, defaults: Json, made: "list[tuple[Declared, Place]]") -> None:
    """Copies, for those that were made are bound now."""
    from reconciler.declare.memo import Made

    memo.keep_made(Made(written, defaults, tuple((resource.again(), place) for resource, place in made)))


def with_defaults(kind: str, spec: JsonMap, defaults: Json) -> JsonMap:
    """The spec with the project's defaults for what it leaves out; the document's own value is not changed."""
    if not isinstance(defaults, dict) or not defaults:
        return spec
    out = copied_map(spec)
    below: dict[str, tuple[str, ...]] = {
        "Instance": ("readiness", "retry", "drift"),
        "InstanceSet": ("readiness", "retry", "drift"),
        "Specialist": ("promptMode",),
        "Recipe": ("promptMode",),
    }
    inner = {"InstanceSet": "template", "Recipe": "launch"}.get(kind)
    target: Json = out.setdefault(inner, {}) if inner else out
    if isinstance(target, dict):
        for name in below.get(kind, ()):
            if name in defaults:
                target.setdefault(name, copied(defaults[name]))
    return out


def texts(value: Json) -> dict[str, str]:
    """A mapping of texts, sorted by key."""
    return {key: str(value[key]) for key in sorted(value)} if isinstance(value, dict) else {}


def content_digests(schema: Schema, spec: JsonMap) -> set[str]:
    """Digests of the content that a canonical spec names."""
    found: set[str] = set()
    for spot in schema.content_spots:
        for each in values_at(spec, spot.path):
            if isinstance(each.value, dict):
                found.add(str(each.value.get("digest")))
    return found


def fill_defaults(kinds: Catalogue, kind: str, given: JsonMap) -> JsonMap:
    """A sparse spec of a kind made canonical again; as it is when the kind is not known here."""
    schema = kinds.schema(kind)
    return schema.filled(given) if schema is not None else given


def sparse(kinds: Catalogue, kind: str, spec: JsonMap) -> JsonMap:
    """A canonical spec without what equals its default: what is recorded, and what is digested."""
    schema = kinds.schema(kind)
    return schema.sparse(spec) if schema is not None else spec
