"""`explain`: what a kind or one of its fields is, from the metadata that loading uses."""

import textwrap
from collections.abc import Iterator

from reconciler.declare.jsonschema import node_schema
from reconciler.declare.node import Entries, Free, Items, Member, Node, Scalar, Struct
from reconciler.declare.schema import Schema
from reconciler.declare.suggest import nearest
from reconciler.model.errors import UsageFault
from reconciler.model.field import Change
from reconciler.model.json import Json, canonical

COSTS = {
    Change.RECORD: "a record is rewritten; the running agent is not touched",
    Change.LIVE: "the running agent is changed without a restart",
    Change.RELAUNCH: "the process is restarted, on the same home",
    Change.REPLACE: "the agent is stopped and started anew with a new home",
    Change.IMMUTABLE: "refused; delete and declare again",
}


def explain(schema: Schema, path: str = "") -> list[str]:
    """Lines about a kind, or about the field at a dotted path (`spec.retry.base`); raises UsageFault when there is
    none.
    """
    if path in ("", "spec"):
        return [f"KIND:   {schema.kind}", "", *_wrapped(schema.doc), "", "FIELDS below spec:", *_fields(schema.root, 1)]
    member = _find(schema, path)
    meta = member.meta
    lines = [
        f"KIND:   {schema.kind}",
        f"FIELD:  spec.{path.removeprefix('spec.')} <{sort_of(member.node)}>",
        "",
        *_wrapped(meta.doc),
        "",
    ]
    lines += [f"default:    {_default(member)}", f"a change:   {meta.change.value} ({COSTS[meta.change]})"]
    leaf = _leaf(member.node)
    words = leaf.schema.get("enum") if leaf is not None else None
    facts = (
        ("one of", ", ".join(map(str, words)) if isinstance(words, list) else ""),
        ("refers to", "" if meta.ref is None else "any kind" if meta.ref == "*" else meta.ref),
        (
            "compared",
            ""
            if meta.list_kind is None
            else f"as a {meta.list_kind.value}" + (f" by {meta.merge_key}" if meta.merge_key else ""),
        ),
        ("content", meta.content or ""),
        ("sensitive", "yes: never shown, never a literal value" if meta.sensitive else ""),
    )
    lines += [f"{name + ':':<12}{fact}" for name, fact in facts if fact]
    inner = _struct(member.node)
    return [*lines, "", "FIELDS:", *_fields(inner, 1)] if inner is not None else lines


def sort_of(node: Node) -> str:
    """What a value is, in a word or two."""
    if isinstance(node, Items):
        return f"list of {sort_of(node.item)}"
    if isinstance(node, Entries):
        return f"mapping of {sort_of(node.value)}"
    if isinstance(node, Struct):
        return "mapping"
    if isinstance(node, Free):
        return "anything"
    return str(node_schema(node).get("type", "text or mapping" if "anyOf" in node.schema else "false only"))


def _fields(struct: Struct, depth: int) -> Iterator[str]:
    for name, member in struct.members.items():
        mark = " -required-" if member.required else ""
        yield f"{'  ' * depth}{name} <{sort_of(member.node)}>{mark}"
        yield from _wrapped(member.meta.doc, depth + 2)
        inner = _struct(member.node)
        if inner is not None:
            yield from _fields(inner, depth + 1)
    for name, why in sorted(struct.refused.items()):
        yield f"{'  ' * depth}{name} -not in this release-"
        yield from _wrapped(why, depth + 2)


def _find(schema: Schema, path: str) -> Member:
    struct: Struct | None = schema.root
    member: Member | None = None
    for step in path.removeprefix("spec.").split("."):
        if struct is None or step not in struct.members:
            near = nearest(step, struct.members) if struct is not None else None
            hint = f"did you mean {near!r}?" if near else f"`explain {schema.kind}` lists its fields"
            raise UsageFault(f"{schema.kind} has no field {path!r}", hint=hint)
        member = struct.members[step]
        struct = _struct(member.node)
    assert member is not None
    return member


def _struct(node: Node) -> Struct | None:
    while isinstance(node, Items | Entries):
        node = node.item if isinstance(node, Items) else node.value
    return node if isinstance(node, Struct) else None


def _leaf(node: Node) -> Scalar | None:
    while isinstance(node, Items | Entries):
        node = node.item if isinstance(node, Items) else node.value
    return node if isinstance(node, Scalar) else None


def _default(member: Member) -> str:
    if member.required:
        return "none, it must be given"
    default: Json = member.default
    if default is None or default == {} or default == []:
        return "not set" if default is None else "empty" if not isinstance(member.node, Struct) else "see its fields"
    return canonical(default).strip('"')


def _wrapped(text: str, depth: int = 0) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent="  " * depth, subsequent_indent="  " * depth)
