"""The tracker, for series of screens nobody thought of."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reconciler.ports.reading import ScreenState, TurnResult
from reconciler.ports.screen import UP, Facts, Phase, Readiness, TerminalState, Timings, submit_ready, surface_ready
from tests.build.screens import DOWN, GONE, Watched, moment

SCREENS = [
    *("idle a", "idle b success", "idle c interrupted", "idle c known_failure", "typed a", "typed b"),
    *("busy a 1", "busy a 2", "busy b", "ask a", "crash a", "start", "lost x", "lost y"),
]
Deed = tuple[str, float, str, Facts]
"""(kind, seconds since the one before, screen, facts)"""

looks = st.tuples(
    st.just("see"),
    st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 19.0, 31.0]),
    st.sampled_from(SCREENS),
    st.sampled_from([UP, UP, UP, UP, UP._replace(instance="1"), UP._replace(instance="2"), DOWN, GONE]),
)
others = st.tuples(
    st.sampled_from(["prompt", "interrupt", "hook", "miss"]), st.sampled_from([0.0, 0.3, 4.0]), st.just(""), st.just(UP)
)
stays = st.tuples(st.just("stay"), st.sampled_from([0.0, 0.4, 1.0, 3.0, 25.0]), st.just(""), st.just(UP))
"""The same picture as at the look before."""
series = st.lists(looks | stays | others, max_size=25)


def play(deeds: list[Deed], between: int = 0, twice: bool = False) -> tuple[Watched, list[TerminalState]]:
    """Do it all; `between` looks more at the same picture before each that repeats the one before."""
    agent, now, states = Watched(), 0.0, []
    before: tuple[str, Facts] | None = None
    for kind, pause, text, facts in deeds:
        if kind == "stay":
            kind, (text, facts) = "see", before or (SCREENS[0], UP)
        if kind == "see" and before == (text, facts):
            for part in range(1, between + 1):
                agent.see(now + pause * part / (between + 1), text, facts)
        now += pause
        match kind:
            case "see":
                states.append(agent.see(now, text, facts))
                if twice:
                    assert agent.see(now, text, facts) == states[-1]
            case "miss":
                states.append(agent.miss(now))
            case "prompt":
                agent.prompt(now)
            case "interrupt":
                agent.tracker.note_interrupt(moment(now))
            case _:
                agent.tracker.note_hook(moment(now), TurnResult.SUCCESS)
        if kind == "see":
            before = text, facts
        elif kind == "miss":
            before = None
    return agent, states


@given(series)
def test_only_an_idle_screen_of_a_living_agent_is_ever_ready(deeds: list[Deed]) -> None:
    _, states = play(deeds)
    for state in states:
        if Phase.READY is state.turn.phase or state.readiness is Readiness.READY or surface_ready(state):
            assert state.reading is not None
            assert state.reading.state is ScreenState.IDLE
            assert state.diagnostics.availability.value == "available"
            assert not state.turn.id
        assert not submit_ready(state) or state.stability.stable_for_s >= Timings().stability_threshold_s


@given(series)
def test_the_history_only_grows(deeds: list[Deed]) -> None:
    agent, so_far = Watched(), ()
    now = 0.0
    for _, pause, text, facts in deeds:
        now += pause
        agent.see(now, text or "lost x", facts)
        told = tuple(agent.tracker.history)
        assert told[: len(so_far)] == so_far
        so_far = told
    assert [entry.number for entry in so_far] == list(range(1, len(so_far) + 1))
    assert all(earlier.at <= later.at for earlier, later in pairwise(so_far))
    assert all(earlier[2:] != later[2:] for earlier, later in pairwise(so_far))


@given(series)
def test_the_same_look_twice_says_nothing_new(deeds: list[Deed]) -> None:
    once, states = play(deeds)
    again, same = play(deeds, twice=True)
    assert states == same
    assert once.tracker.history == again.tracker.history


@given(series, st.integers(1, 4))
def test_looking_more_often_at_the_same_picture_changes_nothing(deeds: list[Deed], between: int) -> None:
    seldom, states = play(deeds)
    often, same = play(deeds, between)
    assert states == same
    assert seldom.tracker.history == often.tracker.history
    assert seldom.tracker.memory == often.tracker.memory


@given(series)
def test_every_prompt_is_one_turn_and_turns_end_in_order(deeds: list[Deed]) -> None:
    agent, states = play(deeds)
    numbers = [state.last_turn.number for state in states]
    assert numbers == sorted(numbers)
    assert agent.tracker.memory.turns >= sum(kind == "prompt" for kind, *_ in deeds)
