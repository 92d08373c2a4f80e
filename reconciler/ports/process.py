"""Processes: facts of known pids, survivors of a uid, and ending one for sure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Protocol

from reconciler.model.ref import Uid
from reconciler.model.tuples import NamedTuple


class ProcessFacts(NamedTuple):
    """What the process table says of one pid. `start_ticks` tells a reused pid apart."""

    pid: int
    start_ticks: int
    state: str
    """One letter as in proc(5); `Z` and `X` count as exited (R-OBS-4)."""
    ppid: int = 0
    session: int = 0

    @property
    def exited(self) -> bool:
        """Zombies and dead entries are no processes."""
        return self.state in ("Z", "X", "x")


class Gone(NamedTuple):
    """Positive evidence that there is no such process."""

    evidence: str


class NoAnswer(NamedTuple):
    """The process could not be asked about."""

    why: str


ProcessSeen = ProcessFacts | Gone | NoAnswer


class Ended(StrEnum):
    """How `end` ended."""

    GONE = "gone"
    SURVIVES = "survives"
    OTHER = "other"
    """The pid belongs to another process now: nothing was signalled."""


class Program(NamedTuple):
    """What a process runs, and where."""

    argv: tuple[str, ...]
    cwd: str


class Finished(NamedTuple):
    """A short command that was run to its end."""

    code: int
    stdout: bytes
    stderr: bytes


class ProcessReader(Protocol):
    """The half that only looks."""

    def facts(self, pids: Iterable[int]) -> Mapping[int, ProcessSeen]:
        """One answer per pid asked."""
        ...

    def children(self, pid: int) -> tuple[ProcessFacts, ...]:
        """The processes below `pid`, nearest first; one pass over the process table."""
        ...

    def bearing(self, uids: Iterable[Uid]) -> Mapping[Uid, tuple[ProcessFacts, ...]] | NoAnswer:
        """Live processes whose environment carries `HOUMAO_UID` of one of `uids`: one pass over the table (R-OBS-5)."""
        ...

    def program(self, pid: int) -> Program | None:
        """What a process of this user runs; None where it is gone or may not be looked into."""
        ...

    def boot_id(self) -> str:
        """Changes with each boot of the host (R-OBS-8)."""
        ...

    def which(self, executable: str) -> str | None:
        """Absolute path of an executable as the shell of the caller would find it, or None."""
        ...


class Process(ProcessReader, Protocol):
    """Ending and running processes."""

    def wait_gone(self, pid: int, start_ticks: int, timeout_s: float) -> bool:
        """Wait (by pidfd where there is one) until exactly this process is gone; True when it is."""
        ...

    def end(self, pid: int, start_ticks: int, grace_s: float) -> Ended:
        """TERM, wait `grace_s`, KILL, wait: the process and its process session, after matching ticks (R-EXE-6)."""
        ...

    def start(self, argv: tuple[str, ...], *, cwd: str, env: Mapping[str, str]) -> ProcessFacts:
        """Start a program that goes on without us: it leads a process session, has no terminal, and its standard
        streams lead nowhere. Raises Unreachable when it cannot start; the text shows no argument."""
        ...

    def attend(self, argv: tuple[str, ...], *, env: Mapping[str, str], beside: bool = False) -> int:
        """Run a program that talks to the person at our own terminal, and wait for its end: its exit code, negative for
        a signal. `beside` leaves standard output to us. Raises Unreachable when it cannot start."""
        ...

    def terminate(self, pid: int, start_ticks: int) -> bool:
        """SIGTERM to exactly this process, and to none beside it; False where it is gone or another has its pid."""
        ...

    def run(
        self,
        argv: tuple[str, ...],
        *,
        timeout_s: float,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Finished:
        """Run a short command without a shell; raises Unreachable when it cannot start or does not end in time.

        `env` is all the environment it gets; without it, ours.
        """
        ...
