"""Sets that were brought back to an earlier revision: what a watch keeps instead of what their source still says.

The revision that was rolled away from is skipped until the source says something else, so that a watch does not bring
at once what was just taken back (R-HIS-2). Whoever applies the source by hand means it, and ends that.
"""

from collections.abc import Iterable, Mapping

from reconciler.app import rollouts, wiring
from reconciler.app.desired import Desired
from reconciler.declare import hold
from reconciler.declare.catalogue import Catalogue
from reconciler.engine import kept
from reconciler.engine.observe import from_bundle
from reconciler.kinds import content
from reconciler.model.action import Verb
from reconciler.model.json import Json, JsonMap, canonical, parse_map
from reconciler.model.outcome import Outcome, Result
from reconciler.model.ref import Ref
from reconciler.model.resource import ContentSource, Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports, Reader
from reconciler.ports.catalog import CatalogReader

KEY = "rollout_pins"


class Pin(NamedTuple):
    """One set, and what stands instead of what: digests by ref."""

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

    def skips(self, declared: Mapping[Ref, Resource]) -> bool:
        """Whether the source still says what was taken back."""
        return all(ref in declared and declared[ref].digest == digest for ref, digest in self.skipped.items())


def read(catalog: CatalogReader) -> dict[Ref, Pin]:
    """By set."""
    text = catalog.meta(KEY)
    try:
        found = parse_map(text) if text else {}
        return {Ref.parse(name): _pin(body) for name, body in found.items() if isinstance(body, dict)}
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
        write(ports, token, {ref: pin for ref, pin in pins.items() if ref not in desired.declared})


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
    pins = {ref: pin for ref, pin in read(catalog).items() if pin.skips(desired.declared)}
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
        if any(with_contents(resource, desired.declared, kinds, reader) for resource in then.values()):
            continue
        stand.append(owner)
        for ref, resource in then.items():
            for child in [child for child in declared if declared[child].owner == ref]:
                del declared[child]
            declared |= {ref: resource, **hold.generated(resource, desired.declared, kinds)}
    return desired._replace(declared=dict(sorted(declared.items()))), tuple(stand)


def with_contents(resource: Resource, known: Mapping[Ref, Resource], kinds: Catalogue, reader: Reader) -> list[str]:
    """Give a resource the sources of its bytes, those of what it generates too; answers what cannot be found."""
    store = reader.places.content
    sources: list[ContentSource] = []
    lost: list[str] = []
    for each in (resource, *hold.generated(resource, known, kinds).values()):
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
    return {Ref.parse(ref): str(digest) for ref, digest in pairs}
