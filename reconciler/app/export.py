"""`export`: manifests of what was last applied that, applied again, plan nothing (R-CLI-9).

Derived rows and members are left out: their owner implies them. Text is written into the manifest; files and
directories lie below `content/` and are copied beside the manifest where a directory is named.
"""

from collections.abc import Mapping, Sequence

from reconciler.app import holding, kind_names, wiring
from reconciler.app.selector import parse_selector
from reconciler.app.session import Flags, Session, open_session
from reconciler.declare import hold
from reconciler.declare.catalogue import Catalogue
from reconciler.declare.dump import document, to_yaml
from reconciler.declare.hold import ANNOTATIONS, LABELS, SPEC
from reconciler.declare.schema import Schema
from reconciler.engine.handler import Held
from reconciler.model.errors import ReconcilerError, UsageFault
from reconciler.model.field import field_at
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.model.tree import Entry, Tree
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader
from reconciler.ports.catalog import ContentRef, InventoryRow

MANIFEST = "fleet.yaml"
FOLDER = "content"


class Unreadable(ReconcilerError):
    """What was recorded cannot be exported."""

    code = "export.unreadable"


class Payload(NamedTuple):
    """One file or directory a manifest refers to: its place beside the manifest, and where it lies now."""

    relative: str
    source: str
    tree: bool


class Exported(NamedTuple):
    """Documents in the order of their refs, what they refer to, and the sets they belong to."""

    documents: tuple[JsonMap, ...]
    payloads: tuple[Payload, ...]
    apply_sets: tuple[str, ...]
    written: tuple[str, ...] = ()


def export(
    flags: Flags,
    words: Sequence[str],
    *,
    selector: str = "",
    apply_set: str | None = None,
    directory: str | None = None,
) -> Exported:
    """Export what the words name (everything without words); with `directory` write manifest and files there.

    Raises UsageFault for a directory that already holds a manifest, Unreadable for a row without its bundle.
    """
    session = open_session(flags)
    rows = _chosen(session, words, selector, apply_set)
    bundles = session.reader.catalog.bundles({row.digest for row in rows})
    catalogue = Catalogue()
    definitions: dict[str, Mapping[str, Mapping[str, ContentRef]]] = {}
    documents: list[JsonMap] = []
    payloads: list[Payload] = []
    held = holding.recorded(session.reader)
    for row in rows:
        body = _as_declared(row, bundles.get(row.digest), held.get(row.ref, ()))
        made, found = _document(session, as_declared(row, held.get(row.ref, ())), catalogue, body, definitions)
        documents.append(made)
        payloads += found
    sets = tuple(sorted({row.apply_set for row in rows}))
    result = Exported(tuple(documents), tuple(dict.fromkeys(payloads)), sets)
    return _written(result, session, directory) if directory is not None else result


def as_declared(row: InventoryRow, held: tuple[Held, ...]) -> InventoryRow:
    """Labels and annotations as they are declared beneath what is held of them."""
    labels, annotations = dict(row.labels), dict(row.annotations)
    for one in held:
        for prefix, texts in ((LABELS, labels), (ANNOTATIONS, annotations)):
            if one.path.startswith(prefix):
                texts.pop(one.path.removeprefix(prefix), None)
                if isinstance(one.declared, str):
                    texts[one.path.removeprefix(prefix)] = one.declared
    return row._replace(labels=labels, annotations=annotations)


def _as_declared(row: InventoryRow, body: JsonMap | None, held: tuple[Held, ...]) -> JsonMap | None:
    """An override is for a time: what is exported is what it stands over."""
    spec = body.get("spec") if body else None
    if not held or body is None or not isinstance(spec, dict):
        return body
    values = [(one.path, one.declared) for one in held if one.path.startswith(SPEC)]
    found = hold.laid_over({row.ref: Resource(row.ref, spec, row.digest)}, {row.ref: values}, Catalogue())
    return {**body, "spec": found[row.ref].spec}


def document_of(session: Session, row: InventoryRow, catalogue: Catalogue) -> tuple[JsonMap, list[Payload]]:
    """One resource as it was last applied, as people write it, and the payloads it refers to."""
    body = session.reader.catalog.bundles({row.digest}).get(row.digest)
    return _document(session, row, catalogue, body, {})


def _document(
    session: Session,
    row: InventoryRow,
    catalogue: Catalogue,
    body: JsonMap | None,
    definitions: dict[str, Mapping[str, Mapping[str, ContentRef]]],
) -> tuple[JsonMap, list[Payload]]:
    schema = catalogue.schema(row.ref.kind)
    spec = body.get("spec") if body else None
    if schema is None or not isinstance(spec, dict):
        raise Unreadable(f"{row.ref} has no last-applied spec", hint="apply what declares it, then export again")
    if row.ref.kind not in definitions:
        found = session.reader.catalog.definitions(row.ref.kind)
        definitions[row.ref.kind] = {each.ref.name: each.contents for each in found.values()}
    made = schema.sparse(spec)
    payloads = _with_contents(made, definitions[row.ref.kind].get(row.ref.name, {}), schema, session)
    return document(row.ref.kind, row.ref.name, made, row.labels, row.annotations), payloads


def _chosen(session: Session, words: Sequence[str], selector: str, apply_set: str | None) -> list[InventoryRow]:
    """Rows that stand for themselves, as the words, the selector and the set choose them."""
    named = kind_names.named(words, session.handlers) if words else kind_names.Named(tuple(session.handlers), ())
    selects = parse_selector(selector) if selector else None
    rows = [
        row
        for row in session.reader.catalog.inventory()
        if row.owner is None
        and (row.ref in named.refs if named.refs else row.ref.kind in named.kinds)
        and (selects is None or selects(row.labels))
        and (apply_set is None or row.apply_set == apply_set)
    ]
    missing = sorted(set(named.refs) - {row.ref for row in rows})
    if missing:
        owned = any(row.ref == missing[0] for row in session.reader.catalog.inventory())
        raise UsageFault(
            f"{missing[0]} {'belongs to another resource, which implies it' if owned else 'is not recorded'}",
            hint="export its owner" if owned else "`houmao get all` lists what there is",
        )
    return rows


def _with_contents(
    spec: JsonMap, contents: Mapping[str, ContentRef], schema: Schema, session: Session
) -> list[Payload]:
    """Put text, or paths below `content/`, where digests stand."""
    named = spell_out(spec, contents, schema, session.reader, FOLDER)
    store = session.reader.places.content
    return [Payload(f"{FOLDER}/{one.relative_path}", f"{store}/{one.relative_path}", one.tree) for one in named]


def spell_out(
    spec: JsonMap, contents: Mapping[str, ContentRef], schema: Schema, reader: Reader, folder: str
) -> list[ContentRef]:
    """Put text, or paths below `folder`, where a recorded spec has digests; answers what is named by a path.

    The bundle of a credential is no part of a spec, and never named.
    """
    named: list[ContentRef] = []
    for path, content in contents.items():
        if content.kind == "auth_tree":
            continue
        fact = field_at(schema.shape, path.partition("[")[0] if "[" in path else path)
        if fact is not None and fact.content == "text" and fact.path == path:
            put(spec, path, reader.files.read(f"{reader.places.content}/{content.relative_path}").decode())
        else:
            put(spec, path, f"{folder}/{content.relative_path}")
            named.append(content)
    return named


def put(spec: JsonMap, path: str, value: Json) -> None:
    """Set the value at `skills.private[0].path` or `skills.private[name=lint].path`; elsewhere nothing is set."""
    here: Json = spec
    steps = path.replace("[", ".[").split(".")
    for index, step in enumerate(steps):
        last = index == len(steps) - 1
        if step.startswith("["):
            if not isinstance(here, list):
                return
            position = _position(step[1:-1], here)
            if position is None or position >= len(here):
                return
            if last:
                here[position] = value
            here = here[position]
        elif isinstance(here, dict) and step in here:
            if last:
                here[step] = value
            here = here[step]
        else:
            return


def _position(words: str, items: list[Json]) -> int | None:
    """`0`, or `name=lint` of the item with that name."""
    key, equals, value = words.partition("=")
    if not equals:
        return int(key)
    return next((at for at, item in enumerate(items) if isinstance(item, dict) and item.get(key) == value), None)


def _written(found: Exported, session: Session, directory: str) -> Exported:
    """Manifest and payloads below `directory`; an existing manifest is never replaced."""
    files = wiring.local_files()
    root = directory if directory.startswith("/") else f"{session.settings.cwd}/{directory}"
    manifest = f"{root}/{MANIFEST}"
    if files.stamp(manifest) is not None:
        raise UsageFault(f"{manifest} is there already", hint="choose another directory, or move it away")
    for payload in found.payloads:
        target = f"{root}/{payload.relative}"
        if payload.tree:
            entries = {
                e.path: Entry(source=f"{payload.source}/{e.path}", digest=e.digest, mode=e.mode)
                for e in files.found(payload.source) or ()
                if e.link is None
            }
            files.write_tree(target, Tree(entries))
        else:
            files.write(target, files.read(payload.source), mode=0o644)
    files.write(manifest, to_yaml(found.documents).encode(), mode=0o644)
    return found._replace(written=(manifest, *(f"{root}/{payload.relative}" for payload in found.payloads)))


def refs(found: Exported) -> tuple[Ref, ...]:
    """What was exported."""
    return tuple(
        Ref(str(each["kind"]), str(each["metadata"]["name"] if isinstance(each["metadata"], dict) else ""))
        for each in found.documents
    )
