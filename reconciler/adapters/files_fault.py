"""What the operating system says about files, in the project's words: translated here and nowhere else."""

import errno
from types import TracebackType

from reconciler.model.errors import ReconcilerError
from reconciler.ports.files import DiskFull, FileMissing, FileRefused, FilesUnreachable

_FULL = (errno.ENOSPC, errno.EDQUOT)
_HINT_FULL = "free some space, or quota, and run the command again"


class Reading:
    """A block that reads `path`: an OSError leaves it as FileMissing, FileRefused or `files.unreadable`."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(fault, OSError):
            raise _translated(fault, self.path, "read") from fault
        if isinstance(fault, ValueError):  # a null byte in the path
            raise FileRefused(f"{self.path!r} is no path", code="files.name") from fault


class Writing(Reading):
    """A block that writes at `path`: an OSError leaves it as DiskFull, FileMissing, … or `files.unwritable`."""

    __slots__ = ()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(fault, OSError):
            raise _translated(fault, self.path, "written") from fault
        if isinstance(fault, ValueError):
            raise FileRefused(f"{self.path!r} is no path", code="files.name") from fault


def is_link(path: str) -> FileRefused:
    return FileRefused(
        f"{path} is a symbolic link, and no link is followed there",
        hint="put the file or directory itself in its place",
        code="files.link",
    )


def is_special(path: str) -> FileRefused:
    return FileRefused(f"{path} is no file: a pipe, socket or device", code="files.special")


def is_directory(path: str) -> FileRefused:
    return FileRefused(f"{path} is a directory, not a file", code="files.directory")


def is_large(path: str, size: int, limit: int) -> FileRefused:
    return FileRefused(f"{path} has {size} bytes, and {limit} is the most", code="files.large")


def exists(path: str) -> FileRefused:
    return FileRefused(f"{path} is there already", code="files.exists")


def escapes(path: str) -> FileRefused:
    return FileRefused(f"{path!r} does not stay inside its directory", code="files.escape")


def is_no_text(path: str) -> FileRefused:
    return FileRefused(f"the name of {path!a} is no UTF-8 text", code="files.name")


def _translated(fault: OSError, path: str, done: str) -> ReconcilerError:
    why = fault.strerror or type(fault).__name__
    if fault.errno in _FULL:
        return DiskFull(f"{path} cannot be {done}: {why}", hint=_HINT_FULL)
    if fault.errno == errno.ENOENT:
        return FileMissing(f"{path} is not there")
    if done == "read":
        if fault.errno == errno.EISDIR:
            return is_directory(path)
        if fault.errno == errno.ENXIO:
            return is_special(path)
        if fault.errno == errno.ENOTDIR:
            return FileMissing(f"{path} is not there: a part of the path is no directory")
        return FilesUnreachable(f"{path} cannot be read: {why}", code="files.unreadable")
    return FilesUnreachable(f"{path} cannot be {done}: {why}", code="files.unwritable")
