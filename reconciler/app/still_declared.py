"""Whether what shall be deleted is still declared where it was applied from (R-IMP-4).

Deleted although a file still declares it, a resource comes back with the next apply: the file is asked first. What
cannot be asked, a stream or a file that cannot be read, counts as declared: not knowing is no reason to delete.
"""

import posixpath
from collections.abc import Iterable, Mapping

from reconciler.app import settings as settings_
from reconciler.model import names
from reconciler.model.action import Action, Verb
from reconciler.model.errors import GuardRefused, ReconcilerError
from reconciler.model.ref import Ref
from reconciler.ports.catalog import InventoryRow
from reconciler.ports.files import FilesReader


def refuse(
    removals: Iterable[Action],
    rows: Mapping[Ref, InventoryRow],
    files: FilesReader,
    *,
    named_by_source: frozenset[Ref] = frozenset(),
) -> None:
    """Raise GuardRefused (exit 6) for what a manifest still declares; a source that is named itself says so."""
    found = among(removals, rows, files, named_by_source=named_by_source)
    if not found:
        return
    ref, row = next(iter(found.items()))
    what = str(ref) if row.ref == ref else f"{ref}, made by {row.ref},"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    raise GuardRefused(
        f"{what} is still declared in {row.position}, apply set {row.apply_set!r}{more}",
        hint="take it out of that file and run `houmao apply --prune`; delete -f FILE removes all that FILE declares; "
        "--override[=TTL] deletes it now and holds it absent for a while (1h)",
        code="guard.declared",
        ref=str(ref),
    )


def among(
    removals: Iterable[Action],
    rows: Mapping[Ref, InventoryRow],
    files: FilesReader,
    *,
    named_by_source: frozenset[Ref] = frozenset(),
) -> dict[Ref, InventoryRow]:
    """What is still declared, with the row that is: its own, or its owner's; what goes with its owner is left out."""
    by_uid = {row.uid: row for row in rows.values()}
    gone = {action.ref for action in removals if action.verb is Verb.REMOVE} - named_by_source
    read: dict[str, frozenset[tuple[Ref, int]] | None] = {}
    found: dict[Ref, InventoryRow] = {}
    for ref in sorted(gone):
        row = rows.get(ref)
        if row is None:
            continue
        owner = by_uid.get(row.owner) if row.owner else None
        if owner is not None and owner.ref in (gone | named_by_source):
            continue
        declaring = owner or row
        if declaring.apply_set != names.IMPERATIVE and _declares(declaring, files, read):
            found[ref] = declaring
    return found


def _declares(row: InventoryRow, files: FilesReader, read: dict[str, frozenset[tuple[Ref, int]] | None]) -> bool:
    if row.position is None:
        return False
    if row.position.file.startswith(("<", "git+")):
        return True
    path = posixpath.normpath(posixpath.join(settings_.cwd(), row.position.file))
    if path not in read:
        read[path] = _documents(path, files)
    documents = read[path]
    if documents is None:
        return True
    # A composition may give it another name than its document has; then its place tells.
    return any(ref == row.ref or (ref.kind == row.ref.kind and at == row.position.line) for ref, at in documents)


def _documents(path: str, files: FilesReader) -> frozenset[tuple[Ref, int]] | None:
    """Kind, name and line of each document of a file; None where that cannot be told."""
    from reconciler.declare.judge import identity
    from reconciler.declare.reader import read

    try:
        if files.stamp(path) is None:
            return frozenset()
        documents, problems = read(files.read(path), path)
    except ReconcilerError:
        return None
    if problems:
        return None
    known = ((identity(document.value), document.position(()).line) for document in documents)
    return frozenset((ref, line) for ref, line in known if ref is not None)
