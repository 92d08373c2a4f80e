"""A git source under a watch: asked for now and then by a thread of its own, for nothing may wait for a network.

Looks go on meanwhile, with what was fetched before. Where the remote cannot be had when a watch begins, the commit that
was fetched last is taken: agents are healed without it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from reconciler.app.git import SourceUnavailable
from reconciler.engine import retry
from reconciler.engine.loop import timer_s
from reconciler.engine.workers import Job, Workers
from reconciler.model.errors import ReconcilerError
from reconciler.model.ref import Uid
from reconciler.ports.clock import Clock

if TYPE_CHECKING:
    from reconciler.app.source_git import Fetched

NEAR_S, FAR_S = 0.05, 1.0
"""How soon it is looked whether the remote has answered: the first time, and at most."""
T = TypeVar("T")


class Fetch(Protocol):
    """Ask the remote, or with `offline` take what was fetched last; raises ReconcilerError."""

    def __call__(self, *, offline: bool) -> "Fetched": ...


class Pool(Protocol):
    """What does it meanwhile."""

    def submit(self, work: Callable[[], T]) -> Job[T]:
        """Have it done."""
        ...


class Remote:
    """The commit that is in force, and the question that is under way. `seed` spreads the watches of many machines."""

    def __init__(self, fetch: Fetch, clock: Clock, *, seed: str, period_s: float, pool: Pool | None = None) -> None:
        self._fetch = fetch
        self._clock = clock
        self._seed = seed
        self._period_s = period_s
        # Left as it is at the end of the watch: a thread that waits for a remote must not hold up whoever ends it.
        self._pool: Pool = Workers(1, "fetch") if pool is None else pool
        self._job: Job[Fetched] | None = None
        self._begun_s = 0.0
        self._failures = 0
        self._again = False
        self.fetched: Fetched | None = None
        self.fault: ReconcilerError | None = None
        """Why the remote, or what it has, cannot be used; what was fetched before stays in force."""
        self.asked = 0
        """How many questions were begun."""
        self.awaited = False
        """Whether somebody waits for an answer to a question that was begun after theirs."""

    def ask(self) -> None:
        """Somebody wants to have it asked now; what is under way may be from before they wanted it."""
        self.awaited, self._again = True, self._job is not None

    def step(self) -> bool:
        """Begin to ask, or see whether it was answered; whether another commit came."""
        job = self._job
        if job is None:
            self._begin()
            return False
        if not job.over:
            return False
        self._job = None
        before = self.fetched
        self._landed(job)
        if self._again:
            self._again = False
            self._begin()
        else:
            self.awaited = False
        return self._moved(before)

    def at_once(self) -> bool:
        """Ask and wait for the answer; whether another commit came."""
        before = self.fetched
        job: Job[Fetched] = Job(lambda: self._fetch(offline=False))
        self.asked += 1
        job.run()
        self._landed(job)
        return self._moved(before)

    def next_s(self) -> float:
        """When to `step` again. A remote that cannot be had is asked again sooner, at first."""
        if self._job is not None:
            return min(FAR_S, max(NEAR_S, self._clock.monotonic() - self._begun_s))
        pause = timer_s(f"{self._seed} fetch", self.asked, self._period_s)
        if self.fault is None:
            return pause
        after = retry.delay_s(Uid(self._seed), self._failures, self.fault.error_class, retry.Policy())
        return min(pause, max(FAR_S, after))

    def _begin(self) -> None:
        self.asked += 1
        self._begun_s = self._clock.monotonic()
        self._job = self._pool.submit(lambda: self._fetch(offline=False))

    def _landed(self, job: "Job[Fetched]") -> None:
        try:
            self.fetched = job.result()
            self.fault, self._failures = None, 0
        except ReconcilerError as fault:
            self.fault = fault
            self._failures += 1
            if self.fetched is None and isinstance(fault, SourceUnavailable):
                self._from_before()

    def _from_before(self) -> None:
        """The commit that was fetched last, by whichever command."""
        try:
            self.fetched = self._fetch(offline=True)
        except ReconcilerError:
            pass  # nothing is here; why nothing can be had is said already

    def _moved(self, before: "Fetched | None") -> bool:
        return self.fetched is not None and (before is None or before.revision != self.fetched.revision)
