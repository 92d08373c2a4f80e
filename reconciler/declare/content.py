"""Attach content: files and texts that a spec names become `{digest, size}` (R-LOAD-8, R-CAN-1).

The only stage that reads. The canonical spec then says what the bytes are and never where; `ContentSource` says where.
"""

import posixpath

from reconciler.declare.faults import Fault
from reconciler.declare.inputs import Reading
from reconciler.declare.node import Found, Spot, nfc, values_at
from reconciler.declare.schema import Schema
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import JsonMap, digest_bytes
from reconciler.model.resource import ContentSource, Path
from reconciler.model.tuples import NamedTuple


class Home(NamedTuple):
    """Where relative paths of a document begin, and the directory they must not leave; both absolute, `root` real."""

    directory: str
    root: str


class Attached(NamedTuple):
    """What became of the content of one document."""

    contents: tuple[ContentSource, ...]
    faults: tuple[Fault, ...]


def attach(schema: Schema, spec: JsonMap, home_of: "HomeOf", reading: Reading) -> Attached:
    """Replace every content value in `spec`, in place; values with a fault stay what they are."""
    contents: list[ContentSource] = []
    faults: list[Fault] = []
    for spot in schema.content_spots:
        for found in values_at(spec, spot.path):
            value = found.value
            if not isinstance(value, str):
                continue
            if spot.member.meta.content == "text":
                contents.append(_text(found, value))
                continue
            path = ("spec", *found.path)
            try:
                attached = _file(spot, found, value, home_of(path), reading, path)
            except ReconcilerError as error:
                hint = error.hint or "check that it is there and can be read"
                attached = Fault(
                    "declare.content.unreadable", f"{value} cannot be read: {error.message}", hint, path, "R-LOAD-8"
                )
            if isinstance(attached, Fault):
                faults.append(attached)
            else:
                contents.append(attached)
    return Attached(tuple(contents), tuple(faults))


class HomeOf:
    """Where the paths of one document begin; of a composed one it depends on who wrote the value."""

    __slots__ = ("_home",)

    def __init__(self, home: Home) -> None:
        self._home = home

    def __call__(self, path: Path) -> Home:
        return self._home


def _text(found: Found, value: str) -> ContentSource:
    text = nfc(value)
    data = text.encode()
    named = digest_bytes(data)
    found.put({"digest": named, "size": len(data)})
    return ContentSource(named, None, text, tree=False)


def _file(spot: Spot, found: Found, value: str, home: Home, reading: Reading, path: Path) -> ContentSource | Fault:
    where = posixpath.normpath(posixpath.join(home.directory, value))
    escape = Fault(
        "declare.path.escape",
        f"{value} leads out of the source root {home.root}",
        "keep what is declared and what it names under one directory",
        path,
        "R-LOAD-8",
    )
    # Judged on the text first, so that nothing outside is even looked at.
    if value.startswith("~") or not _inside(where, home.directory, home.root, reading):
        return escape
    tree = spot.member.meta.content == "tree"
    stamp = reading.stamp(where)
    if stamp is None:
        return Fault(
            "declare.content.missing", f"{value} does not exist", "paths begin at the declaring file", path, "R-LOAD-8"
        )
    real = reading.real(where)
    if not _below(real, home.root):
        return escape
    if stamp.is_dir != tree:
        wanted, there = ("directory", "file") if tree else ("file", "directory")
        return Fault(
            "declare.content.wrong_sort", f"{value} is a {there}, a {wanted} is expected", "", path, "R-LOAD-8"
        )
    needs = spot.member.meta.needs
    if needs is not None and reading.stamp(posixpath.join(real, needs)) is None:
        return Fault("declare.content.incomplete", f"{value} has no {needs}", f"add {value}/{needs}", path, "R-LOAD-8")
    measured = reading.tree_digest(real) if tree else reading.digest(real)
    found.put({"digest": measured.digest, "size": measured.size})
    return ContentSource(measured.digest, real, None, tree)


def _inside(where: str, directory: str, root: str, reading: Reading) -> bool:
    if _below(where, root):
        return True
    # The directory itself may be named through a link, the root never is.
    real = reading.real(directory)
    return real != directory and _below(
        posixpath.normpath(posixpath.join(real, posixpath.relpath(where, directory))), root
    )


def _below(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")
