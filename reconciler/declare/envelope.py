"""The outer part every document has: `apiVersion`, `kind`, `metadata`, `spec` (R-MOD-1, R-MOD-4, R-MOD-6, R-MOD-8)."""

from functools import lru_cache

from reconciler.declare.catalogue import LATER
from reconciler.declare.faults import MISSING, UNKNOWN_FIELD, Fault
from reconciler.declare.node import Complaint
from reconciler.declare.suggest import nearest
from reconciler.declare.vocabulary import END, NAME_PATTERN, NOT_IMPLEMENTED, TYPE, VALUE, expected, searching
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import name_fault
from reconciler.model.resource import ADOPT, API_VERSION, IF_UNOWNED, Path

KEYS = ("apiVersion", "kind", "metadata", "spec")
METADATA = ("name", "labels", "annotations")

_PART = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_DOMAIN = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
LABEL_KEY = rf"^(?!houmao/)(?=[^/]{{1,253}}/|[^/]+{END})({_DOMAIN}/)?{_PART}{END}"
LABEL_VALUE = rf"^({_PART})?{END}"
SOURCE_ID = r"^[^\u0000-\u001f\u007f]{1,512}" + END
RESERVED = "houmao/"
SOURCE_ID_KEY = "houmao/source-id"
LATER_ANNOTATIONS = {
    "houmao/wave": "say what comes first with dependsOn",
}

_label_key, _label_value, _source_id = (searching(text) for text in (LABEL_KEY, LABEL_VALUE, SOURCE_ID))


def check(value: JsonMap, kind: str, spec_optional: bool) -> list[Fault]:
    """Everything wrong with the envelope of a document of a known kind."""
    found = [*_keys(value, KEYS, ())]
    version = value.get("apiVersion")
    if "apiVersion" not in value:
        found.append(_missing("apiVersion", (), f"add apiVersion: {API_VERSION}"))
    elif version != API_VERSION:
        found.append(
            Fault(
                "declare.api_version",
                f"apiVersion is not {API_VERSION}",
                f"write {API_VERSION}",
                ("apiVersion",),
                "R-MOD-2",
            )
        )
    if "spec" not in value and not spec_optional:
        found.append(_missing("spec", (), "add it"))
    metadata = value.get("metadata")
    if "metadata" not in value:
        found.append(_missing("metadata", (), "add metadata: {name: …}"))
    elif not isinstance(metadata, dict):
        found.append(_said(expected("a mapping", metadata), ("metadata",), "R-MOD-1"))
    else:
        found += _metadata(metadata, kind)
    return found


def _metadata(metadata: JsonMap, kind: str) -> list[Fault]:
    found = [*_keys(metadata, METADATA, ("metadata",))]
    name = metadata.get("name")
    if "name" not in metadata:
        found.append(_missing("name", ("metadata",), "every resource has a name"))
    elif not isinstance(name, str):
        found.append(_said(expected("text", name), ("metadata", "name"), "R-MOD-4"))
    elif (why := name_fault(name)) is not None:
        before, _, fix = why.partition("; ")
        found.append(Fault("declare.name", f"the name {name[:80]!r} {before}", fix, ("metadata", "name"), "R-MOD-4"))
    for field, reserved in (("labels", False), ("annotations", True)):
        entries = metadata.get(field)
        if field not in metadata:
            continue
        if not isinstance(entries, dict):
            found.append(_said(expected("a mapping", entries), ("metadata", field), "R-MOD-6"))
            continue
        for key, value in entries.items():
            if isinstance(value, str) and _fine(key, value):
                continue
            fault = _entry(key, value, kind, reserved, ("metadata", field, key))
            if fault is not None:
                found.append(fault)
    return found


@lru_cache(maxsize=1024)
def _fine(key: str, value: str) -> bool:
    """Whether a label or annotation needs no second look; a fleet's are the same few on every document."""
    return not key.startswith(RESERVED) and _label_key(key) and _label_value(value)


def _entry(key: str, value: Json, kind: str, annotation: bool, path: Path) -> Fault | None:
    """One label or annotation."""
    if key.startswith(RESERVED):
        return _reserved(key, value, kind, annotation, path)
    if not _label_key(key):
        hint = "letters, digits, '-', '_' and '.', 63 at most, with a domain and a slash before it if you like"
        return Fault(
            "declare.metadata.key",
            f"{key[:80]!r} is no key of a label or annotation",
            hint,
            path,
            "R-MOD-6",
            at_key=True,
        )
    if not isinstance(value, str):
        return _said(expected("text", value), path, "R-MOD-6")
    if not annotation and not _label_value(value):
        hint = "letters, digits, '-', '_' and '.', 63 at most, or nothing"
        return Fault(
            "declare.metadata.value", f"the label {key!r} has a value that selectors cannot name", hint, path, "R-MOD-6"
        )
    if annotation and "\0" in value:
        return Fault(VALUE, f"{key!r} has a NUL character", "remove it", path, "R-MOD-6")
    return None


def _reserved(key: str, value: Json, kind: str, annotation: bool, path: Path) -> Fault | None:
    if annotation and key == SOURCE_ID_KEY and kind == "Project":
        if isinstance(value, str) and _source_id(value):
            return None
        return Fault(VALUE, f"{key!r} must be one line of text, not empty", "quote it", path, "R-MOD-8")
    if annotation and key == ADOPT:
        if value == IF_UNOWNED:
            return None
        return Fault(VALUE, f"{key!r} must be {IF_UNOWNED}", "or leave it out", path, "R-ADO-2")
    if annotation and key in LATER_ANNOTATIONS:
        message = f"the annotation {key!r} is not implemented in this release"
        return Fault(NOT_IMPLEMENTED, message, LATER_ANNOTATIONS[key], path, "R-MOD-8", at_key=True)
    if annotation and key == SOURCE_ID_KEY:
        return Fault(
            "declare.metadata.reserved",
            f"{key!r} belongs to the Project",
            "move it there",
            path,
            "R-MOD-8",
            at_key=True,
        )
    near = nearest(key, (SOURCE_ID_KEY, ADOPT, *LATER_ANNOTATIONS)) if annotation else None
    hint = f"did you mean {near!r}?" if near else "keys that begin with houmao/ are the program's own"
    return Fault("declare.metadata.reserved", f"{key!r} is reserved and unknown", hint, path, "R-MOD-8", at_key=True)


def _keys(value: JsonMap, known: tuple[str, ...], path: Path) -> list[Fault]:
    found = []
    for key in value:
        if key in known:
            continue
        if not path and key == "status":
            hint = "remove it: status is written by the program alone"
            found.append(
                Fault(
                    "declare.status_in_input", "'status' may not be declared", hint, ("status",), "R-MOD-1", at_key=True
                )
            )
            continue
        near = nearest(key, known)
        hint = f"did you mean {near!r}?" if near else f"known here: {', '.join(known)}"
        found.append(
            Fault(UNKNOWN_FIELD, f"there is no field {key!r} here", hint, (*path, key), "R-VAL-2", at_key=True)
        )
    return found


def kind_fault(value: JsonMap, names: tuple[str, ...]) -> Fault:
    """What to say of a document whose kind has no schema."""
    kind = value.get("kind")
    if "kind" not in value:
        return _missing("kind", (), f"add it: one of {', '.join(names)}")
    if not isinstance(kind, str):
        return _said(expected("text", kind), ("kind",), "R-MOD-1")
    if kind in LATER:
        return Fault(
            NOT_IMPLEMENTED,
            f"the kind {kind} is not implemented in this release",
            "remove the document",
            ("kind",),
            "R-MOD-1",
        )
    near = nearest(kind, names)
    hint = f"did you mean {near}?" if near else f"known kinds: {', '.join(names)}"
    return Fault("declare.kind.unknown", f"there is no kind {kind[:80]!r}", hint, ("kind",), "R-MOD-1")


def _missing(name: str, path: Path, hint: str) -> Fault:
    return Fault(MISSING, f"{name!r} is missing", hint, (*path, name), "R-MOD-1", at_key=True)


def _said(complaint: Complaint, path: Path, rule: str) -> Fault:
    return Fault(complaint.code or TYPE, f"{path[-1]!r} {complaint.message}", complaint.hint, path, rule)


def schema(kind: str, spec: JsonMap, spec_optional: bool) -> JsonMap:
    """The envelope as JSON Schema, around the schema of a spec."""
    labels: JsonMap = {
        "type": "object",
        "description": "For selectors.",
        "propertyNames": {"pattern": LABEL_KEY},
        "additionalProperties": {"type": "string", "pattern": LABEL_VALUE},
    }
    plain: JsonMap = {"type": "string", "pattern": r"^[^\u0000]*" + END}
    own: JsonMap = {ADOPT: {"const": IF_UNOWNED}}
    keys = f"{LABEL_KEY}|^{ADOPT}{END}"
    if kind == "Project":
        own[SOURCE_ID_KEY] = {"type": "string", "pattern": SOURCE_ID}
        keys = f"{keys}|^{SOURCE_ID_KEY}{END}"
    annotations: JsonMap = {
        "type": "object",
        "description": "Notes; keys that begin with houmao/ are the program's own.",
        "propertyNames": {"pattern": keys},
        "properties": own,
        "additionalProperties": plain,
    }
    required: list[Json] = ["apiVersion", "kind", "metadata"]
    return {
        "type": "object",
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"const": kind},
            "metadata": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "pattern": NAME_PATTERN, "description": "Unique among its kind."},
                    "labels": labels,
                    "annotations": annotations,
                },
                "required": ["name"],
                "additionalProperties": False,
            },
            "spec": spec,
        },
        "required": required if spec_optional else [*required, "spec"],
        "additionalProperties": False,
    }
