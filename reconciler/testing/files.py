"""A file system in memory: the twin of the host's, with a switch for each way a disk can refuse."""

import hashlib
import posixpath
import threading
from collections.abc import Iterable, Iterator

from reconciler.model.errors import ReconcilerError, StaleObservation
from reconciler.model.tree import Entry, Tree
from reconciler.ports.files import (
    Digest,
    DiskFull,
    FileMissing,
    FileRefused,
    FilesUnreachable,
    FoundEntry,
    Lock,
    LockHolder,
    Stamp,
)
from reconciler.testing.process import OWN_PID

_LINKS_MAX = 40
_OWN = LockHolder(OWN_PID, 1, "S", "houmao")


class Node:
    """A file, a directory, a link, or something else (`special`)."""

    __slots__ = ("below", "changed", "data", "inode", "link", "mode", "special")

    def __init__(self, inode: int, mode: int) -> None:
        self.inode = inode
        self.changed = inode
        self.mode = mode
        self.data = b""
        self.link: str | None = None
        self.below: dict[str, Node] | None = None
        self.special = False


class FakeLock:
    """A lock of FakeFiles."""

    __slots__ = ("files", "node", "path")

    def __init__(self, files: "FakeFiles", path: str, node: Node) -> None:
        self.files = files
        self.path = path
        self.node = node

    def release(self) -> None:
        if self.files.locked.get(self.node.inode) is self:
            del self.files.locked[self.node.inode]

    def let_go(self) -> None:
        """Nobody it could have been lent to lives in here."""


class FakeFiles:
    """`ports.files.Files` in memory.

    To lie: `full_at` (the n-th visible write from now finds no room; 1 is the next), `denied` and `read_only` (paths
    that cannot be read, or written at). `put`, `pipe` and `hold_lock` are other programs. `reads`, `writes` as on disk.
    """

    def __init__(self) -> None:
        self.reads = 0
        self.writes = 0
        self.full_at = 0
        self.denied: set[str] = set()
        self.read_only: set[str] = set()
        self.locked: dict[int, FakeLock | LockHolder] = {}
        self._count = 0
        self._known: dict[str, tuple[Stamp, Digest]] = {}
        self._root = self._new(0o755)
        self._root.below = {}
        self._turn = threading.RLock()

    # Other programs.

    def put(self, path: str, data: bytes | str, mode: int = 0o600) -> None:
        """Write a file as an editor would: uncounted, through links, no faults."""
        with self._turn:
            node = self._find(path)
            if node is None or node.below is not None or node.link is not None:
                node = self._new(mode)
                self._directory(posixpath.dirname(path), make=True)[posixpath.basename(path)] = node
            node.data = data.encode() if isinstance(data, str) else data
            self._count += 1
            node.changed = self._count

    def pipe(self, path: str) -> None:
        """A named pipe."""
        with self._turn:
            node = self._new(0o600)
            node.special = True
            self._directory(posixpath.dirname(path), make=True)[posixpath.basename(path)] = node

    def hold_lock(self, path: str, holder: LockHolder | None) -> None:
        """Another process takes the lock, or with None gives it back."""
        with self._turn:
            if self._find(path) is None:
                self.put(path, b"")
            node = self._must(path)
            if holder is None:
                self.locked.pop(node.inode, None)
            else:
                self.locked[node.inode] = holder

    def snapshot(self, path: str = "/") -> dict[str, bytes | str]:
        """Everything below: bytes of files, targets of links, by relative path."""
        with self._turn:
            node = self._find(path)
            found = self._walk(node, "") if node is not None else ()
            return {name: inner.data if inner.link is None else inner.link for name, inner in sorted(found, key=_name)}

    # The reading half.

    def read(self, path: str) -> bytes:
        with self._turn:
            node = self._file(path)
            self.reads += 1
            return node.data

    def read_below(self, root: str, path: str, limit: int) -> bytes:
        _check_path(path)
        parts = path.split("/")
        for depth in range(len(parts) + 1):
            at = "/".join((root, *parts[:depth]))
            node = self._find(at, follow=False)
            if node is not None and node.link is not None:
                raise _refused("link", f"{at} is a symbolic link, and no link is followed there")
        data = self.read(f"{root}/{path}")
        if len(data) > limit:
            raise _refused("large", f"{root}/{path} has {len(data)} bytes, and {limit} is the most")
        return data

    def stamp(self, path: str) -> Stamp | None:
        with self._turn:
            node = self._find(path)
            return None if node is None else self._stamp(node)

    def is_link(self, path: str) -> bool:
        with self._turn:
            node = self._find(path, follow=False)
            return node is not None and node.link is not None

    def digest(self, path: str) -> Digest:
        with self._turn:
            return self._digest(_absolute(path), self._file(path))

    def tree_digest(self, path: str) -> Digest:
        with self._turn:
            self._listing(path)
            entries: dict[str, Entry] = {}
            size = 0
            for relative, node in self._walk(self._must(path), ""):
                whole = f"{_absolute(path)}/{relative}"
                if node.link is not None:
                    raise _refused("link", f"{whole} is a symbolic link, and no link is followed there")
                if node.special:
                    raise _refused("special", f"{whole} is no file: a pipe, socket or device")
                digest = self._digest(whole, node)
                size += digest.size
                entries[relative] = Entry(source=whole, mode=node.mode, digest=digest.digest)
            return Digest(Tree(entries).digest(), size)

    def found(self, path: str) -> tuple[FoundEntry, ...] | None:
        with self._turn:
            root = self._find(path)
            if root is None or root.below is None:
                return None
            self._listing(path)
            found = []
            for relative, node in self._walk(root, ""):
                if node.link is not None:
                    found.append(FoundEntry(relative, "", 0o777, node.link))
                elif not node.special:
                    digest = self._digest(f"{_absolute(path)}/{relative}", node).digest
                    found.append(FoundEntry(relative, digest, node.mode))
            return tuple(sorted(found))

    def names(self, path: str) -> tuple[str, ...]:
        with self._turn:
            below = self._listing(path)
            return tuple(sorted(name + "/" if node.below is not None else name for name, node in below.items()))

    def real(self, path: str) -> str:
        with self._turn:
            return posixpath.normpath(self._resolve(path)[0])

    def lock_holder(self, path: str) -> LockHolder | None:
        with self._turn:
            node = self._find(path)
            held = self.locked.get(node.inode) if node is not None else None
            return _OWN if isinstance(held, FakeLock) else held

    # The writing half.

    def write(self, path: str, data: bytes, *, mode: int = 0o600, durable: bool = False) -> None:
        self._place(path, Entry(data=data, mode=mode))

    def link(self, path: str, target: str) -> None:
        self._place(path, Entry(link=target))

    def write_tree(self, path: str, tree: Tree, directories: Iterable[str] = ()) -> None:
        with self._turn:
            _check(tree)
            parent, name = _split(path)
            if name in self._directory(parent, make=True):
                raise _refused("exists", f"{path} is there already")
            self._put_tree(path, tree, directories)

    def replace_tree(self, path: str, tree: Tree) -> None:
        with self._turn:
            self._put_tree(path, tree)

    def replace_entries(self, path: str, tree: Tree, drop: Iterable[str] = ()) -> None:
        _check(tree)
        dropped = sorted(set(drop) - tree.entries.keys())
        for relative in dropped:
            _check_path(relative)
        with self._turn:
            root = self._find(path, follow=False)
            if root is not None and root.link is not None:
                raise _refused("link", f"{path} is a symbolic link, and no link is followed there")
            if root is None:
                raise FileMissing(f"{path} is not there")
            if root.below is None:
                raise _unwritable(path, "Not a directory")
            for relative, entry in tree:
                *parents, name = relative.split("/")
                below = self._enter(path, root, parents)
                if name in below and below[name].below is not None:
                    raise _unwritable(f"{path}/{relative}", "Is a directory")
                self._spend(f"{path}/{relative}")
                below[name] = self._node(entry)
            for relative in dropped:
                self._drop(path, root, relative.split("/"))

    def move(self, path: str, to: str) -> None:
        with self._turn:
            target, node = self._find(to, follow=False), self._find(path, follow=False)
            if target is not None and target.below is not None:
                raise _refused("exists", f"{to} is there already")
            if node is None:
                raise FileMissing(f"{path} is not there")
            self._spend(to)
            self._directory(posixpath.dirname(_absolute(to)), make=True)[posixpath.basename(to)] = node
            del self._directory(posixpath.dirname(_absolute(path)))[posixpath.basename(path)]

    def remove(self, path: str) -> None:
        with self._turn:
            parent, name = _split(path)
            above = self._find(parent)
            if above is not None and above.below is not None and name in above.below:
                self._spend(path)
                del above.below[name]

    def make_dir(self, path: str, mode: int = 0o700) -> None:
        with self._turn:
            found = self._find(path)
            if found is None:
                self._spend(path)
                self._directory(path, make=True)
                self._must(path).mode = mode
            elif found.below is None:
                raise _unwritable(path, "File exists")

    def make_private(self, path: str) -> None:
        with self._turn:
            found = self._find(path, follow=False)
            if found is None:
                raise FileMissing(f"{path} is not there")
            if found.link is None:
                found.mode &= 0o700

    def lock(self, path: str) -> Lock | LockHolder:
        with self._turn:
            node = self._find(path, follow=False)
            if node is None:
                node = self._new(0o600)
                parent, name = _split(path)
                self._directory(parent, make=True)[name] = node
            if node.link is not None:
                raise _refused("link", f"{path} is a symbolic link, and no link is followed there")
            if node.inode in self.locked:
                return self.lock_holder(path) or _OWN
            held = FakeLock(self, path, node)
            self.locked[node.inode] = held
            return held

    def lock_replaced(self, lock: Lock) -> bool:
        if not isinstance(lock, FakeLock):
            raise TypeError("not a lock of these files")
        with self._turn:
            found = self._find(lock.path, follow=False)
            return found is not lock.node or self.locked.get(lock.node.inode) is not lock

    # Nodes.

    def _new(self, mode: int) -> Node:
        self._count += 1
        return Node(self._count, mode)

    def _node(self, entry: Entry) -> Node:
        node = self._new(entry.mode & 0o7777)
        node.link = entry.link
        if entry.data is not None:
            node.data = entry.data
        elif entry.source is not None:
            node.data = self._file(entry.source).data
            if entry.digest and entry.digest.removeprefix("sha256:") != hashlib.sha256(node.data).hexdigest():
                raise StaleObservation(f"{entry.source} changed while it was being copied", code="files.changed")
        return node

    def _resolve(self, path: str, *, follow: bool = True) -> tuple[str, Node | None]:
        """The absolute path with every link resolved, and what is there."""
        waiting = [part for part in _absolute(path).split("/") if part][::-1]
        done: list[str] = []
        nodes = [self._root]
        links = 0
        while waiting:
            part = waiting.pop()
            if part == "..":
                del done[-1:]
                nodes = nodes[: len(done) + 1]
                continue
            below = nodes[-1].below
            node = None if below is None else below.get(part)
            if node is None:
                return "/" + "/".join([*done, part, *waiting[::-1]]), None
            if node.link is not None and (waiting or follow):
                links += 1
                if links > _LINKS_MAX:
                    raise FilesUnreachable(f"{path} cannot be read: Too many levels of symbolic links")
                if node.link.startswith("/"):
                    done, nodes = [], [self._root]
                waiting += [inner for inner in node.link.split("/") if inner not in ("", ".")][::-1]
                continue
            done.append(part)
            nodes.append(node)
        return "/" + "/".join(done), nodes[-1]

    def _find(self, path: str, *, follow: bool = True) -> Node | None:
        return self._resolve(path, follow=follow)[1]

    def _must(self, path: str) -> Node:
        node = self._find(path)
        if node is None:
            raise FileMissing(f"{path} is not there")
        return node

    def _file(self, path: str) -> Node:
        node = self._must(path)
        if node.below is not None:
            raise _refused("directory", f"{path} is a directory, not a file")
        if node.special:
            raise _refused("special", f"{path} is no file: a pipe, socket or device")
        self._may_read(path)
        return node

    def _listing(self, path: str) -> dict[str, Node]:
        node = self._must(path)
        self._may_read(path)
        if node.below is None:
            raise FileMissing(f"{path} is not there: a part of the path is no directory")
        return node.below

    def _may_read(self, path: str) -> None:
        if _absolute(path) in self.denied:
            raise FilesUnreachable(f"{path} cannot be read: Permission denied", code="files.unreadable")

    def _walk(self, node: Node, prefix: str) -> Iterator[tuple[str, Node]]:
        for name, inner in (node.below or {}).items():
            if inner.below is None:
                yield prefix + name, inner
            else:
                yield from self._walk(inner, f"{prefix}{name}/")

    def _directory(self, path: str, *, make: bool = False) -> dict[str, Node]:
        """The entries of a directory, made 0700 with its parents where it is missing."""
        node = self._find(path)
        if node is None and make:
            parent, name = posixpath.split(_absolute(path))
            above = self._directory(parent, make=True)
            if name == ".." or self._find(path) is not None:
                return self._directory(path)  # it was only hidden behind a parent that was missing
            if name in above:
                raise _unwritable(path, "a link to nowhere is there")
            made = above[name] = self._new(0o700)
            made.below = {}
            return made.below
        if node is None:
            raise FileMissing(f"{path} is not there")
        if node.below is None:
            raise _unwritable(path, "Not a directory")
        return node.below

    def _enter(self, path: str, root: Node, parents: list[str]) -> dict[str, Node]:
        node = root
        for depth, part in enumerate(parents, 1):
            if node.below is None:
                raise _unwritable(path, "Not a directory")
            if part not in node.below:
                node.below[part] = self._new(0o700)
                node.below[part].below = {}
            node = node.below[part]
            if node.link is not None:
                inner = "/".join(parents[:depth])
                raise _refused("link", f"{inner} is a symbolic link, and no link is followed there")
        if node.below is None:
            raise _unwritable(path, "Not a directory")
        return node.below

    def _drop(self, path: str, root: Node, parts: list[str]) -> None:
        above: list[tuple[dict[str, Node], str]] = []
        node = root
        for part in parts:
            if node.below is None or part not in node.below:
                break
            above.append((node.below, part))
            node = node.below[part]
        if len(above) == len(parts):
            self._spend(f"{path}/{'/'.join(parts)}")
            below, name = above.pop()
            del below[name]
        for below, name in reversed(above):
            if below[name].below == {}:
                del below[name]

    def _place(self, path: str, entry: Entry) -> None:
        with self._turn:
            parent, name = _split(path)
            below = self._directory(parent, make=True)
            if name in below and below[name].below is not None:
                raise _unwritable(path, "Is a directory")
            self._spend(path)
            below[name] = self._node(entry)

    def _put_tree(self, path: str, tree: Tree, directories: Iterable[str] = ()) -> None:
        _check(tree)
        made = self._new(0o700)
        made.below = {}
        for name in directories:
            self._enter(path, made, [name])
        for relative, entry in tree:
            self._spend(path)
            *parents, name = relative.split("/")
            self._enter(path, made, parents)[name] = self._node(entry)
        parent, name = _split(path)
        self._directory(parent, make=True)[name] = made

    def _spend(self, path: str) -> None:
        """One visible write: counted, or refused before anything changes."""
        if _absolute(path) in self.read_only:
            raise _unwritable(path, "Permission denied")
        if self.full_at:
            self.full_at -= 1
            if not self.full_at:
                raise DiskFull(
                    f"{path} cannot be written: No space left on device",
                    hint="free some space, or quota, and run the command again",
                )
        self.writes += 1

    def _stamp(self, node: Node) -> Stamp:
        return Stamp(
            len(node.data), node.changed, node.inode, node.changed, is_dir=node.below is not None, mode=node.mode
        )

    def _digest(self, path: str, node: Node) -> Digest:
        stamp = self._stamp(node)
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            self.reads += 1
            known = stamp, Digest("sha256:" + hashlib.sha256(node.data).hexdigest(), len(node.data))
            self._known[path] = known
        return known[1]


def _absolute(path: str) -> str:
    """Without double slashes and single dots; `..` stays, for it must be taken after links are resolved."""
    if not path or "\0" in path:
        raise _refused("name", f"{path!r} is no path")
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))


def _split(path: str) -> tuple[str, str]:
    parent, name = posixpath.split(path.rstrip("/"))
    if name in ("", ".", ".."):
        raise _refused("escape", f"{path!r} does not stay inside its directory")
    return parent or "/", name


def _name(found: tuple[str, Node]) -> str:
    return found[0]


def _check(tree: Tree) -> None:
    for path in tree.entries:
        _check_path(path)
        parts = path.split("/")
        if any("/".join(parts[:depth]) in tree.entries for depth in range(1, len(parts))):
            raise _refused("escape", f"{path!r} does not stay inside its directory")


def _check_path(path: str) -> None:
    if "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise _refused("escape", f"{path!r} does not stay inside its directory")


def _refused(word: str, message: str) -> ReconcilerError:
    return FileRefused(message, code=f"files.{word}")


def _unwritable(path: str, why: str) -> ReconcilerError:
    return FilesUnreachable(f"{path} cannot be written: {why}", code="files.unwritable")
