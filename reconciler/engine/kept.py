"""Payloads that nothing uses any more, kept by digest so that a revision or a deleted resource can come back.

They lie in `content/kept/<digest>`, files and directories alike, and are moved there instead of being removed. Only
`houmao gc` takes them away, once no revision and nothing deleted refers to them. Credentials are never kept (R-SEC-1).
"""

from collections.abc import Iterator

from reconciler.model.json import Json
from reconciler.model.resource import ContentSource
from reconciler.ports.files import Files, FilesReader

FOLDER = "kept"
SECRET = "auth/"
"""Where credentials lie below `content/`."""


def place(content: str, digest: str) -> str:
    """Where the payload with this digest lies once nothing uses it."""
    return f"{content}/{FOLDER}/{digest.replace(':', '-')}"


def digest_of(name: str) -> str:
    """The digest that an entry of the folder is named after."""
    return name.rstrip("/").replace("-", ":", 1)


def put_aside(files: Files, content: str, relative: str) -> None:
    """Take a payload out of its place and keep it; a credential, or what is no payload, is removed."""
    path = f"{content}/{relative}"
    stamp = files.stamp(path)
    if stamp is None:
        return
    if relative.startswith(SECRET) or files.is_link(path):
        files.remove(path)
        return
    to = place(content, (files.tree_digest(path) if stamp.is_dir else files.digest(path)).digest)
    if files.stamp(to) is not None:
        files.remove(path)
        return
    files.make_dir(f"{content}/{FOLDER}")
    files.move(path, to)


def copy_aside(files: Files, content: str, relative: str, instead: bytes) -> None:
    """Keep the bytes of a file that is about to hold `instead`; it stays in its place until then."""
    path = f"{content}/{relative}"
    if files.stamp(path) is None or files.is_link(path):
        return
    data = files.read(path)
    if data == instead:
        return
    to = place(content, files.digest(path).digest)
    if files.stamp(to) is None:
        files.make_dir(f"{content}/{FOLDER}")
        files.write(to, data)


def source(files: FilesReader, content: str, digest: str) -> ContentSource | None:
    """The kept payload with this digest, or None where it is gone or somebody edited it."""
    path = place(content, digest)
    stamp = files.stamp(path)
    if stamp is None or not holds(files, path, digest, tree=stamp.is_dir):
        return None
    return ContentSource(digest, path, None, stamp.is_dir)


def holds(files: FilesReader, path: str, digest: str, *, tree: bool) -> bool:
    """Whether these very bytes lie there."""
    stamp = files.stamp(path)
    if stamp is None or stamp.is_dir != tree:
        return False
    return (files.tree_digest(path) if tree else files.digest(path)).digest == digest


def digests(value: Json) -> Iterator[str]:
    """Every digest in a kept document: of its payloads, and of what else it names by digest."""
    if isinstance(value, str):
        if value.startswith("sha256:"):
            yield value
    elif isinstance(value, dict):
        for below in value.values():
            yield from digests(below)
    elif isinstance(value, list):
        for below in value:
            yield from digests(below)
