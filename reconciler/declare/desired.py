"""The desired state as a value, and the words of its making."""

from collections.abc import Mapping
from enum import StrEnum

from reconciler.declare.content import HomeOf
from reconciler.declare.inputs import Source
from reconciler.declare.places import Written
from reconciler.declare.schema import Schema
from reconciler.model.errors import Problem
from reconciler.model.json import JsonMap, digest
from reconciler.model.ref import Ref
from reconciler.model.resource import ContentSource, Edge, Path, Position, Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.files import Stamp

NAME: Path = ("metadata", "name")


class Validate(StrEnum):
    """What an unknown field is (R-VAL-2)."""

    STRICT = "strict"
    WARN = "warn"
    IGNORE = "ignore"


class Compiled(NamedTuple):
    """The desired state, and what was wrong. `resources` are sorted by ref; act on them only without `problems`."""

    resources: dict[Ref, Resource]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    inputs: tuple[tuple[str, Stamp], ...]
    """Every file that was read, by absolute path, stamped before it was read."""
    directories: tuple[tuple[str, Stamp], ...]
    """Every directory that was listed."""
    source_root: str
    """Source root ids, sorted, one a line (R-PRU-10)."""
    roots: tuple[str, ...]
    project: Resource | None
    inputs_digest: str
    source_revision: str
    documents: int
    root_of: Mapping[Ref, str] = {}
    """The root id that each resource comes from: one of `roots`."""
    moves: tuple[tuple[Ref, Ref], ...] = ()
    """Names that became others: old and new."""
    from_catalog: tuple[tuple[Ref, Ref], ...] = ()
    """References that were resolved from the catalog: who refers, and to what (R-MOD-7)."""


class Declared(Resource):
    """A resource whose position is worked out when somebody asks: most are never shown."""

    __slots__ = ("_written",)

    def __init__(
        self,
        written: Written,
        ref: Ref,
        spec: JsonMap,
        digest: str,
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        positions: Mapping[str, Position] | None = None,
        edges: tuple[Edge, ...] = (),
        contents: tuple[ContentSource, ...] = (),
        owner: Ref | None = None,
        derived: bool = False,
    ) -> None:
        self._written = written
        super().__init__(
            ref,
            spec,
            digest,
            labels=labels,
            annotations=annotations,
            positions=positions,
            edges=edges,
            contents=contents,
            owner=owner,
            derived=derived,
        )

    def again(self) -> "Declared":
        """The same for another compile, which binds its edges anew."""
        return Declared(
            self._written,
            self.ref,
            self.spec,
            self.digest,
            labels=self.labels,
            annotations=self.annotations,
            positions=self.positions,
            edges=self.edges,
            contents=self.contents,
            owner=self.owner,
            derived=self.derived,
        )

    @property
    def position(self) -> Position | None:
        """Where its name is written; of a child, its owner's."""
        return self._written.position(NAME)

    @position.setter
    def position(self, value: Position | None) -> None:
        del value


class Draft(NamedTuple):
    """A document on its way: its text, its kind's schema, and where its relative paths begin."""

    written: Written
    schema: Schema
    ref: Ref
    home: HomeOf
    root: str

    @property
    def name_at(self) -> Position:
        """Where its name is written."""
        return self.written.position(NAME)


class Gathered(NamedTuple):
    """A document before anything is known about it: where its paths begin, and the root it was found below."""

    written: Written
    home: HomeOf
    root: str


def ordered(problems: list[Problem]) -> tuple[Problem, ...]:
    """Each problem once, by position; those without one come first."""
    nowhere = Position("", 0, 0)
    return tuple(sorted(dict.fromkeys(problems), key=lambda each: (each.position or nowhere, each.code, each.message)))


def state_digest(resources: Mapping[Ref, Resource]) -> str:
    """Digest of the whole desired state: what it says, not where or in which order (R-LOAD-2)."""
    return digest(
        [
            [str(ref), resource.digest, dict(resource.labels), dict(resource.annotations)]
            for ref, resource in sorted(resources.items())
        ]
    )


def no_documents(source: Source) -> Problem:
    """Nothing is declared, which is never taken for "remove everything" unasked (R-LOAD-10)."""
    shown = source.composition or ", ".join(source.paths)
    return Problem(
        "declare.no_documents",
        f"no document was found in {shown}",
        "files that end in .yaml, .yml or .json are read; -R descends into directories",
        None,
        rule="R-LOAD-10",
    )
