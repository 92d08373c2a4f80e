"""Is there anything to do? Most runs end here, before YAML, schemas or the engine are loaded (performance-budget §3).

Compares the world with what the last apply that wrote recorded (`gate_record`): stamps of sources and content, the
catalog's revision, one tmux listing, the recorded processes, registry records and homes. Reads only; imports `os`,
`sys` and `sqlite3`. Any doubt answers None, and the full plan is made: the gate skips work and never justifies an
action (R-CAN-5).
"""

import os
import sys

from reconciler import __version__
from reconciler.app import discovery
from reconciler.model import names

FILE = "gate"
FORMAT = "houmao-gate 6"
SOURCES = ("input", "listed", "key", "cwd")
"""Lines about the sources of the last apply: files read, directories listed."""
SIZE_MAX = 64 * 1024 * 1024
_FLAGS = {
    "plan": frozenset({"-R", "--recursive", "--no-color", "--detailed-exitcode"}),
    "apply": frozenset({"-R", "--recursive", "--no-color", "-y", "--yes"}),
}
_VALUED = ("-f", "--file", "-k", "--composition")
_PANES = "#{@houmao_uid}\t#{session_id}\t#{pane_pid}\t#{pane_dead}\t#{@houmao_pane}\t#{@houmao_mark}"
TMUX_TIMEOUT_S = 5.0


def try_gate(argv: list[str]) -> int | None:
    """Answer `plan` and `apply` at once when nothing differs: print the empty plan and return 0; else None."""
    if os.environ.get(names.ENV_GATE) or not argv or argv[0] not in _FLAGS:
        return None
    key = source_key(argv[0], argv[1:])
    if key is None:
        return None
    try:
        root, _, exists, _ = discovery.overlay_of(os.path.realpath(os.getcwd()))
        if not exists:
            return None
        recorded = _recorded(root)
        count = None if recorded is None else _unchanged(root, key, recorded)
    except (OSError, ValueError, LookupError):
        return None
    if count is None:
        return None
    sys.stdout.write(no_changes(count))
    return 0


def fleet_as_recorded(root: str, running: set[str], stopped: set[str]) -> bool:
    """True when exactly these agents run and stand still, as the last apply left them, whatever the sources say."""
    try:
        lines = _recorded(root)
        if lines is None:
            return False
        known = {line[1]: line[0] for line in lines if line[0] in ("agent", "stopped")}
        if any(known.get(uid) != "agent" for uid in running) or any(known.get(uid) != "stopped" for uid in stopped):
            return False
        return _unchanged(root, None, [line for line in lines if line[0] not in SOURCES]) is not None
    except (OSError, ValueError, LookupError):
        return False


def no_changes(count: int) -> str:
    """What an empty plan says, here and in the full path."""
    return f"No changes. {count} {'resource is' if count == 1 else 'resources are'} as declared.\n"


def source_key(command: str, words: list[str]) -> str | None:
    """What was asked for, as one line; None for any option that changes the plan or how it is shown."""
    paths: list[str] = []
    composition, recursive, at = "", False, 0
    while at < len(words):
        word = words[at]
        name, equals, value = word.partition("=")
        if name in _VALUED:
            if not equals:
                at += 1
                if at == len(words):
                    return None
                value = words[at]
            if value.startswith("-") or not value:
                return None
            if name in ("-k", "--composition"):
                composition = os.path.realpath(value)
            else:
                paths.append(os.path.realpath(value))
        elif word in _FLAGS[command]:
            recursive = recursive or word in ("-R", "--recursive")
        else:
            return None
        at += 1
    if bool(paths) == bool(composition):
        return None
    return key_of(paths, composition, recursive)


def key_of(paths: list[str], composition: str, recursive: bool) -> str:
    """One line for the sources of a run: real paths, sorted; `gate_record` makes the same."""
    return "|".join([*sorted(paths), composition, "R" if recursive else ""])


def environment_key() -> str:
    """Variables that decide what is looked at, and by which program."""
    variables = (
        "HOUMAO_TMUX_SOCKET",
        "TMUX_TMPDIR",
        "HOUMAO_GLOBAL_REGISTRY_DIR",
        "HOUMAO_GLOBAL_RUNTIME_DIR",
        "HOUMAO_GLOBAL_MAILBOX_DIR",
        "HOUMAO_AGENT_DEF_DIR",
        "XDG_STATE_HOME",
        "HOME",
    )
    return "|".join([__version__, *(os.environ.get(name, "") for name in variables)])


def _recorded(root: str) -> list[list[str]] | None:
    """The record's lines, split; None where there is none or another release wrote it."""
    # Whatever stands there is read only when it is a plain file of a sensible size: a pipe would never answer.
    descriptor = os.open(os.path.join(root, FILE), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        found = os.fstat(descriptor)
        if found.st_mode & 0o170000 != 0o100000 or found.st_size > SIZE_MAX:
            return None
        lines = stream.read(SIZE_MAX).decode().split("\n")
    if lines[0] != FORMAT or lines[-1] != "end":
        return None
    return [line.split("\t") for line in lines[1:-1]]


def _unchanged(root: str, key: str | None, lines: list[list[str]]) -> int | None:
    """The number of declared resources when every line still holds, else None. Cheap and likely things first.

    Without a key nothing is asked about the sources and where the caller stands.
    """
    agents: list[list[str]] = []
    stopped: set[str] = set()
    facts: dict[str, str] = {}
    for line in lines:
        match line[0]:
            case "file" | "dir" | "input" | "listed":
                if not _same_stamp(line):
                    return None
            case "absent":
                if os.path.lexists(line[1]):
                    return None
            case "names":
                if not _same_names(line):
                    return None
            case "agent":
                agents.append(line)
            case "stopped":
                stopped.add(line[1])
            case "gateway":
                if _ticks(line[1]) != line[2]:
                    return None
            case _:
                facts[line[0]] = line[1]
    if key is not None and (facts["key"] != key or facts["cwd"] != os.path.realpath(os.getcwd())):
        return None
    if facts["environment"] != environment_key():
        return None
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        if stream.read().strip() != facts["boot"]:
            return None
    if _revision(root) != facts["revision"] or not _as_recorded(agents, stopped, facts["socket"]):
        return None
    return int(facts["count"])


def _same_stamp(line: list[str]) -> bool:
    """`file size mtime inode mode path`, or `dir mtime inode path`."""
    try:
        found = os.stat(line[-1])
    except OSError:
        return False
    if line[0] in ("dir", "listed"):
        return (found.st_mtime_ns, found.st_ino) == (int(line[1]), int(line[2]))
    stamp = (found.st_size, found.st_mtime_ns, found.st_ino, found.st_mode & 0o111)
    return stamp == (int(line[1]), int(line[2]), int(line[3]), int(line[4]))


def _same_names(line: list[str]) -> bool:
    """`names mtime inode names path`: nothing came or went; another overlay's record that did costs a full plan."""
    try:
        found = os.stat(line[-1])
        if (found.st_mtime_ns, found.st_ino) == (int(line[1]), int(line[2])):
            return True
        return sorted(os.listdir(line[-1])) == line[3].split("/")
    except OSError:
        return False


def _revision(root: str) -> str:
    """The catalog's counter and schema version, read without changing a byte beside it."""
    import sqlite3

    path = os.path.join(root, "catalog.sqlite")
    if not os.path.isfile(path):
        raise OSError("no catalog")
    try:
        database = sqlite3.connect(f"file:{_quoted(path)}?mode=rw", uri=True, timeout=0.1)
        try:
            database.execute("PRAGMA query_only = 1")
            row = database.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()
            version = database.execute("PRAGMA user_version").fetchone()
        finally:
            database.close()
    except sqlite3.Error as error:
        raise OSError(str(error)) from error
    return revision_key(int(row[0]), int(version[0]))


def revision_key(revision: int, version: int) -> str:
    """Counter and schema version as one word; `gate_record` makes the same."""
    return f"{revision}/{version}"


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _as_recorded(agents: list[list[str]], stopped: set[str], socket: str) -> bool:
    """Every agent runs in exactly the session and process recorded, and nothing stopped runs."""
    if not agents and not stopped:
        return True
    text = _listing(socket) if agents or os.path.exists(socket) else ""
    if text is None:
        return False
    found: dict[str, list[str]] = {}
    for row in text.split("\n"):
        fields = row.split("\t")
        uid = fields[0]
        if not uid:
            continue
        if uid in stopped:
            return False
        if len(fields) != 6:
            return False
        if fields[4] == "agent":
            if uid in found:
                return False
            found[uid] = fields
        else:
            found.setdefault(f"{uid} {fields[1]}", fields)
    for _, uid, session, pid, ticks, mark, home, manifest in agents:
        pane = found.get(uid)
        if pane is None or pane[1:4] != [session, pid, "0"] or pane[5] != mark:
            return False
        if _ticks(pid) != ticks or not os.path.isdir(home) or not os.path.isfile(manifest):
            return False
    # Other panes of an agent's session are nobody's business; a pane of another session that claims its uid is.
    home_of = {uid: session for _, uid, session, *_ in agents}
    return all(home_of.get(fields[0], fields[1]) == fields[1] for fields in found.values())


def _ticks(pid: str) -> str | None:
    """Start ticks of a living process, from the process table."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            fields = stream.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X", b"x") else fields[19].decode()


def _listing(socket: str) -> str | None:
    """One listing by the client program; None when it fails or is silent for too long."""
    program = next(
        (
            path
            for directory in os.environ.get("PATH", os.defpath).split(os.pathsep)
            if os.access(path := os.path.join(directory or ".", "tmux"), os.X_OK)
        ),
        None,
    )
    if program is None:
        return None
    reading, writing = os.pipe()
    environment = {name: value for name, value in os.environ.items() if name != "TMUX"}
    quiet = os.open(os.devnull, os.O_RDWR)
    try:
        pid = os.posix_spawn(
            program,
            ["tmux", "-S", socket, "list-panes", "-a", "-F", _PANES],
            environment,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, quiet, 0),
                (os.POSIX_SPAWN_DUP2, writing, 1),
                (os.POSIX_SPAWN_DUP2, quiet, 2),
            ],
        )
    finally:
        os.close(writing)
        os.close(quiet)
    try:
        return _read_to_end(pid, reading)
    finally:
        os.close(reading)


def _read_to_end(pid: int, reading: int) -> str | None:
    """All it printed, when it ended well; a client that hangs is killed and reaped."""
    import select
    import signal
    import time

    deadline = time.monotonic() + TMUX_TIMEOUT_S
    pieces: list[bytes] = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([reading], [], [], left)[0]:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return None
        piece = os.read(reading, 65536)
        if not piece:
            break
        pieces.append(piece)
    _, status = os.waitpid(pid, 0)
    return b"".join(pieces).decode("utf-8", "replace") if status == 0 else None
