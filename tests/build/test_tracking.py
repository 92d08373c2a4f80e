"""A series of screens, followed; each story is one that went wrong in some other program."""

from __future__ import annotations

import json

import pytest

from reconciler.ports.reading import Tri, TurnResult
from reconciler.ports.screen import (
    UP,
    Availability,
    ChatContext,
    Completion,
    Eligibility,
    Facts,
    ParseStatus,
    Phase,
    ProcessState,
    Readiness,
    Timings,
    TransportState,
    TurnSource,
    Work,
    eligibility,
    pending_input,
    submit_ready,
    surface_ready,
)
from tests.build.screens import DOWN, GONE, Watched, moment


def test_a_ready_screen_is_ready_at_once_and_submit_ready_once_it_has_stayed() -> None:
    agent = Watched()
    first = agent.see(0, "idle a")
    assert first.turn.phase is Phase.READY
    assert surface_ready(first)
    assert not submit_ready(first)
    assert eligibility(first) is Eligibility.NOT_READY
    later = agent.see(1, "idle a")
    assert submit_ready(later)
    assert eligibility(later) is Eligibility.READY
    assert pending_input(later) is Tri.NO
    assert (later.readiness, later.completion, later.work) == (Readiness.READY, Completion.INACTIVE, Work.CLEAR)


def test_a_prompt_is_seen_to_work_and_to_end() -> None:
    agent = Watched()
    agent.see(0, "idle a")
    assert agent.prompt(1, "req-7") == "req-7"
    assert agent.see(1.2, "busy a 1").turn[:3] == (Phase.ACTIVE, "req-7", 1)
    agent.see(2, "busy b 2")
    candidate = agent.see(3, "idle c success")
    assert (candidate.turn.phase, candidate.completion) == (Phase.ACTIVE, Completion.CANDIDATE_COMPLETE)
    done = agent.see(4, "idle c success")
    assert (done.turn.phase, done.completion) == (Phase.READY, Completion.COMPLETED)
    assert done.last_turn[:2] == (TurnResult.SUCCESS, TurnSource.EXPLICIT_INPUT)
    assert (done.last_turn.id, done.last_turn.number, done.last_turn.at) == ("req-7", 1, moment(4).utc)


def test_a_turn_too_quick_to_be_seen_working_ends_all_the_same() -> None:
    agent = Watched()
    agent.see(0, "idle a")
    agent.prompt(1)
    agent.see(1.5, "idle b success")
    assert agent.see(2.5, "idle b success").last_turn.result is TurnResult.SUCCESS


def test_a_pause_between_two_bursts_of_work_is_no_end() -> None:
    agent = Watched()
    agent.see(0, "idle a")
    agent.prompt(0)
    agent.see(1, "busy b 1")
    agent.see(2, "idle b success")
    agent.see(2.9, "busy c 2")
    still = agent.see(4, "busy c 3")
    assert still.turn[:3] == (Phase.ACTIVE, "t1", 1)
    assert still.last_turn.result is TurnResult.NONE


def test_a_prompt_that_nothing_answers_is_let_go_and_its_result_is_unknown() -> None:
    agent = Watched()
    agent.see(0, "idle a")
    agent.prompt(10)
    assert agent.see(14.9, "idle a").completion is Completion.WAITING
    let_go = agent.see(15, "idle a")
    assert let_go.turn.phase is Phase.READY
    assert let_go.last_turn.result is TurnResult.UNKNOWN
    assert let_go.last_turn.to_json()["result"] == "none"
    assert let_go.managed_json()["last_turn"] == {
        "result": "unknown",
        "turn_id": "t1",
        "turn_index": 1,
        "updated_at_utc": "2026-01-01T00:00:15.000+00:00",
    }


def test_a_prompt_that_stays_in_the_box_has_not_been_answered() -> None:
    agent = Watched()
    agent.see(0, "idle a")
    agent.prompt(1)
    agent.see(1.5, "typed b")
    assert agent.see(4, "typed b").completion is Completion.WAITING
    state = agent.see(7, "typed b")
    assert state.last_turn.result is TurnResult.UNKNOWN
    assert pending_input(state) is Tri.YES
    assert state.work is Work.PENDING


def test_a_prompt_that_is_back_in_the_box_was_called_back() -> None:
    agent = Watched()
    agent.see(0, "idle a")
    agent.prompt(0)
    agent.see(1, "busy a 1")
    agent.see(2, "typed a")
    assert agent.see(3, "typed a").last_turn.result is TurnResult.INTERRUPTED


def test_a_prompt_that_was_shown_and_called_back_has_not_the_result_of_the_turn_before() -> None:
    agent = Watched()
    agent.see(0, "idle a success")
    agent.prompt(0)
    agent.see(1, "busy b 1")
    agent.see(2, "typed a success")
    assert agent.see(3, "typed a success").last_turn.result is TurnResult.INTERRUPTED


@pytest.mark.parametrize(("noted", "result"), [(True, TurnResult.INTERRUPTED), (False, TurnResult.UNKNOWN)])
def test_who_interrupts_says_so_where_the_screen_does_not(noted: bool, result: TurnResult) -> None:
    agent = Watched()
    agent.see(0, "idle a")
    agent.prompt(0)
    agent.see(1, "busy a 1")
    if noted:
        agent.tracker.note_interrupt(moment(1.5))
    agent.see(2, "idle a success")  # what the screen shows ended is the turn before
    assert agent.see(3, "idle a success").last_turn.result is result


def test_a_turn_nobody_told_of_is_inferred() -> None:
    agent = Watched()
    agent.see(0, "idle a")
    assert agent.see(1, "busy b 1").turn.source is TurnSource.SURFACE_INFERENCE
    agent.see(2, "idle c known_failure")
    done = agent.see(3, "idle c known_failure")
    assert done.last_turn[:2] == (TurnResult.KNOWN_FAILURE, TurnSource.SURFACE_INFERENCE)
    assert done.completion is Completion.FAILED
    assert done.chat_context is ChatContext.DEGRADED


def test_typed_text_that_left_the_box_and_was_answered_was_a_turn() -> None:
    agent = Watched()
    agent.see(0, "idle a")
    agent.see(1, "typed a")
    agent.see(2, "idle b success")
    assert agent.see(3, "idle b success").last_turn[:2] == (TurnResult.SUCCESS, TurnSource.SURFACE_INFERENCE)


def test_typed_text_that_was_deleted_was_none() -> None:
    agent = Watched()
    agent.see(0, "idle a")
    agent.see(1, "typed a")
    agent.see(2, "idle a")
    assert agent.see(9, "idle a").last_turn.result is TurnResult.NONE


def test_prompts_behind_a_running_turn_wait_for_its_end() -> None:
    agent = Watched()
    agent.see(0, "idle a")
    agent.prompt(0, "one")
    agent.see(1, "busy b 1")
    agent.prompt(1.5, "two")
    agent.see(3, "idle c success")
    second = agent.see(4, "idle c success")
    assert (second.last_turn.id, second.turn.id, second.turn.phase) == ("one", "two", Phase.ACTIVE)
    agent.see(5, "busy d 1")
    agent.see(6, "idle e interrupted")
    assert agent.see(7, "idle e interrupted").last_turn[:1] == (TurnResult.INTERRUPTED,)


def test_a_prompt_right_behind_an_end_nobody_waited_for_is_the_next_turn() -> None:
    agent = Watched()
    agent.see(0, "idle a")
    agent.prompt(0, "one")
    agent.see(1, "busy b 1")
    agent.see(2, "idle c success")
    agent.prompt(2.2, "two")
    assert agent.see(2.5, "busy d 1").turn.id == "two"
    assert agent.tracker.state.last_turn.id == "one"


def test_a_dialog_blocks_and_the_turn_goes_on_behind_it() -> None:
    agent = Watched()
    agent.see(0, "idle a")
    agent.prompt(0)
    agent.see(1, "busy b 1")
    asked = agent.see(2, "ask b")
    assert (asked.turn.phase, asked.readiness, asked.completion) == (
        Phase.BLOCKED,
        Readiness.BLOCKED,
        Completion.BLOCKED,
    )
    assert agent.see(90, "ask b").turn.phase is Phase.BLOCKED  # it waits as long as the operator does
    agent.see(91, "busy b 2")
    agent.see(92, "idle c success")
    assert agent.see(93, "idle c success").last_turn.result is TurnResult.SUCCESS


def test_an_unknown_screen_is_unknown_and_stalls() -> None:
    agent = Watched()
    first = agent.see(0, "lost x")
    assert (first.turn.phase, first.readiness, eligibility(first)) == (
        Phase.UNKNOWN,
        Readiness.UNKNOWN,
        Eligibility.UNKNOWN,
    )
    assert first.diagnostics[:4] == (Availability.AVAILABLE, TransportState.TMUX_UP, ProcessState.TUI_UP, "parse_error")
    agent.see(20, "lost y")  # another one nobody knows: still unknown since 0
    assert agent.see(29.9, "lost y").readiness is Readiness.UNKNOWN
    assert agent.see(30, "lost y").readiness is Readiness.STALLED
    back = agent.see(31, "idle a")
    assert (back.turn.phase, back.readiness) == (Phase.READY, Readiness.READY)


def test_a_start_is_waited_for() -> None:
    agent = Watched()
    assert agent.see(0, "start").readiness is Readiness.WAITING
    assert agent.see(30, "start").readiness is Readiness.STALLED


def test_a_busy_sign_that_stopped_moving_is_an_old_picture_and_never_ready() -> None:
    agent = Watched()
    agent.see(0, "busy a 1")
    assert agent.see(19.9, "busy a 1").turn.phase is Phase.ACTIVE
    assert agent.see(20, "busy a 1").turn.phase is Phase.UNKNOWN
    assert agent.see(50, "busy a 1").completion is Completion.STALLED
    assert agent.see(51, "busy a 2").turn.phase is Phase.ACTIVE
    assert agent.see(70, "busy a 2").turn.phase is Phase.ACTIVE


def test_a_busy_sign_that_never_moves_may_stand_still() -> None:
    agent = Watched()
    agent.see(0, "busy a")
    assert agent.see(600, "busy a").turn.phase is Phase.ACTIVE


@pytest.mark.parametrize(
    ("facts", "availability", "managed", "parsed"),
    [
        (DOWN, Availability.TUI_DOWN, "unavailable", ParseStatus.SKIPPED_TUI_DOWN),
        (GONE, Availability.UNAVAILABLE, "unavailable", ParseStatus.TRANSPORT_UNAVAILABLE),
        (
            Facts(TransportState.PROBE_ERROR, ProcessState.UNKNOWN),
            Availability.ERROR,
            "error",
            ParseStatus.PROBE_ERROR,
        ),
        (
            Facts(TransportState.TMUX_UP, ProcessState.UNSUPPORTED_TOOL),
            Availability.ERROR,
            "error",
            ParseStatus.UNSUPPORTED_TOOL,
        ),
        (Facts(TransportState.TMUX_UP, ProcessState.PROBE_ERROR), Availability.ERROR, "error", ParseStatus.PARSED),
        (Facts(TransportState.TMUX_UP, ProcessState.UNKNOWN), Availability.UNKNOWN, "available", ParseStatus.PARSED),
    ],
)
def test_a_ready_picture_of_an_agent_that_is_not_there_is_no_readiness(
    facts: Facts, availability: Availability, managed: str, parsed: ParseStatus
) -> None:
    agent = Watched()
    agent.see(0, "idle a")
    state = agent.see(5, "idle a", facts)
    assert state.diagnostics.availability is availability
    assert state.diagnostics.parse_status is parsed
    assert state.managed_json()["availability"] == managed
    assert state.turn.phase is Phase.UNKNOWN
    assert not surface_ready(state)
    assert pending_input(state) is Tri.UNKNOWN


def test_no_answer_is_no_end_of_a_turn_and_a_gone_process_is() -> None:
    agent = Watched()
    agent.see(0, "idle a")
    agent.prompt(0)
    agent.see(1, "busy b 1")
    missed = agent.miss(2)
    assert missed.diagnostics.detail == "no answer in time"
    assert missed.last_turn.result is TurnResult.NONE
    assert agent.see(3, "busy b 2").turn.id == "t1"
    gone = agent.miss(4, facts=DOWN)
    assert gone.last_turn[:2] == (TurnResult.KNOWN_FAILURE, TurnSource.EXPLICIT_INPUT)
    assert gone.readiness is Readiness.FAILED


def test_another_start_of_the_provider_ends_what_ran_and_forgets_what_was_seen() -> None:
    agent = Watched()
    agent.see(0, "idle a", UP._replace(instance="100:1"))
    agent.prompt(0)
    agent.see(1, "busy b 1", UP._replace(instance="100:1"))
    state = agent.see(2, "idle a success", UP._replace(instance="200:9"))
    assert state.last_turn.result is TurnResult.UNKNOWN
    assert state.turn.phase is Phase.READY
    assert not state.stability.stable
    assert agent.prompt(3) == "t2"


def test_a_hook_ends_a_turn_and_the_screen_says_when_the_next_may_start() -> None:
    agent = Watched()
    agent.see(0, "idle a")
    agent.prompt(0)
    agent.see(1, "busy b 1")
    agent.tracker.note_hook(moment(1.5), TurnResult.SUCCESS)
    state = agent.see(2, "busy c 2")
    assert state.last_turn[:2] == (TurnResult.SUCCESS, TurnSource.HOOK_OBSERVATION)
    assert (state.turn.phase, state.turn.id) == (Phase.ACTIVE, "")
    agent.see(3, "idle c success")
    assert agent.see(9, "idle c success").last_turn.number == 1


def test_the_history_tells_what_changed_and_when_it_was_reached() -> None:
    agent = Watched()
    agent.see(0, "start")
    agent.see(1, "idle a")
    agent.prompt(2)
    agent.see(2.5, "busy b 1")
    agent.see(3, "busy b 2")
    agent.see(4, "idle c success")
    agent.see(60, "idle c success")
    agent.see(61, "ask c")
    assert agent.told == [
        (0.0, "its screen is starting"),
        (1.0, "ready"),
        (2.0, "turn 1 runs"),
        (5.0, "ready, turn 1 ended: success"),
        (61.0, "asks (trust)"),
    ]
    assert agent.tracker.history[2].to_json() == {
        "recorded_at_utc": "2026-01-01T00:00:02.000+00:00",
        "summary": "turn 1 runs",
        "availability": "available",
        "turn_phase": "active",
        "last_turn_result": "none",
        "turn_id": "tui-anchor:t1",
    }


def test_only_the_newest_entries_are_kept() -> None:
    agent = Watched(keep=3)
    for second in range(10):
        agent.see(second, "idle a" if second % 2 else "ask a")
    assert [entry.number for entry in agent.tracker.history] == [8, 9, 10]


def test_a_clock_that_goes_back_turns_nothing_back() -> None:
    agent = Watched()
    agent.see(10, "idle a")
    state = agent.see(4, "ask a")
    assert state.at == moment(10).utc
    assert [second for second, _ in agent.told] == [10, 10]


def test_timings_must_be_above_zero() -> None:
    with pytest.raises(ValueError, match="above zero"):
        Watched(Timings(stability_threshold_s=0))


def test_the_wire_has_every_key_of_the_contract_and_nothing_json_cannot_hold() -> None:
    agent = Watched()
    agent.see(0, "idle a")
    agent.prompt(0)
    state = json.loads(json.dumps(agent.see(0.5, "ask a").to_json()))
    assert state["surface"] == {
        "accepting_input": "no",
        "editing_input": "no",
        "ready_posture": "no",
        "pending_input": "unknown",
    }
    assert state["turn"] == {"phase": "blocked", "active_turn_id": "tui-anchor:t1"}
    assert state["last_turn"] == {
        "result": "none",
        "source": "none",
        "turn_id": None,
        "turn_index": None,
        "updated_at_utc": None,
    }
    assert state["diagnostics"] == {
        "availability": "available",
        "transport_state": "tmux_up",
        "process_state": "tui_up",
        "parse_status": "parsed",
        "detail": None,
    }
    assert state["stability"].keys() == {"signature", "stable", "stable_for_seconds", "stable_since_utc"}
    assert state["parsed_surface"] == {
        "parser_family": "toy_screen",
        "parser_preset_id": "toy",
        "business_state": "awaiting_operator",
        "input_mode": "modal",
        "ui_context": "trust_dialog",
        "dialog_text": "Sure?",
        "dialog_head": "Sure?",
        "dialog_tail": "Sure?",
        "anomaly_codes": [],
    }
    assert Watched().tracker.state.to_json()["parsed_surface"] is None
