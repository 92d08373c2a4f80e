"""One run of the tmux program with a deadline: start, feed, read, reap.

A stopped server hangs its client for good (R-TMX-8), so nothing here waits without a limit: a client that says nothing
for the time-out is killed and reaped. `posix_spawn` forks no copy of this process, so a lock held by the caller is
never inherited (R-LCK-1a), and costs no import.
"""

import os
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence

from reconciler.model.tuples import NamedTuple

Spawn = Callable[[str, Sequence[str], Mapping[str, str], Sequence[tuple[int, int, int]]], int]
"""(path, argv, environment, file actions as for `os.posix_spawn`) -> pid; raises OSError when it cannot start."""

_KEPT = frozenset(("PATH", "HOME", "LANG", "LANGUAGE", "TERM", "SHELL", "USER", "LOGNAME", "TMUX_TMPDIR"))
_KEPT_PREFIXES = ("LC_", "XDG_")
_CHUNK = 65536


class Output(NamedTuple):
    """What a run of tmux left behind. `timed_out`: it was killed for silence, and `out` is what it said until then."""

    code: int
    out: bytes
    err: bytes
    timed_out: bool


def allowed(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment a client is started with: a server it starts keeps it, and hands it to every session.

    Nothing of the caller's is passed by default: a secret or a `HOUMAO_UID` would live as long as the server. `TMUX` is
    left out as well, so that a caller inside a pane reaches the server asked for.
    """
    return {name: value for name, value in environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}


def find(program: str, path: str) -> str | None:
    """The absolute path of an executable on the search path `path`, or None."""
    if "/" in program:
        return program if os.access(program, os.X_OK) else None
    for directory in path.split(os.pathsep):
        candidate = os.path.join(directory or ".", program)
        if os.access(candidate, os.X_OK) and not os.path.isdir(candidate):
            return candidate
    return None


def spawn(path: str, argv: Sequence[str], env: Mapping[str, str], files: Sequence[tuple[int, int, int]]) -> int:
    """Start a program in a process group of its own, so that a Ctrl-C at the terminal does not cut a batch in two.

    Files that our caller left inheritable are closed: a server would hold them for days, and whoever reads their other
    end would wait as long.
    """
    leaked = [(os.POSIX_SPAWN_CLOSE, fd) for fd in _inheritable()]
    return os.posix_spawn(
        path,
        tuple(argv),
        env,
        file_actions=[*leaked, *files],
        setpgroup=0,
        setsigmask=(),
        setsigdef=(signal.SIGPIPE, signal.SIGINT, signal.SIGQUIT),
    )


def _inheritable() -> list[int]:
    found: list[int] = []
    for name in os.listdir("/dev/fd"):
        fd = int(name)
        try:
            if fd > 2 and os.get_inheritable(fd):
                found.append(fd)
        except OSError:
            continue  # it was the directory itself, or another thread's, and is closed
    return found


def _pipe() -> tuple[int, int]:
    """A pipe beyond the three standard files, which a caller without them would otherwise get first."""
    ends = list(os.pipe())
    low: list[int] = []
    for at, fd in enumerate(ends):
        while ends[at] < 3:
            low.append(ends[at])
            ends[at] = os.dup(fd)
    for fd in low:
        os.close(fd)
    return ends[0], ends[1]


def run(
    start: Spawn,
    path: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    timeout_s: float,
    feed: bytes = b"",
    beat: bytes = b"",
) -> Output:
    """Start tmux, write `feed` to it, and read until it ends.

    `beat`: each answer holding this text starts the time-out anew, for a batch is alive as long as it goes on. Raises
    OSError when tmux cannot start.
    """
    pipes: list[int] = []
    try:
        for _ in range(3):
            pipes.extend(_pipe())
        stdin, out, err = pipes[0:2], pipes[2:4], pipes[4:6]
        actions = [(os.POSIX_SPAWN_DUP2, fd, to) for to, fd in enumerate((stdin[0], out[1], err[1]))]
        pid = start(path, argv, env, actions)
    except BaseException:
        for fd in pipes:
            os.close(fd)
        raise
    for fd in (stdin[0], out[1], err[1]):
        os.close(fd)
    talk = _Talk(stdin[1], out[0], err[0], feed, beat)
    try:
        finished = talk.until(timeout_s)
    finally:
        talk.close()
        code, ended = _reap(pid, timeout_s if talk.over else 0.0)
    return Output(code, bytes(talk.out), bytes(talk.err), not (finished and ended))


class _Talk:
    """The three pipes of one client."""

    __slots__ = ("beat", "err", "fd_err", "fd_in", "fd_out", "feed", "open", "out", "over")

    def __init__(self, fd_in: int, fd_out: int, fd_err: int, feed: bytes, beat: bytes) -> None:
        self.fd_in, self.fd_out, self.fd_err = fd_in, fd_out, fd_err
        self.feed, self.beat = memoryview(feed), beat
        self.out, self.err = bytearray(), bytearray()
        self.open = {fd_in, fd_out, fd_err}
        self.over = False

    def until(self, timeout_s: float) -> bool:
        """Talk until both outputs ended; False when `timeout_s` passed without a sign of life."""
        poll = select.poll()
        poll.register(self.fd_out, select.POLLIN)
        poll.register(self.fd_err, select.POLLIN)
        if self.feed:
            os.set_blocking(self.fd_in, False)
            poll.register(self.fd_in, select.POLLOUT)
        else:
            self._shut(self.fd_in)
        deadline = time.monotonic() + timeout_s
        while self.fd_out in self.open or self.fd_err in self.open:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            for fd, _ in poll.poll(left * 1000):
                if fd == self.fd_in:
                    self._write(poll)
                elif self._read(fd, poll):
                    deadline = time.monotonic() + timeout_s
        self.over = True
        return True

    def close(self) -> None:
        for fd in tuple(self.open):
            self._shut(fd)

    def _write(self, poll: "select.poll") -> None:
        try:
            self.feed = self.feed[os.write(self.fd_in, self.feed[:_CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.feed = self.feed[:0]
        if not self.feed:
            poll.unregister(self.fd_in)
            self._shut(self.fd_in)

    def _read(self, fd: int, poll: "select.poll") -> bool:
        """Take what is there; True when it holds a sign of life."""
        chunk = os.read(fd, _CHUNK)
        if not chunk:
            poll.unregister(fd)
            self._shut(fd)
            return False
        if fd == self.fd_err:
            self.err += chunk
            return False
        seam = max(0, len(self.out) - len(self.beat))
        self.out += chunk
        return bool(self.beat) and self.out.find(self.beat, seam) >= 0

    def _shut(self, fd: int) -> None:
        if fd in self.open:
            self.open.discard(fd)
            os.close(fd)


def _reap(pid: int, within_s: float) -> tuple[int, bool]:
    """Exit status of a client, and whether it ended of itself within the time; it is gone in any case afterwards."""
    deadline = time.monotonic() + within_s
    pause_s = 0.0002
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), True
        left = deadline - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(pause_s, left))  # both outputs are closed: it is exiting, and needs a moment only
        pause_s = min(pause_s * 2, 0.05)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), False
