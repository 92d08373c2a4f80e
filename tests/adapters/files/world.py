"""A directory to try things in, on disk and in memory."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from reconciler.adapters.files_local import LocalFiles
from reconciler.ports.files import Files, LockHolder
from reconciler.testing.files import FakeFiles


class Disk(Protocol):
    """What a test may do behind the port's back, and the port it looks through."""

    files: Files
    root: str
    """An absolute path, without links in it."""

    def put(self, path: str, data: bytes) -> None:
        """An editor writes in place."""
        ...

    def pipe(self, path: str) -> None: ...

    def everything(self) -> dict[str, bytes | str]:
        """All files and links below the root, whatever their names: contents, targets."""
        ...

    def lock_elsewhere(self, path: str) -> Callable[[], int]:
        """Another process takes the lock; its pid. Calling the answer ends that process and tells its pid."""
        ...


HOLDER = """
import sys
from reconciler.adapters.files_local import LocalFiles
held = LocalFiles().lock(sys.argv[1])
print(type(held).__name__, flush=True)
sys.stdin.read()
"""


class Real:
    def __init__(self, root: Path) -> None:
        self.files: Files = LocalFiles()
        self.root = str(root.resolve())

    def put(self, path: str, data: bytes) -> None:
        Path(path).write_bytes(data)

    def pipe(self, path: str) -> None:
        os.mkfifo(path)

    def everything(self) -> dict[str, bytes | str]:
        found: dict[str, bytes | str] = {}
        for directory, directories, names in os.walk(self.root):
            for name in (*names, *directories):
                path = Path(directory, name)
                if path.is_symlink():
                    found[str(path.relative_to(self.root))] = str(path.readlink())
                elif path.is_file():
                    found[str(path.relative_to(self.root))] = path.read_bytes()
        return dict(sorted(found.items()))

    def lock_elsewhere(self, path: str) -> Callable[[], int]:
        other = subprocess.Popen(
            [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert other.stdout is not None
        assert other.stdout.readline() == "LocalLock\n"

        def end() -> int:
            other.kill()
            other.communicate()
            return other.pid

        return end


class Memory:
    def __init__(self) -> None:
        self.fake = FakeFiles()
        self.files: Files = self.fake
        self.root = "/work"
        self.files.make_dir(self.root)

    def put(self, path: str, data: bytes) -> None:
        self.fake.put(path, data)

    def pipe(self, path: str) -> None:
        self.fake.pipe(path)

    def everything(self) -> dict[str, bytes | str]:
        return self.fake.snapshot(self.root)

    def lock_elsewhere(self, path: str) -> Callable[[], int]:
        self.fake.hold_lock(path, LockHolder(4711, 9, "S", "python holder"))

        def end() -> int:
            self.fake.hold_lock(path, None)
            return 4711

        return end
