"""Revisions: what each run declared and what it did, read from the catalog and written into it (R-HIS-1).

A run with at least one action is a revision of its apply set, numbered per set; so is a rollback that needs none. Its
bundle names every declared resource by digest, with labels, annotations and owner; the documents themselves are kept
once each. A verb or a deletion declares no set: its revision says what was done and cannot be gone back to.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.engine.observe import edges_of
from reconciler.model.json import Json, JsonMap
from reconciler.model.outcome import Outcome, Result
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.catalog import CatalogReader, RunRow

if TYPE_CHECKING:
    from reconciler.app.desired import Desired

EVERY = 1_000_000
"""More runs than anybody has."""
FORMAT = 2
"""Of the bundle of a run; the first one named digests alone."""


class Entry(NamedTuple):
    """One resource of a revision: the document it is by digest, and what stands beside that."""

    digest: str
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    owner: Ref | None = None
    derived: bool = False

    def to_json(self) -> JsonMap:
        """What is not empty."""
        out: JsonMap = {"digest": self.digest}
        if self.labels:
            out["labels"] = dict(self.labels)
        if self.annotations:
            out["annotations"] = dict(self.annotations)
        if self.owner is not None:
            out["owner"] = str(self.owner)
        if self.derived:
            out["derived"] = True
        return out


class Revision(NamedTuple):
    """One run as recorded."""

    run: RunRow
    actions: tuple[JsonMap, ...]
    entries: Mapping[Ref, Entry]
    whole: bool
    """Whether a set was declared, so that it can be gone back to."""
    source_root: str = ""

    @property
    def settled(self) -> bool:
        """Whether every action of it did what it should."""
        return self.run.outcome == Result.SETTLED.value


# --- writing ----------------------------------------------------------------------------------------------------------


def next_of(catalog: CatalogReader, apply_set: str) -> int:
    """The number of the next revision of a set."""
    return next((run.revision for run in catalog.runs(1, apply_set)), 0) + 1


def bundle_of(desired: "Desired") -> JsonMap:
    """What is kept of a declared set; equal sets give equal bundles."""
    entries: JsonMap = {
        str(ref): Entry(found.digest, found.labels, found.annotations, found.owner, found.derived).to_json()
        for ref, found in sorted(desired.declared.items())
    }
    return {"format": FORMAT, "whole": desired.whole, "sourceRoot": desired.source_root, "resources": entries}


def told(outcome: Outcome) -> JsonMap:
    """What is kept of one action: why, and how it ended. Reasons and errors name no secret already."""
    reasons: list[Json] = [{"code": each.code.value, "text": each.text} for each in outcome.action.reasons]
    return {**outcome.to_json(), "reasons": reasons}


# --- reading ----------------------------------------------------------------------------------------------------------


def read(catalog: CatalogReader, runs: Sequence[RunRow]) -> tuple[Revision, ...]:
    """These runs with all that is kept of them: two queries."""
    bundles = catalog.bundles({run.bundle for run in runs})
    actions = catalog.run_actions([run.id for run in runs])
    return tuple(_revision(run, bundles.get(run.bundle, {}), actions.get(run.id, ())) for run in runs)


def whole(catalog: CatalogReader, apply_set: str) -> Iterator[Revision]:
    """Those that can be gone back to, newest first; read one by one, for most who ask want the first."""
    for run in catalog.runs(EVERY, apply_set):
        (found,) = read(catalog, [run])
        if found.whole:
            yield found


def _revision(run: RunRow, bundle: JsonMap, actions: tuple[JsonMap, ...]) -> Revision:
    if bundle.get("format") != FORMAT:
        found = {Ref.parse(ref): Entry(str(digest)) for ref, digest in bundle.items() if "/" in ref}
        return Revision(run, actions, found, False)
    entries = {Ref.parse(ref): _entry(body) for ref, body in _map(bundle.get("resources")).items()}
    return Revision(run, actions, entries, bundle.get("whole") is True, str(bundle.get("sourceRoot") or ""))


def _entry(body: Json) -> Entry:
    found = _map(body)
    owner = found.get("owner")
    return Entry(
        str(found.get("digest")),
        {key: str(value) for key, value in _map(found.get("labels")).items()},
        {key: str(value) for key, value in _map(found.get("annotations")).items()},
        Ref.parse(owner) if isinstance(owner, str) else None,
        found.get("derived") is True,
    )


def _map(value: Json) -> JsonMap:
    return value if isinstance(value, dict) else {}


def resources(catalog: CatalogReader, revision: Revision) -> dict[Ref, Resource]:
    """What a revision declared, as values; a document that is gone is left out."""
    bodies = catalog.bundles({entry.digest for entry in revision.entries.values()})
    return {
        ref: resource_of(ref, entry, body)
        for ref, entry in sorted(revision.entries.items())
        if (body := bodies.get(entry.digest)) is not None
    }


def resource_of(ref: Ref, entry: Entry, body: JsonMap) -> Resource:
    """One resource of a kept document."""
    return Resource(
        ref,
        _map(body.get("spec")),
        entry.digest,
        labels=entry.labels,
        annotations=entry.annotations,
        edges=edges_of(body),
        owner=entry.owner,
        derived=entry.derived,
    )
