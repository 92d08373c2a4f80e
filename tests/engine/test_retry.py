"""Which failures are tried again, when, and how the schedule is kept (R §11); a clock that nobody waits for."""

import pytest

from reconciler.engine import retry
from reconciler.engine.handler import Context, Step
from reconciler.model import errors
from reconciler.model.errors import ErrorClass, ReconcilerError
from reconciler.ports.bundle import Ports
from reconciler.testing.fake_world import FakeWorld
from tests.engine.toy import ToyKind, run, toys

ONE = toys({"one": []})


class Fails:
    """A step that fails so many times with a class of error."""

    def __init__(self, kind: ToyKind, times: int, error_class: ErrorClass) -> None:
        self.left = times
        self.calls = 0
        self._kind, self._class = kind, error_class
        kind.step_of = lambda name: (Step("make", run=self.make),)

    def make(self, ports: Ports, context: Context) -> None:
        self.calls += 1
        if self.left:
            self.left -= 1
            error = ReconcilerError("it did not work", code="test.failed")
            error.error_class = self._class
            raise error
        self._kind.make(ports, context)


@pytest.mark.parametrize("error_class", [ErrorClass.TRANSIENT, ErrorClass.AMBIGUOUS])
def test_what_may_pass_is_tried_again_and_settles(fake_world: FakeWorld, error_class: ErrorClass) -> None:
    kind = ToyKind()
    step = Fails(kind, 2, error_class)

    outcomes = run(fake_world, ONE, kind).outcomes

    assert outcomes["one"].result.value == "settled"
    assert step.calls == 3


@pytest.mark.parametrize("error_class", [ErrorClass.TERMINAL, ErrorClass.INTERNAL])
def test_what_no_retry_helps_is_tried_once(fake_world: FakeWorld, error_class: ErrorClass) -> None:
    kind = ToyKind()
    step = Fails(kind, 1, error_class)

    outcomes = run(fake_world, ONE, kind).outcomes

    assert outcomes["one"].result.value == "failed"
    assert outcomes["one"].fault is not None
    assert outcomes["one"].fault.error_class is error_class
    assert step.calls == 1


def test_an_error_that_is_not_ours_fails_its_action_alone(fake_world: FakeWorld) -> None:
    kind = ToyKind()

    def make(ports: Ports, context: Context) -> None:
        if context.case.ref.name == "bad":
            raise ZeroDivisionError("division by zero")
        kind.make(ports, context)

    kind.step_of = lambda name: (Step("make", run=make),)

    outcomes = run(fake_world, toys({"bad": [], "good": [], "user": ["bad"]}), kind).outcomes

    fault = outcomes["bad"].fault
    assert fault is not None
    assert (fault.error_class, fault.code) == (ErrorClass.INTERNAL, "internal.error")
    assert outcomes["good"].result.value == "settled"
    assert outcomes["user"].reason == "DependencyFailed(Toy/bad)"


def test_tries_end_and_the_schedule_is_kept(fake_world: FakeWorld) -> None:
    kind = ToyKind()
    step = Fails(kind, 99, ErrorClass.TRANSIENT)

    outcomes = run(fake_world, ONE, kind, tries=3).outcomes

    assert outcomes["one"].result.value == "failed"
    assert step.calls == 3
    (attempt,) = fake_world.look().catalog.attempts().values()
    assert (attempt.error_class, attempt.code) == ("Transient", "test.failed")
    assert attempt.next_at > fake_world.clock.now_utc().isoformat()

    step.left = 0
    assert run(fake_world, ONE, kind).outcomes["one"].result.value == "settled"
    assert fake_world.look().catalog.attempts() == {}


def test_nobody_waits_longer_than_the_run_may_last(fake_world: FakeWorld) -> None:
    kind = ToyKind()
    Fails(kind, 99, ErrorClass.TRANSIENT)
    deadline = fake_world.clock.monotonic() + 0.1

    run(fake_world, ONE, kind, tries=50, deadline=deadline)

    assert sum(fake_world.clock.slept) < 10


def test_delays_grow_stay_below_their_cap_and_are_the_same_each_time() -> None:
    policy = retry.Policy()
    delays = [retry.delay_s("0" * 32, attempt, ErrorClass.TRANSIENT, policy) for attempt in range(1, 30)]

    assert delays == [retry.delay_s("0" * 32, attempt, ErrorClass.TRANSIENT, policy) for attempt in range(1, 30)]
    assert all(0 <= delay <= min(300, 2.0 ** (attempt - 1)) for attempt, delay in enumerate(delays, 1))
    assert delays != [retry.delay_s("1" * 32, attempt, ErrorClass.TRANSIENT, policy) for attempt in range(1, 30)]
    crashing = [retry.delay_s("0" * 32, attempt, ErrorClass.CRASH_LOOP, policy) for attempt in range(1, 30)]
    assert max(crashing) <= 600
    assert all(one >= two for one, two in zip(crashing, delays, strict=True))


def test_a_declared_policy_rules() -> None:
    assert retry.policy_of({"retry": {"limit": 0, "base": 2000, "max": 4000}}, 4) == retry.Policy(1, 2.0, 4.0)
    assert retry.policy_of({"retry": {"limit": -1, "base": 1000, "max": 300000}}, 4).tries == 4
    assert retry.policy_of({}, 4) == retry.Policy(4)


def test_a_back_off_of_minutes_takes_no_time(fake_world: FakeWorld) -> None:
    kind = ToyKind()
    Fails(kind, 9, ErrorClass.TRANSIENT)

    assert run(fake_world, ONE, kind, tries=12).outcomes["one"].result.value == "settled"
    assert sum(fake_world.clock.slept) > 30


def test_every_class_of_error_that_the_product_raises_says_whether_a_retry_makes_sense() -> None:
    def below(cls: type[ReconcilerError]) -> list[type[ReconcilerError]]:
        return [cls, *(found for sub in cls.__subclasses__() for found in below(sub))]

    found = below(ReconcilerError)
    assert len(found) > 10
    for each in found:
        assert isinstance(each.error_class, ErrorClass), each
        assert 0 < each.exit_code < 131, each
    assert errors.Unreachable.error_class is ErrorClass.TRANSIENT
    assert errors.StaleObservation.error_class not in (ErrorClass.TERMINAL, ErrorClass.INTERNAL)
