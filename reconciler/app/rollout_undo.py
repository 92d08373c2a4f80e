"""The way back to an earlier revision of a set: its declarations of then, as what an imperative verb asks for.

What the set is made of is brought back where it is another one now, and whoever else uses that follows, as with every
verb. What is gone is named, and then nothing is done.
"""

from collections.abc import Mapping

from reconciler.app import standing, wiring
from reconciler.app.ask import Restore
from reconciler.app.compose import Recorded, recorded
from reconciler.app.rollout_history import Revision, reached, revisions
from reconciler.app.standing import Pin
from reconciler.declare import hold
from reconciler.declare.catalogue import Catalogue
from reconciler.engine.observe import from_bundle, to_bundle
from reconciler.model.errors import GuardRefused, ReconcilerError, UsageFault
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader


class NoRevision(ReconcilerError):
    """There is no such revision of the set, or none to go back to."""

    code = "resource.no_revision"


class Back(NamedTuple):
    """What shall be as it was, what a verb says of it, and the mark for a watch."""

    resources: Mapping[Ref, Resource]
    lines: tuple[str, ...]
    pin: Pin | None
    """None where what is brought back is what the source says."""


def way_back(reader: Reader, known: Recorded, kinds: Catalogue, asked: Restore) -> Back:
    """Raises NoRevision; GuardRefused where something that the revision was made of is gone."""
    owner = asked.ref
    row = known.rows.get(owner)
    if owner.kind != "InstanceSet" or row is None:
        from reconciler.app.intent import not_recorded

        raise (
            not_recorded(owner)
            if row is None
            else UsageFault(f"{owner} has no rollouts", hint="name an InstanceSet", code="usage.kind")
        )
    now = _as_recorded(owner, known)
    revision = chosen(reader, asked, now)
    rows = {ref: found.digest for ref, found in known.rows.items()}
    different = {ref: digest for ref, digest in revision.digests.items() if rows.get(ref) != digest}
    bodies = reader.catalog.bundles(different.values())
    lost = [str(ref) for ref, digest in sorted(different.items()) if ref not in known.rows or digest not in bodies]
    resources: dict[Ref, Resource] = {}
    for ref, digest in sorted(different.items()):
        if str(ref) in lost:
            continue
        then = from_bundle(ref, known.rows[ref]._replace(digest=digest), bodies[digest])
        resources[ref] = standing.placed(then, known.last.get(ref))
        lost += standing.with_contents(
            resources[ref], hold.generated(resources[ref], known.last, kinds).values(), reader
        )
    if lost:
        raise GuardRefused(
            f"revision {revision.number} of {owner} cannot be brought back, it is made of what is gone: "
            + "; ".join(lost),
            hint="nothing was changed; apply the source that it came from",
            code="guard.incomplete",
            ref=str(owner),
        )
    lines = [f"{owner}: back to revision {revision.number} of {revision.run.started[:19]}Z"] if different else []
    lines += [f"{ref}: as it was then" for ref in sorted(different) if ref != owner]
    return Back(resources, tuple(lines), _mark(owner, revision, different, rows, reader))


def chosen(reader: Reader, asked: Restore, now: Mapping[Ref, str]) -> Revision:
    """The revision that is meant: by its number, or the last that is another than what is recorded."""
    every = revisions(reader.catalog, asked.ref)
    hint = f"`houmao rollout history {asked.ref.kind.lower()}/{asked.ref.name}` lists its revisions"
    if asked.revision is not None:
        found = next((each for each in every if each.number == asked.revision), None)
        if found is None:
            raise NoRevision(f"{asked.ref} has no revision {asked.revision}", hint=hint, ref=str(asked.ref))
        return found
    found = next((each for each in reversed(every) if each.digests != now), None)
    if found is None:
        raise NoRevision(f"{asked.ref} has no earlier revision to go back to", hint=hint, ref=str(asked.ref))
    return found


def fixed(reader: Reader, asked: Restore) -> Restore:
    """The same by the number of the revision: once it is brought back, another one is the one before."""
    known = recorded(reader)
    return asked._replace(revision=chosen(reader, asked, _as_recorded(asked.ref, known)).number)


def mark_of(reader: Reader, asked: Restore) -> Pin | None:
    """The mark by which a watch keeps a revision; None where there is none to keep."""
    known = recorded(reader)
    try:
        return way_back(reader, known, Catalogue(folders=wiring.folders(wiring.KINDS)), asked).pin
    except (NoRevision, GuardRefused):
        return None


def _as_recorded(owner: Ref, known: Recorded) -> dict[Ref, str]:
    digests = {ref: row.digest for ref, row in known.rows.items()}
    return reached(owner, digests, {last.digest: to_bundle(last) for last in known.last.values()})


def _mark(
    owner: Ref, revision: Revision, different: Mapping[Ref, str], rows: Mapping[Ref, str], reader: Reader
) -> Pin | None:
    """What the source says is what is recorded, but where it is skipped already."""
    before = standing.read(reader.catalog).get(owner)
    said = dict(before.skipped) if before is not None else {}
    instead = dict(before.instead) if before is not None else {}
    for ref, digest in different.items():
        said.setdefault(ref, rows[ref])
        instead[ref] = digest
    kept = {ref: digest for ref, digest in instead.items() if said[ref] != digest}
    if not kept:
        return None
    by = reader.environ.get("USER") or "unknown"
    at = reader.clock.now_utc().isoformat(timespec="seconds")
    return Pin(revision.number, by, at, {ref: said[ref] for ref in kept}, kept)
