"""How a plan is carried out: no barriers, shared trips, bounds, guards, and threads that do not outlive the run."""

import threading

import pytest

from reconciler.engine.handler import Context, Step
from reconciler.engine.run import TRIP_SIZES
from reconciler.model.errors import ActionFailed, TokenLost
from reconciler.model.ref import Ref
from reconciler.ports.bundle import Ports
from reconciler.testing.fake_world import FakeWorld
from tests.engine.toy import Ran, ToyKind, Trips, run, toys


def test_the_first_goes_to_a_port_alone_and_the_others_together(fake_world: FakeWorld) -> None:
    kind, trips = ToyKind(), Trips()
    kind.step_of = lambda name: (Step("make", run=kind.make), trips.step())

    run(fake_world, toys({"a": [], "b": [], "c": [], "last": ["a", "b", "c"]}), kind)

    assert trips.sent == [["a"], ["b", "c"], ["last"]]


def test_each_takes_its_own_answer_and_a_bad_one_harms_nobody_else(fake_world: FakeWorld) -> None:
    kind = ToyKind()
    trips = Trips(lambda request: "no" if request == "b" else "yes")

    def took(ports: Ports, context: Context, answer: object) -> None:
        if answer == "no":
            raise ActionFailed("refused", code="test.refused")
        kind.make(ports, context)

    kind.step_of = lambda name: (trips.step(took),)

    outcomes = run(fake_world, toys({"a": [], "b": [], "c": []}), kind).outcomes

    assert {name: outcome.result.value for name, outcome in outcomes.items()} == {
        "a": "settled",
        "b": "failed",
        "c": "settled",
    }


def test_while_a_trip_is_under_way_the_next_actions_are_prepared(fake_world: FakeWorld) -> None:
    kind, further = ToyKind(), threading.Event()

    def answer(request: object) -> object:
        assert further.wait(30), "nothing was prepared while the first trip was under way"
        return request

    trips = Trips(answer)

    def make(ports: Ports, context: Context) -> None:
        kind.make(ports, context)
        if context.case.ref.name == "t08":
            further.set()

    kind.step_of = lambda name: (Step("make", run=make), trips.step())
    names = [f"t{number:02}" for number in range(30)]

    outcomes = run(fake_world, toys({name: [] for name in names}), kind).outcomes

    assert [len(sent) for sent in trips.sent] == [*TRIP_SIZES[:2], 30 - sum(TRIP_SIZES[:2])]
    assert [name for sent in trips.sent for name in sent] == names
    assert {outcome.result.value for outcome in outcomes.values()} == {"settled"}


def test_a_trip_that_raises_ends_the_run_when_the_trip_was_made(fake_world: FakeWorld) -> None:
    kind = ToyKind()
    trips = Trips(lambda request: 1 // 0)
    kind.step_of = lambda name: (trips.step(),)
    before = threading.active_count()

    with pytest.raises(ZeroDivisionError):
        run(fake_world, toys({f"t{number:02}": [] for number in range(30)}), kind)

    assert len(trips.sent) == 1
    assert threading.active_count() == before


def test_launches_of_one_trip_share_the_commit_of_their_intents(fake_world: FakeWorld) -> None:
    kind = ToyKind()
    fake_world.initialised()
    before = fake_world.look().catalog.revision()

    run(fake_world, toys({f"t{number}": [] for number in range(8)}), kind)

    assert fake_world.look().catalog.intents() == ()
    assert fake_world.look().catalog.revision() > before


def test_parallelism_bounds_the_actions_that_wait_for_something(fake_world: FakeWorld) -> None:
    kind = ToyKind()
    turn = threading.Lock()
    together: set[str] = set()
    most: list[int] = []
    full = threading.Barrier(3)

    def slow(ports: Ports, context: Context) -> None:
        with turn:
            together.add(context.case.ref.name)
            most.append(len(together))
        full.wait(30)
        with turn:
            together.discard(context.case.ref.name)
        kind.make(ports, context)

    kind.step_of = lambda name: (Step("make", run=slow, slow=True),)

    outcomes = run(fake_world, toys({f"t{number}": [] for number in range(9)}), kind, parallelism=3).outcomes

    assert {outcome.result.value for outcome in outcomes.values()} == {"settled"}
    assert max(most) == 3


def test_one_at_a_time_is_one_at_a_time(fake_world: FakeWorld) -> None:
    kind, trips = ToyKind(), Trips()
    kind.step_of = lambda name: (trips.step(), Step("make", run=kind.make))

    run(fake_world, toys({f"t{number}": [] for number in range(4)}), kind, parallelism=1)

    assert [len(sent) for sent in trips.sent] == [1, 1, 1, 1]


@pytest.mark.parametrize("parallelism", [1, 3, 64])
def test_the_end_is_the_same_however_many_run_at_a_time(fake_world: FakeWorld, parallelism: int) -> None:
    kind = ToyKind()
    graph = {f"t{number}": [f"t{number - 1}"] if number % 3 else [] for number in range(20)}

    outcomes = run(fake_world, toys(graph), kind, parallelism=parallelism).outcomes

    assert {outcome.result.value for outcome in outcomes.values()} == {"settled"}
    for name, needs in graph.items():
        assert all(kind.order.index(need) < kind.order.index(name) for need in needs)


def test_a_slow_branch_delays_no_other(fake_world: FakeWorld) -> None:
    kind = ToyKind()
    others_done = threading.Event()

    def slow(ports: Ports, context: Context) -> None:
        assert others_done.wait(30), "the slow step was waited for"
        kind.make(ports, context)

    def quick(ports: Ports, context: Context) -> None:
        kind.make(ports, context)
        if {"b0", "b1", "b2"} <= kind.made:
            others_done.set()

    kind.step_of = lambda name: (Step("make", run=slow if name == "a0" else quick, slow=name == "a0"),)

    outcomes = run(fake_world, toys({"a0": [], "a1": ["a0"], "b0": [], "b1": ["b0"], "b2": ["b1"]}), kind).outcomes

    assert {outcome.result.value for outcome in outcomes.values()} == {"settled"}
    assert kind.order[-1] == "a1"


def test_a_writer_that_was_replaced_changes_nothing_more(fake_world: FakeWorld) -> None:
    kind = ToyKind()
    asked = 0

    def guard() -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise TokenLost("another writer took over this overlay")

    outcomes = run(fake_world, toys({"a": [], "b": ["a"], "c": []}), kind, guard=guard).outcomes

    assert len(kind.made) == 1
    assert {outcome.result.value for outcome in outcomes.values()} == {"settled", "stale"}


def test_no_step_runs_on_after_a_run_that_was_broken_off(fake_world: FakeWorld) -> None:
    kind = ToyKind()
    started, release, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(ports: Ports, context: Context) -> None:
        started.set()
        release.wait(30)
        ended.set()

    def probe(point: str, phase: str, ref: Ref) -> None:
        if ref.name == "b" and point.endswith(":make"):
            assert started.wait(30)
            threading.Timer(0.2, release.set).start()
            raise KeyboardInterrupt

    kind.step_of = lambda name: (Step("make", run=slow if name == "a" else kind.make, slow=name == "a"),)

    with pytest.raises(KeyboardInterrupt):
        run(fake_world, toys({"a": [], "b": []}), kind, probe=probe, parallelism=2)

    assert ended.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("step")]


def test_a_failed_step_is_taken_back_last_first_where_it_was_a_first_create(fake_world: FakeWorld) -> None:
    kind = ToyKind()
    undone: list[str] = []

    def broken(ports: Ports, context: Context) -> None:
        raise ActionFailed("it broke", code="test.broke")

    def undo(name: str) -> Step:
        return Step(name, run=kind.make, undo=lambda ports, context: undone.append(name))

    kind.step_of = lambda name: (undo("first"), undo("second"), Step("third", run=broken))

    ran: Ran = run(fake_world, toys({"a": []}), kind)

    assert undone == ["second", "first"]
    assert ran.outcomes["a"].result.value == "failed"


def test_a_taken_back_step_that_cannot_be_taken_back_is_reported_as_leaked(fake_world: FakeWorld) -> None:
    kind = ToyKind()

    def broken(ports: Ports, context: Context) -> None:
        raise ActionFailed("it broke", code="test.broke")

    kind.step_of = lambda name: (Step("first", run=kind.make, undo=broken), Step("second", run=broken))

    assert run(fake_world, toys({"a": []}), kind).outcomes["a"].note.startswith("Leaked: first could not be taken back")
