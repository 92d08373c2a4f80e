"""Stop, fail or hang every run at every one of its fault points: the next run ends where an undisturbed one ends.

One test knows no kind: it plays each scenario once undisturbed to learn its points, then once per point, phase and kind
of bad luck, runs again, and compares everything that is left behind.
"""

from functools import lru_cache

import pytest

from reconciler.app import apply as use_cases
from reconciler.app import change as changes
from reconciler.app.ask import Ask
from reconciler.app.session import open_session
from reconciler.engine import plan as planning
from reconciler.engine.flight import fault_points
from reconciler.engine.observe import observe
from reconciler.model.errors import ReconcilerError
from reconciler.testing.end_state import State, difference, end_state
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Crashed, Fault, Kind
from reconciler.testing.invariants import check_invariants
from tests.crash.gateway_scenarios import SCENARIOS
from tests.crash.scenarios import Scenario
from tests.crash.stage import arranged

pytestmark = pytest.mark.crash


@lru_cache
def undisturbed(scenario: str) -> tuple[tuple[tuple[str, str], ...], int, State, dict[str, str]]:
    """Points passed, number of writes, the end and the uids of a run that nothing disturbs."""
    played = _by_name(scenario)
    with arranged(played) as world:
        before = world.uids
        applied = played.run(world)
        assert applied.settled, (applied.report.outcomes, applied.report.remaining)
        after = world.when_planned(**_planned(played))
        assert (after.told, [notice for notice in after.notices if not notice.startswith("Held ")]) == ([], [])
        return tuple(dict.fromkeys(applied.watch.points)), len(applied.watch.writes), end_state(world), before


def declared_points(scenario: Scenario) -> list[str]:
    """The points of the plan of a scenario, as the handlers list them."""
    with arranged(scenario) as world:
        if scenario.delete:
            return []
        if scenario.ask is not None:
            return _asked_points(world, scenario.ask)
        wanted = use_cases.PlanFlags(**{k: v for k, v in scenario.flags.items() if k in use_cases.PlanFlags._fields})
        desired = use_cases.load(open_session(world.flags), use_cases.Source((str(world.source),)), wanted)
        handlers, reader = desired.session.handlers, desired.session.reader
        snapshot = observe(desired.declared, desired.apply_set, handlers, reader)
        made = planning.make(desired.declared, snapshot, handlers, use_cases.options(desired, wanted, reader))
        found: list[str] = []
        for action in made.plan.running:
            steps = planning.steps_of(action, made.cases[action.ref], made.view, handlers)
            found += fault_points(action, steps)
        return found


def _asked_points(world: FakeWorld, ask: Ask) -> list[str]:
    """The same of a verb's plan."""
    session = open_session(world.flags)
    made = changes.made(session, ask.at(session.reader.clock.now_utc()), session.reader).planned
    return [
        point
        for action in made.plan.running
        for point in fault_points(
            action, planning.steps_of(action, made.cases[action.ref], made.view, session.handlers)
        )
    ]


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_bad_luck_at_any_fault_point_is_made_good_by_the_next_run(scenario: Scenario, kind: Kind) -> None:
    points, _, _, _ = undisturbed(scenario.name)
    wrong: list[str] = []
    for point, phase in points:
        if _meaningless(point, phase, kind):
            continue
        wrong += _disturbed(scenario, Fault(point, phase, kind), None)
    assert wrong == []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_crash_at_any_single_write_is_made_good_by_the_next_run(scenario: Scenario) -> None:
    _, writes, _, _ = undisturbed(scenario.name)
    if scenario.delete:
        writes = 0
    wrong: list[str] = []
    for nth in range(1, writes + 1):
        # Before a write is after the one before it, and before the first there is nothing.
        wrong += _disturbed(scenario, None, (nth, "after", Kind.CRASH))
    assert wrong == []


def test_every_fault_point_the_handlers_declare_is_passed_by_some_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    found: set[str] = set()
    passed: set[str] = set()
    for scenario in SCENARIOS:
        found.update(declared_points(scenario))
        passed.update(point for point, _ in undisturbed(scenario.name)[0])
    declared = sorted(found)
    with capsys.disabled():
        print(f"\n{len(declared)} fault points, each disturbed before and after its write:")
        for point in declared:
            print(f"  {point}")
    assert [point for point in declared if point not in passed] == []


def _disturbed(scenario: Scenario, fault: Fault | None, write_fault: tuple[int, str, Kind] | None) -> list[str]:
    """What is wrong after one disturbed run and one clean one; each line names the fault."""
    name = (
        f"{scenario.name}: {fault or f'crash {write_fault[1]} write {write_fault[0]}' if write_fault or fault else ''}"
    )
    _, _, clean, before = undisturbed(scenario.name)
    with arranged(scenario) as world:
        wrong: list[str] = []
        try:
            disturbed = scenario.run(world, fault, write_fault)
        except (Crashed, ReconcilerError):
            pass
        else:
            if not disturbed.watch.hit:
                return [f"{name}: was never reached"]
            if fault is not None and fault.kind is Kind.HANG_ONCE and not disturbed.settled:
                bad = [str(o.fault or o.reason) for o in disturbed.report.outcomes if o.result.value != "settled"]
                wrong.append(f"{name}: one time-out was not made good in the same run: {bad}")
        wrong += [f"{name}: {line}" for line in check_invariants(world)]
        again = scenario.run(world)
        if not again.settled:
            left = [str(action) for action in again.report.remaining]
            bad = [str(o.fault or o.reason) for o in again.report.outcomes if o.result.value != "settled"]
            wrong.append(f"{name}: the next run did not converge: {bad} {left}")
        left_over = world.when_planned(**_planned(scenario))
        if not left_over.in_sync:
            wrong.append(f"{name}: the plan after it is not empty: {left_over.lines}")
        wrong += [f"{name}: {line}" for line in difference(clean, end_state(world))]
        now = world.uids
        wrong += [f"{name}: {ref} has another uid" for ref, uid in before.items() if now.get(ref, uid) != uid]
        wrong += [f"{name}: {line}" for line in check_invariants(world)]
        return wrong


def _meaningless(point: str, phase: str, kind: Kind) -> bool:
    """Between the commit and its end there is nothing that could fail; the program can only be gone."""
    return kind is not Kind.CRASH and phase == "after" and point.endswith((":settled", ":intent"))


def _planned(scenario: Scenario) -> dict[str, object]:
    return dict(scenario.flags)


def _by_name(name: str) -> Scenario:
    return next(scenario for scenario in SCENARIOS if scenario.name == name)
