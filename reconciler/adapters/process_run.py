"""One short command, run to its end or to its deadline.

Made of `posix_spawn`, pipes and one `poll`, for the standard library's way costs an import that every start would pay.
The command gets a session of its own, so that what it started ends with it when the time is over.
"""

import os
import select
import signal
import time
from collections.abc import Mapping
from typing import Any

from reconciler.adapters import procfs
from reconciler.model.errors import Unreachable
from reconciler.ports.process import Finished, ProcessFacts

OUTPUT_MAX = 16 * 1024 * 1024
_ENTER = 'cd -- "$1" && shift && exec "$@"'


def run(
    executable: str, argv: tuple[str, ...], *, timeout_s: float, cwd: str | None, env: Mapping[str, str] | None = None
) -> Finished:
    """Run `argv` from the absolute path `executable`; raises Unreachable, whose text never shows an argument."""
    name = os.path.basename(executable)
    if cwd is not None:
        # posix_spawn cannot change directory. The words reach the small program as arguments: nothing is expanded.
        if not os.path.isdir(cwd):
            raise Unreachable(f"{name} cannot start in {cwd}: no such directory", code="process.cannot_start")
        argv = ("/bin/sh", "-c", _ENTER, "sh", os.path.abspath(cwd), executable, *argv[1:])
        executable = "/bin/sh"
    pipes = [os.pipe(), os.pipe()]
    outputs = [reading for reading, _ in pipes]
    try:
        given = dict(os.environ if env is None else env)
        pid = _spawn(name, executable, argv, given, pipes[0][1], pipes[1][1])
    except BaseException:
        for descriptor in (*pipes[0], *pipes[1]):
            os.close(descriptor)
        raise
    for _, writing in pipes:
        os.close(writing)
    ended = False
    try:
        texts = _collect(name, pid, outputs, timeout_s)
        status = os.waitpid(pid, 0)[1]
        ended = True
    finally:
        for descriptor in outputs:
            os.close(descriptor)
        if not ended:
            _end_session(pid)
    return Finished(os.waitstatus_to_exitcode(status), texts[0], texts[1])


def start(executable: str, argv: tuple[str, ...], *, cwd: str, env: Mapping[str, str]) -> int:
    """Start a program on its own, away from our terminal and our streams; its pid. Raises Unreachable."""
    name = os.path.basename(executable)
    if not os.path.isdir(cwd):
        raise Unreachable(f"{name} cannot start in {cwd}: no such directory", code="process.cannot_start")
    argv = ("/bin/sh", "-c", _ENTER, "sh", os.path.abspath(cwd), executable, *argv[1:])
    nowhere = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in range(3)]
    return _spawned(name, "/bin/sh", argv, dict(env), nowhere)


def attend(executable: str, argv: tuple[str, ...], *, env: Mapping[str, str], beside: bool) -> int:
    """Run a program on our own streams and in our own session, and wait for it. Raises Unreachable."""
    name = os.path.basename(executable)
    files = [(os.POSIX_SPAWN_DUP2, 2, 1)] if beside else []
    try:
        pid = os.posix_spawn(executable, argv, dict(env), file_actions=files)
    except (OSError, ValueError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "an argument holds a null byte"
        raise Unreachable(f"{name} cannot be started: {why}", code="process.cannot_start") from fault
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _spawn(name: str, executable: str, argv: tuple[str, ...], env: dict[str, str], output: int, errors: int) -> int:
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, output, 1),
        (os.POSIX_SPAWN_DUP2, errors, 2),
    ]
    return _spawned(name, executable, argv, env, files)


def _spawned(name: str, executable: str, argv: tuple[str, ...], env: dict[str, str], files: list[Any]) -> int:
    try:
        return os.posix_spawn(
            executable,
            argv,
            env,
            file_actions=files,
            setsid=True,
            setsigmask=(),
            setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),
        )
    except (OSError, ValueError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "an argument holds a null byte"
        raise Unreachable(f"{name} cannot be started: {why}", code="process.cannot_start") from fault


def _collect(name: str, pid: int, reading: list[int], timeout_s: float) -> list[bytes]:
    """All output up to the end of the command; a grandchild that keeps a pipe open is not waited for."""
    deadline = time.monotonic() + timeout_s
    parts: dict[int, list[bytes]] = {descriptor: [] for descriptor in reading}
    size = 0
    watch = select.poll()
    for descriptor in reading:
        os.set_blocking(descriptor, False)
        watch.register(descriptor, select.POLLIN)
    end = _pidfd(pid)
    if end >= 0:
        watch.register(end, select.POLLIN)
    open_pipes = set(reading)
    try:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Unreachable(f"{name} did not end within {timeout_s:g} s", code="process.timeout")
            ready = {descriptor for descriptor, _ in watch.poll(left * 1000 if end >= 0 else min(left, 0.02) * 1000)}
            finished = end in ready if end >= 0 else _exited(pid)
            for descriptor in sorted(open_pipes & (open_pipes if finished else ready)):
                closed, got = _drain(descriptor, parts[descriptor])
                size += got
                if closed:
                    open_pipes.discard(descriptor)
                    watch.unregister(descriptor)
            if size > OUTPUT_MAX:
                raise Unreachable(f"{name} wrote more than {OUTPUT_MAX} bytes", code="process.too_much")
            if finished:
                return [b"".join(parts[descriptor]) for descriptor in reading]
    finally:
        if end >= 0:
            os.close(end)


def _drain(descriptor: int, parts: list[bytes]) -> tuple[bool, int]:
    """Take what is there, at most one excess over the limit; whether the other side closed, and how much came."""
    got = 0
    while got <= OUTPUT_MAX:
        try:
            part = os.read(descriptor, 65536)
        except BlockingIOError:
            return False, got
        if not part:
            return True, got
        parts.append(part)
        got += len(part)
    return False, got


def _pidfd(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except (OSError, AttributeError):
        return -1


def _exited(pid: int) -> bool:
    seen = procfs.facts(pid)
    return not isinstance(seen, ProcessFacts) or seen.exited


def _end_session(pid: int) -> None:
    """Kill the command with its group; it is our own child and not reaped yet, so the pid cannot mean another."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except OSError:
        pass
    os.waitpid(pid, 0)
