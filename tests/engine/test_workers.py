"""A pool of threads: bounded, first come first served, and nothing of it outlives the closing."""

import threading

import pytest

from reconciler.engine.workers import Workers


def test_work_answers_or_raises() -> None:
    workers = Workers(2, "test")
    good, bad = workers.submit(lambda: 7), workers.submit(lambda: 1 // 0)
    workers.wait([good], 30)
    workers.wait([bad], 30)
    workers.close()
    assert good.result() == 7
    with pytest.raises(ZeroDivisionError):
        bad.result()


def test_no_more_threads_than_allowed_and_none_before_there_is_work() -> None:
    before = threading.active_count()
    workers, gate = Workers(3, "test"), threading.Barrier(4)
    assert threading.active_count() == before
    jobs = [workers.submit(gate.wait) for _ in range(3)]
    later = workers.submit(threading.get_ident)
    assert threading.active_count() == before + 3
    assert not later.over
    gate.wait(30)
    workers.wait([later], 30)
    assert later.over
    workers.close()
    assert threading.active_count() == before
    assert all(job.over for job in jobs)


def test_a_thread_that_is_free_is_used_again() -> None:
    workers = Workers(8, "test")
    seen = set()
    for _ in range(20):
        job = workers.submit(threading.get_ident)
        workers.wait([job], 30)
        seen.add(job.result())
    workers.close()
    assert len(seen) <= 2  # the first may not have come back yet when the second piece of work is handed in


def test_closing_waits_for_what_was_begun_and_forgets_the_rest() -> None:
    workers, begun, goon = Workers(1, "test"), threading.Event(), threading.Event()

    def work() -> bool:
        begun.set()
        return goon.wait(30)

    first = workers.submit(work)
    never = workers.submit(lambda: 1)
    assert begun.wait(30)
    closing = threading.Thread(target=workers.close)
    closing.start()
    while closing.is_alive() and not workers.closed:
        pass
    goon.set()
    closing.join(30)
    assert first.over
    assert first.result() is True
    assert not never.over


def test_waiting_ends_at_the_time_out() -> None:
    workers, goon = Workers(1, "test"), threading.Event()
    job = workers.submit(lambda: goon.wait(30))
    workers.wait([job], 0.001)
    assert not job.over
    goon.set()
    workers.close()
