"""Asking a remote beside the looks: what came, what could not be had, and who waits for an answer."""

from collections.abc import Callable
from typing import TypeVar, cast

import pytest

from reconciler.app.git import SourceUnavailable
from reconciler.app.source_git import Fetched
from reconciler.app.watch.remote import FAR_S, NEAR_S, Remote
from reconciler.engine.workers import Job
from reconciler.model.errors import GuardRefused, ReconcilerError
from reconciler.testing.clock import FakeClock

T = TypeVar("T")


class Held:
    """A pool in which nothing happens until `answer`."""

    def __init__(self) -> None:
        self.jobs: list[Job[object]] = []

    def submit(self, work: Callable[[], T]) -> Job[T]:
        job = Job(work)
        self.jobs.append(cast("Job[object]", job))
        return job

    def answer(self) -> None:
        job = self.jobs.pop(0)
        job.run()
        job.over = True


class Repository:
    """What the remote has, and what is here."""

    def __init__(self) -> None:
        self.there: str | ReconcilerError = "one"
        self.here = ""
        self.asked: list[bool] = []

    def __call__(self, *, offline: bool) -> Fetched:
        self.asked.append(offline)
        if offline:
            if not self.here:
                raise SourceUnavailable("nothing is here")
        elif isinstance(self.there, ReconcilerError):
            raise self.there
        else:
            self.here = self.there
        return Fetched(None, self.here, f"/trees/{self.here}", None)  # type: ignore[arg-type]  # neither is looked at


class Story:
    def __init__(self) -> None:
        self.clock, self.pool, self.repository = FakeClock(), Held(), Repository()
        self.remote = self.watch()

    def watch(self) -> Remote:
        return Remote(self.repository, self.clock, seed="overlay", period_s=60.0, pool=self.pool)

    @property
    def revision(self) -> str:
        return self.remote.fetched.revision if self.remote.fetched is not None else ""

    def asks(self) -> bool:
        """One question from its beginning to its end; whether another commit came."""
        assert not self.remote.step()
        self.pool.answer()
        return self.remote.step()


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_commit_comes_once_and_its_successor_once(story: Story) -> None:
    assert story.asks()
    assert story.revision == "one"
    assert not story.asks()
    story.repository.there = "two"
    assert story.asks()
    assert (story.revision, story.remote.asked) == ("two", 3)


def test_nothing_waits_for_the_answer(story: Story) -> None:
    assert not story.remote.step()
    pauses = []
    for _ in range(8):
        pauses.append(story.remote.next_s())
        story.clock.sleep(pauses[-1])
        assert not story.remote.step()
    assert pauses[0] == NEAR_S
    assert pauses == sorted(pauses)
    assert pauses[-1] == FAR_S
    assert len(story.pool.jobs) == 1
    story.pool.answer()
    assert story.remote.step()
    assert 54 <= story.remote.next_s() <= 66


def test_what_was_fetched_stays_in_force_while_the_remote_is_away(story: Story) -> None:
    story.asks()
    story.repository.there = SourceUnavailable("no route")
    assert not story.asks()
    assert story.revision == "one"
    assert story.remote.fault is story.repository.there
    assert story.repository.asked == [False, False]
    first = story.remote.next_s()
    for _ in range(20):
        assert not story.asks()
    assert 1 <= first < 54 <= story.remote.next_s() <= 66
    story.repository.there = "two"
    assert story.asks()
    assert story.remote.fault is None


def test_a_watch_that_begins_without_the_remote_takes_what_was_fetched_last(story: Story) -> None:
    story.asks()
    story.repository.there = SourceUnavailable("no route")
    story.remote = story.watch()
    assert story.asks()
    assert story.revision == "one"
    assert story.remote.fault is not None
    assert not story.asks()
    assert story.repository.asked == [False, False, True, False]


def test_without_the_remote_and_anything_fetched_there_is_nothing(story: Story) -> None:
    story.repository.there = SourceUnavailable("no route")
    assert not story.asks()
    assert story.remote.fetched is None
    assert story.remote.fault is story.repository.there


def test_a_commit_that_nobody_vouches_for_is_not_replaced_by_an_older_one(story: Story) -> None:
    story.repository.here = "old"
    story.repository.there = GuardRefused("not signed")
    assert not story.asks()
    assert (story.remote.fetched, story.repository.asked) == (None, [False])


def test_who_asks_while_a_question_is_under_way_waits_for_the_next_one(story: Story) -> None:
    story.remote.step()
    story.remote.ask()
    story.pool.answer()
    story.repository.there = "pushed meanwhile"
    assert story.remote.step()
    assert (story.revision, story.remote.awaited) == ("one", True)
    story.pool.answer()
    assert story.remote.step()
    assert (story.revision, story.remote.awaited) == ("pushed meanwhile", False)


def test_who_asks_in_between_waits_for_one(story: Story) -> None:
    story.asks()
    story.remote.ask()
    assert story.remote.awaited
    assert not story.asks()
    assert not story.remote.awaited


def test_at_once_waits(story: Story) -> None:
    assert story.remote.at_once()
    assert not story.remote.at_once()
    assert story.pool.jobs == []
