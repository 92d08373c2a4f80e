"""What is wrong with a document, before it is known where: pydantic's findings and our rules in one vocabulary.

A `Fault` has a path inside the document; the compiler gives it a position. No message repeats the value of a sensitive
field (R-SEC-1).
"""

from typing import TYPE_CHECKING

from reconciler.declare.node import Complaint, Entries, Items, Meta, Node, Struct
from reconciler.declare.suggest import nearest
from reconciler.declare.vocabulary import NOT_IMPLEMENTED, TYPE, expected, sort_of
from reconciler.model.json import Json
from reconciler.model.resource import Path
from reconciler.model.tuples import NamedTuple

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

UNKNOWN_FIELD = "declare.schema.unknown_field"
MISSING = "declare.schema.missing"
BETWEEN = "declare.schema.fields"
LITERAL_SECRET = "declare.secret.literal"


class Fault(NamedTuple):
    """One thing wrong, at `path`; `at_key` where the key is to blame and not its value."""

    code: str
    message: str
    hint: str
    path: Path
    rule: str = ""
    at_key: bool = False


def of_model(model: "type[BaseModel]", root: Struct, value: Json) -> list[Fault]:
    """What pydantic finds."""
    from pydantic import ValidationError

    try:
        model.__pydantic_validator__.validate_python(value)
    except ValidationError as error:
        return [_fault(detail, root, value) for detail in error.errors(include_url=False)]
    return []


def _fault(detail: "ErrorDetails", root: Struct, value: Json) -> Fault:
    loc = detail["loc"]
    at_key = loc[-1:] == ("[key]",)
    path: Path = loc[:-1] if at_key else loc
    name = str(path[-1]) if path else ""
    given = detail["input"]
    kind = detail["type"]
    if kind == "extra_forbidden":
        return unknown(name, _struct_at(root, path[:-1]), path)
    if kind == "missing":
        return Fault(MISSING, f"{name!r} is missing", "add it", path, "R-VAL-1", at_key=True)
    meta = _meta_at(root, path)
    if meta is not None and meta.sensitive and isinstance(given, str):
        return literal_secret(path)
    if kind == "complaint":
        complaint = detail["ctx"]["complaint"]
        assert isinstance(complaint, Complaint)
        message = f"{name!r} {_verb(complaint.message)}"
        return Fault(complaint.code, message, complaint.hint, path, complaint.rule or "R-VAL-1", at_key)
    if kind == "too_short":
        return Fault("declare.schema.range", f"{name!r} is empty", "give at least one", path, "R-VAL-1")
    wanted = {
        "list_type": "a list",
        "dict_type": "a mapping",
        "model_type": "a mapping",
        "model_attributes_type": "a mapping",
    }
    told = expected(wanted[kind], given) if kind in wanted else Complaint(TYPE, f"is not accepted: {sort_of(given)}")
    hint = told.hint
    if wanted.get(kind) == "a list" and isinstance(given, str):
        hint = "write a list: put '- ' before it on a line of its own, or brackets around it"
    return Fault(told.code, f"{name or 'spec'!r} {told.message}", hint, path, "R-VAL-1")


def _verb(message: str) -> str:
    # Complaints about a value quote it; those about its sort begin with the verb.
    return f"is not valid: {message}" if message[:1] in "'\"" or message[:1].isdigit() else message


def literal_secret(path: Path) -> Fault:
    """A secret where only the place of one may stand."""
    return Fault(
        LITERAL_SECRET,
        f"{path[-1]!r} holds a literal value where a reference is expected",
        "say where it is instead: {env: VARIABLE}, {file: PATH} or {exec: [COMMAND]}",
        path,
        "R-SEC-4",
    )


def unknown(name: str, struct: Struct | None, path: Path) -> Fault:
    """A field that is not there, or not there yet."""
    if struct is None:
        return Fault(UNKNOWN_FIELD, f"there is no field {name!r} here", "remove it", path, "R-VAL-2", at_key=True)
    later = struct.refused.get(name)
    if later is not None:
        return Fault(
            NOT_IMPLEMENTED, f"{name!r} is not implemented in this release", later, path, "R-VAL-2", at_key=True
        )
    near = nearest(name, struct.members)
    hint = f"did you mean {near!r}?" if near else f"known here: {', '.join(struct.members)}"
    return Fault(UNKNOWN_FIELD, f"there is no field {name!r} here", hint, path, "R-VAL-2", at_key=True)


def of_rules(node: Node, value: Json, path: Path) -> list[Fault]:
    """What the rules between fields find, at every depth."""
    found: list[Fault] = []
    if isinstance(node, Struct) and isinstance(value, dict):
        for rule in node.rules:
            why = rule.broken(value)
            if why is not None:
                found.append(
                    Fault(BETWEEN, f"{path[-1] if path else 'spec'!r} {why}", rule.hint, path, "R-VAL-1", at_key=True)
                )
        for name, inner in node.ruled:
            if name in value:
                found += of_rules(inner, value[name], (*path, name))
    elif isinstance(node, Items) and isinstance(value, list):
        for at, item in enumerate(value):
            found += of_rules(node.item, item, (*path, at))
    elif isinstance(node, Entries) and isinstance(value, dict):
        for key, item in value.items():
            found += of_rules(node.value, item, (*path, key))
    return found


def _struct_at(root: Struct, path: Path) -> Struct | None:
    node: Node | None = root
    for step in path:
        node = _below(node, step)
    return node if isinstance(node, Struct) else None


def _below(node: Node | None, step: str | int) -> Node | None:
    if isinstance(node, Struct):
        member = node.members.get(str(step))
        return member.node if member else None
    if isinstance(node, Items):
        return node.item
    return node.value if isinstance(node, Entries) else None


def _meta_at(root: Struct, path: Path) -> Meta | None:
    """The metadata of the last named field on the way; its sensitive bit holds for all below it."""
    node: Node | None = root
    meta: Meta | None = None
    for step in path:
        if isinstance(node, Struct) and str(step) in node.members:
            inner = node.members[str(step)].meta
            meta = inner if meta is None or not meta.sensitive else inner._replace(sensitive=True)
        node = _below(node, step)
    return meta
