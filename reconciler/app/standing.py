"""What was brought back to an earlier revision: what a watch keeps instead of what its source still says (R-HIS-2).

A pin is of an InstanceSet (`rollout undo`) or of all that an apply set declares (`history rollback`). What was gone
back from is skipped until the source says something else, so that a watch does not bring at once what was just taken
back. Whoever applies the source by hand means it, and ends that.
"""

from collections.abc import Callable, Iterable, Mapping

from reconciler.app import revisions, rollouts, wiring
from reconciler.app.desired import Desired
from reconciler.declare import hold
from reconciler.declare.catalogue import Catalogue
from reconciler.engine import kept
from reconciler.engine.observe import from_bundle
from reconciler.kinds import content
from reconciler.model.action import Verb
from reconciler.model.json import Json, JsonMap, canonical, digest, parse_map
from reconciler.model.outcome import Outcome, Result
from reconciler.model.ref import Ref
from reconciler.model.resource import ContentSource, Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports, Reader
from reconciler.ports.catalog import CatalogReader

KEY = "standing"
WHOLE = "ApplySet"
"""Kind of what stands for all that an apply set declares; its digest is that of the bundle of a revision."""


class Pin(NamedTuple):
    """One set or apply set, and what stands instead of what: digests by ref."""

    revision: int
    by: str
    at: str
    skipped: Mapping[Ref, str]
    """What the source says, which is skipped as long as it says that."""
    instead: Mapping[Ref, str]

    def to_json(self) -> JsonMap:
        """`{revision, by, at, skipped, instead}`."""
        return {
            "revision": self.revision,
            "by": self.by,
            "at": self.at,
            "skipped": {str(ref): digest for ref, digest in sorted(self.skipped.items())},
            "instead": {str(ref): digest for ref, digest in sorted(self.instead.items())},
        }

    def skips(self, desired: Desired) -> bool:
        """Whether the source still says what was taken back."""
        return all(_said(desired, ref) == digest for ref, digest in self.skipped.items())


def read(catalog: CatalogReader) -> dict[Ref, Pin]:
    """By set."""
    text = catalog.meta(KEY)
    try:
        found = parse_map(text) if text else {}
        return {_ref(name): _pin(body) for name, body in found.items() if isinstance(body, dict)}
    except ValueError:
        return {}


def write(ports: Ports, token: int, pins: Mapping[Ref, Pin]) -> None:
    """Keep them, where they differ from what is kept."""
    text = canonical({str(ref): pin.to_json() for ref, pin in sorted(pins.items())})
    if text == (ports.catalog.meta(KEY) or "{}"):
        return
    with ports.catalog.transaction(token) as tx:
        tx.put_meta(KEY, text)


def applied(desired: Desired, ports: Ports, token: int) -> None:
    """The source was applied as it is: what was skipped of it is so no more."""
    pins = read(ports.catalog)
    if pins and desired.compiled is not None:
        write(ports, token, {ref: pin for ref, pin in pins.items() if not _of(ref, desired)})


def ended(desired: Desired, ports: Ports, token: int) -> None:
    """A watch saw its source say something else: what it skipped is over, also if it is said again later."""
    pins = read(ports.catalog)
    left = {ref: pin for ref, pin in pins.items() if pin.skips(desired) or not _of(ref, desired)}
    if len(left) < len(pins):
        write(ports, token, left)


def marked(ref: Ref, pin: Pin | None) -> Callable[[Ports, int], None]:
    """What keeps a watch from bringing again what is taken back: written before anything runs."""

    def mark(ports: Ports, token: int) -> None:
        others = {one: found for one, found in read(ports.catalog).items() if one != ref}
        write(ports, token, {**others, ref: pin} if pin is not None else others)

    return mark


def removed(outcomes: Iterable[Outcome], ports: Ports, token: int) -> None:
    """Nothing is kept of a set that is gone: another one of its name begins anew."""
    gone = {
        each.action.ref
        for each in outcomes
        if each.action.verb is Verb.REMOVE and each.result is Result.SETTLED and each.action.ref.kind == "InstanceSet"
    }
    if gone:
        write(ports, token, {ref: pin for ref, pin in read(ports.catalog).items() if ref not in gone})
        names = {str(ref) for ref in gone}
        states = rollouts.read(ports.catalog)
        rollouts.write(ports, token, {name: state for name, state in states.items() if name not in names})


def standing(desired: Desired, reader: Reader) -> tuple[Desired, tuple[Ref, ...]]:
    """What a watch keeps, and which sets stand at an earlier revision in it."""
    catalog = reader.catalog
    every = read(catalog)
    whole = every.pop(Ref(WHOLE, desired.apply_set), None)
    if whole is not None and whole.skips(desired):
        desired = _restored(desired, whole, reader)
    pins = {ref: pin for ref, pin in every.items() if ref.kind != WHOLE and pin.skips(desired)}
    if not pins:
        return desired, ()
    rows = {row.ref: row for row in catalog.inventory()}
    kinds = Catalogue(folders=wiring.folders(wiring.KINDS))
    declared = dict(desired.declared)
    stand: list[Ref] = []
    for owner, pin in sorted(pins.items()):
        bodies = catalog.bundles(pin.instead.values())
        if any(digest not in bodies or ref not in rows for ref, digest in pin.instead.items()):
            continue
        then = {
            ref: placed(from_bundle(ref, rows[ref]._replace(digest=digest), bodies[digest]), desired.declared[ref])
            for ref, digest in pin.instead.items()
        }
        if any(
            with_contents(resource, hold.generated(resource, desired.declared, kinds).values(), reader)
            for resource in then.values()
        ):
            continue
        stand.append(owner)
        for ref, resource in then.items():
            for child in [child for child in declared if declared[child].owner == ref]:
                del declared[child]
            declared |= {ref: resource, **hold.generated(resource, desired.declared, kinds)}
    return desired._replace(declared=dict(sorted(declared.items()))), tuple(stand)


def _restored(desired: Desired, pin: Pin, reader: Reader) -> Desired:
    """The set that was gone back to, where its newest revision declared it; else something else was applied since."""
    from reconciler.app import rollback  # what a watch alone needs

    newest = next(revisions.whole(reader.catalog, desired.apply_set), None)
    if newest is None or newest.run.bundle != pin.instead.get(Ref(WHOLE, desired.apply_set)):
        return desired
    back = rollback.restored(desired.session, reader, newest)
    return desired._replace(
        declared=back.declared,
        source_root=back.source_root,
        restored=True,
        restored_from=back.restored_from,
        gated=None,
    )


def with_contents(resource: Resource, generated: Iterable[Resource], reader: Reader) -> list[str]:
    """Give a resource the sources of its bytes, those of what it generates too; answers what cannot be found."""
    store = reader.places.content
    sources: list[ContentSource] = []
    lost: list[str] = []
    for each in (resource, *generated):
        for slot in content.slots(each):
            path = f"{store}/{slot.relative_path}"
            if kept.holds(reader.files, path, slot.digest, tree=slot.tree):
                sources.append(ContentSource(slot.digest, path, None, slot.tree))
            elif (aside := kept.source(reader.files, store, slot.digest)) is not None:
                sources.append(aside)
            else:
                lost.append(f"the bytes of {slot.path} of {each.ref}")
    resource.contents = tuple(sources)
    return lost


def placed(then: Resource, now: Resource | None) -> Resource:
    """A resource as it was, with the labels it has and where it is declared."""
    if now is None:
        return then
    return Resource(
        then.ref,
        then.spec,
        then.digest,
        labels=now.labels,
        annotations=now.annotations,
        position=now.position,
        edges=then.edges,
        contents=then.contents,
        owner=now.owner,
        derived=now.derived,
    )


def bundle(desired: Desired) -> str:
    """The digest by which a revision names all that is declared."""
    return digest(revisions.bundle_of(desired))


def _said(desired: Desired, ref: Ref) -> str | None:
    """What is declared of it, as a digest."""
    if ref.kind == WHOLE:
        return bundle(desired) if ref.name == desired.apply_set else None
    found = desired.declared.get(ref)
    return found.digest if found is not None else None


def _of(ref: Ref, desired: Desired) -> bool:
    """Whether a pin of `ref` is about what is declared here."""
    return ref.name == desired.apply_set if ref.kind == WHOLE else ref in desired.declared


def _ref(text: str) -> Ref:
    kind, _, name = text.partition("/")
    return Ref(kind, name)  # the name of an apply set may hold anything


def _pin(body: JsonMap) -> Pin:
    number = body.get("revision")
    return Pin(
        number if isinstance(number, int) else 0,
        str(body.get("by")),
        str(body.get("at")),
        _by_ref(body.get("skipped")),
        _by_ref(body.get("instead")),
    )


def _by_ref(value: Json) -> dict[Ref, str]:
    pairs: Iterable[tuple[str, Json]] = value.items() if isinstance(value, dict) else ()
    return {_ref(ref): str(digest) for ref, digest in pairs}
