"""A directory as a value: laid out, digested and compared before it touches the disk (D3)."""

import hashlib
from collections.abc import Iterator, Mapping

from reconciler.model.tuples import NamedTuple


class Entry(NamedTuple):
    """One file or link of a Tree.

    `data` bytes of a file; `link` the target of a symbolic link; `source` an absolute path whose bytes are copied when
    the tree is written (large content is not held in memory). Exactly one is set. `mode` holds permission bits.
    """

    data: bytes | None = None
    link: str | None = None
    source: str | None = None
    mode: int = 0o600
    digest: str = ""
    """Digest of the bytes behind `source`; the writer verifies it."""


class Tree:
    """Relative POSIX path to Entry; directories are implied. No timestamps: equal input, equal digest."""

    __slots__ = ("entries",)

    def __init__(self, entries: Mapping[str, Entry] | None = None) -> None:
        self.entries: dict[str, Entry] = dict(sorted((entries or {}).items()))

    def __iter__(self) -> Iterator[tuple[str, Entry]]:
        return iter(self.entries.items())

    def __len__(self) -> int:
        return len(self.entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and self.entries == other.entries

    __hash__ = None  # type: ignore[assignment]

    def digest(self) -> str:
        """`sha256:<hex>` over sorted paths, kinds, modes and contents."""
        whole = hashlib.sha256()
        for path, entry in self.entries.items():
            if entry.link is not None:
                kind, body = "link", entry.link.encode()
            elif entry.data is not None:
                kind, body = "file", hashlib.sha256(entry.data).hexdigest().encode()
            else:
                kind, body = "file", entry.digest.removeprefix("sha256:").encode()
            whole.update(f"{path}\0{kind}\0{entry.mode & 0o111:o}\0".encode() + body + b"\0")
        return "sha256:" + whole.hexdigest()

    def merged(self, other: "Tree", prefix: str = "") -> "Tree":
        """This tree with `other` laid below `prefix`; later entries win."""
        entries = dict(self.entries)
        for path, entry in other:
            entries[f"{prefix}/{path}" if prefix else path] = entry
        return Tree(entries)
