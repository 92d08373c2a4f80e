"""A process table in memory: the twin of the host's, and what FakeTmux starts its panes in."""

import threading
from collections.abc import Callable, Iterable, Mapping

from reconciler.model.errors import Unreachable
from reconciler.model.ref import Uid
from reconciler.model.tuples import NamedTuple
from reconciler.ports.process import Ended, Finished, Gone, NoAnswer, ProcessFacts, ProcessSeen, Program
from reconciler.testing.clock import FakeClock

OWN_PID = 2


class Behaviour(NamedTuple):
    """How a process takes being told to end. `survive` is one that sits in the kernel: not even KILL ends it."""

    ignore_hup: bool = False
    ignore_term: bool = False
    survive: bool = False


class Running:
    """One entry of the table."""

    __slots__ = ("argv", "behaviour", "cwd", "env", "pid", "ppid", "session", "start_ticks", "state")

    def __init__(
        self, pid: int, ticks: int, argv: tuple[str, ...], env: Mapping[str, str], cwd: str, behaviour: Behaviour
    ) -> None:
        self.pid = pid
        self.start_ticks = ticks
        self.argv = argv
        self.env = dict(env)
        self.cwd = cwd
        self.behaviour = behaviour
        self.ppid = 1
        self.session = pid
        self.state = "S"

    def facts(self) -> ProcessFacts:
        return ProcessFacts(self.pid, self.start_ticks, self.state, self.ppid, self.session)


class FakeProcess:
    """`ports.process.Process` in memory; waiting moves `clock`.

    To be set by a test: `behaviour` (for processes by their argv), `executables` (name to path), `answers` (what `run`
    says, by executable name), `attended` (what a program does that talks to a person, by that name), and to lie:
    `silent` (a reason: nothing is answered), `silent_pids`.
    To be read: `signals` sent, as (pid, word), `passes` over the whole table, and what was `ran`, with the variables
    each command was given.
    """

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.behaviour: Callable[[tuple[str, ...]], Behaviour] = lambda argv: Behaviour()
        self.executables: dict[str, str] = {}
        self.answers: dict[str, Finished | Callable[[tuple[str, ...]], Finished]] = {}
        self.attended: dict[str, Callable[[tuple[str, ...], Mapping[str, str]], int]] = {}
        self.silent = ""
        self.silent_pids: dict[int, str] = {}
        self.signals: list[tuple[int, str]] = []
        self.ran: list[tuple[tuple[str, ...], dict[str, str]]] = []
        self.passes = 0
        self.spawned = 0
        self._boots = 1
        self._next_pid = 1000
        self._ticks = 5000
        self._table: dict[int, Running] = {}
        self._turn = threading.RLock()

    # What happens in the world, told by a test or by FakeTmux.

    def spawn(
        self,
        argv: tuple[str, ...],
        env: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        cwd: str = "/",
        *,
        parent: int | None = None,
        pid: int | None = None,
        behaviour: Behaviour | None = None,
    ) -> int:
        """Start a process: leader of a session of its own, or, with `parent`, in that one's session with its variables.

        `pid` gives out a number again that was used before.
        """
        with self._turn:
            if pid is None:
                self._next_pid += 1
                pid = self._next_pid
            self._ticks += 7
            self.spawned += 1
            made = Running(pid, self._ticks, tuple(argv), dict(env), cwd, behaviour or self.behaviour(tuple(argv)))
            if parent is not None:
                above = self._table[parent]
                made.ppid, made.session, made.env = parent, above.session, {**above.env, **made.env}
            self._table[pid] = made
            return pid

    def hangup(self, pid: int) -> None:
        """The terminal of a session closed: SIGHUP to all of it."""
        with self._turn:
            for entry in self._with_session(pid):
                self.signals.append((entry.pid, "HUP"))
                if not entry.behaviour.ignore_hup:
                    self._drop(entry)

    def exit(self, pid: int, *, reaped: bool = True) -> None:
        """A process ends by itself; unreaped it stays as a zombie."""
        with self._turn:
            entry = self._table.get(pid)
            if entry is not None and reaped:
                self._drop(entry)
            elif entry is not None:
                entry.state = "Z"

    def stop(self, pid: int) -> None:
        """SIGSTOP."""
        with self._turn:
            self._table[pid].state = "T"

    def reboot(self) -> None:
        """All processes are gone, the boot id is another one, ticks begin anew."""
        with self._turn:
            self._table.clear()
            self._boots += 1
            self._ticks = 100

    def alive(self, pid: int) -> bool:
        """Whether the process runs, whatever the port says of it."""
        with self._turn:
            return pid in self._table and self._table[pid].state != "Z"

    def started(self, pid: int) -> Running:
        """What a process was started with."""
        return self._table[pid]

    def started_for(self, word: str) -> list[Running]:
        """Living processes with this word in their argv, in the order of their start."""
        with self._turn:
            return [entry for _, entry in sorted(self._table.items()) if word in entry.argv and entry.state != "Z"]

    # The port.

    def facts(self, pids: Iterable[int]) -> Mapping[int, ProcessSeen]:
        with self._turn:
            return {pid: self._seen(pid) for pid in pids}

    def children(self, pid: int) -> tuple[ProcessFacts, ...]:
        with self._turn:
            if self.silent:
                raise Unreachable(f"the process table cannot be read: {self.silent}", code="process.unreadable")
            self.passes += 1
            return tuple(entry.facts() for entry in self._below(pid))

    def bearing(self, uids: Iterable[Uid]) -> Mapping[Uid, tuple[ProcessFacts, ...]] | NoAnswer:
        with self._turn:
            if self.silent:
                return NoAnswer(self.silent)
            self.passes += 1
            living = [entry for _, entry in sorted(self._table.items()) if entry.state != "Z"]
            return {
                uid: tuple(entry.facts() for entry in living if entry.env.get("HOUMAO_UID") == uid)
                for uid in dict.fromkeys(uids)
            }

    def program(self, pid: int) -> Program | None:
        with self._turn:
            entry = self._table.get(pid)
            return Program(entry.argv, entry.cwd) if entry is not None and entry.state != "Z" else None

    def boot_id(self) -> str:
        return f"00000000-0000-4000-8000-{self._boots:012d}"

    def which(self, executable: str) -> str | None:
        if "/" in executable:
            return executable if executable in self.executables.values() else None
        return self.executables.get(executable)

    def wait_gone(self, pid: int, start_ticks: int, timeout_s: float) -> bool:
        with self._turn:
            if self.silent or pid in self.silent_pids:
                return False
            if not self._is(pid, start_ticks):
                return True
        self.clock.sleep(timeout_s)
        return not self._is(pid, start_ticks)

    def end(self, pid: int, start_ticks: int, grace_s: float) -> Ended:
        with self._turn:
            if self.silent or pid in self.silent_pids:
                return Ended.SURVIVES
            entry = self._table.get(pid)
            if pid in (1, OWN_PID) or (entry is not None and entry.start_ticks != start_ticks):
                return Ended.OTHER
            group = {member.pid: member for member in (*self._with_session(pid), *self._below(pid))}
            if entry is not None:
                group[pid] = entry
            self._tell(group.values(), "TERM", lambda behaviour: behaviour.ignore_term)
            left = [member for member in group.values() if self._is(member.pid, member.start_ticks)]
        if left:
            self.clock.sleep(grace_s)
            with self._turn:
                self._tell(left, "KILL", lambda behaviour: False)
        return Ended.SURVIVES if any(self._is(member.pid, member.start_ticks) for member in left) else Ended.GONE

    def start(self, argv: tuple[str, ...], *, cwd: str, env: Mapping[str, str]) -> ProcessFacts:
        """A process that runs until a test ends it."""
        pid = self.spawn(argv, env, cwd)
        return self.started(pid).facts()

    def attend(self, argv: tuple[str, ...], *, env: Mapping[str, str], beside: bool = False) -> int:
        """What `attended` has for the program does, with these variables; its exit code."""
        del beside
        name = argv[0].rpartition("/")[2] if argv else ""
        does = self.attended.get(name)
        if does is None:
            raise Unreachable(f"{name!r} is not on PATH or not executable", code="process.cannot_start")
        return does(argv, env)

    def terminate(self, pid: int, start_ticks: int) -> bool:
        """SIGTERM to this one process."""
        if not self._is(pid, start_ticks) or not self.alive(pid):
            return False
        self.signals.append((pid, "TERM"))
        if not self.started(pid).behaviour.ignore_term:
            self.exit(pid)
        return True

    def run(
        self,
        argv: tuple[str, ...],
        *,
        timeout_s: float,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Finished:
        name = argv[0].rpartition("/")[2] if argv else ""
        answer = self.answers.get(name)
        if answer is None:
            raise Unreachable(f"{name!r} is not on PATH or not executable", code="process.cannot_start")
        self.ran.append((argv, dict(env or {})))
        return answer if isinstance(answer, Finished) else answer(argv)

    def _tell(self, entries: Iterable[Running], word: str, ignores: Callable[[Behaviour], bool]) -> None:
        for entry in list(entries):
            if entry.state == "Z":
                continue
            self.signals.append((entry.pid, word))
            if not entry.behaviour.survive and not ignores(entry.behaviour):
                self._drop(entry)

    def _seen(self, pid: int) -> ProcessSeen:
        why = self.silent or self.silent_pids.get(pid)
        if why:
            return NoAnswer(why)
        entry = self._table.get(pid)
        return entry.facts() if entry is not None else Gone(f"no process has the id {pid}")

    def _is(self, pid: int, start_ticks: int) -> bool:
        entry = self._table.get(pid)
        return entry is not None and entry.start_ticks == start_ticks and entry.state != "Z"

    def _with_session(self, pid: int) -> list[Running]:
        return [entry for _, entry in sorted(self._table.items()) if entry.session == pid]

    def _below(self, pid: int) -> list[Running]:
        found, level = [], [pid]
        while level:
            below = [entry for _, entry in sorted(self._table.items()) if entry.ppid in level]
            found += below
            level = [entry.pid for entry in below]
        return found

    def _drop(self, entry: Running) -> None:
        self._table.pop(entry.pid, None)
        for other in self._table.values():
            if other.ppid == entry.pid:
                other.ppid = 1
