"""The `Overlay` document, which composes others: its fields (R-LOAD-6), and what this release refuses of them."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from reconciler.declare import envelope
from reconciler.declare.catalogue import OVERLAY
from reconciler.declare.faults import Fault
from reconciler.declare.rules import ExactlyOne
from reconciler.declare.schema import Schema, Spec, field
from reconciler.declare.variables import NAME_PATTERN
from reconciler.declare.vocabulary import END, AnyJson, FilePath, Line, Text, pattern
from reconciler.model.field import Change, ListKind
from reconciler.model.json import JsonMap

FILE_NAMES = ("overlay.yaml", "overlay.yml", "overlay.json")
RECORD = Change.RECORD
JSON_PATCH = "JSON patches come in a later release; write a merge patch"


Variable = Annotated[str, pattern(NAME_PATTERN, "the name of a variable: letters, digits and '_'", "")]
LabelKey = Annotated[
    str, pattern(envelope.LABEL_KEY, "the key of a label", "keys that begin with houmao/ are reserved")
]
LabelValue = Annotated[str, pattern(envelope.LABEL_VALUE, "the value of a label", "letters, digits, '-', '_' and '.'")]
Prefix = Annotated[
    str,
    pattern(r"^(?!houmao[-_])[a-z0-9][a-z0-9_-]{0,61}" + END, "the beginning of a name", "lower-case, such as prod-"),
]


class Patch(Spec):
    """A partial document, merged over the one of its kind and name."""

    refused: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("json", "json6902", "op", "ops", "patch", "target"), JSON_PATCH
    )
    rules = (ExactlyOne(("path", "merge")),)
    path: FilePath = field(None, change=RECORD, doc="File of partial documents.")
    merge: dict[Line, AnyJson] = field(
        {}, change=RECORD, doc="The partial document itself, with kind and metadata.name."
    )


class OverlaySpec(Spec):
    """What a composition directory gives."""

    refused: ClassVar[Mapping[str, str]] = {
        "nameSuffix": "write namePrefix; suffixes come in a later release",
        "patchesJson6902": JSON_PATCH,
        "patchesStrategicMerge": "write them under patches",
    }
    bases: list[FilePath] = field(
        [], change=RECORD, list_kind=ListKind.SEQUENCE, doc="Directories with an overlay each."
    )
    resources: list[FilePath] = field(
        [], change=RECORD, list_kind=ListKind.SEQUENCE, doc="Files and directories of documents, below this directory."
    )
    patches: list[Patch] = field([], change=RECORD, list_kind=ListKind.SEQUENCE, doc="Changes, merged in this order.")
    name_prefix: Prefix = field(None, change=RECORD, doc="Put before every name, and before references to it.")
    common_labels: dict[LabelKey, LabelValue] = field({}, change=RECORD, doc="Labels of everything composed here.")
    vars: dict[Variable, Text] = field(
        {}, change=RECORD, doc="Variables for ${name} in texts; $${ stands for ${ itself."
    )


class OverlaySchema(Schema):
    """An overlay's schema; its metadata may be left out, because nothing refers to it."""

    __slots__ = ()

    def document_faults(self, value: JsonMap) -> list[Fault]:
        """Everything wrong with an overlay document."""
        nameless: JsonMap = {"metadata": {"name": "overlay"}}
        whole = nameless | value
        faults = envelope.check(whole, OVERLAY, self.optional)
        inner = self.validate(value["spec"]) if "spec" in value else []
        return [*faults, *(fault._replace(path=("spec", *fault.path)) for fault in inner)]


MODEL = OverlaySchema(OVERLAY, OverlaySpec, doc="Composes documents of bases and resources; built with -k.")
