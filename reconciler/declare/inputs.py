"""Which files are read: `-f` paths expanded, everything that was looked at stamped, and reading done once.

A `Reading` collects what the no-op gate will compare next time: a stamp of each file *taken before it was read*, and of
each directory whose entries were listed. Stamps taken after the fact would hide an edit made meanwhile.
"""

import posixpath

from reconciler.declare.reader import Document, read
from reconciler.model.errors import Problem, ReconcilerError
from reconciler.model.resource import Position
from reconciler.model.tuples import NamedTuple
from reconciler.ports.files import Digest, FilesReader, Stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.declare.memo import Memo

EXTENSIONS = (".yaml", ".yml", ".json")
STDIN = "-"


class Source(NamedTuple):
    """What a run declares: `-f` paths, `-R`, or a composition directory (`-k`); `cwd` is where relative paths begin."""

    paths: tuple[str, ...] = ()
    recursive: bool = False
    composition: str | None = None
    stdin: bytes | None = None
    cwd: str = "/"


class Root(NamedTuple):
    """One `-f` or `-k` argument: the directory whose files may refer to each other, with links resolved."""

    given: str
    directory: str
    listed: bool
    """Whether the argument was a directory that is listed, not one file of it."""
    where: str
    """The argument itself, absolute, links resolved: what its id is made from."""


class TextFile(NamedTuple):
    """A file of documents: where it is, how it is shown, and the root it belongs to."""

    path: str
    shown: str
    root: Root


class Reading:
    """Reads through the port, remembering stamps; nothing is read twice. With a memo, a file that is what it was when
    it was last parsed is not parsed again.
    """

    __slots__ = ("_digests", "_good_keys", "_real", "directories", "files", "memo", "problems", "stamps")

    def __init__(self, files: FilesReader, memo: "Memo | None" = None) -> None:
        self.files = files
        self.memo = memo
        self.stamps: dict[str, Stamp] = {}
        self.directories: dict[str, Stamp] = {}
        self.problems: list[Problem] = []
        self._digests: dict[str, Digest] = {}
        self._good_keys: dict[str, str] = {}
        self._real: dict[str, str] = {}

    def stamp(self, path: str) -> Stamp | None:
        """The stamp of a path, remembered as an input when something is there."""
        known = self.stamps.get(path) or self.directories.get(path)
        if known is not None:
            return known
        found = self.files.stamp(path)
        if found is not None:
            (self.directories if found.is_dir else self.stamps)[path] = found
        return found

    def read(self, path: str) -> bytes:
        """A whole file; raises ReconcilerError."""
        self.stamp(path)
        return self.files.read(path)

    def real(self, path: str) -> str:
        """A path with links resolved; asked once."""
        if path not in self._real:
            self._real[path] = self.files.real(path)
        return self._real[path]

    def real_file(self, path: str) -> str:
        """`real` of a file in a directory that many files share."""
        directory, name = posixpath.split(path)
        return posixpath.join(self.real(directory), name)

    def digest(self, path: str) -> Digest:
        """Digest of a file's bytes."""
        if path not in self._digests:
            self.stamp(path)
            self._digests[path] = self.files.digest(path)
        return self._digests[path]

    def tree_digest(self, path: str) -> Digest:
        """Digest of a directory; each file and directory in it is remembered as an input."""
        if path not in self._digests:
            self._remember_tree(path)
            self._digests[path] = self.files.tree_digest(path)
        return self._digests[path]

    def _remember_tree(self, top: str) -> None:
        waiting = [top]
        while waiting:
            directory = waiting.pop()
            self.stamp(directory)
            for name in self.files.names(directory):
                path = posixpath.join(directory, name.rstrip("/"))
                if name.endswith("/"):
                    waiting.append(path)
                else:
                    self.stamp(path)

    def names(self, directory: str) -> tuple[str, ...]:
        """The entries of a directory, which becomes an input."""
        self.stamp(directory)
        return self.files.names(directory)

    def documents(self, file: TextFile, data: bytes | None = None) -> list[Document]:
        """The documents of one file; its problems are collected."""
        if data is None:
            try:
                if self.memo is not None:
                    return self._kept(file, self.memo)
                data = self.read(file.path)
            except ReconcilerError as error:
                self.problems.append(unreadable(file.shown, error))
                return []
        found, problems = self._parsed(file, data)
        self.problems += problems
        return found

    def _kept(self, file: TextFile, memo: "Memo") -> list[Document]:
        """The documents of a file that is parsed only where its content is another; raises ReconcilerError."""
        from reconciler.declare.memo import Parsed
        from reconciler.model.json import digest_bytes

        self.stamp(file.path)
        kept = memo.file(file.path, file.shown, self.files.digest(file.path).digest)
        if kept is None:
            data = self.files.read(file.path)
            # Of these bytes, not of those a moment before.
            kept = Parsed(digest_bytes(data), file.shown, *self._parsed(file, data))
            memo.keep_file(file.path, kept)
        self.problems += kept.problems
        return kept.documents

    def _parsed(self, file: TextFile, data: bytes) -> tuple[list[Document], list[Problem]]:
        if file.path.endswith(".json"):
            # JSON may be indented by tabs; YAML may not. A space for a tab leaves every position as it is.
            data = data.replace(b"\t", b" ")
        return read(data, file.shown, good_keys=self._good_keys)


def unreadable(shown: str, error: ReconcilerError) -> Problem:
    """A file or directory that is there and cannot be read."""
    return Problem(
        "declare.root.unreadable",
        f"{shown} cannot be read: {error.message}",
        error.hint or "check its permissions",
        Position(shown, 1, 1),
        rule="R-LOAD-10",
    )


def gather(source: Source, reading: Reading) -> tuple[list[TextFile], list[Root]]:
    """The files that `-f` names, each once, in order of what is shown; problems with roots are collected."""
    found: dict[str, TextFile] = {}
    roots: dict[str, Root] = {}
    for given in source.paths:
        if given == STDIN:
            cwd = reading.real(source.cwd)
            root = Root(STDIN, cwd, False, posixpath.join(cwd, STDIN))
            roots.setdefault(root.where, root)
            found.setdefault(STDIN, TextFile(STDIN, "<stdin>", root))
            continue
        path = posixpath.normpath(posixpath.join(source.cwd, given))
        shown = posixpath.normpath(given)
        opened = _root(given, path, shown, reading)
        if opened is None:
            continue
        roots.setdefault(opened.where, opened)
        if opened.listed:
            for file in _listed(path, shown, opened, source.recursive, reading):
                found.setdefault(reading.real_file(file.path), file)
        else:
            found.setdefault(reading.real_file(path), TextFile(path, shown, opened))
    return sorted(found.values(), key=lambda file: file.shown), list(roots.values())


def _root(given: str, path: str, shown: str, reading: Reading) -> Root | None:
    try:
        stamp = reading.stamp(path)
        if stamp is None:
            reading.problems.append(
                Problem(
                    "declare.root.missing",
                    f"{shown} does not exist",
                    "check the path; what is declared there is not taken as deleted",
                    Position(shown, 1, 1),
                    rule="R-LOAD-10",
                )
            )
            return None
        directory = path if stamp.is_dir else posixpath.dirname(path)
        return Root(given, reading.real(directory), stamp.is_dir, reading.real(path))
    except ReconcilerError as error:
        reading.problems.append(unreadable(shown, error))
        return None


def _listed(top: str, shown: str, root: Root, recursive: bool, reading: Reading) -> list[TextFile]:
    found: list[TextFile] = []
    waiting = [(top, shown)]
    seen: set[str] = set()
    while waiting:
        directory, label = waiting.pop()
        # A link to a directory above would otherwise be walked for ever.
        if reading.real(directory) in seen:
            continue
        seen.add(reading.real(directory))
        try:
            names = reading.names(directory)
        except ReconcilerError as error:
            reading.problems.append(unreadable(label, error))
            continue
        for name in names:
            bare = name.rstrip("/")
            path, inner = posixpath.join(directory, bare), posixpath.normpath(posixpath.join(label, bare))
            if skipped(bare):
                continue
            if name.endswith("/"):
                if recursive:
                    waiting.append((path, inner))
            elif bare.endswith(EXTENSIONS):
                found.append(TextFile(path, inner, root))
    return found


def skipped(name: str) -> bool:
    """Hidden entries, and what editors leave while a file is open (R-LOAD-1)."""
    return name.startswith((".", "#")) or name.endswith(("~", "#"))
