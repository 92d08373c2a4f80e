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
SOURCES = ("input\t", "listed\t", "key\t", "cwd\t")
"""How lines about the sources of the last apply begin: files read, directories listed."""
SIZE_MAX = 64 * 1024 * 1024
_FLAGS = {
    "plan": frozenset({"-R", "--recursive", "--no-color", "--print-plain", "--detailed-exitcode"}),
    "apply": frozenset({"-R", "--recursive", "--no-color", "--print-plain", "-y", "--yes"}),
}
_VALUED = ("-f", "--file", "-k", "--composition")
_PANES = "#{@houmao_uid}\t#{session_id}\t#{pane_pid}\t#{pane_dead}\t#{@houmao_pane}\t#{@houmao_mark}"
TMUX_TIMEOUT_S = 5.0


def try_gate(argv: list[str]) -> int | None:
    """Answer `plan` and `apply` at once when nothing differs: print the empty plan and return 0; else None."""
    if os.environ.get(names.ENV_GATE) or os.environ.get(names.ENV_LOG) or not argv or argv[0] not in _FLAGS:
        return None
    if os.environ.get(names.ENV_PRINT_STYLE, "").strip() not in ("", "plain"):
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


def standing(
    root: str, least: int, meanwhile: "Callable[[], object]"
) -> tuple[frozenset[str], frozenset[str], str] | None:
    """The uids of agents that run and of those that stand still, exactly as the last apply left them; and for which
    catalog that is so (`revision_key`). None for fewer than `least`, and for any doubt. Sources do not count.

    `meanwhile` is done while tmux makes its list, which takes longer than all else here.
    """
    if os.environ.get(names.ENV_GATE):
        return None
    try:
        lines = _recorded(root, without=SOURCES)
        if lines is None:
            return None
        running = frozenset(line[1] for line in lines if line[0] == "agent")
        still = frozenset(line[1] for line in lines if line[0] == "stopped")
        if len(running) + len(still) < least:
            return None
        if _unchanged(root, None, lines, meanwhile) is None:
            return None
        return running, still, [line[1] for line in lines if line[0] == "revision"][-1]
    except (OSError, ValueError, LookupError):
        return None


def holds(root: str, text: str) -> bool:
    """Whether all is still as a record says that was made in this process (`gate_record.prepare`); False for any doubt.

    Of a watch: it stands where it stood and asks what it asked, so only the world can differ.
    """
    try:
        return _unchanged(root, None, [line.split("\t") for line in text.split("\n")[1:-1]]) is not None
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


def _recorded(root: str, without: tuple[str, ...] = ()) -> list[list[str]] | None:
    """The record's lines, split, those left out that begin so; None where another release wrote it."""
    # Whatever stands there is read only when it is a plain file of a sensible size: a pipe would never answer.
    descriptor = os.open(os.path.join(root, FILE), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        found = os.fstat(descriptor)
        if found.st_mode & 0o170000 != 0o100000 or found.st_size > SIZE_MAX:
            return None
        lines = stream.read(SIZE_MAX).decode().split("\n")
    if lines[0] != FORMAT or lines[-1] != "end":
        return None
    return [line.split("\t") for line in lines[1:-1] if not line.startswith(without)]


def _unchanged(
    root: str, key: str | None, lines: list[list[str]], meanwhile: "Callable[[], object]" = lambda: None
) -> int | None:
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
    if _revision(root) != facts["revision"] or not _as_recorded(agents, stopped, facts["socket"], meanwhile):
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


def _as_recorded(agents: list[list[str]], stopped: set[str], socket: str, meanwhile: "Callable[[], object]") -> bool:
    """Every agent runs in exactly the session and process recorded, and nothing stopped runs."""
    if not agents and not (stopped and os.path.exists(socket)):
        return True
    asked = _ask(socket)
    if asked is None:
        return False
    try:
        meanwhile()
        there = _alive(agents) and _stand(agents)
    finally:
        text = _answer(*asked)
    return there and text is not None and _listed(text, agents, stopped)


def _listed(text: str, agents: list[list[str]], stopped: set[str]) -> bool:
    """The listing has every agent in its session, under its pid, and nothing stopped."""
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
    home_of: dict[str, str] = {}
    for _, uid, session, pid, _, mark, _, _ in agents:
        pane = found.get(uid)
        if pane is None or pane[1:4] != [session, pid, "0"] or pane[5] != mark:
            return False
        home_of[uid] = session
    # Other panes of an agent's session are nobody's business; a pane of another session that claims its uid is.
    return all(home_of.get(fields[0], fields[1]) == fields[1] for fields in found.values())


def _alive(agents: list[list[str]]) -> bool:
    """Each recorded process lives."""
    return all(_ticks(pid) == ticks for _, _, _, pid, ticks, _, _, _ in agents)


def _stand(agents: list[list[str]]) -> bool:
    """What was built for each is there: its home, its manifest. Where those are is listed once, not asked for each."""
    directories: dict[str, set[str]] = {}
    files: dict[str, set[str]] = {}
    for _, _, _, _, _, _, home, manifest in agents:
        for path, known, test in ((home, directories, os.DirEntry.is_dir), (manifest, files, os.DirEntry.is_file)):
            above, _, name = path.rpartition("/")
            if above not in known:
                with os.scandir(above) as entries:
                    known[above] = {entry.name for entry in entries if test(entry)}
            if name not in known[above]:
                return False
    return True


def _ticks(pid: str) -> str | None:
    """Start ticks of a living process, from the process table."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            fields = os.read(descriptor, 4096).rpartition(b")")[2].split()
        finally:
            os.close(descriptor)
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X", b"x") else fields[19].decode()


def _ask(socket: str) -> tuple[int, int] | None:
    """Start one listing by the client program: its pid, and the end of the pipe it writes to; None without a client."""
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
    except OSError:
        os.close(reading)
        raise
    finally:
        os.close(writing)
        os.close(quiet)
    return pid, reading


def _answer(pid: int, reading: int) -> str | None:
    """All it printed, when it ended well; None when it failed. A client that is silent for too long is killed."""
    import select
    import signal
    import time

    deadline = time.monotonic() + TMUX_TIMEOUT_S
    pieces: list[bytes] = []
    watch = select.poll()  # `select` refuses a descriptor beyond 1023, and our caller may have left us as many
    watch.register(reading, select.POLLIN)
    try:
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not watch.poll(left * 1000):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return None
            piece = os.read(reading, 65536)
            if not piece:
                break
            pieces.append(piece)
    finally:
        os.close(reading)
    _, status = os.waitpid(pid, 0)
    return b"".join(pieces).decode("utf-8", "replace") if status == 0 else None


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
