"""What a kind's fields are made of, as a tree of nodes: enough to canonicalize a value without a schema library.

A `Struct` is a mapping with known fields, `Entries` one with the operator's own keys, `Items` a list, `Scalar` a leaf,
and `Free` whatever JSON allows. The tree is derived once from a kind's model (`declare.schema`); everything that asks
"what does this field look like" walks it: canonical form (R-CAN-2), digests (R-CAN-6), shapes, JSON Schemas,
references, content.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from reconciler.declare.rules import Rule
from reconciler.model.field import Change, ListKind
from reconciler.model.json import Json, JsonMap, canonical
from reconciler.model.resource import Path
from reconciler.model.tuples import NamedTuple

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

REQUIRED: Any = ...
"""Stands for the default of a field that must be given."""


class Complaint(NamedTuple):
    """Why a value is not accepted, and what to write instead; never the value of a sensitive field."""

    code: str
    message: str
    hint: str = ""
    rule: str = ""


def nfc(text: str) -> str:
    """Unicode NFC; ASCII, which nearly everything is, needs no work."""
    return text if text.isascii() else normalize("NFC", text)


def same(value: Json) -> Json:
    """The canonical form of what has only one spelling."""
    return nfc(value) if isinstance(value, str) else value


class Scalar:
    """A leaf: `check` says what is wrong with a value, `clean` gives its canonical form, `schema` says it in JSON
    Schema.

    Stands in the annotations of a model (`Annotated[str, Scalar(...)]`), where pydantic, too, asks it for a validator.
    """

    __slots__ = ("check", "clean", "schema")

    def __init__(
        self, schema: JsonMap, check: Callable[[Json], Complaint | None], clean: Callable[[Json], Json] = same
    ) -> None:
        self.schema = schema
        self.check = check
        self.clean = clean

    def accepts(self, value: Json) -> bool:
        """Whether `value` is valid as it was written; so for every node."""
        return self.check(value) is None

    def canonical(self, value: Json) -> Json:
        return self.clean(value)

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> "CoreSchema":
        from pydantic_core import PydanticCustomError, core_schema

        check = self.check

        def validate(value: Any) -> Any:
            complaint = check(value)
            if complaint is not None:
                raise PydanticCustomError(
                    "complaint", "{message}", {"complaint": complaint, "message": complaint.message}
                )
            return value

        return core_schema.no_info_plain_validator_function(validate)


class Free:
    """Any JSON: the operator's own data, carried along."""

    __slots__ = ()

    def accepts(self, value: Json) -> bool:
        del value
        return True

    def canonical(self, value: Json) -> Json:
        if isinstance(value, str):
            return nfc(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, list):
            return [self.canonical(item) for item in value]
        if isinstance(value, dict):
            return {nfc(key): self.canonical(value[key]) for key in sorted(value)}
        return value


class Items:
    """A list, compared as `kind` says."""

    __slots__ = ("item", "key", "kind", "shortest")

    def __init__(self, item: "Node", kind: ListKind, key: str | None, shortest: int = 0) -> None:
        self.item = item
        self.kind = kind
        self.key = key
        self.shortest = shortest

    def accepts(self, value: Json) -> bool:
        return isinstance(value, list) and len(value) >= self.shortest and all(map(self.item.accepts, value))

    def canonical(self, value: Json) -> Json:
        if not isinstance(value, list):
            return value
        items = [self.item.canonical(item) for item in value]
        if self.kind is ListKind.SET:
            return list({canonical(item): item for item in sorted(items, key=canonical)}.values())
        if self.kind is ListKind.KEYED:
            return sorted(items, key=self.key_of)
        return items

    def key_of(self, item: Json) -> str:
        """The text a keyed list is ordered and compared by."""
        return str(item.get(self.key or "", "")) if isinstance(item, dict) else ""


class Entries:
    """A mapping whose keys are the operator's own."""

    __slots__ = ("key", "value")

    def __init__(self, key: Scalar | None, value: "Node") -> None:
        self.key = key
        self.value = value

    def accepts(self, value: Json) -> bool:
        if not isinstance(value, dict):
            return False
        if self.key is not None and not all(map(self.key.accepts, value)):
            return False
        return all(map(self.value.accepts, value.values()))

    def canonical(self, value: Json) -> Json:
        if not isinstance(value, dict):
            return value
        return {nfc(key): self.value.canonical(value[key]) for key in sorted(value)}


class Meta(NamedTuple):
    """What a field says of itself beyond its type (R-MOD-10), and what loading needs of it."""

    change: Change
    doc: str
    sensitive: bool = False
    list_kind: ListKind | None = None
    merge_key: str | None = None
    ref: str | None = None
    content: str | None = None
    needs: str | None = None
    """A file that a content tree must have."""
    shortest: int = 0
    """How many items a list has at least."""
    default: Json = None


class Member(NamedTuple):
    """One field of a struct under its YAML name."""

    name: str
    node: "Node"
    default: Json
    required: bool
    meta: Meta


class Struct:
    """A mapping with known fields. `refused` names fields of later releases, each with the reason told."""

    __slots__ = ("_required", "_template", "doc", "members", "refused", "ruled", "rules")

    def __init__(
        self, members: Mapping[str, Member], refused: Mapping[str, str], rules: tuple[Rule, ...], doc: str = ""
    ) -> None:
        self.members = dict(sorted(members.items()))
        self.refused = refused
        self.rules = rules
        self.doc = doc
        self.ruled = [(name, member.node) for name, member in self.members.items() if _has_rules(member.node)]
        """The fields below which a rule may be broken."""
        self._required = [name for name, member in self.members.items() if member.required]
        self._template: JsonMap | None = None

    def accepts(self, value: Json) -> bool:
        """Whether every field is known, valid and, where it is required, there; rules between fields apart."""
        if not isinstance(value, dict):
            return False
        members = self.members
        for name, given in value.items():
            member = members.get(name)
            if member is None or not member.node.accepts(given):
                return False
        return all(name in value for name in self._required)

    def template(self) -> JsonMap:
        """Every default there is, explicit; empty maps are absent (R-CAN-2). Not to be changed by the caller."""
        if self._template is None:
            self._template = {
                name: member.node.canonical(member.default)
                for name, member in self.members.items()
                if not member.required and not _empty_map(member)
            }
        return self._template

    def canonical(self, value: Json) -> Json:
        """Defaults filled in, keys sorted, values canonical; what the struct does not know is left out."""
        if not isinstance(value, dict):
            return value
        return self._filled(value)

    def _filled(self, value: JsonMap) -> JsonMap:
        template = self.template()
        out: JsonMap = {}
        for name, member in self.members.items():
            if name in value:
                given = value[name]
                cleaned = member.node.canonical(given) if given is not None else None
                if cleaned != {} or not isinstance(member.node, Entries | Free):
                    out[name] = cleaned
            elif name in template:
                default = template[name]
                # Defaults are shared by every resource; who changes its own spec must not change the others'.
                out[name] = copied(default) if isinstance(default, dict | list) else default
        return out

    def sparse(self, value: JsonMap) -> JsonMap:
        """Canonical `value` without what equals its default (R-CAN-6); fields unknown here are kept."""
        out: JsonMap = {}
        template = self.template()
        for name in sorted(value):
            given = value[name]
            member = self.members.get(name)
            if member is None:
                out[name] = given
                continue
            if name in template and template[name] == given:
                continue
            out[name] = _sparse(member.node, given)
        return out

    def filled(self, value: JsonMap) -> JsonMap:
        """The inverse of `sparse`: canonical again, unknown fields kept."""
        out = self._filled(value)
        strange = [name for name in value if name not in self.members]
        if strange:
            out.update((name, value[name]) for name in strange)
            out = dict(sorted(out.items()))
        return out


Node = Scalar | Free | Items | Entries | Struct


def _has_rules(node: Node) -> bool:
    if isinstance(node, Struct):
        return bool(node.rules or node.ruled)
    if isinstance(node, Items):
        return _has_rules(node.item)
    return isinstance(node, Entries) and _has_rules(node.value)


def _empty_map(member: Member) -> bool:
    return member.default == {} and isinstance(member.node, Entries | Free)


def copied(value: Json) -> Json:
    """A copy that shares no mapping and no list."""
    if isinstance(value, dict):
        return {key: copied(item) if isinstance(item, dict | list) else item for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) if isinstance(item, dict | list) else item for item in value]
    return value


def copied_map(value: JsonMap) -> JsonMap:
    """A copy of a mapping that shares no mapping and no list with it."""
    return {key: copied(item) for key, item in value.items()}


def _sparse(node: Node, value: Json) -> Json:
    if isinstance(node, Struct) and isinstance(value, dict):
        return node.sparse(value)
    if isinstance(node, Items) and isinstance(value, list):
        return [_sparse(node.item, item) for item in value]
    if isinstance(node, Entries) and isinstance(value, dict):
        return {key: _sparse(node.value, item) for key, item in value.items()}
    return value


class Spot(NamedTuple):
    """A kind of place below a struct: `("skills", "private", None, "path")`, where None is any item or key."""

    path: tuple[str | None, ...]
    member: Member
    dotted: str
    """The path without items: `skills.private.path`."""


def spots(struct: Struct, wanted: Callable[[Meta], bool]) -> tuple[Spot, ...]:
    """Every field below `struct` that `wanted` picks, in order of name."""
    return tuple(_spots(struct, (), wanted))


def _spots(node: Node, path: tuple[str | None, ...], wanted: Callable[[Meta], bool]) -> Iterator[Spot]:
    if isinstance(node, Struct):
        for name, member in node.members.items():
            here = (*path, name)
            if wanted(member.meta):
                named = ".".join(step for step in here if step is not None)
                yield Spot((*here, None) if isinstance(member.node, Items) else here, member, named)
            yield from _spots(member.node, here, wanted)
    elif isinstance(node, Items):
        yield from _spots(node.item, (*path, None), wanted)
    elif isinstance(node, Entries):
        yield from _spots(node.value, (*path, None), wanted)


class Found(NamedTuple):
    """One value at a spot: the container that holds it, under which key, and its path."""

    holder: dict[str, Json] | list[Json]
    key: str | int
    path: Path

    @property
    def value(self) -> Json:
        """The value itself."""
        return self.holder[self.key]  # type: ignore[index]

    def put(self, value: Json) -> None:
        """Replace it."""
        self.holder[self.key] = value  # type: ignore[index]


def values_at(value: Json, spot: tuple[str | None, ...], done: Path = ()) -> Iterator[Found]:
    """Every value of `value` at `spot`; nothing where the shape differs or the value is null."""
    step, rest = spot[0], spot[1:]
    if step is not None and isinstance(value, dict) and step not in value:
        return
    keys: list[str | int]
    if isinstance(value, dict):
        keys = list(value) if step is None else [step] if step in value else []
    elif isinstance(value, list) and step is None:
        keys = list(range(len(value)))
    else:
        return
    for key in keys:
        inner: Json = value[key]  # type: ignore[index]
        if inner is None:
            continue
        if rest:
            yield from values_at(inner, rest, (*done, key))
        else:
            yield Found(value, key, (*done, key))
