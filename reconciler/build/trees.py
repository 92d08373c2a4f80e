"""Directories on disk as Trees: large files by reference, those a provider merges with their bytes."""

from collections.abc import Callable

from reconciler.build.fault import refuse
from reconciler.model.tree import Entry, Tree
from reconciler.ports.files import FilesReader


def tree_at(files: FilesReader, root: str, *, hold: Callable[[str], bool] = lambda path: False) -> Tree | None:
    """The directory `root` as a Tree, or None where there is none. `hold(path)` says whose bytes are needed as a value.

    A link is refused (`build.link`): content that points elsewhere changes without anybody noticing.
    """
    found = files.found(root)
    if found is None:
        return None
    entries: dict[str, Entry] = {}
    for path, digest, mode, link in found:
        if link is not None:
            raise refuse("link", f"{root}/{path} is a symbolic link", "put the content itself there")
        if hold(path):
            entries[path] = Entry(data=files.read(f"{root}/{path}"), mode=mode)
        else:
            entries[path] = Entry(source=f"{root}/{path}", digest=digest, mode=mode)
    return Tree(entries)
