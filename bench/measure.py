"""Run programs one at a time, and compare two of them pair by pair.

A sample is one fresh process: wall time, CPU time of it and of every child it waited for, and its peak memory. The tmux
server and what runs in its panes are nobody's children here: they show in wall time only.
"""

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple


class Wrong(Exception):
    """A program that was measured did not do its job, so its time counts for nothing."""


class Sample(NamedTuple):
    """One run: seconds of wall and CPU time, peak resident set in MB, what it printed, how it ended."""

    wall_s: float
    cpu_s: float
    rss_mb: float
    out: str
    code: int


class Spread(NamedTuple):
    """Smallest, middle and largest of a series."""

    min: float
    median: float
    max: float

    def to_json(self, digits: int = 2) -> dict[str, float]:
        return {"min": round(self.min, digits), "median": round(self.median, digits), "max": round(self.max, digits)}


class Pairs(NamedTuple):
    """Both programs' samples, in the order they were taken: the floor's and the project's, in turn."""

    floor: tuple[Sample, ...]
    project: tuple[Sample, ...]

    def ratio(self, of: Callable[[Sample], float]) -> Spread:
        """Project over floor, pair by pair."""
        return spread([of(ours) / of(theirs) for theirs, ours in zip(self.floor, self.project, strict=True)])


Job = Callable[[], Sample]


def wall(sample: Sample) -> float:
    return sample.wall_s


def cpu(sample: Sample) -> float:
    return sample.cpu_s


def spread(values: Sequence[float]) -> Spread:
    return Spread(min(values), statistics.median(values), max(values))


def run(argv: Sequence[str], *, env: Mapping[str, str], cwd: str, code: int = 0) -> Sample:
    """One fresh process, to its end; raises Wrong when it leaves with another exit code than `code`."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env, cwd=cwd)
        try:
            _, status, used = os.wait4(child.pid, 0)
        except BaseException:  # interrupted: nothing may be written any more where the caller is about to clean up
            child.kill()
            child.wait()
            raise
        wall_s = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        text, said = out.read().decode(), err.read().decode()
    if child.returncode != code:
        raise Wrong(f"{' '.join(argv)} left with {child.returncode}: {said.strip()[-400:] or text[-400:]}")
    return Sample(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, text, child.returncode)


def pairs(floor: Job, project: Job, count: int) -> Pairs:
    """A warm-up, then `count` pairs: floor, project, floor, project, …"""
    floor()
    project()
    taken = [(floor(), project()) for _ in range(count)]
    return Pairs(tuple(pair[0] for pair in taken), tuple(pair[1] for pair in taken))
