"""What the gateway promises: nothing typed into a busy agent, one thing at a time, and nothing twice."""

import shutil
from datetime import timedelta
from typing import cast

import pytest

from reconciler.app.gateway.admission import Policy, Refusal
from reconciler.app.gateway.core import Core, Unfit
from reconciler.app.gateway.face import Asked
from reconciler.ports.gateway import Kind, ReminderRow, Row, State
from reconciler.ports.provider import Provider
from reconciler.ports.tmux import Failed
from reconciler.ports.turn import Chat
from reconciler.providers import discover
from tests.gateway.conftest import BUSY, READY, Desk


def submit(desk: Desk, prompt: str, request_id: str = "") -> Row:
    return desk.core.submit(Kind.SUBMIT_PROMPT, {"prompt": prompt}, request_id)[0]


def state(desk: Desk, row: Row) -> State:
    found = desk.core.request(row.id)
    assert found is not None
    return found.state


def taken(desk: Desk) -> None:
    """The agent takes up what was typed, answers, and waits again."""
    said = "\n".join(f"● {text}\n✓ done" for text in desk.typed if text != "Enter")
    desk.shows(f"{said}\necho> ", "echo: ready")


def test_a_prompt_is_typed_and_submitted_when_the_agent_is_ready(desk: Desk) -> None:
    row = desk.core.prompt("hello", Policy.READY_ONLY)

    assert isinstance(row, Row)
    assert row.state is State.COMPLETED
    assert desk.typed == ["hello", "Enter"]


@pytest.mark.parametrize("policy", [Policy.READY_ONLY, Policy.IF_NO_PENDING])
def test_text_that_waits_in_the_box_is_not_joined_by_a_prompt(desk: Desk, policy: Policy) -> None:
    desk.shows("echo> half a thought", "echo: ready")
    desk.settled()

    found = desk.core.prompt("hello", policy)

    assert isinstance(found, Refusal)
    assert found.code in ("pending_input", "not_ready")
    assert desk.typed == []


def test_a_busy_agent_is_given_nothing_but_what_is_forced(desk: Desk) -> None:
    desk.shows(*BUSY)
    desk.settled()

    refused = desk.core.prompt("hello", Policy.READY_ONLY)
    forced = desk.core.prompt("now", Policy.ALWAYS)

    assert isinstance(refused, Refusal)
    assert (refused.code, refused.status) == ("not_ready", 409)
    assert isinstance(forced, Row)
    assert desk.typed == ["now", "Enter"]


class Slow:
    """The provider of the desk, as one that loads a conversation behind its prompt box."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def __getattr__(self, name: str) -> object:
        return 5.0 if name == "resume_settles_s" else getattr(self._provider, name)


def test_an_empty_conversation_is_believed_when_it_has_stood_still(desk: Desk) -> None:
    desk.begin(cast("Provider", Slow(discover()["echo"])))
    desk.settled()
    early = desk.core.prompt("too early", Policy.READY_ONLY)
    desk.settled()

    assert isinstance(early, Refusal)
    assert (early.code, "may still be loading" in early.detail) == ("not_ready", True)
    assert isinstance(desk.core.prompt("hello", Policy.READY_ONLY), Row)
    assert desk.typed == ["hello", "Enter"]


def test_a_screen_that_has_just_changed_is_not_yet_ready(desk: Desk) -> None:
    desk.shows("● something\n✓ done\necho> ", "echo: ready")

    assert isinstance(desk.core.prompt("hello", Policy.READY_ONLY), Refusal)
    assert desk.typed == []


def test_an_idle_shell_where_the_agent_was_is_never_typed_into(desk: Desk) -> None:
    desk.process.exit(desk.pane.pid)
    desk.tmux.exit(desk.pane_id)
    desk.shows("$ ", "bash")

    found = desk.core.prompt("rm -rf .", Policy.ALWAYS)

    assert isinstance(found, Refusal)
    assert (found.code, found.status) == ("unavailable", 503)
    assert desk.typed == []
    with pytest.raises(Unfit):
        desk.core.keys("x", literal=False)


def test_the_queue_hands_over_one_prompt_at_a_time_in_order(desk: Desk) -> None:
    rows = [submit(desk, text) for text in ("one", "two", "three")]

    desk.step()
    assert [state(desk, row) for row in rows] == [State.COMPLETED, State.ACCEPTED, State.ACCEPTED]
    desk.shows(*BUSY)
    desk.step()
    assert desk.typed == ["one", "Enter"]
    taken(desk)
    desk.step()
    taken(desk)
    desk.step()

    assert [text for text in desk.typed if text != "Enter"] == ["one", "two", "three"]
    assert [state(desk, row) for row in rows] == [State.COMPLETED] * 3


def test_the_same_request_id_is_the_same_request(desk: Desk) -> None:
    first = submit(desk, "once", "gwreq-20260101-000000Z-00000001")
    again = submit(desk, "once", "gwreq-20260101-000000Z-00000001")
    desk.step()
    taken(desk)
    desk.step()
    submit(desk, "once", "gwreq-20260101-000000Z-00000001")
    desk.step()

    assert first.id == again.id
    assert desk.typed == ["once", "Enter"]


def test_what_was_accepted_before_a_restart_is_still_handed_over(desk: Desk) -> None:
    row = submit(desk, "later")

    desk.begin()
    desk.step()

    assert state(desk, row) is State.COMPLETED
    assert desk.typed == ["later", "Enter"]


class Killed(BaseException):
    """The gateway is gone in this very moment."""


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_intent_without_a_commit_is_unknown_and_never_typed_again(
    desk: Desk, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = submit(desk, "perhaps")
    real = desk.tmux.deliver

    def killed(request: object) -> object:
        if when == "after":
            real(request)  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(desk.tmux, "deliver", killed)
    monkeypatch.setattr(desk.core._queue, "move", _only_intents(desk.core))
    with pytest.raises(Killed):
        desk.step()
    monkeypatch.undo()
    typed = list(desk.typed)

    desk.begin()
    for _ in range(3):
        desk.step()

    assert state(desk, row) is State.UNKNOWN
    assert desk.typed == typed


def _only_intents(core: Core) -> object:
    """What a killed process would have written: nothing after the intent."""
    real = core._queue.move

    def move(request_id: str, expected: State, found: State, now: str, detail: str = "", result: object = None) -> bool:
        return real(request_id, expected, found, now, detail) if found is State.RUNNING else True

    return move


def test_a_delivery_of_which_tmux_says_nothing_is_unknown(desk: Desk) -> None:
    desk.tmux.fail_act(1, Failed("tmux did not answer", unknown=True), carried_out=True)
    row = submit(desk, "perhaps")

    desk.step()
    desk.step()

    assert state(desk, row) is State.UNKNOWN
    assert desk.typed == ["perhaps", "Enter"]


def test_another_start_of_the_agent_is_not_given_what_was_meant_for_the_old_one(desk: Desk) -> None:
    desk.shows(*BUSY)
    row = submit(desk, "for the old one")
    desk.tmux.kill_session("s")
    desk.start_agent()

    desk.step()
    desk.step()

    found = desk.core.request(row.id)
    assert found is not None
    assert (found.state, "reconciliation_required" in found.detail) == (State.BLOCKED, True)
    assert desk.typed == []
    assert desk.core.epoch == 2


def test_neighbouring_interrupts_and_chat_commands_become_one(desk: Desk) -> None:
    desk.shows(*BUSY)
    desk.settled()
    rows = [submit(desk, text) for text in ("/compact", "/new", "/clear", "real", "/clear")]
    interrupts = [desk.core.submit(Kind.INTERRUPT, {})[0] for _ in range(3)]
    desk.step()

    assert [state(desk, row) for row in rows] == [
        State.COALESCED, State.ACCEPTED, State.COALESCED, State.ACCEPTED, State.ACCEPTED,
    ]  # fmt: skip
    assert [state(desk, row) for row in interrupts] == [State.COMPLETED, State.COALESCED, State.COALESCED]
    assert desk.typed == ["Escape"], "it does not wait behind prompts that wait for the turn it shall end"


def test_an_interrupt_is_one_escape_and_waits_for_no_prompt(desk: Desk) -> None:
    desk.shows(*BUSY)
    row = desk.core.submit(Kind.INTERRUPT, {})[0]

    desk.step()

    assert state(desk, row) is State.COMPLETED
    assert desk.typed == ["Escape"]


def test_an_interrupt_that_was_asked_for_after_a_prompt_comes_after_it(desk: Desk) -> None:
    prompt = submit(desk, "first")
    row = desk.core.submit(Kind.INTERRUPT, {})[0]

    desk.step()
    assert (state(desk, prompt), state(desk, row)) == (State.COMPLETED, State.ACCEPTED)
    desk.shows(*BUSY)
    desk.step()

    assert desk.typed == ["first", "Enter", "Escape"]


NEW_CHAT = Asked("hello", Chat("new"))


def test_a_new_conversation_is_begun_before_the_prompt_is_typed(desk: Desk) -> None:
    desk.tmux.draw = lambda: desk.shows(f"line {len(desk.pane.pasted)}\necho> ", "echo: ready")

    row = desk.core.prompt(NEW_CHAT, Policy.READY_ONLY)

    assert isinstance(row, Row)
    assert row.state is State.COMPLETED
    assert desk.typed == ["/new", "Enter", "hello", "Enter"]
    queued = desk.core.submit(Kind.SUBMIT_PROMPT, Asked("again", Chat("new")).to_json())[0]
    desk.step()
    assert state(desk, queued) is State.COMPLETED
    assert desk.pane.pasted[2:] == ["/new", "again"]


def test_behind_a_reset_that_leads_to_no_prompt_nothing_is_typed(desk: Desk) -> None:
    desk.tmux.draw = lambda: desk.shows(*BUSY)

    row = desk.core.prompt(NEW_CHAT, Policy.READY_ONLY)

    assert isinstance(row, Row)
    assert (row.state, "/new was typed, the prompt was not" in row.detail) == (State.FAILED, True)
    assert desk.typed == ["/new", "Enter"]


def test_a_busy_agent_is_not_asked_for_a_new_conversation(desk: Desk) -> None:
    desk.shows(*BUSY)
    desk.settled()

    assert isinstance(desk.core.prompt(NEW_CHAT, Policy.READY_ONLY), Refusal)
    assert desk.typed == []


def test_a_terminal_has_no_other_choice_of_conversation(desk: Desk) -> None:
    found = [desk.core.unfit(Asked("x", Chat(mode))) for mode in ("current", "tool_last_or_new", "exact")]

    assert [refusal.code for refusal in found if refusal] == ["invalid_chat_session"] * 3
    assert desk.core.unfit(NEW_CHAT) is None
    with pytest.raises(Unfit):
        desk.core.next_prompt_session("new")


def reminder(desk: Desk, **fields: object) -> ReminderRow:
    now = desk.clock.now_utc()
    row = ReminderRow(
        desk.core.reminder_id(), "one_off", "look", "look at the tests", "", True, 0, False, 0.0, now,
        now + timedelta(seconds=30),
    )._replace(**fields)  # fmt: skip
    return desk.core.put_reminder(row)


def test_a_reminder_fires_once_when_it_is_due_also_after_a_restart(desk: Desk) -> None:
    reminder(desk)
    desk.step()
    assert desk.typed == []

    desk.begin()
    desk.clock.advance(60)
    desk.step()
    taken(desk)
    desk.step()

    assert desk.typed == ["look at the tests", "Enter"]
    assert desk.core.reminders() == ()


def test_a_repeat_keeps_its_cadence_and_makes_nothing_up(desk: Desk) -> None:
    first = reminder(desk, mode="repeat", interval_s=100.0)

    desk.clock.advance(350)
    desk.step()
    (left,) = desk.core.reminders()

    assert desk.typed == ["look at the tests", "Enter"]
    assert (left.due_at - first.due_at).total_seconds() % 100 == 0
    assert left.due_at > desk.clock.now_utc()


def test_a_paused_effective_reminder_blocks_the_others(desk: Desk) -> None:
    reminder(desk, ranking=-1, paused=True)
    other = reminder(desk, ranking=5)
    desk.clock.advance(100)
    desk.step()

    rows = desk.core.reminders()
    told = {row.id: desk.core.reminder_json(row, rows) for row in rows}

    assert desk.typed == []
    assert told[other.id]["selection_state"] == "blocked"
    assert told[other.id]["delivery_state"] == "overdue"


def test_keys_of_a_reminder_end_with_enter_unless_told_otherwise(desk: Desk) -> None:
    reminder(desk, prompt="", sequence="/model<[Down]>")
    desk.clock.advance(100)
    desk.step()

    assert desk.typed == ["/model", "Down", "Enter"]


def test_looks_become_rare_while_nothing_happens(desk: Desk) -> None:
    pauses = []
    for _ in range(10):
        pauses.append(desk.core.step())
        desk.clock.advance(pauses[-1])

    assert pauses[-1] == 8.0
    assert sorted(pauses) == pauses
    desk.shows(*BUSY)
    assert desk.core.step() == 0.5


def test_a_prompt_typed_by_hand_can_be_noted(desk: Desk) -> None:
    desk.core.note_prompt()

    assert READY[0] in desk.pane.text
    assert desk.core.terminal()["turn"]["phase"] == "active"  # type: ignore[index,call-overload]
    assert desk.typed == []


def test_where_no_turn_runs_there_is_nothing_to_interrupt(desk: Desk) -> None:
    row = desk.core.submit(Kind.INTERRUPT, {})[0]

    desk.step()

    assert state(desk, row) is State.COMPLETED
    assert desk.typed == []


def test_a_gateway_whose_session_root_is_gone_ends(desk: Desk) -> None:
    ended: list[bool] = []
    desk.core.fallen = lambda: ended.append(True)
    shutil.rmtree(desk.root)

    desk.core.step()

    assert ended == [True]
