"""The overlay's lock: `flock` on a file of its own (R-LCK-1).

Why `flock`, and neither kind of record lock. A POSIX record lock is dropped as soon as its process closes *any*
descriptor of that file, and two runs inside one process would both hold it. An open-file-description lock has no pid
that the kernel would report. `flock` excludes descriptors, those of one process too; the kernel drops it when the last
one is closed, which the end of the process does; and /proc/locks tells who took it, without the file being opened.
The descriptor is close-on-exec, so nothing that is started (a tmux server above all) inherits the lock (R-LCK-1a).

Where the kernel's table does not show the holder (some stacked file systems number inodes differently), a refusal
takes the note the holder left in the file, if the start ticks in it still fit a process; else pid 0.
"""

import errno
import fcntl
import os
import stat

from reconciler.adapters import files_fault, procfs
from reconciler.ports.files import FilesUnreachable, LockHolder
from reconciler.ports.process import ProcessFacts

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_TRIES = 10


class LocalLock:
    """A held lock. The file stays when it is released: removing it would let two writers lock two files.

    `shared`: another process lent it, which holds it on.
    """

    __slots__ = ("descriptor", "path", "shared")

    def __init__(self, path: str, descriptor: int, *, shared: bool = False) -> None:
        self.path = path
        self.descriptor = descriptor
        self.shared = shared

    def release(self) -> None:
        """Unlock, then close: a program just started has a copy of the descriptor until its exec is through."""
        if self.descriptor >= 0 and not self.shared:
            fcntl.flock(self.descriptor, fcntl.LOCK_UN)
        self.let_go()

    def let_go(self) -> None:
        """Close alone: to unlock it would be to unlock it for both."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def replaced(self) -> bool:
        """Whether somebody else could lock `path` now although this lock was never given back."""
        return self.descriptor < 0 or not _same(self.path, self.descriptor)


def acquire(path: str) -> LocalLock | LockHolder:
    """Lock `path` without waiting, or say who has; raises OSError, FileRefused or FilesUnreachable."""
    for _ in range(_TRIES):
        descriptor = _open(path)
        try:
            taken = _lock(path, descriptor)
            if taken and _same(path, descriptor):
                _note(descriptor)
                kept, descriptor = descriptor, -1
                return LocalLock(path, kept)
            if not taken:
                # In a container the kernel does not show a lock whose taker has ended, and lent it before.
                found = holder(path) or _noted(descriptor) or _borrower(os.fstat(descriptor))
                if found is not None:
                    return found
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        # It was given back, or the file exchanged, between two of our looks: try again.
    return LockHolder(0, 0, "?", "")


def holder(path: str) -> LockHolder | None:
    """Who holds `path`, as /proc/locks tells; None when nobody does. Raises OSError but for a missing file."""
    try:
        of = os.stat(path)
    except FileNotFoundError:
        return None
    device = f"{os.major(of.st_dev):02x}:{os.minor(of.st_dev):02x}"
    others: list[int] = []
    for line in _kernel_table().splitlines():
        words = line.split()  # 1: FLOCK ADVISORY WRITE 4711 fe:00:1234 0 EOF, a waiter with "->" after the number
        if len(words) < 6 or words[1] != "FLOCK":
            continue
        place, _, inode = words[5].rpartition(":")
        if inode != str(of.st_ino):
            continue
        pid = int(words[4]) if words[4].isdigit() else 0
        if place == device:
            found = _described(pid)
            return _borrower(of) or found if _has_ended(found, path) else found
        others.append(pid)
    # btrfs and overlays report another device there than stat does: who has the very file open is the holder.
    return next((_described(pid) for pid in others if _has_open(pid, of)), None)


def _has_ended(found: LockHolder, path: str) -> bool:
    """Whether who took the lock is gone: no process, one that only waits to be reaped, or another one of its number."""
    if not found.start_ticks or found.state == "Z":
        return True
    try:
        with open(path, "rb") as file:
            words = file.read(64).split()
    except OSError:
        return False
    return len(words) == 2 and words[0] == b"%d" % found.pid and words[1] not in (b"0", b"%d" % found.start_ticks)


def _borrower(of: os.stat_result) -> LockHolder | None:
    """Who holds a lock that was lent by a process that has ended: the kernel names only who took it."""
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return None
    return next((_described(pid) for pid in pids if pid != os.getpid() and _has_open(pid, of)), None)


def _open(path: str) -> int:
    try:
        descriptor = os.open(path, _FLAGS, 0o600)
    except OSError as fault:
        if fault.errno == errno.ELOOP:
            raise files_fault.is_link(path) from fault
        raise
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise files_fault.is_special(path)
    if stat.S_IMODE(found.st_mode) != 0o600 and found.st_uid == os.geteuid():
        os.fchmod(descriptor, 0o600)
    return descriptor


def _lock(path: str, descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as fault:
        raise FilesUnreachable(
            f"{path} cannot be locked: {fault.strerror}",
            hint="put the overlay on a local file system",
            code="files.unwritable",
        ) from fault
    return True


def _same(path: str, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _note(descriptor: int) -> None:
    """Leave pid and start ticks in the file. A full disk costs the note, not the lock."""
    seen = procfs.facts(os.getpid())
    ticks = seen.start_ticks if isinstance(seen, ProcessFacts) else 0
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {ticks}\n".encode(), 0)
    except OSError:
        pass


def _noted(descriptor: int) -> LockHolder | None:
    pid, _, ticks = os.pread(descriptor, 64, 0).decode("ascii", "replace").partition(" ")
    if not pid.isdecimal() or not ticks.strip().isdecimal():
        return None
    found = _described(int(pid))
    return found if found.pid and found.start_ticks == int(ticks) else None


def _described(pid: int) -> LockHolder:
    seen = procfs.facts(pid)
    if not isinstance(seen, ProcessFacts):
        return LockHolder(max(pid, 0), 0, "?", "")
    return LockHolder(pid, seen.start_ticks, seen.state, procfs.command(pid))


def _kernel_table() -> str:
    try:
        descriptor = os.open("/proc/locks", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    try:
        text = part = os.read(descriptor, 1 << 16)
        while part:
            part = os.read(descriptor, 1 << 16)
            text += part
        return text.decode("ascii", "replace")
    finally:
        os.close(descriptor)


def _has_open(pid: int, of: os.stat_result) -> bool:
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    for name in names:
        try:
            if os.path.samestat(os.stat(f"/proc/{pid}/fd/{name}"), of):
                return True
        except OSError:
            continue
    return False
