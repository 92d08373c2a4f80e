"""Who may go, for members in any state: pure, and by cases nobody thought of."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.app.rollouts import chosen
from reconciler.engine.rollout import Member, State, Strategy, judge, strategy_of
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld
from tests.rollouts.conftest import PROMPT

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def members() -> st.SearchStrategy[list[Member]]:
    one = st.tuples(st.booleans(), st.booleans(), st.sampled_from(["", "a turn"]), st.booleans())
    made = st.lists(one, min_size=1, max_size=8)
    return made.map(
        lambda found: [
            Member(Ref("Instance", f"crew-{at}"), outdated, ready and not flying, busy, flying)
            for at, (outdated, ready, busy, flying) in enumerate(found)
        ]
    )


@given(members(), st.sampled_from(["OnIdle", "Rolling", "Canary"]), st.integers(1, 4), st.integers(1, 3))
def test_never_more_than_may_be_are_made_unavailable(found: list[Member], kind: str, most: int, first: int) -> None:
    strategy = Strategy(kind, most, first if kind == "Canary" else 0)
    verdict = judge(strategy, found, State(), NOW)
    down = {member.ref for member in found if member.under_way or not member.ready}
    ends = {member.ref for member in found if member.ref in verdict.start and member.ready}
    assert len(down | ends) <= max(most, len(down))
    by_ref = {member.ref: member for member in found}
    assert all(by_ref[ref].outdated and not by_ref[ref].under_way for ref in verdict.start)
    assert not any(by_ref[ref].busy and by_ref[ref].ready for ref in verdict.start)
    left = {member.ref for member in found if member.outdated and not member.under_way}
    assert verdict.start | verdict.waits.keys() == left, "who does not go is told why"


@given(members(), st.integers(1, 8))
def test_it_always_ends(found: list[Member], most: int) -> None:
    """Where turns end and whoever is started becomes Ready, every member is changed after a while."""
    now, state = NOW, State()
    for _ in range(40):
        verdict = judge(Strategy("Rolling", most), found, state, now)
        if verdict.over:
            return
        state, now = verdict.state, now + timedelta(seconds=1)
        found = [
            member._replace(outdated=member.outdated and member.ref not in verdict.start and not member.under_way)
            for member in found
        ]
        found = [member._replace(busy="", under_way=False, ready=True) for member in found]
    raise AssertionError("it did not end")


@pytest.mark.parametrize(
    ("given", "count", "most"), [("25%", 8, 2), ("25%", 3, 1), ("100%", 5, 5), ("1%", 8, 1), (3, 8, 3), ("50%", 5, 2)]
)
def test_a_part_of_them_is_rounded_down_and_never_none(given: str | int, count: int, most: int) -> None:
    assert strategy_of({"maxUnavailable": given}, count).unavailable == most


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Slow", "is none of"),
        ("BlueGreen", "not implemented"),
        ("Rolling,maxSurge=1", "not implemented"),
        ("Rolling,pauseAfter=1m", "means something only where 'type' is 'Canary'"),
        ("Rolling,maxUnavailable=0", "is not between 1 and 10000"),
        ("Rolling,maxUnavailable", "takes TYPE and FIELD=VALUE"),
        ("Canary,onFailure=Rollback", "has no onFailure"),
    ],
)
def test_a_strategy_of_one_run_is_judged_as_in_a_file(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        chosen(text, "team=core")


def test_a_strategy_of_one_run_is_for_what_it_selects(fake_world: FakeWorld) -> None:
    fleet = "kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, promptFile: prompts/coder.md}\n"
    for name in ("a", "b", "c", "d"):
        label = "core" if name != "d" else "other"
        fleet += f"---\nkind: Instance\nmetadata: {{name: {name}, labels: {{team: {label}}}}}\n"
        fleet += "spec: {specialistRef: coder}\n"
    fake_world.given_file(PROMPT, "You write code.\n")
    fake_world.given(fleet)
    fake_world.when_applied()
    fake_world.given_file(PROMPT, "You write better code.\n")
    fake_world.when_applied(targets=("specialist/coder",))
    under_way: set[str] = set()
    most = 0

    def on_point(point: str, phase: str, ref: Ref) -> None:
        nonlocal most
        if point.startswith("relaunch/") and phase == "before":
            under_way.add(ref.name)
        if point == "relaunch/Instance:settled" and phase == "after":
            under_way.discard(ref.name)
        most = max(most, len(under_way))

    strategy = chosen("Rolling,maxUnavailable=1", "team=core")
    applied = fake_world.when_applied(selector="team=core", chosen=strategy, on_point=on_point)
    assert applied.settled
    assert sorted(outcome.action.ref.name for outcome in applied.report.outcomes) == ["a", "b", "c"]
    assert most == 1
