"""A hold on exactly one process: signals and waits that cannot reach whoever gets its pid next (R-EXE-6).

The order matters: the pidfd is opened first and the start ticks are matched after it, so that the descriptor is known
to mean the recorded process. A kernel without pidfds leaves a moment between looking and signalling; there the ticks
are matched again right before each signal, and waiting is looking again every 20 ms.
"""

import os
import select
import signal
import time
from collections.abc import Sequence

from reconciler.adapters import procfs
from reconciler.ports.process import Gone, NoAnswer, ProcessFacts

LOOK_AGAIN_S = 0.02


class Handle:
    """One matched process. `descriptor` is its pidfd, or -1 where there is none."""

    __slots__ = ("descriptor", "pid", "start_ticks")

    def __init__(self, pid: int, start_ticks: int, descriptor: int) -> None:
        self.pid = pid
        self.start_ticks = start_ticks
        self.descriptor = descriptor

    def gone(self) -> bool:
        """Whether the process has ended; a zombie has, unless it is one thread of several that ended first."""
        if self.descriptor >= 0:
            return bool(_readable([self], 0.0))
        seen = procfs.facts(self.pid)
        return isinstance(seen, Gone) or (
            isinstance(seen, ProcessFacts) and (seen.exited or seen.start_ticks != self.start_ticks)
        )

    def signal(self, number: int) -> bool:
        """Send a signal; True when it was delivered or there is nobody left to deliver it to."""
        try:
            if self.descriptor >= 0:
                signal.pidfd_send_signal(self.descriptor, number)
            elif not self.gone():
                os.kill(self.pid, number)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return True

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def hold(pid: int, start_ticks: int, *, pidfds: bool) -> Handle | Gone | ProcessFacts | NoAnswer:
    """A Handle on the process with this pid and start; Gone, the other process that has the pid now, or NoAnswer."""
    descriptor = -1
    if pidfds:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return Gone(f"no process has the id {pid}")
        except (OSError, OverflowError):
            descriptor = -1  # the pid of a thread, or a sandbox without pidfds: the start ticks decide
    seen = procfs.facts(pid)
    if isinstance(seen, ProcessFacts) and seen.start_ticks == start_ticks:
        return Handle(pid, start_ticks, descriptor)
    if descriptor >= 0:
        os.close(descriptor)
    return seen


def wait_all(handles: Sequence[Handle], timeout_s: float) -> list[Handle]:
    """Wait until all have ended or the time is over; the ones still there."""
    deadline = time.monotonic() + timeout_s
    alive = [handle for handle in handles if not handle.gone()]
    while alive and (left := deadline - time.monotonic()) > 0:
        if all(handle.descriptor >= 0 for handle in alive):
            ended = _readable(alive, left)
            alive = [handle for handle in alive if handle.descriptor not in ended]
        else:
            time.sleep(min(left, LOOK_AGAIN_S))
            alive = [handle for handle in alive if not handle.gone()]
    return alive


def _readable(handles: Sequence[Handle], timeout_s: float) -> set[int]:
    """The pidfds that have become readable: their processes have ended, reaped or not."""
    poll = select.poll()
    for handle in handles:
        poll.register(handle.descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll(max(0.0, timeout_s) * 1000)}
