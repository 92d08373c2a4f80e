"""What anybody may rely on of a clock, asked of the host's and of the fake alike."""

import re
import threading
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.adapters.clock_system import SystemClock
from reconciler.ports.clock import Clock
from reconciler.testing.clock import FakeClock


@pytest.fixture(params=[SystemClock, FakeClock], ids=["system", "fake"])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_the_wall_clock_is_aware_and_in_utc(clock: Clock) -> None:
    assert clock.now_utc().utcoffset() == timedelta(0)


def test_sleeping_passes_at_least_that_much_monotonic_time(clock: Clock) -> None:
    before = clock.monotonic()
    clock.sleep(0.01)
    assert clock.monotonic() - before >= 0.0099


def test_sleeping_less_than_nothing_is_no_sleep(clock: Clock) -> None:
    clock.sleep(-1)


def test_uids_are_hex_ordered_and_never_the_same(clock: Clock) -> None:
    uids = [clock.new_uid() for _ in range(10_000)]
    assert all(re.fullmatch(r"[0-9a-f]{32}", uid) for uid in uids)
    assert uids == sorted(set(uids))


def test_tokens_have_the_length_that_was_asked_for_and_differ(clock: Clock) -> None:
    tokens = {clock.token_hex(8) for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"[0-9a-f]{16}", token) for token in tokens)


def test_a_uid_tells_when_it_was_made() -> None:
    before = datetime.now(UTC)
    made = int(SystemClock().new_uid()[:12], 16) / 1000
    assert abs(made - before.timestamp()) < 60


def test_threads_do_not_share_a_uid() -> None:
    clock = SystemClock()
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend(clock.new_uid() for _ in range(2000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8000


def test_somebody_setting_the_fake_wall_clock_back_does_not_move_intervals() -> None:
    clock = FakeClock()
    before, wall = clock.monotonic(), clock.now_utc()
    clock.step(-3600)
    assert clock.monotonic() == before
    assert clock.now_utc() == wall - timedelta(hours=1)


def test_a_sleeper_wakes_when_the_fake_clock_has_gone_far_enough() -> None:
    clock = FakeClock(auto=False)
    sleeper = threading.Thread(target=clock.sleep, args=(5,))
    sleeper.start()
    clock.advance(4.9)
    sleeper.join(0.05)
    asleep = sleeper.is_alive()
    clock.advance(5)
    sleeper.join(10)
    assert not sleeper.is_alive()
    assert asleep
