"""Values laid over resources that are canonical already: what an operator holds, and what a verb changes. Pure.

Paths are those a person writes: `spec.state`, `spec.env.LEVEL`, `metadata.labels.team`. A value of None takes the path
away, and a default takes its place. What a resource generates is generated again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.declare import refs
from reconciler.declare.catalogue import Catalogue
from reconciler.declare.node import copied, copied_map
from reconciler.declare.schema import Schema
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.resource import ContentSource, Edge, Resource

LABELS, ANNOTATIONS, SPEC = "metadata.labels.", "metadata.annotations.", "spec."
Values = Sequence[tuple[str, Json]]


def laid_over(declared: Mapping[Ref, Resource], values: Mapping[Ref, Values], kinds: Catalogue) -> dict[Ref, Resource]:
    """The same set with values in place; owners first, so that a member's own value has the last word."""
    out = dict(declared)
    for ref in sorted(values, key=lambda one: (one in out and out[one].owner is not None, one)):
        resource, schema = out.get(ref), kinds.schema(ref.kind)
        if resource is None or schema is None or not values[ref]:
            continue
        changed = _with(resource, values[ref], schema)
        out[ref] = changed
        if changed.digest != resource.digest:
            generate(out, changed, kinds, schema)
    return dict(sorted(out.items()))


def value_at(resource: Resource, path: str) -> Json:
    """What a resource says at a path; None where it says nothing."""
    for prefix, found in ((LABELS, resource.labels), (ANNOTATIONS, resource.annotations)):
        if path.startswith(prefix):
            return found.get(path.removeprefix(prefix))
    value: Json = resource.spec
    for step in path.removeprefix(SPEC).split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def differing(one: Resource, two: Resource) -> tuple[str, ...]:
    """Paths at which two states of one resource differ, as deep as mappings go; sorted."""
    found = [f"{SPEC}{path}" for path in _differing(one.spec, two.spec)]
    for prefix, before, after in (
        (LABELS, one.labels, two.labels),
        (ANNOTATIONS, one.annotations, two.annotations),
    ):
        found += [f"{prefix}{key}" for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    return tuple(sorted(found))


def is_content(value: Json) -> bool:
    """Whether a value stands for bytes: those cannot be held by their digest."""
    return isinstance(value, dict) and value.keys() == {"digest", "size"}


def _differing(one: Json, two: Json) -> Iterator[str]:
    if not isinstance(one, dict) or not isinstance(two, dict):
        return
    for key in sorted(one.keys() | two.keys()):
        before, after = one.get(key), two.get(key)
        if before == after and type(before) is type(after):
            continue
        inner = [*_differing(before or {}, after or {})] if _maps(before, after) and "." not in key else []
        if inner and not any(is_content(value) for value in (before, after)):
            yield from (f"{key}.{path}" for path in inner)
        else:
            yield key


def _maps(before: Json, after: Json) -> bool:
    return all(value is None or isinstance(value, dict) for value in (before, after))


def _with(resource: Resource, values: Values, schema: Schema) -> Resource:
    spec, labels, annotations = copied_map(resource.spec), dict(resource.labels), dict(resource.annotations)
    for path, value in values:
        for prefix, texts in ((LABELS, labels), (ANNOTATIONS, annotations)):
            if path.startswith(prefix):
                key = path.removeprefix(prefix)
                texts.pop(key, None)
                if value is not None:
                    texts[key] = str(value)
        if path.startswith(SPEC):
            _put(spec, path.removeprefix(SPEC).split("."), copied(value))
    canonical = schema.filled(schema.sparse(spec))
    return Resource(
        resource.ref,
        canonical,
        schema.digest(canonical),
        labels=dict(sorted(labels.items())),
        annotations=dict(sorted(annotations.items())),
        position=resource.position,
        positions=resource.positions,
        edges=edges_with(resource, canonical, schema),
        contents=resource.contents,
        owner=resource.owner,
        derived=resource.derived,
    )


def _put(spec: JsonMap, steps: list[str], value: Json) -> None:
    here = spec
    for step in steps[:-1]:
        below = here.get(step)
        if not isinstance(below, dict):
            if value is None:
                return
            below = here[step] = {}
        here = below
    if value is None:
        here.pop(steps[-1], None)
    else:
        here[steps[-1]] = value


def edges_with(resource: Resource, spec: JsonMap, schema: Schema) -> tuple[Edge, ...]:
    """The edges of a changed spec: those that were bound already stay as they were bound."""
    before = {edge.path: edge.to for edge in refs.edges_of(schema, resource.spec)}
    bound: dict[str, list[Edge]] = {}
    for edge in resource.edges:
        bound.setdefault(edge.path, []).append(edge)
    found: list[Edge] = []
    for edge in refs.edges_of(schema, spec):
        if before.get(edge.path) == edge.to:
            found += bound.get(edge.path, [])
        elif not refs.is_default(schema, edge):
            found.append(edge)
    return tuple(dict.fromkeys(found))


def generated(owner: Resource, known: Mapping[Ref, Resource], kinds: Catalogue) -> dict[Ref, Resource]:
    """What `owner` generates; what is as it is known stays that very one."""
    schema = kinds.schema(owner.ref.kind)
    if schema is None:
        return {}
    out = {ref: found for ref, found in known.items() if found.owner == owner.ref}
    generate(out, owner, kinds, schema)
    return out


def generate(out: dict[Ref, Resource], owner: Resource, kinds: Catalogue, schema: Schema) -> None:
    """Put what `owner` generates now in place of what it generated before."""
    before = {ref: out.pop(ref) for ref in [ref for ref, found in out.items() if found.owner == owner.ref]}
    contents = {source.digest: source for source in owner.contents}
    for child in schema.children(owner):
        kind = kinds.schema(child.kind)
        if kind is None:
            continue
        ref = Ref(child.kind, child.name)
        digest, old = kind.digest(child.spec), before.get(ref)
        if old is not None and old.digest == digest:
            out[ref] = old
            continue
        edges = edges_with(old, child.spec, kind) if old is not None else refs.edges_of(kind, child.spec)
        out[ref] = Resource(
            ref,
            child.spec,
            digest,
            labels=owner.labels if child.full else None,
            position=owner.position,
            edges=edges,
            contents=tuple(_used(child.spec, contents)),
            owner=owner.ref,
            derived=not child.full,
        )


def _used(value: Json, contents: Mapping[str, ContentSource]) -> Iterator[ContentSource]:
    inner: Iterable[Json] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and is_content(value):
        found = contents.get(str(value["digest"]))
        if found is not None:
            yield found
        return
    for item in inner:
        yield from _used(item, contents)
