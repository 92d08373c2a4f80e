"""How a kind says what its documents look like: one model whose fields carry what the engine must know.

    class SkillSpec(Spec):
        path: FilePath = field(REQUIRED, change=Change.RELAUNCH, content="tree", doc="Directory with SKILL.md.")

    SCHEMA = Schema("Skill", SkillSpec, doc="Packaged skill content.")

A model is never filled with values: it is read once into a tree of nodes (`declare.node`), from which come canonical
forms, digests, shapes and JSON Schemas, and which says of a value whether it fits. So the annotation says what may be
written, and a default of None is "not given", although None itself may not be written. What is wrong with a value that
does not fit is asked of pydantic: importing it and building its models takes 80 of the 220 ms of a plan, which a plan
of valid documents saves.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_args, get_origin, get_type_hints

from reconciler.declare import faults
from reconciler.declare.faults import Fault
from reconciler.declare.node import REQUIRED, Entries, Free, Items, Member, Meta, Node, Scalar, Spot, Struct, spots
from reconciler.declare.rules import Rule
from reconciler.model.field import Change, Field, ListKind, Shape
from reconciler.model.json import Json, JsonMap, digest
from reconciler.model.resource import Resource
from reconciler.model.tuples import NamedTuple

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo
    from pydantic_core import CoreSchema

__all__ = ["REQUIRED", "Child", "Schema", "Spec", "field", "shape_of"]


class _Field(NamedTuple):
    """What `field` says, as it stands in the body of a model."""

    meta: Meta
    required: bool


def field(
    default: Any,
    *,
    change: Change,
    doc: str,
    sensitive: bool = False,
    list_kind: ListKind | None = None,
    merge_key: str | None = None,
    ref: str | None = None,
    content: str | None = None,
    needs: str | None = None,
    shortest: int = 0,
) -> Any:
    """One field of a model: `REQUIRED` or its default, what a change of it costs, and its sentence in the reference.

    A list says how it is compared (`list_kind`, and `merge_key` of a keyed one). `ref` is the kind that a reference
    names, `*` where the value says it; `content` is `text`, `file` or `tree` where the value stands for bytes, and
    `needs` a file such a tree must have.
    """
    required = default is REQUIRED
    meta = Meta(
        change, doc, sensitive, list_kind, merge_key, ref, content, needs, shortest, None if required else default
    )
    return _Field(meta, required)


class _PydanticFields:
    """`model_fields` of a spec: pydantic's view of its fields, made when it is asked for."""

    def __get__(self, instance: object, owner: "type[Spec]") -> "dict[str, FieldInfo]":
        return pydantic_model(owner).model_fields


class Spec:
    """Base of every mapping below `spec`: strict, closed, camelCase in YAML."""

    refused: ClassVar[Mapping[str, str]] = {}
    """Fields of later releases by their YAML name, each with a hint: refused, never ignored."""
    rules: ClassVar[tuple[Rule, ...]] = ()
    """What must hold between the fields."""
    model_fields = _PydanticFields()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: "Callable[[object], CoreSchema]") -> "CoreSchema":
        return handler(pydantic_model(cls))


class Child(NamedTuple):
    """A resource that another one generates; `moved` maps prefixes of its paths to those of its owner's document."""

    kind: str
    name: str
    spec: JsonMap
    moved: tuple[tuple[str, str], ...]
    full: bool = False
    """A child with actions of its own, such as a member of a set, as against a derived row (R-OWN-8a)."""


def _childless(resource: Resource) -> tuple[Child, ...]:
    del resource
    return ()


class Schema:
    """A kind as loading sees it; has the attributes the engine asks of a kind's schema, and no more knowledge of
    engines.
    """

    __slots__ = (
        "_children",
        "_pydantic",
        "_shape",
        "content_spots",
        "doc",
        "keyed_spots",
        "kind",
        "model",
        "optional",
        "ref_spots",
        "root",
    )

    def __init__(
        self,
        kind: str,
        model: type[Spec],
        *,
        doc: str,
        children: Callable[[Resource], tuple[Child, ...]] = _childless,
    ) -> None:
        self.kind = kind
        self.model = model
        self.doc = doc
        self.root = struct_of(model)
        self._children = children
        self._pydantic: type[BaseModel] | None = None
        self._shape: Shape | None = None
        self.content_spots: tuple[Spot, ...] = spots(self.root, lambda meta: meta.content is not None)
        self.ref_spots: tuple[Spot, ...] = spots(self.root, lambda meta: meta.ref is not None)
        self.keyed_spots: tuple[Spot, ...] = spots(self.root, lambda meta: meta.merge_key is not None)
        self.optional = self.root.accepts({}) and not faults.of_rules(self.root, {}, ())
        """Whether a document of this kind may leave `spec` out."""

    @property
    def shape(self) -> Shape:
        """Path below `spec` to the facts about that field."""
        if self._shape is None:
            self._shape = dict(_fields(self.root, ""))
        return self._shape

    def validate(self, value: Json) -> list[Fault]:
        """Everything wrong with a `spec` as it was written; paths are relative to it. Empty when it passes."""
        between = faults.of_rules(self.root, value, ())
        if self.root.accepts(value):
            return between
        if self._pydantic is None:
            self._pydantic = pydantic_model(self.model)
        return [*faults.of_model(self._pydantic, self.root, value), *between]

    def canonical(self, spec: JsonMap) -> JsonMap:
        """The canonical form of a valid spec (R-CAN-2); idempotent."""
        filled = self.root.canonical(spec)
        assert isinstance(filled, dict)
        return filled

    def sparse(self, spec: JsonMap) -> JsonMap:
        """A canonical spec without what equals its default."""
        return self.root.sparse(spec)

    def filled(self, sparse: JsonMap) -> JsonMap:
        """A sparse spec made canonical again; what this release does not know is kept."""
        return self.root.filled(sparse)

    def digest(self, spec: JsonMap) -> str:
        """The resource digest of a canonical spec (R-CAN-5, R-CAN-6)."""
        return digest({"kind": self.kind, "spec": self.root.sparse(spec)})

    def children(self, resource: Resource) -> tuple[Child, ...]:
        """What the resource generates, in order; pure."""
        return self._children(resource)


def struct_of(model: type[Spec]) -> Struct:
    """The tree of nodes of a model."""
    members: dict[str, Member] = {}
    for attribute, hint, said in _declared(model):
        name = camel(attribute)
        node = _node(hint, said.meta, f"{model.__name__}.{attribute}")
        members[name] = Member(name, node, said.meta.default, said.required, said.meta)
    return Struct(members, model.refused, model.rules, (model.__doc__ or "").strip())


def _declared(model: type[Spec]) -> Iterator[tuple[str, Any, _Field]]:
    """Attribute, annotation and `field` of each field, those of the bases first."""
    for attribute, hint in get_type_hints(model, include_extras=True).items():
        if get_origin(hint) is ClassVar:
            continue
        said = getattr(model, attribute, None)
        if not isinstance(said, _Field):
            raise TypeError(f"{model.__name__}.{attribute} has no metadata: make it with field()")
        yield attribute, hint, said


def camel(attribute: str) -> str:
    """`prompt_file` as `promptFile`."""
    if "_" not in attribute:
        return attribute
    first, *rest = attribute.split("_")
    return first + "".join(part.title() for part in rest)


def pydantic_model(model: type[Spec]) -> "type[BaseModel]":
    """The same model as pydantic has it; made when a value does not fit, to say why."""
    from pydantic import ConfigDict, create_model
    from pydantic import Field as PydanticField

    fields: dict[str, Any] = {}
    for attribute, hint, said in _declared(model):
        least = {"min_length": said.meta.shortest} if said.meta.shortest else {}
        default = REQUIRED if said.required else None
        told = PydanticField(default, alias=camel(attribute), json_schema_extra={"meta": said.meta}, **least)  # type: ignore[call-overload]
        fields[attribute] = (hint, told)
    config = ConfigDict(extra="forbid", strict=True, validate_default=False)
    made: type[BaseModel] = create_model(model.__name__, __config__=config, **fields)
    return made


def _node(hint: Any, meta: Meta | None, where: str) -> Node:
    if get_origin(hint) is Annotated:
        for extra in get_args(hint)[1:]:
            if isinstance(extra, Scalar | Free):
                return extra
    if isinstance(hint, type) and issubclass(hint, Spec):
        return struct_of(hint)
    arguments = get_args(hint)
    if get_origin(hint) is list and meta is not None:
        if meta.list_kind is None or (meta.list_kind is ListKind.KEYED) != (meta.merge_key is not None):
            raise TypeError(f"{where} is a list without a list_kind, or keyed without a merge_key")
        return Items(_node(arguments[0], None, where), meta.list_kind, meta.merge_key, meta.shortest)
    if get_origin(hint) is dict:
        key = _node(arguments[0], None, where)
        return Entries(key if isinstance(key, Scalar) else None, _node(arguments[1], None, where))
    raise TypeError(f"{where} has a type that is neither a Spec, a list, a dict nor of the vocabulary: {hint!r}")


def shape_of(model: type[Spec]) -> Shape:
    """Every field of a model by its dotted path, below `spec`."""
    return dict(_fields(struct_of(model), ""))


def _fields(struct: Struct, prefix: str) -> Iterator[tuple[str, Field]]:
    for name, member in struct.members.items():
        path, meta, node = prefix + name, member.meta, member.node
        default = struct.template().get(name, {} if isinstance(node, Entries) else None)
        yield (
            path,
            Field(
                path,
                meta.change,
                default,
                meta.sensitive,
                meta.list_kind,
                meta.merge_key,
                meta.ref,
                meta.content,
                isinstance(node, Entries | Free),
            ),
        )
        if isinstance(node, Struct):
            yield from _fields(node, f"{path}.")
