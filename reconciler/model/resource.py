"""A declared resource in canonical form, with the positions it came from.

`spec` is canonical (R-CAN-2): defaults explicit, keys sorted, set-like lists sorted, file references replaced by
`{"digest", "size"}`. `digest` leaves out fields equal to their default (R-CAN-6), so a later release may add optional
fields without changing it.
"""

from collections.abc import Mapping

from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple

API_VERSION = "houmao/v1alpha1"

Path = tuple[str | int, ...]
"""A place inside a document: `("spec", "env", "FOO")`."""


class Position(NamedTuple):
    """Where something was written; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    @classmethod
    def parse(cls, text: str) -> "Position | None":
        """The position that was written so; None where it is none. A file may have colons in its name."""
        file, _, column = text.rpartition(":")
        file, _, line = file.rpartition(":")
        return cls(file, int(line), int(column)) if file and line.isdigit() and column.isdigit() else None


class Edge(NamedTuple):
    """One reference from a field of a resource to another resource."""

    path: str
    to: Ref
    condition: str = "Applied"
    """What of `to` must hold before this resource is acted on: `Applied` or `Ready`."""
    timeout_ms: int | None = None
    """How long to wait for it; None for as long as the run lasts."""


class ContentSource(NamedTuple):
    """Where the bytes behind a digest of a canonical spec can be read again; never part of a digest.

    `text` for inline text, else `path` (absolute) of a file or directory.
    """

    digest: str
    path: str | None
    text: str | None
    tree: bool


class Resource:
    """One declared resource, canonical; compare by `digest`, never by identity."""

    __slots__ = (
        "annotations",
        "contents",
        "derived",
        "digest",
        "edges",
        "labels",
        "owner",
        "position",
        "positions",
        "ref",
        "spec",
    )

    def __init__(
        self,
        ref: Ref,
        spec: JsonMap,
        digest: str,
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        position: Position | None = None,
        positions: Mapping[str, Position] | None = None,
        edges: tuple[Edge, ...] = (),
        contents: tuple[ContentSource, ...] = (),
        owner: Ref | None = None,
        derived: bool = False,
    ) -> None:
        self.ref = ref
        self.spec = spec
        self.digest = digest
        self.labels = dict(labels or {})
        self.annotations = dict(annotations or {})
        self.position = position
        self.positions: Mapping[str, Position] = positions if positions is not None else {}
        self.edges = edges
        self.contents = contents
        self.owner = owner
        self.derived = derived
        """True for a row its owner's action writes (R-OWN-8a): it has no action of its own."""

    def at(self, path: str) -> Position | None:
        """The position that set `path` (`spec.env.FOO`), or of its nearest written ancestor."""
        here = path
        while here:
            found = self.positions.get(here)
            if found is not None:
                return found
            here = here.rpartition(".")[0]
        return self.position

    def __repr__(self) -> str:
        return f"Resource({self.ref}, {self.digest[:15]})"


ADOPT, IF_UNOWNED = "houmao/adopt", "IfUnowned"
"""The annotation by which a declaration takes over what has its name and no owner (R-ADO-2)."""


def adopts(resource: Resource | None) -> bool:
    """Whether the declaration opts in."""
    return resource is not None and resource.annotations.get(ADOPT) == IF_UNOWNED


def dotted(path: Path) -> str:
    """`("spec", "skillRefs", 0)` as `spec.skillRefs[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def at_path(spec: Json, path: str) -> Json:
    """The value at a dotted path of maps below `spec`, or None where there is none."""
    value = spec
    for part in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value
