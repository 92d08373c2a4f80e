"""`history`: which runs there were, who started them, what they did and what they changed (R-HIS-1)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from reconciler.app import kind_names, revisions
from reconciler.app.revisions import Revision
from reconciler.app.session import Flags, Session, kinds, open_session
from reconciler.engine import diff
from reconciler.model.change import FieldChange, Missing
from reconciler.model.errors import ReconcilerError, UsageFault
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.catalog import CatalogReader

EVERY = revisions.EVERY
"""How many runs are looked through where something in them is looked for; retention bounds them."""


class RevisionNotFound(ReconcilerError):
    """A revision was named that is not recorded."""

    code = "history.not_found"


class Changed(NamedTuple):
    """One resource that differs between two revisions: `added`, `removed` or `changed`, and the fields."""

    ref: Ref
    how: str
    fields: tuple[FieldChange, ...] = ()
    labels: tuple[str, ...] = ()
    """Labels and annotations that differ, by path."""

    def to_json(self) -> JsonMap:
        """`{ref, change, fields: [{path, before, after}], metadata}`."""
        fields: list[Json] = []
        for each in self.fields:
            before, after = shown(each, each.last), shown(each, each.declared)
            fields.append({"path": each.label, "before": before, "after": after})
        return {"ref": str(self.ref), "change": self.how, "fields": fields, "metadata": list(self.labels)}


def shown(change: FieldChange, side: Json | Missing) -> Json:
    """A value as it may be read: nothing sensitive, null for none."""
    if isinstance(side, Missing):
        return None
    return "(sensitive)" if change.masked else side


class Told(NamedTuple):
    """One revision of a list; `about` are its actions on the resource that was asked about, or all."""

    revision: Revision
    about: tuple[JsonMap, ...]

    def to_json(self) -> JsonMap:
        """The keys of `houmao history -o json`."""
        run = self.revision.run
        return {
            "revision": run.revision,
            "applySet": run.apply_set,
            "run": run.id,
            "command": run.command or None,
            "actor": run.actor,
            "started": run.started,
            "ended": run.ended,
            "outcome": run.outcome,
            "sourceRevision": run.source_revision or None,
            "planDigest": run.plan_digest,
            "bundleDigest": run.bundle,
            "restorable": self.revision.whole,
            "actions": list(self.about),
        }


class Listed(NamedTuple):
    """What `history` shows, newest first."""

    items: tuple[Told, ...]
    ref: Ref | None
    now: datetime
    overlay_exists: bool


class Detail(NamedTuple):
    """What `history show` shows: the revision, the one before it, and what differs."""

    told: Told
    before: Revision | None
    changes: tuple[Changed, ...]
    now: datetime

    def to_json(self) -> JsonMap:
        """The same keys, with `since` and `changes`."""
        changes: list[Json] = [each.to_json() for each in self.changes]
        before = self.before.run.revision if self.before else None
        return {**self.told.to_json(), "since": before, "changes": changes}


def history(flags: Flags, words: Sequence[str], *, apply_set: str | None = None, limit: int = 20) -> Listed:
    """The newest runs; those that touched one resource where one is named. Raises UsageFault for bad words."""
    session = open_session(flags)
    ref = _ref(words) if words else None
    catalog = session.reader.catalog
    found: list[Told] = []
    if ref is None:
        found = [Told(each, each.actions) for each in revisions.read(catalog, catalog.runs(limit, apply_set))]
    else:
        for each in revisions.read(catalog, catalog.runs(EVERY, apply_set)):
            about = tuple(action for action in each.actions if action.get("ref") == str(ref))
            if about and len(found) < limit:
                found.append(Told(each, about))
    return Listed(tuple(found), ref, session.reader.clock.now_utc(), session.overlay_exists)


def _ref(words: Sequence[str]) -> Ref:
    named = kind_names.named(words, kinds())
    if len(named.refs) != 1:
        raise UsageFault(
            "history is of one resource, or of all runs",
            hint="write kind/name, such as instance/alice, or nothing",
            code="usage.names",
        )
    return named.refs[0]


def show(flags: Flags, which: str, *, apply_set: str | None = None) -> Detail:
    """One revision, by its number or the id of its run, and what it changed. Raises RevisionNotFound, UsageFault."""
    session = open_session(flags)
    revision = find(session.reader.catalog, which, apply_set)
    before = previous(session.reader.catalog, revision)
    return Detail(
        Told(revision, revision.actions), before, changes(session, before, revision), session.reader.clock.now_utc()
    )


def find(catalog: CatalogReader, which: str, apply_set: str | None = None) -> Revision:
    """The revision with this number, or the run whose id begins so; a number of several sets needs the set."""
    runs = catalog.runs(EVERY, apply_set)
    if which.isdecimal():
        found = [run for run in runs if run.revision == int(which)]
    else:
        found = [run for run in runs if run.id.startswith(which)]
    if not found:
        of = f" in apply set {apply_set!r}" if apply_set is not None else ""
        raise RevisionNotFound(
            f"no run {which!r} is recorded{of}",
            hint="`houmao history` lists those that are",
        )
    if len(found) > 1:
        sets = sorted({run.apply_set for run in found})
        raise UsageFault(
            f"{which!r} is a run of each of {', '.join(sets)}"
            if len(sets) > 1
            else f"several runs begin with {which!r}",
            hint="say which with --applyset, or write more of the run's id",
            code="usage.names",
        )
    return revisions.read(catalog, found)[0]


def previous(catalog: CatalogReader, revision: Revision) -> Revision | None:
    """The newest revision before it that declared the whole set."""
    older = [run for run in catalog.runs(EVERY, revision.run.apply_set) if run.revision < revision.run.revision]
    return next((found for run in older if (found := revisions.read(catalog, [run])[0]).whole), None)


def changes(session: Session, before: Revision | None, after: Revision) -> tuple[Changed, ...]:
    """What differs between two revisions of a set, by resource; nothing where the later one declared no set."""
    if not after.whole:
        return ()
    catalog = session.reader.catalog
    old, new = revisions.resources(catalog, before) if before else {}, revisions.resources(catalog, after)
    known: Mapping[Ref, object] = before.entries if before else {}
    found: list[Changed] = []
    for ref in sorted(known.keys() | after.entries.keys()):
        if ref not in known:
            found.append(Changed(ref, "added"))
        elif ref not in after.entries:
            found.append(Changed(ref, "removed"))
        elif before is not None and before.entries[ref] != after.entries[ref]:
            found.append(_changed(session, ref, old.get(ref), new.get(ref)))
    return tuple(found)


def _changed(session: Session, ref: Ref, old: Resource | None, new: Resource | None) -> Changed:
    if old is None or new is None:
        return Changed(ref, "changed")
    handler = session.handlers.get(ref.kind)
    fields = diff.changes(new, old.spec, None, handler.schema.shape, complete=True) if handler is not None else ()
    words: list[str] = []
    for name, one, other in (("labels", old.labels, new.labels), ("annotations", old.annotations, new.annotations)):
        differ = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
        words += [f"metadata.{name}.{key}" for key in differ]
    return Changed(ref, "changed", fields, tuple(words))
