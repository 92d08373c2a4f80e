"""The process table as Linux shows it below /proc, read by hand: 11 µs a process, no library.

Everything here answers with values; "there is no such process" and "it could not be asked" stay apart, for a missing
or hidden /proc would otherwise look like a machine on which nothing runs.
"""

import errno
import os

from reconciler.model.ref import Uid
from reconciler.ports.process import Gone, NoAnswer, ProcessFacts, ProcessSeen

_PTS_MAJOR = 136
_PID_MAX = 2**31 - 1
_UID = b"HOUMAO_UID="
_COMMAND_MAX = 200


def facts(pid: int) -> ProcessSeen:
    """State, parent, session and start ticks of one pid."""
    if not 0 < pid <= _PID_MAX:
        return Gone(f"{pid} is no process id")
    for _ in range(2):
        try:
            return parse_stat(_read(f"/proc/{pid}/stat"))
        except (FileNotFoundError, ProcessLookupError):
            # /proc may be missing, or hide what belongs to others: only the kernel's word on the pid is evidence.
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return Gone(f"no process has the id {pid}")
            except OSError:
                break
        except (OSError, ValueError) as fault:
            return NoAnswer(f"the state of process {pid} cannot be read: {_reason(fault)}")
    return NoAnswer(f"process {pid} is there, but /proc does not show it")


def parse_stat(text: bytes) -> ProcessFacts:
    """The line of proc(5) `stat`; the command in it may hold spaces, parentheses and newlines. Raises ValueError."""
    opening, closing = text.find(b" ("), text.rfind(b") ")
    if opening < 0 or closing < opening:
        raise ValueError("not a stat line")
    rest = text[closing + 2 :].split()
    if len(rest) < 20:
        raise ValueError("a stat line that ends early")
    return ProcessFacts(
        pid=int(text[:opening]),
        start_ticks=int(rest[19]),
        state=rest[0].decode("ascii"),
        ppid=int(rest[1]),
        session=int(rest[3]),
    )


def terminal(pid: int) -> str:
    """The name below /dev/pts of the terminal that a process is controlled by; empty where it has none."""
    try:
        text = _read(f"/proc/{pid}/stat")
        number = int(text[text.rfind(b") ") + 2 :].split()[4])
    except (OSError, ValueError, IndexError):
        return ""
    major, minor = number >> 8 & 0xFFF, number & 0xFF | number >> 12 & 0xFFF00
    return str(minor) if major == _PTS_MAJOR else ""


def pids() -> list[int]:
    """Every pid shown, ascending. Raises OSError when there is no process table to read."""
    found = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    if not found:
        raise OSError(errno.ENOENT, "the process table is empty: /proc is not mounted")
    return found


def table() -> list[ProcessFacts]:
    """One pass over the process table; who ends meanwhile is left out. Raises OSError when it cannot be read."""
    found = []
    for pid in pids():
        try:
            found.append(parse_stat(_read(f"/proc/{pid}/stat")))
        except (OSError, ValueError):
            continue
    return found


def borne_uid(pid: int) -> Uid | None:
    """The `HOUMAO_UID` a process was started with; None when it has none or may not be looked into."""
    try:
        environment = _read(f"/proc/{pid}/environ")
    except OSError:
        return None
    for entry in environment.split(b"\0"):
        if entry.startswith(_UID):
            return Uid(entry[len(_UID) :].decode("utf-8", "replace"))
    return None


def argv(pid: int) -> tuple[str, ...]:
    """The arguments of a process, as far as it has not written over them. Raises OSError."""
    text = _read(f"/proc/{pid}/cmdline")
    return tuple(word.decode("utf-8", "replace") for word in text.removesuffix(b"\0").split(b"\0"))


def cwd(pid: int) -> str:
    """Where a process stands. Raises OSError."""
    return os.readlink(f"/proc/{pid}/cwd")


def command(pid: int) -> str:
    """The arguments of a process on one line, at most 200 characters; empty when they cannot be read."""
    try:
        line = " ".join(_read(f"/proc/{pid}/cmdline").decode("utf-8", "replace").split("\0")).strip()
    except OSError:
        return ""
    line = "".join(c if c.isprintable() else "?" for c in line)
    return line if len(line) <= _COMMAND_MAX else line[: _COMMAND_MAX - 1] + "…"


def boot_id() -> str:
    """The kernel's name for this boot. Raises OSError."""
    return _read("/proc/sys/kernel/random/boot_id").decode("ascii").strip()


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = part = os.read(descriptor, 65536)
        while len(part) > 0:
            part = os.read(descriptor, 65536)
            text += part
        return text
    finally:
        os.close(descriptor)


def _reason(fault: Exception) -> str:
    return (fault.strerror or type(fault).__name__) if isinstance(fault, OSError) else str(fault)
