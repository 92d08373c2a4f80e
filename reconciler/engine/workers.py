"""A few threads for what may wait: slow steps, retries, a trip to a port while the next one is prepared.

`concurrent.futures` does the same, and imports `logging`: a fifth of a bare start of Python in every apply.
"""

from collections import deque
from collections.abc import Callable, Iterable
from threading import Condition, Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class Job(Generic[T]):
    """One piece of work: over when it returned or raised."""

    __slots__ = ("error", "over", "value", "work")

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.over = False
        self.value: T | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do it, here and now; what it raises is kept."""
        try:
            self.value = self.work()
        except BaseException as error:  # noqa: BLE001  # for whoever asks for the result
            self.error = error

    def result(self) -> T:
        """What it answered, or what it raised."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]  # over without an error: it is the answer


class Workers:
    """At most `limit` threads, made when there is work for them. Used by one thread, and closed by it."""

    def __init__(self, limit: int, name: str) -> None:
        self._limit = limit
        self._name = name
        self._waiting: deque[Job[object]] = deque()
        self._threads: list[Thread] = []
        self._idle = 0
        self.closed = False
        self._changed = Condition()

    def submit(self, work: Callable[[], T]) -> Job[T]:
        """Have it done, first come first served."""
        job = Job(work)
        with self._changed:
            self._waiting.append(job)  # type: ignore[arg-type]  # whoever asked knows what it answers
            if self._idle < len(self._waiting) and len(self._threads) < self._limit:
                self._threads.append(Thread(target=self._work, name=f"{self._name}-{len(self._threads)}"))
                self._threads[-1].start()
            self._changed.notify_all()
        return job

    def wait(self, jobs: Iterable[Job[T]], timeout_s: float | None = None) -> None:
        """Until one of them is over; they are of this pool."""
        asked = list(jobs)
        with self._changed:
            self._changed.wait_for(lambda: any(job.over for job in asked), timeout_s)

    def close(self) -> None:
        """Let what is under way come to its end; what was not begun never is."""
        with self._changed:
            self.closed = True
            self._waiting.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                self._changed.wait_for(lambda: self._waiting or self.closed)
                self._idle -= 1
                if not self._waiting:
                    return
                job = self._waiting.popleft()
            job.run()
            with self._changed:
                job.over = True
                self._changed.notify_all()
