"""`--write-back`: the declaring file edited at its recorded position, comments and layout kept (R-IMP-2).

A field is edited only where it can be attributed: the file declares the resource itself, says today what was last
applied, and after the edit says what was asked for and nothing else new. What a patch, a base, a variable, a Project's
defaults or a set's template says is refused, with the place to edit by hand.
"""

import posixpath
from collections.abc import Mapping, Sequence
from typing import cast

from reconciler.app import settings as settings_
from reconciler.app import wiring
from reconciler.app.desired import is_starter
from reconciler.declare import hold, origin
from reconciler.declare.catalogue import OVERLAY, Catalogue
from reconciler.declare.compile import compile_source
from reconciler.declare.edit import Put, edited
from reconciler.declare.inputs import EXTENSIONS, Source
from reconciler.declare.reader import read
from reconciler.declare.yaml_nodes import CannotEdit
from reconciler.model.errors import ConflictError
from reconciler.model.json import Json
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader
from reconciler.ports.catalog import InventoryRow
from reconciler.ports.files import FilesReader


class Write(NamedTuple):
    """One value to be written back: what is declared, what shall be (canonical), and that as a person wrote it."""

    ref: Ref
    row: InventoryRow
    path: str
    before: Json
    after: Json
    given: Json = None


class Edited(NamedTuple):
    """Files as they shall be, beside what they were when that was worked out."""

    files: Mapping[str, tuple[bytes, bytes]] = {}

    def write(self) -> None:
        """Replace each file atomically and durably; raises ConflictError when somebody edited one meanwhile."""
        files = wiring.local_files()
        for path, (before, _) in self.files.items():
            if files.read(path) != before:
                raise ConflictError(f"{path} was edited meanwhile", hint="run the command again; nothing was changed")
        for path, (_, after) in self.files.items():
            real = files.real(path)
            stamp = files.stamp(real)
            files.write(real, after, mode=stamp.mode & 0o777 if stamp is not None else 0o644, durable=True)


def prepare(reader: Reader, writes: Sequence[Write], whole: Mapping[str, tuple[bytes, bytes]] | None = None) -> Edited:
    """Work out every file; raises CannotEdit (exit 6) before anything is written."""
    by_file: dict[str, list[Write]] = {}
    for write in writes:
        by_file.setdefault(file_of(write.ref, write.row, reader.files), []).append(write)
    found: dict[str, tuple[bytes, bytes]] = dict(whole or {})
    for path, asked in sorted(by_file.items()):
        data = reader.files.read(path)
        found[path] = (data, _edited(path, data, asked, reader))
    return Edited(found)


def file_of(ref: Ref, row: InventoryRow, files: FilesReader) -> str:
    """The file that declares a resource; raises CannotEdit where none does by itself."""
    if row.owner is not None:
        raise CannotEdit(
            f"{ref} is made by its owner's declaration, from a template",
            hint="change the owner, or hold it with --override",
            ref=str(ref),
        )
    shown = row.position.file if row.position is not None else ""
    path = posixpath.normpath(posixpath.join(settings_.cwd(), shown)) if shown else ""
    if not path or files.stamp(path) is None:
        raise CannotEdit(
            f"{ref} was declared in {shown or 'no file'}, which is not there",
            hint="apply its declaration again from where it is now, or use --override",
            ref=str(ref),
        )
    if not _inside(path, row.source_root, files):
        raise CannotEdit(
            f"{ref} was composed: {shown} is only a part of what declares it",
            hint="edit the overlay or the base by hand, or use --override",
            ref=str(ref),
        )
    return path


def _inside(path: str, root: str, files: FilesReader) -> bool:
    """Whether a file belongs to the source root it was applied from, as itself and not as part of a composition."""
    here = path
    tree = origin.work_tree(posixpath.dirname(path), files)
    while here:
        if origin.root_id(files.real(here), tree, files) == root:
            return not _composes(here if here != path else posixpath.dirname(path), files)
        above = posixpath.dirname(here)
        here = above if above != here else ""
    # An id that a Project declares says nothing of directories.
    return "/" not in root and not _composes(posixpath.dirname(path), files)


def _composes(directory: str, files: FilesReader) -> bool:
    for name in files.names(directory):
        if name.endswith(EXTENSIONS):
            documents, _ = read(files.read(f"{directory}/{name}"), name)
            if any(document.value.get("kind") == OVERLAY for document in documents):
                return True
    return False


def _edited(path: str, data: bytes, writes: Sequence[Write], reader: Reader) -> bytes:
    kinds = Catalogue(folders=wiring.folders(wiring.KINDS))
    before = _compiled(path, reader.files, kinds, reader)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise CannotEdit(f"{path} is not UTF-8", hint="edit it by hand") from error
    for ref in dict.fromkeys(write.ref for write in writes):
        own = [write for write in writes if write.ref == ref]
        found = before.get(ref)
        for write in own:
            if found is None or hold.value_at(found, write.path) != write.before:
                raise CannotEdit(
                    f"{write.path} of {ref} does not come from {path} alone: it was applied as {write.before!r}",
                    hint="apply the file first, or edit by hand what sets it: a patch, a base, a variable or a default",
                    ref=str(ref),
                )
        puts = [Put(_steps(write.path), _wanted(write), write.before) for write in own]
        text = edited(text, ref, puts)
    made = text.encode()
    after = _compiled(path, cast(FilesReader, _Instead(reader.files, path, made)), kinds, reader)
    _compare(path, before, after, writes)
    return made


def _wanted(write: Write) -> Json:
    return write.given if write.given is not None else write.after


def _compiled(path: str, files: FilesReader, kinds: Catalogue, reader: Reader) -> Mapping[Ref, Resource]:
    """The file by itself; references to what other files declare are the catalog's business."""
    compiled = compile_source(
        Source((path,), cwd=posixpath.dirname(path)),
        files=files,
        kinds=kinds,
        providers=reader.providers,
        known=lambda ref: is_starter(ref) or any(row.ref == ref for row in reader.catalog.inventory()),
    )
    if compiled.problems:
        problem = compiled.problems[0]
        raise CannotEdit(f"{path} would not be valid: {problem.message}", hint=problem.hint, ref=problem.ref)
    return compiled.resources


def _compare(path: str, before: Mapping[Ref, Resource], after: Mapping[Ref, Resource], writes: Sequence[Write]) -> None:
    """The edit must have done what was asked, and nothing else."""
    asked: dict[Ref, dict[str, Json]] = {}
    for write in writes:
        asked.setdefault(write.ref, {})[write.path] = write.after
    for ref in sorted(before.keys() | after.keys()):
        one, two = before.get(ref), after.get(ref)
        owner = one.owner if one is not None else two.owner if two is not None else None
        if owner in asked:
            continue
        changed = hold.differing(one, two) if one is not None and two is not None else ("it",)
        wanted = asked.get(ref, {})
        extra = [found for found in changed if not any(_below(found, path) for path in wanted)]
        missing = [found for found, value in wanted.items() if two is None or hold.value_at(two, found) != value]
        if extra or missing:
            raise CannotEdit(
                f"the edit would not do what was asked in {path}: "
                + (f"{ref}.{extra[0]} would change as well" if extra else f"{ref}.{missing[0]} would stay"),
                hint="an anchor or a default may connect them; edit it by hand",
                ref=str(ref),
            )


def _below(path: str, asked: str) -> bool:
    return path == asked or path.startswith(f"{asked}.") or asked.startswith(f"{path}.")


def _steps(path: str) -> tuple[str, ...]:
    for prefix in (hold.LABELS, hold.ANNOTATIONS):
        if path.startswith(prefix):
            return (*prefix.rstrip(".").split("."), path.removeprefix(prefix))
    return tuple(path.split("."))


class _Instead:
    """The files as they are, but for one."""

    def __init__(self, files: FilesReader, path: str, data: bytes) -> None:
        self._files = files
        self._path = path
        self._data = data

    def __getattr__(self, name: str) -> object:
        return getattr(self._files, name)

    def read(self, path: str) -> bytes:
        """Whole content."""
        return self._data if path == self._path else self._files.read(path)
