"""The same rules as JSON Schema (draft 2020-12), for editors and other languages (R-VAL-5).

Made from the tree of nodes that the loader validates by; a differential test holds the two together. Fields of later
releases are in it as never allowed, so that an editor says why.
"""

from reconciler.declare import envelope
from reconciler.declare.catalogue import MOVED, OVERLAY, Catalogue
from reconciler.declare.node import Entries, Free, Items, Member, Node, Scalar, Struct
from reconciler.declare.schema import Schema
from reconciler.model.json import Json, JsonMap
from reconciler.model.resource import API_VERSION

DRAFT = "https://json-schema.org/draft/2020-12/schema"
PREFIX = "x-houmao-"


def of_kind(schema: Schema) -> JsonMap:
    """The JSON Schema of one document of a kind."""
    body = envelope.schema(schema.kind, node_schema(schema.root), schema.optional)
    if schema.kind in (OVERLAY, MOVED):
        # Nothing refers to them, so they need no name.
        required = body["required"]
        assert isinstance(required, list)
        required.remove("metadata")
    return {"$schema": DRAFT, "title": schema.kind, "description": schema.doc, **body}


def of_all(schemas: list[Schema]) -> JsonMap:
    """The JSON Schema of a document of any kind, chosen by its `kind`."""
    chosen: list[Json] = [
        {
            "if": {"properties": {"kind": {"const": schema.kind}}, "required": ["kind"]},
            "then": {"$ref": f"#/$defs/{schema.kind}"},
        }
        for schema in schemas
    ]
    definitions: JsonMap = {}
    for schema in schemas:
        body = of_kind(schema)
        del body["$schema"]
        definitions[schema.kind] = body
    return {
        "$schema": DRAFT,
        "title": f"{API_VERSION} documents",
        "description": "Any document that can be declared.",
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": [schema.kind for schema in schemas]}},
        "allOf": chosen,
        "$defs": definitions,
    }


def files(kinds: Catalogue) -> dict[str, JsonMap]:
    """Every published schema by its file name below `schemas/v1alpha1/`."""
    from reconciler.declare import moved, overlay

    schemas = [schema for kind in kinds.built_in() if (schema := kinds.schema(kind)) is not None]
    schemas = sorted([*schemas, overlay.MODEL, moved.MODEL], key=lambda schema: schema.kind)
    return {**{f"{schema.kind}.json": of_kind(schema) for schema in schemas}, "all.json": of_all(schemas)}


def node_schema(node: Node) -> JsonMap:
    """One node and all below it."""
    if isinstance(node, Scalar):
        return dict(node.schema)
    if isinstance(node, Struct):
        return _struct(node)
    if isinstance(node, Items):
        out: JsonMap = {"type": "array", "items": node_schema(node.item)}
        return {**out, "minItems": node.shortest} if node.shortest else out
    if isinstance(node, Entries):
        entries: JsonMap = {"type": "object", "additionalProperties": node_schema(node.value)}
        if node.key is not None:
            entries["propertyNames"] = {
                key: node.key.schema[key] for key in ("pattern", "enum") if key in node.key.schema
            }
        return entries
    assert isinstance(node, Free)
    return {}


def _struct(struct: Struct) -> JsonMap:
    properties: JsonMap = {name: _member(member) for name, member in struct.members.items()}
    for name, why in struct.refused.items():
        properties[name] = {"not": {}, "description": f"Not in this release: {why}."}
    out: JsonMap = {
        "type": "object",
        "description": struct.doc,
        "properties": dict(sorted(properties.items())),
        "additionalProperties": False,
    }
    required: list[Json] = [name for name, member in struct.members.items() if member.required]
    if required:
        out["required"] = required
    rules: list[Json] = [rule.schema() for rule in struct.rules]
    if rules:
        out["allOf"] = rules
    return out


def _member(member: Member) -> JsonMap:
    meta = member.meta
    out = {**node_schema(member.node), "description": meta.doc, f"{PREFIX}change": meta.change.value}
    default = member.node.canonical(member.default) if member.default is not None else None
    if not member.required and default is not None:
        out["default"] = default
    facts: tuple[tuple[str, Json], ...] = (
        ("list", meta.list_kind.value if meta.list_kind else None),
        ("merge-key", meta.merge_key),
        ("reference", meta.ref),
        ("content", meta.content),
        ("sensitive", meta.sensitive or None),
    )
    out.update((PREFIX + name, fact) for name, fact in facts if fact is not None)
    return out
