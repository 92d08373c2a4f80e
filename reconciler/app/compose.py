"""Edited resources made whole again: as they were last applied, as text, with the edit merged in, and compiled.

So a verb is judged by the same schemas, rules and references as a file would be. Bytes that a resource has are found
where the content store keeps them.
"""

from collections.abc import Mapping, Sequence

from reconciler.app import settings as settings_
from reconciler.app import wiring
from reconciler.app.ask import Edit
from reconciler.app.desired import is_starter
from reconciler.app.export import document_of
from reconciler.app.session import Session
from reconciler.declare.catalogue import Catalogue
from reconciler.declare.compile import compile_source
from reconciler.declare.dump import to_yaml
from reconciler.declare.inputs import STDIN, Source
from reconciler.engine.observe import from_bundle
from reconciler.model.errors import DeclarationError
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader
from reconciler.ports.catalog import InventoryRow


class Recorded(NamedTuple):
    """Everything as it was last applied, with its rows."""

    rows: Mapping[Ref, InventoryRow]
    last: Mapping[Ref, Resource]


def recorded(reader: Reader) -> Recorded:
    """Read it all at once; owners and positions are as the inventory has them."""
    rows = {row.ref: row for row in reader.catalog.inventory()}
    bundles = reader.catalog.bundles({row.digest for row in rows.values()})
    refs = {row.uid: ref for ref, row in rows.items()}
    last: dict[Ref, Resource] = {}
    for ref, row in rows.items():
        body = bundles.get(row.digest)
        if body is not None:
            found = from_bundle(ref, row, body)
            found.owner = refs.get(row.owner) if row.owner else None
            found.position = row.position
            last[ref] = found
    return Recorded(rows, last)


def merged(value: Json, patch: Json) -> Json:
    """A merge patch applied (RFC 7386): null takes a key away."""
    if not isinstance(patch, dict):
        return patch
    out = dict(value) if isinstance(value, dict) else {}
    for key, item in patch.items():
        if item is None:
            out.pop(key, None)
        else:
            out[key] = merged(out.get(key), item)
    return out


class Composer:
    """Makes resources of edits and of whole documents."""

    def __init__(self, session: Session, reader: Reader, known: Recorded) -> None:
        self._session = session
        self._reader = reader
        self._known = known
        self.kinds = Catalogue(folders=wiring.folders(wiring.KINDS))

    def edited(self, edits: Sequence[Edit]) -> dict[Ref, Resource]:
        """What the edits make of what was last applied, with what that generates."""
        documents: dict[Ref, JsonMap] = {}
        for edit in edits:
            before = documents.get(edit.ref) or self.document(edit.ref)
            after = merged(before, edit.patch)
            assert isinstance(after, dict)
            documents[edit.ref] = after
        return self._compiled(tuple(documents.values()), self._reader.places.overlay)

    def documents(self, documents: Sequence[JsonMap], base: str) -> dict[Ref, Resource]:
        """Whole declarations, as if a file in `base` held them."""
        return self._compiled(documents, base or settings_.cwd())

    def document(self, ref: Ref) -> JsonMap:
        """One resource as it was last applied, as people write it."""
        return document_of(self._session, self._known.rows[ref], self.kinds)[0]

    def _compiled(self, documents: Sequence[JsonMap], base: str) -> dict[Ref, Resource]:
        if not documents:
            return {}
        compiled = compile_source(
            Source((STDIN,), stdin=to_yaml(documents).encode(), cwd=base),
            files=self._reader.files,
            kinds=self.kinds,
            providers=self._reader.providers,
            known=lambda ref: ref in self._known.rows or is_starter(ref),
        )
        if compiled.problems:
            # Where it would stand in a text that nobody wrote helps nobody: the path does.
            raise DeclarationError(
                [
                    problem._replace(position=None, message=_with_path(problem.path, problem.message))
                    for problem in compiled.problems
                ]
            )
        return {ref: self._placed(found) for ref, found in compiled.resources.items()}

    def _placed(self, made: Resource) -> Resource:
        """The same where its row says it was declared, and owned by whom the row says."""
        row = self._known.rows.get(made.ref)
        last = self._known.last.get(made.ref)
        return Resource(
            made.ref,
            made.spec,
            made.digest,
            labels=made.labels,
            annotations=made.annotations,
            position=row.position if row is not None else None,
            edges=made.edges,
            contents=made.contents,
            owner=made.owner or (last.owner if last is not None else None),
            derived=made.derived,
        )


def _with_path(path: str, message: str) -> str:
    return message if not path or path in message else f"{path}: {message}"
