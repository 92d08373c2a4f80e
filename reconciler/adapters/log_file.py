"""A file that many runs append to and that others rotate: one that is moved away is begun anew."""

import os
import stat

from reconciler.model.errors import UsageFault

MODE = 0o600


class LogFile:
    """Open for appending, for this user alone. A pipe that nobody reads is an error and no wait."""

    __slots__ = ("_file", "_path", "_torn")

    def __init__(self, path: str) -> None:
        self._path = path
        self._torn = False
        try:
            self._file: int | None = _opened(path)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise UsageFault(f"--log cannot write to {path!r}: {why}", hint="write a file name, or -") from error

    def write(self, data: bytes) -> bool:
        """Append a line; whether that could be done. One of which half was written is ended before the next."""
        data = b"\n" + data if self._torn else data
        whole = len(data)
        try:
            if self._file is None or not _is_at(self._file, self._path):
                self.close()
                self._file = _opened(self._path)
            while data:
                data = data[os.write(self._file, data) :]
        except OSError:
            self._torn = self._torn or len(data) < whole
            return False
        self._torn = False
        return True

    def close(self) -> None:
        """Let go of it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _opened(path: str) -> int:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, MODE)
    os.set_blocking(file, True)
    return file


def _is_at(file: int, path: str) -> bool:
    """Whether the path still leads to it."""
    try:
        there, here = os.stat(path), os.fstat(file)
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(here.st_mode) or (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)
