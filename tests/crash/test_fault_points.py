"""Stop, fail or hang every run at its fault points: the next run ends where an undisturbed one ends.

No test here knows a kind: each plays every scenario once undisturbed to learn its points, then with faults, runs again,
and compares everything that is left behind. All of it is `make faults`; `make test` plays a sample. A failure begins
with the words that order it again: `python -m tests.crash.replay SCENARIO "crash after …"`.
"""

import os
from random import Random

import pytest

from reconciler.app import apply as use_cases
from reconciler.app import change as changes
from reconciler.app.ask import Ask
from reconciler.app.session import open_session
from reconciler.engine import plan as planning
from reconciler.engine.flight import fault_points
from reconciler.engine.observe import observe
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Fault, Kind
from tests.crash.counts import Record, counted
from tests.crash.gateway_scenarios import SCENARIOS
from tests.crash.play import Luck, by_name, crashes_of, disturbed, faults_of, ordered, undisturbed, words
from tests.crash.scenarios import Scenario
from tests.crash.stage import arranged

pytestmark = pytest.mark.crash

SEED = os.environ.get("FAULTS_SEED", "20260101")
"""What a sample and the second faults are drawn with; said with every failure."""
SAMPLE = 7
TWICE = (
    "create_every_kind",
    "update_every_kind",
    "remove_every_kind",
    "relaunch_for_a_prompt",
    "relaunch_a_stubborn_one",
    "replace_for_another_agent_id",
    "stop_what_is_declared_stopped",
    "heal_beside_a_survivor",
    "come_back_after_a_reboot",
    "rename_one_instance",
    "create_with_gateways",
    "move_a_gateway_out_of_its_window",
)
"""Scenarios that are struck a second time while they recover."""
named = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


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


@pytest.mark.faults
@pytest.mark.parametrize("kind", list(Kind))
@named
def test_bad_luck_at_any_fault_point_is_made_good_by_the_next_run(
    scenario: Scenario, kind: Kind, record_property: Record
) -> None:
    wrong = [line for fault in faults_of(scenario.name, (kind,)) for line in disturbed(scenario, fault).wrong]
    counted(record_property, scenario, kind.value, len(faults_of(scenario.name, (kind,))), wrong)
    assert wrong == []


@pytest.mark.faults
@named
def test_a_crash_at_any_single_write_is_made_good_by_the_next_run(scenario: Scenario, record_property: Record) -> None:
    wrong = [line for crash in crashes_of(scenario.name) for line in disturbed(scenario, crash).wrong]
    counted(record_property, scenario, "crash at a write", len(crashes_of(scenario.name)), wrong)
    assert wrong == []


@pytest.mark.faults
@pytest.mark.parametrize("name", TWICE)
def test_a_second_fault_while_it_recovers_is_made_good_too(name: str, record_property: Record) -> None:
    """Each point crashes the first run; where the run that recovers is struck, and how, is drawn."""
    scenario, draw = by_name(name), Random(f"{SEED} {name}")
    points = undisturbed(name).points
    wrong: list[str] = []
    struck = 0
    for at, (point, phase) in enumerate(points):
        later = [fault for fault in faults_of(name) if (fault.point, fault.phase) in points[at:]]
        played = disturbed(scenario, Fault(point, phase, Kind.CRASH), draw.choice(later or faults_of(name)))
        struck += played.hit == 2
        wrong += [f"FAULTS_SEED={SEED} {line}" for line in played.wrong]
    counted(record_property, scenario, "twice", struck, wrong)
    assert wrong == []
    assert struck, "no run was struck twice"


@named
def test_a_sample_of_all_that_is_made_good(scenario: Scenario, record_property: Record) -> None:
    """Of each scenario a few faults of every kind."""
    draw = Random(f"{SEED} {scenario.name}")
    every: list[Luck] = [*faults_of(scenario.name), *crashes_of(scenario.name)]
    some = draw.sample(every, min(SAMPLE, len(every)))
    wrong = [f"FAULTS_SEED={SEED} {line}" for luck in some for line in disturbed(scenario, luck).wrong]
    counted(record_property, scenario, "sample", len(some), wrong)
    assert wrong == []


def test_what_is_said_of_a_fault_orders_it() -> None:
    every: list[Luck] = [*faults_of("relaunch_for_a_prompt"), *crashes_of("relaunch_for_a_prompt")]
    assert [ordered(words(luck)) for luck in every] == every
    assert len(SCENARIOS) >= 40
    assert len(TWICE) >= 10


def test_every_fault_point_the_handlers_declare_is_passed_by_some_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    found: set[str] = set()
    passed: set[str] = set()
    for scenario in SCENARIOS:
        found.update(declared_points(scenario))
        passed.update(point for point, _ in undisturbed(scenario.name).points)
    declared = sorted(found)
    with capsys.disabled():
        print(f"\n{len(declared)} fault points, each disturbed before and after its write:")
        for point in declared:
            print(f"  {point}")
    assert [point for point in declared if point not in passed] == []
