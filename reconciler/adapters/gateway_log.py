"""A log file of a mebibyte, and the one before it."""

import os
import threading

LIMIT = 1 << 20


class AppendLog:
    """`ports.gateway.Log` on disk."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._turn = threading.Lock()

    def line(self, text: str) -> None:
        data = (text.replace("\n", " ") + "\n").encode("utf-8", "backslashreplace")
        with self._turn:
            try:
                os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
                if os.path.exists(self._path) and os.stat(self._path).st_size > LIMIT:
                    os.replace(self._path, f"{self._path}.1")
                descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                try:
                    os.write(descriptor, data)
                finally:
                    os.close(descriptor)
            except OSError:
                return
