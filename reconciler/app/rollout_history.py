"""Revisions of a set: what it and all that it is made of were declared as, by the runs that the catalog has kept.

A run records what was declared, whole or in part; several runs may carry out one change of a set, and many have nothing
to do with it. A revision of the set is each state of it that another one followed or that is the last.
"""

from collections.abc import Mapping

from reconciler.app import revisions as revisions_
from reconciler.engine.observe import edges_of
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.catalog import CatalogReader, RunRow

EVERY = 10_000
"""Runs that are looked at."""
MEMBER = "Instance"
"""Members follow from their set: what they are is no part of what a revision is."""


class Revision(NamedTuple):
    """One state of a set."""

    number: int
    run: RunRow
    """The first run that declared it."""
    digests: Mapping[Ref, str]
    """Of the set and all that it refers to, through any number of others."""
    changed: tuple[Ref, ...]
    """What is another than in the revision before."""

    def to_json(self) -> JsonMap:
        """`{revision, run, started, actor, outcome, sourceRevision, changed, resources}`."""
        changed: list[Json] = [str(ref) for ref in self.changed]
        return {
            "revision": self.number,
            "run": self.run.id,
            "started": self.run.started,
            "actor": self.run.actor,
            "outcome": self.run.outcome,
            "sourceRevision": self.run.source_revision or None,
            "changed": changed,
            "resources": {str(ref): digest for ref, digest in sorted(self.digests.items())},
        }


def revisions(catalog: CatalogReader, owner: Ref) -> tuple[Revision, ...]:
    """Every revision of a set, oldest first."""
    runs = catalog.runs(EVERY)[::-1]
    declared = [
        (each.run, {ref: entry.digest for ref, entry in each.entries.items() if ref.kind != MEMBER})
        for each in revisions_.read(catalog, runs)
    ]
    bodies = catalog.bundles({digest for _, found in declared for digest in found.values()})
    found: list[Revision] = []
    known: dict[Ref, str] = {}
    for run, part in declared:
        known |= part
        if owner not in known:
            continue
        now = reached(owner, known, bodies)
        before = found[-1].digests if found else {}
        if now != before:
            changed = tuple(sorted(ref for ref in now.keys() | before.keys() if now.get(ref) != before.get(ref)))
            found.append(Revision(len(found) + 1, run, now, changed))
    return tuple(found)


def reached(owner: Ref, digests: Mapping[Ref, str], bodies: Mapping[str, JsonMap]) -> dict[Ref, str]:
    """The digests of a set and of all it refers to, those of what is derived left out: their owner has them."""
    found: dict[Ref, str] = {}
    stack = [owner]
    while stack:
        ref = stack.pop()
        digest = digests.get(ref)
        if digest is None or ref in found:
            continue
        found[ref] = digest
        stack += [edge.to for edge in edges_of(bodies.get(digest, {}))]
    return found
