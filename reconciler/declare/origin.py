"""Which source this is: its id, that ownership remembers (R-PRU-10), and the revision it stands at.

Read from the files of the work tree's `.git`, so that no program is started; what cannot be read is simply not known.
"""

import posixpath
import re

from reconciler.model.errors import ReconcilerError
from reconciler.model.tuples import NamedTuple
from reconciler.ports.files import FilesReader

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SECTION = re.compile(r'\[remote "(.+)"\]')
_CREDENTIALS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)[^/@]*@")  # IGNORECASE would take 2 ms to compile


class WorkTree(NamedTuple):
    """A git work tree: its top, and the directory of its repository's files."""

    top: str
    git: str
    common: str
    """Where config and branches are: another directory for a linked work tree."""


def work_tree(directory: str, files: FilesReader) -> WorkTree | None:
    """The work tree that holds an absolute directory, or None."""
    here = directory
    while True:
        marker = posixpath.join(here, ".git")
        try:
            stamp = files.stamp(marker)
            if stamp is not None:
                git = marker if stamp.is_dir else _linked(here, files.read(marker).decode())
                return WorkTree(here, git, _common(git, files))
        except (ReconcilerError, ValueError):
            return None
        above = posixpath.dirname(here)
        if above == here:
            return None
        here = above


def _linked(here: str, text: str) -> str:
    word, _, path = text.strip().partition(": ")
    if word != "gitdir" or not path:
        raise ValueError(".git is neither a directory nor a pointer to one")
    return posixpath.normpath(posixpath.join(here, path))


def _common(git: str, files: FilesReader) -> str:
    path = posixpath.join(git, "commondir")
    if files.stamp(path) is None:
        return git
    return posixpath.normpath(posixpath.join(git, files.read(path).decode().strip()))


def root_id(directory: str, tree: WorkTree | None, files: FilesReader) -> str:
    """The remote's address without credentials and the path in the work tree, else the real path."""
    url = remote(tree, files) if tree is not None else ""
    if tree is None or not url:
        return directory
    inside = posixpath.relpath(directory, tree.top)
    return url if inside == "." else f"{url}//{inside}"


def remote(tree: WorkTree, files: FilesReader) -> str:
    """The address of `origin`, else of the first remote by name; empty when there is none."""
    try:
        lines = files.read(posixpath.join(tree.common, "config")).decode().splitlines()
    except (ReconcilerError, ValueError):
        return ""
    urls: dict[str, str] = {}
    section = ""
    for line in map(str.strip, lines):
        if line.startswith("["):
            found = _SECTION.fullmatch(line)
            section = found[1] if found else ""
        elif section and line.partition("=")[0].strip() == "url":
            urls.setdefault(section, line.partition("=")[2].strip())
    return _CREDENTIALS.sub(r"\1", urls.get("origin") or next((urls[name] for name in sorted(urls)), ""))


def revision(tree: WorkTree | None, files: FilesReader) -> str:
    """The commit that HEAD names, or empty."""
    if tree is None:
        return ""
    try:
        head = files.read(posixpath.join(tree.git, "HEAD")).decode().strip()
        if _COMMIT.fullmatch(head):
            return head
        ref = head.removeprefix("ref: ")
        if ref == head or ".." in ref:
            return ""
        loose = posixpath.join(tree.common, ref)
        if files.stamp(loose) is not None:
            commit = files.read(loose).decode().strip()
            return commit if _COMMIT.fullmatch(commit) else ""
        for line in files.read(posixpath.join(tree.common, "packed-refs")).decode().splitlines():
            commit, _, name = line.partition(" ")
            if name == ref and _COMMIT.fullmatch(commit):
                return commit
    except (ReconcilerError, ValueError):
        return ""
    return ""
