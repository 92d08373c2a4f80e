"""Interrupts and raw keys: where they mean something, and nowhere else."""

import pytest

from reconciler.app import messages
from reconciler.app.messages import NotAdmitted
from reconciler.model.errors import UsageFault
from reconciler.model.keys import Key, sequence
from reconciler.ports.requests import Outcome
from reconciler.testing.real_world import RealWorld, until
from tests.requests.conftest import Scripted, named, prompts


def screen(world: RealWorld) -> str:
    return world.tmux("capture-pane", "-p", "-t", world.session_of("alice").pane_id)


@pytest.mark.tmux
def test_an_interrupt_ends_the_running_turn(alice: RealWorld) -> None:
    messages.prompt(named(alice), "stall")

    sent = messages.interrupt(named(alice))

    assert (sent.outcome, sent.detail) == (Outcome.DELIVERED, "Escape was sent")
    until(lambda: "interrupted" in screen(alice), "it goes on")
    assert messages.prompt(named(alice), "next", within_s=30.0).success
    until(lambda: prompts(alice) == ["stall", "next"], "the next one did not arrive")


def test_where_no_turn_runs_there_is_nothing_to_interrupt(scripted: Scripted) -> None:
    sent = messages.interrupt(scripted.agent)

    assert sent.success
    assert sent.to_json()["disposition"] == "no_op"
    assert scripted.pane.keys == []


def test_a_question_is_not_answered_by_an_interrupt(scripted: Scripted) -> None:
    scripted.shows("Do you trust this folder? (y/N) ", "echo: asking")

    with pytest.raises(NotAdmitted, match="screen is asking"):
        messages.interrupt(scripted.agent)
    assert scripted.pane.keys == []

    assert messages.interrupt(scripted.agent, force=True).detail.endswith("forced, although its screen is asking")
    assert scripted.pane.keys == [("Escape", False)]


@pytest.mark.tmux
def test_keys_are_typed_in_order(alice: RealWorld) -> None:
    sent = messages.send_keys(named(alice), "helloo<[BSpace]><[Left]>p<[Enter]>")

    assert sent.success
    until(lambda: prompts(alice) == ["hellpo"], f"{prompts(alice)}")


def test_keys_answer_a_question_and_disturb_no_turn(scripted: Scripted) -> None:
    scripted.shows("Do you trust this folder? (y/N) ", "echo: asking")
    assert messages.send_keys(scripted.agent, "y").success
    assert scripted.pane.keys == [("y", True)]

    scripted.shows("… working (esc to interrupt)", "echo: busy")
    with pytest.raises(NotAdmitted, match="screen is busy"):
        messages.send_keys(scripted.agent, "y")


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("/model<[Enter]><[Down]><[Enter]>", (("/model", True), ("Enter", False), ("Down", False), ("Enter", False))),
        ("plain", (("plain", True),)),
        ("<[C-c]>", (("C-c", False),)),
        ("a<b>[c]<[ Enter]><[]>", (("a<b>[c]<[ Enter]><[]>", True),)),
        ("<<[Tab]>>", (("<", True), ("Tab", False), (">", True))),
    ],
)
def test_the_grammar_of_keys(text: str, keys: tuple[tuple[str, bool], ...]) -> None:
    assert sequence(text) == tuple(Key(*key) for key in keys)


def test_taken_literally_nothing_is_a_key() -> None:
    assert sequence("a<[Enter]>", literal=True) == (Key("a<[Enter]>", True),)


@pytest.mark.parametrize(
    ("text", "why"), [("", "empty"), ("a<[Entr]>b", "'Entr'"), ("<[enter]>", "'enter'"), ("\x1b", "control")]
)
def test_what_is_no_sequence(text: str, why: str) -> None:
    with pytest.raises(UsageFault, match=why):
        sequence(text)


def test_a_sequence_that_is_wrong_at_its_end_sends_nothing(scripted: Scripted) -> None:
    with pytest.raises(UsageFault):
        messages.send_keys(scripted.agent, "abc<[Enter]><[Nope]>")
    assert scripted.pane.keys == []
