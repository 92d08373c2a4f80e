"""Strategies for documents of every kind: valid ones, and ones with something wrong, made from the kinds' own nodes.

Each is made once: hypothesis examines a strategy when it is first drawn from, which costs more than what is drawn.
"""

import re
from functools import cache

from hypothesis import strategies as st

from reconciler.declare.catalogue import Catalogue
from reconciler.declare.node import Entries, Free, Items, Node, Scalar, Struct
from reconciler.declare.schema import Schema
from reconciler.model.json import Json, JsonMap

KINDS = Catalogue()
SCHEMAS: list[Schema] = [schema for kind in KINDS.built_in() if (schema := KINDS.schema(kind)) is not None]

SAMPLES = (
    "", "a", "coder", "a-b_c", "A", "Coder", "a.b", "-a", "a-", "houmao-x", "houmao_x", "houmaox", "x" * 63, "x" * 64,
    "x\n", "\n", "a\nb", "a\0", "é", "e\u0301", "#(touch X)", "$HOME", "FOO",
    "1FOO", "HOUMAO_X", "a/b", "Instance/alice",
    "Specialist/coder", "Role/r", "Skill/s", "Setup/default", "AuthProfile/a", "Recipe/r",
    "LaunchProfile/p", "instance/a",
    "90s", "1m30s", "1.5s", "s", "0ms", "9" * 12 + "s", "5", "true", "path/to", "../up", "~/x", "unattended", "default",
    "exact", "new", "team.io/key", "houmao/source-id", "houmao/wave", "/x", "a/", "x" * 64 + "/a", "claude_code",
    "25%", "0%", "101%", "22:00", "UTC", "0123456789abcdef",
)  # fmt: skip
LEAVES: st.SearchStrategy[Json] = st.one_of(
    st.sampled_from(SAMPLES),
    st.sampled_from([0, 1, -1, -2, 3, 1000, 1001, 10**14, 2.0, 2.5, -1.0, 1e300, 0.0, True, False, None]),
)
JUNK: st.SearchStrategy[Json] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(SAMPLES), inner, max_size=2),
    max_leaves=4,
)


@cache
def valid_leaf(scalar: Scalar) -> st.SearchStrategy[Json]:
    """Values that a scalar accepts; references and durations in each of their spellings."""
    schema = scalar.schema
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        assert isinstance(schema["enum"], list)
        return st.sampled_from(schema["enum"])
    if schema.get("type") == "boolean":
        return st.booleans()
    if schema.get("type") in ("integer", "number"):
        low, high = schema.get("minimum", schema.get("exclusiveMinimum", 0)), schema["maximum"]
        assert isinstance(low, int | float)
        assert isinstance(high, int | float)
        return st.integers(int(low) + 1, int(high))
    if "anyOf" in schema:
        assert isinstance(schema["anyOf"], list)
        return st.one_of(*(valid_any(each) for each in schema["anyOf"]))
    if not schema:
        return JUNK
    return valid_any(schema)


def valid_any(schema: Json) -> st.SearchStrategy[Json]:
    """Values that one fragment of JSON Schema accepts."""
    assert isinstance(schema, dict)
    if schema.get("type") == "integer":
        low, high = schema.get("minimum", 0), schema.get("maximum", 10**6)
        assert isinstance(low, int)
        assert isinstance(high, int)
        return st.integers(low, high)
    if schema.get("type") == "object":
        return names().map(lambda name: {"name": name})
    matches = re.compile(str(schema["pattern"])).search
    fitting = [sample for sample in SAMPLES if matches(sample)]
    extra = [sample for sample in ("reviewer", "b0", "2s", "Role/z") if matches(sample)]
    return st.sampled_from([*fitting, *extra])


@cache
def names() -> st.SearchStrategy[str]:
    """Valid names."""
    return st.from_regex(r"[a-z][a-z0-9_-]{0,6}[a-z0-9]", fullmatch=True).filter(
        lambda text: not text.startswith("houmao")
    )


@cache
@st.composite
def valid(draw: st.DrawFn, node: Node) -> Json:
    """A value that a node accepts."""
    if isinstance(node, Scalar):
        return draw(valid_leaf(node))
    if isinstance(node, Free):
        return draw(JUNK)
    if isinstance(node, Items):
        return draw(st.lists(valid(node.item), min_size=node.shortest, max_size=2 + node.shortest))
    if isinstance(node, Entries):
        keys = valid_leaf(node.key) if node.key is not None else st.sampled_from(SAMPLES)
        return draw(st.dictionaries(keys, valid(node.value), max_size=2))  # type: ignore[arg-type]
    return draw(valid_struct(node))


@cache
@st.composite
def valid_struct(draw: st.DrawFn, struct: Struct) -> JsonMap:
    """A mapping that a struct accepts: required fields, some others, and its rules kept."""
    out: JsonMap = {}
    for name, member in struct.members.items():
        if member.required or draw(st.integers(0, 3)) == 0:
            out[name] = draw(valid(member.node))
    for rule in struct.rules:
        if rule.broken(out) is None:
            continue
        involved = getattr(rule, "names", None) or (rule.name, rule.field)  # type: ignore[union-attr]
        for name in involved:
            out.pop(name, None)
        if rule.broken(out) is not None:
            name = draw(st.sampled_from(involved))
            out[name] = draw(valid(struct.members[name].node))
    return out if all(rule.broken(out) is None for rule in struct.rules) else draw(valid_struct(struct))


@cache
@st.composite
def documents(draw: st.DrawFn, schema: Schema) -> JsonMap:
    """A valid document of a kind."""
    metadata: JsonMap = {"name": draw(names())}
    if draw(st.booleans()):
        metadata["labels"] = {draw(st.sampled_from(["team", "a.io/b"])): draw(st.sampled_from(["core", "", "x.y"]))}
    return {
        "apiVersion": "houmao/v1alpha1",
        "kind": schema.kind,
        "metadata": metadata,
        "spec": draw(valid_struct(schema.root)),
    }


@cache
@st.composite
def spoiled(draw: st.DrawFn, schema: Schema) -> JsonMap:
    """A document that was valid until up to three places of it were changed at random."""
    document = draw(documents(schema))
    for _ in range(draw(st.integers(0, 3))):
        _spoil(draw, document, schema)
    return document


def _spoil(draw: st.DrawFn, document: JsonMap, schema: Schema) -> None:
    holders: list[dict[str, Json] | list[Json]] = list(_holders(document))
    holder = draw(st.sampled_from(holders))
    value = draw(JUNK)
    if isinstance(holder, list):
        holder.append(value)
        return
    fields = sorted({*holder, *schema.root.members, *schema.root.refused, "annotations", "labels", "status", "extra"})
    key = draw(st.sampled_from(fields) | st.sampled_from(SAMPLES))
    if key in holder and draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = value


def _holders(value: Json) -> "list[dict[str, Json] | list[Json]]":
    if isinstance(value, dict):
        return [value, *(each for item in value.values() for each in _holders(item))]
    if isinstance(value, list):
        return [value, *(each for item in value for each in _holders(item))]
    return []
