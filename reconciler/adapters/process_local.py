"""Processes of this host: looked at through /proc, ended through pidfds (R-OBS-3…5, R-EXE-5a, R-EXE-6)."""

import os
import signal
import sys
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping

from reconciler.adapters import process_run, procfs
from reconciler.adapters.process_handle import Handle, hold, wait_all
from reconciler.model.errors import Unreachable
from reconciler.model.ref import Uid
from reconciler.ports.process import Ended, Finished, NoAnswer, ProcessFacts, ProcessSeen, Program

_KILL_ROUNDS = 5


class LocalProcess:
    """`ports.process.Process` for Linux.

    `search_path` is the PATH of the caller. `kill_wait_s` bounds the wait after SIGKILL: a process that sits in the
    kernel does not go before its call returns. `pidfds=False` takes the way of kernels that have none.
    """

    def __init__(self, search_path: str | None = None, *, kill_wait_s: float = 5.0, pidfds: bool = True) -> None:
        if not sys.platform.startswith("linux"):
            raise Unreachable(
                "processes can be watched and ended on Linux only",
                hint="run the command on the Linux host where the agents are",
                code="process.unsupported",
            )
        self._search_path = os.environ.get("PATH", os.defpath) if search_path is None else search_path
        self._kill_wait_s = kill_wait_s
        self._pidfds = pidfds and hasattr(os, "pidfd_open")
        self.passes = 0
        """Full passes over the process table so far."""

    def facts(self, pids: Iterable[int]) -> Mapping[int, ProcessSeen]:
        return {pid: procfs.facts(pid) for pid in pids}

    def children(self, pid: int) -> tuple[ProcessFacts, ...]:
        try:
            return _below(pid, self._table())
        except OSError as fault:
            raise Unreachable(
                f"the process table cannot be read: {fault.strerror}", code="process.unreadable"
            ) from fault

    def bearing(self, uids: Iterable[Uid]) -> Mapping[Uid, tuple[ProcessFacts, ...]] | NoAnswer:
        """As the port says, this process apart: a command typed inside an agent's pane bears the agent's uid too."""
        wanted = dict.fromkeys(uids, ())
        found: dict[Uid, list[ProcessFacts]] = defaultdict(list)
        self.passes += 1
        try:
            pids = procfs.pids()
        except OSError as fault:
            return NoAnswer(f"the process table cannot be read: {fault.strerror}")
        own_user, own_pid = os.geteuid(), os.getpid()
        for pid in pids:
            if pid == own_pid or not _belongs_to(pid, own_user):
                continue
            uid = procfs.borne_uid(pid)
            if uid is None or uid not in wanted:
                continue
            seen = procfs.facts(pid)
            if isinstance(seen, ProcessFacts) and not seen.exited:
                found[uid].append(seen)
        return {uid: tuple(found.get(uid, ())) for uid in wanted}

    def program(self, pid: int) -> Program | None:
        try:
            return Program(procfs.argv(pid), procfs.cwd(pid))
        except OSError:
            return None

    def boot_id(self) -> str:
        try:
            return procfs.boot_id()
        except (OSError, ValueError) as fault:
            raise Unreachable("the boot id of this host cannot be read", code="process.unreadable") from fault

    def which(self, executable: str) -> str | None:
        if not executable or "\0" in executable:
            return None
        if "/" in executable:
            return os.path.abspath(executable) if _executable(executable) else None
        for directory in self._search_path.split(os.pathsep):
            path = os.path.join(directory or ".", executable)
            if _executable(path):
                return os.path.abspath(path)
        return None

    def wait_gone(self, pid: int, start_ticks: int, timeout_s: float) -> bool:
        handle = hold(pid, start_ticks, pidfds=self._pidfds)
        if not isinstance(handle, Handle):
            return not isinstance(handle, NoAnswer)
        try:
            return not wait_all([handle], timeout_s)
        finally:
            handle.close()

    def end(self, pid: int, start_ticks: int, grace_s: float) -> Ended:
        """As the port says.

        The members of the process session are ended with it when `pid` leads one, which the program of a pane does;
        else what it started. Its session then belongs to somebody else. Sessions outlive their leader, so a leader
        that is gone is no reason to leave the rest alone, and its number is not given out again while they live.
        """
        if pid <= 1 or pid == os.getpid():
            return Ended.OTHER
        first = hold(pid, start_ticks, pidfds=self._pidfds)
        if isinstance(first, ProcessFacts):
            return Ended.OTHER
        if isinstance(first, NoAnswer):
            return Ended.SURVIVES
        held: dict[tuple[int, int], Handle] = {}
        if isinstance(first, Handle):
            held[pid, start_ticks] = first
        try:
            self._gather(pid, start_ticks, held)
            if _signal_all(held, signal.SIGTERM) and not wait_all(list(held.values()), grace_s):
                self._gather(pid, start_ticks, held)
            return self._kill(pid, start_ticks, held)
        except OSError:
            return Ended.SURVIVES
        finally:
            for handle in held.values():
                handle.close()

    def run(
        self,
        argv: tuple[str, ...],
        *,
        timeout_s: float,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Finished:
        return process_run.run(self._found(argv), argv, timeout_s=timeout_s, cwd=cwd, env=env)

    def attend(self, argv: tuple[str, ...], *, env: Mapping[str, str], beside: bool = False) -> int:
        return process_run.attend(self._found(argv), argv, env=env, beside=beside)

    def _found(self, argv: tuple[str, ...]) -> str:
        executable = self.which(argv[0]) if argv else None
        if executable is None:
            name = os.path.basename(argv[0]) if argv else ""
            raise Unreachable(f"{name!r} is not on PATH or not executable", code="process.cannot_start")
        return executable

    def start(self, argv: tuple[str, ...], *, cwd: str, env: Mapping[str, str]) -> ProcessFacts:
        executable = self._found(argv)
        pid = process_run.start(executable, argv, cwd=cwd, env=env)
        seen = procfs.facts(pid)
        return seen if isinstance(seen, ProcessFacts) else ProcessFacts(pid, 0, "X")

    def terminate(self, pid: int, start_ticks: int) -> bool:
        handle = hold(pid, start_ticks, pidfds=self._pidfds) if pid > 1 else None
        if not isinstance(handle, Handle):
            return False
        try:
            return not handle.gone() and handle.signal(signal.SIGTERM)
        finally:
            handle.close()

    def _kill(self, pid: int, start_ticks: int, held: dict[tuple[int, int], Handle]) -> Ended:
        """KILL until nothing is left; who forks while being killed is found by looking again."""
        deadline = time.monotonic() + self._kill_wait_s
        for _ in range(_KILL_ROUNDS):
            alive = wait_all(list(held.values()), 0.0)
            if not alive:
                return Ended.GONE
            for handle in alive:
                handle.signal(signal.SIGKILL)
            if wait_all(alive, deadline - time.monotonic()):
                return Ended.SURVIVES
            self._gather(pid, start_ticks, held)
        return Ended.SURVIVES if wait_all(list(held.values()), 0.0) else Ended.GONE

    def _gather(self, pid: int, start_ticks: int, held: dict[tuple[int, int], Handle]) -> None:
        """Hold every living process that goes with `pid`, this process apart. Raises OSError."""
        table = self._table()
        leads = [seen for seen in table if seen.session == pid and seen.start_ticks >= start_ticks]
        for seen in (*leads, *_below(pid, table)):
            key = seen.pid, seen.start_ticks
            if key in held or seen.pid in (1, os.getpid()):
                continue
            handle = hold(*key, pidfds=self._pidfds)
            if isinstance(handle, Handle):
                held[key] = handle

    def _table(self) -> list[ProcessFacts]:
        self.passes += 1
        return procfs.table()


def _signal_all(held: Mapping[tuple[int, int], Handle], number: int) -> bool:
    """Signal everyone, and let the stopped ones run so that they can take it; whether anybody heard."""
    heard = [handle.signal(number) for handle in held.values()]
    for handle in held.values():
        handle.signal(signal.SIGCONT)
    return any(heard)


def _below(pid: int, table: Iterable[ProcessFacts]) -> tuple[ProcessFacts, ...]:
    """Descendants, nearest first, by pid within one distance."""
    of: dict[int, list[ProcessFacts]] = defaultdict(list)
    for seen in table:
        of[seen.ppid].append(seen)
    found: list[ProcessFacts] = []
    queue = deque([pid])
    while queue:
        for child in of.pop(queue.popleft(), ()):
            found.append(child)
            queue.append(child.pid)
    return tuple(found)


def _belongs_to(pid: int, user: int) -> bool:
    try:
        return os.stat(f"/proc/{pid}").st_uid == user
    except OSError:
        return False


def _executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
