"""Files as the core speaks of them: stamps, digests, trees written whole, a kernel lock."""

from collections.abc import Iterable
from typing import Protocol

from reconciler.model.errors import ReconcilerError, Unreachable
from reconciler.model.tree import Tree
from reconciler.model.tuples import NamedTuple


class FileMissing(ReconcilerError):
    """There is nothing at the path."""

    code = "files.missing"


class FileRefused(ReconcilerError):
    """What is there must not be touched so.

    `files.link` (a link where none is followed), `files.special` (a pipe, socket or device), `files.exists`,
    `files.directory`, `files.escape` (the path leaves its tree), `files.name` (no text).
    """

    code = "files.refused"


class FilesUnreachable(Unreachable):
    """The file system said no: `files.unreadable`, `files.unwritable`."""

    code = "files.unreadable"


class DiskFull(FilesUnreachable):
    """No room, or no quota; what was there before still is."""

    code = "files.disk_full"


class Stamp(NamedTuple):
    """Identity of a file's content as far as a stat can tell."""

    size: int
    mtime_ns: int
    inode: int
    ctime_ns: int = 0
    is_dir: bool = False
    mode: int = 0


class Digest(NamedTuple):
    """Content digest and size in bytes; for a tree, of all its files."""

    digest: str
    size: int


class FoundEntry(NamedTuple):
    """One file or link found below a directory."""

    path: str
    digest: str
    mode: int
    link: str | None = None


class LockHolder(NamedTuple):
    """Who holds a lock, as the kernel tells; pid 0 when it will not say (another pid namespace)."""

    pid: int
    start_ticks: int
    state: str
    command: str


class Lock(Protocol):
    """A held lock; releasing it, or the end of the process, frees it."""

    def release(self) -> None: ...

    def let_go(self) -> None:
        """Hold it no longer; it stays locked for whoever it was lent to."""
        ...


class FilesReader(Protocol):
    """The half that only looks. All raise ReconcilerError subclasses, never OSError."""

    def read(self, path: str) -> bytes:
        """Whole content, links followed; raises FileMissing, FileRefused or FilesUnreachable."""
        ...

    def read_below(self, root: str, path: str, limit: int) -> bytes:
        """Whole content of a file below `root`, a directory: no link is followed, neither at the end nor on the way.

        Raises FileMissing, FilesUnreachable, and FileRefused: `files.link`, `files.special`, `files.directory`,
        `files.escape` for a path that is no plain relative one, `files.large` beyond `limit` bytes.
        """
        ...

    def stamp(self, path: str) -> Stamp | None:
        """None when there is nothing at `path`; follows links."""
        ...

    def is_link(self, path: str) -> bool:
        """True when `path` itself is a symbolic link, whatever it points at."""
        ...

    def digest(self, path: str) -> Digest:
        """Of a file's bytes; memoised by its stamp within the process."""
        ...

    def tree_digest(self, path: str) -> Digest:
        """Of a directory: `Tree.digest` of its files, empty directories apart; refuses links and special files."""
        ...

    def found(self, path: str) -> tuple[FoundEntry, ...] | None:
        """Every file and link below a directory, sorted, nothing else; None when there is no such directory."""
        ...

    def names(self, path: str) -> tuple[str, ...]:
        """Names in a directory, sorted, directories (no links to them) with a trailing slash; raises as `read` does."""
        ...

    def real(self, path: str) -> str:
        """Absolute path with every link resolved."""
        ...

    def lock_holder(self, path: str) -> LockHolder | None:
        """Who holds the lock file now."""
        ...


class Files(FilesReader, Protocol):
    """Writing. Every replacement is atomic: readers see the old or the new, never a part (R-EXE-7)."""

    def write(self, path: str, data: bytes, *, mode: int = 0o600, durable: bool = False) -> None:
        """Temp file, rename; `durable` also fsyncs file and directory. Parent directories are made 0700."""
        ...

    def write_tree(self, path: str, tree: Tree, directories: Iterable[str] = ()) -> None:
        """A new directory: written under a temp name beside it, then renamed; refuses an existing one.

        `directories` are names in it that are to be directories, be they empty.
        """
        ...

    def replace_entries(self, path: str, tree: Tree, drop: Iterable[str] = ()) -> None:
        """In an existing directory replace each entry of `tree` atomically, remove `drop`; leave the rest alone."""
        ...

    def replace_tree(self, path: str, tree: Tree) -> None:
        """Make the directory hold exactly `tree`: written aside, swapped in."""
        ...

    def link(self, path: str, target: str) -> None:
        """A symbolic link, replaced atomically."""
        ...

    def move(self, path: str, to: str) -> None:
        """Rename within one file system."""
        ...

    def remove(self, path: str) -> None:
        """A file, link or whole tree; nothing there is no error; never follows a link out."""
        ...

    def make_dir(self, path: str, mode: int = 0o700) -> None:
        """With parents; an existing one is left as it is."""
        ...

    def make_private(self, path: str) -> None:
        """Take from everybody but its owner whatever they may do with it; a link is left as it is."""
        ...

    def lock(self, path: str) -> Lock | LockHolder:
        """Take the exclusive kernel lock without waiting, or say who holds it (R-LCK-1)."""
        ...

    def lock_replaced(self, lock: Lock) -> bool:
        """True when the file at the lock's path is no longer the one that is locked."""
        ...


class Content(NamedTuple):
    """Bytes fetched by digest, or a tree of them."""

    data: bytes | None
    tree: Tree | None
