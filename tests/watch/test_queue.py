"""The queue of a watch, and when a source is settled: values and a clock, so every claim is exact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from reconciler.engine.loop import JITTER, LIMIT_S, NEAR_S, QUIET_S, Key, Priority, Queue, Settling, timer_s
from reconciler.testing.clock import FakeClock

NAMES = st.sampled_from([Key("a"), Key("b"), Key("c"), Key("d", "1")])
PRIORITIES = st.sampled_from(list(Priority))


def drained(queue: Queue) -> list[Key]:
    found = []
    while (key := queue.take()) is not None:
        found.append(key)
        queue.done(key)
    return found


def test_a_key_is_queued_once() -> None:
    queue = Queue(FakeClock())
    for _ in range(3):
        queue.add(Key("a"), Priority.TIMER)
    assert drained(queue) == [Key("a")]


def test_requests_come_before_liveness_before_sources_before_the_timer() -> None:
    queue = Queue(FakeClock())
    for priority in reversed(Priority):
        queue.add(Key(priority.name), priority)
    assert [key.kind for key in drained(queue)] == ["REQUEST", "LIVENESS", "SOURCE", "TIMER"]


def test_among_equals_the_first_come_is_the_first_served() -> None:
    queue = Queue(FakeClock())
    for name in "cab":
        queue.add(Key(name), Priority.SOURCE)
    assert [key.kind for key in drained(queue)] == ["c", "a", "b"]


def test_what_is_put_in_while_it_is_worked_on_comes_back_once() -> None:
    queue = Queue(FakeClock())
    queue.add(Key("a"), Priority.SOURCE)
    assert queue.take() == Key("a")
    queue.add(Key("a"), Priority.TIMER)
    queue.add(Key("a"), Priority.LIVENESS)
    assert queue.take() is None, "one worker for a key at a time"
    queue.done(Key("a"))
    assert drained(queue) == [Key("a")]


def test_a_delayed_key_waits_and_an_earlier_time_wins() -> None:
    clock = FakeClock()
    queue = Queue(clock)
    queue.add(Key("a"), Priority.TIMER, 10)
    assert queue.take() is None
    assert queue.due_in_s() == 10
    queue.add(Key("a"), Priority.LIVENESS, 4)
    queue.add(Key("a"), Priority.TIMER, 30)
    assert queue.due_in_s() == 4
    clock.advance(4)
    assert queue.take() == Key("a")


def test_one_that_is_put_off_delays_no_other() -> None:
    clock = FakeClock()
    queue = Queue(clock)
    queue.add(Key("failing"), Priority.REQUEST, 300)
    queue.add(Key("well"), Priority.TIMER)
    assert queue.take() == Key("well")


class QueueMachine(RuleBasedStateMachine):
    """Whatever is put in comes out, never twice at a time, never before its time."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.queue = Queue(self.clock)
        self.waiting: dict[Key, float] = {}
        self.working: set[Key] = set()
        self.again: dict[Key, float] = {}

    @rule(key=NAMES, priority=PRIORITIES, delay=st.sampled_from([0.0, 1.0, 5.0]))
    def add(self, key: Key, priority: Priority, delay: float) -> None:
        self.queue.add(key, priority, delay)
        into = self.again if key in self.working else self.waiting
        due = self.clock.monotonic() + delay
        into[key] = min(due, into.get(key, due))

    @rule()
    def take(self) -> None:
        key = self.queue.take()
        if key is None:
            assert all(due > self.clock.monotonic() for due in self.waiting.values())
            return
        assert key not in self.working
        assert self.waiting.pop(key) <= self.clock.monotonic()
        self.working.add(key)

    @rule(key=NAMES)
    def done(self, key: Key) -> None:
        if key in self.working:
            self.working.discard(key)
            self.queue.done(key)
            if key in self.again:
                self.waiting[key] = self.again.pop(key)

    @rule(seconds=st.sampled_from([0.5, 1.0, 5.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def holds_what_waits(self) -> None:
        assert len(self.queue) == len(self.waiting)
        assert all(key in self.queue for key in self.waiting)


TestQueueMachine = QueueMachine.TestCase


# When a source is settled


def settling() -> tuple[FakeClock, Settling]:
    clock = FakeClock()
    return clock, Settling(clock)


def test_a_file_renamed_into_place_is_compiled_at_once() -> None:
    _, source = settling()
    source.heard("fleet.yaml", whole=True)
    assert source.ready_in_s(locked=False) == 0


def test_a_file_that_is_being_written_has_to_stand_still() -> None:
    clock, source = settling()
    source.heard("fleet.yaml", whole=False)
    assert source.ready_in_s(locked=False) == pytest.approx(NEAR_S)
    clock.advance(NEAR_S / 2)
    source.heard("fleet.yaml", whole=False)
    assert source.ready_in_s(locked=False) == pytest.approx(NEAR_S)
    source.heard("fleet.yaml", whole=True)
    assert source.ready_in_s(locked=False) == 0


def test_several_files_wait_until_all_is_quiet() -> None:
    clock, source = settling()
    for name in "abc":
        source.heard(name, whole=True)
        clock.advance(NEAR_S / 4)
    assert source.ready_in_s(locked=False) == pytest.approx(QUIET_S - NEAR_S / 4)
    clock.advance(QUIET_S)
    assert source.ready_in_s(locked=False) == 0


def test_the_second_of_many_files_is_known_as_such_although_the_first_was_compiled() -> None:
    clock, source = settling()
    source.heard("a", whole=True)
    source.begun()
    clock.advance(NEAR_S / 2)
    source.heard("b", whole=True)
    assert source.ready_in_s(locked=False) == QUIET_S


def test_two_files_saved_one_after_the_other_are_no_burst() -> None:
    clock, source = settling()
    source.heard("a", whole=True)
    source.begun()
    clock.advance(NEAR_S * 2)
    source.heard("b", whole=True)
    assert source.ready_in_s(locked=False) == 0


def test_version_control_at_work_is_waited_for_but_not_for_ever() -> None:
    clock, source = settling()
    source.heard("a", whole=True)
    assert source.ready_in_s(locked=True) == QUIET_S
    clock.advance(LIMIT_S)
    assert source.ready_in_s(locked=True) == 0


def test_without_news_there_is_nothing_to_compile() -> None:
    _, source = settling()
    assert source.ready_in_s(locked=False) is None
    source.heard("a", whole=True)
    source.begun()
    assert source.ready_in_s(locked=False) is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.floats(0.0, 0.2)), min_size=1, max_size=40))
def test_whatever_is_heard_leads_to_a_compile_within_the_limit(events: list[tuple[str, bool, float]]) -> None:
    clock, source = settling()
    begun_at: float | None = None
    for path, whole, pause in events:
        if not source.pending:
            begun_at = clock.monotonic()
        source.heard(path, whole=whole)
        clock.advance(pause)
        ready = source.ready_in_s(locked=False)
        assert ready is not None
        assert begun_at is not None
        assert clock.monotonic() + ready <= max(begun_at + LIMIT_S, clock.monotonic()) + 1e-9
        if ready == 0:
            source.begun()


@given(st.text(max_size=10), st.integers(0, 10_000))
def test_the_timer_spreads_by_a_tenth_and_is_the_same_each_time(seed: str, count: int) -> None:
    pause = timer_s(seed, count)
    assert 60 * (1 - JITTER) <= pause <= 60 * (1 + JITTER)
    assert pause == timer_s(seed, count)
