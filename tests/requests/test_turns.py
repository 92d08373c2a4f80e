"""Headless turns: one process each, told by their files, in one conversation."""

import json
import os
import signal
from pathlib import Path

import pytest

from reconciler.app import messages, turns
from reconciler.app.agents import Agent
from reconciler.app.turns import NoSuchTurn, NoTurns, TurnRuns
from reconciler.ports.build import ModelConfig
from reconciler.ports.requests import Outcome
from reconciler.testing.real_world import RealWorld, until
from tests.requests.conftest import FLEET, Scripted, named

HEADLESS = FLEET.replace("name: alice", "name: bob").replace("Ref: coder", "Ref: coder, headless: true")

pytestmark = pytest.mark.tmux


@pytest.fixture
def bob(real_world: RealWorld) -> RealWorld:
    """A headless agent between turns."""
    real_world.given(HEADLESS)
    real_world.until_ready()
    return real_world


def said(agent: Agent, turn_id: str) -> str:
    found = turns.events(agent, turn_id)
    return "".join(str(event["message"]) for event in found if event["kind"] == "assistant")


def test_a_turn_leaves_its_artifacts_and_its_events(bob: RealWorld) -> None:
    agent = named(bob, "bob")
    heard: list[str] = []

    turn = turns.submit(agent, "two\nlines 'quoted' $HOME\n", heard=lambda event: heard.append(str(event["kind"])))

    assert (turn.row.id, turn.status, turn.code) == ("turn-0001", "completed", 0)
    directory = Path(turn.directory)
    assert directory == Path(agent.session_root) / "manifest.turn-artifacts" / "turn-0001"
    assert {path.name for path in directory.iterdir()} == {
        "stdout.jsonl", "stderr.log", "exitcode", "process.json", "canonical-events.jsonl",
    }  # fmt: skip
    assert set(json.loads((directory / "process.json").read_text())) == {"runner_pid", "child_pid", "launched_at_utc"}
    assert heard == ["session", "assistant", "completion"]
    assert said(agent, "turn-0001") == "two\nlines 'quoted' $HOME"
    kept = [json.loads(line) for line in (directory / "canonical-events.jsonl").read_text().splitlines()]
    assert [event["kind"] for event in kept] == heard
    assert set(kept[0]) == {
        "kind", "message", "provider", "provider_event_type", "session_id", "timestamp_utc", "turn_index", "data",
        "raw_payload",
    }  # fmt: skip


def test_the_next_turn_goes_on_with_the_same_conversation(bob: RealWorld) -> None:
    agent = named(bob, "bob")
    for text in ("one", "two"):
        turns.submit(agent, text)
    sessions = {str(turns.events(agent, id_)[0]["session_id"]) for id_ in ("turn-0001", "turn-0002")}
    assert len(sessions) == 1

    turns.submit(agent, "history")
    assert said(agent, "turn-0003") == "2 turns"


def test_a_turn_may_use_another_model(bob: RealWorld) -> None:
    agent = named(bob, "bob")

    for text in ("one", "two"):
        turns.submit(agent, text, model=ModelConfig(name="other"))

    models = [turns.events(agent, id_)[0]["data"]["model"] for id_ in ("turn-0001", "turn-0002")]  # type: ignore[index,call-overload]
    assert models == ["other", "other"]
    turns.submit(agent, "three")
    assert turns.events(agent, "turn-0003")[0]["data"]["model"] != "other"  # type: ignore[index,call-overload]


def test_a_failed_turn_is_one(bob: RealWorld) -> None:
    agent = named(bob, "bob")

    turn = turns.submit(agent, "fail it broke")

    assert (turn.status, turn.code) == ("failed", 1)
    assert not turn.submitted_json()["success"]
    assert [(e["kind"], e["message"]) for e in turns.events(agent, turn.row.id)][-1] == ("error", "it broke")
    assert turns.managed_turn(agent)[1]["result"] == "known_failure"


def test_a_turn_is_interrupted_by_a_signal(bob: RealWorld) -> None:
    agent = named(bob, "bob")
    turn = turns.submit(agent, "stall", wait=False)
    assert turn.status == "active"
    until(lambda: turns.output(agent, turn.row.id, "stdout.jsonl"), "it does not begin")
    assert turns.managed_turn(agent)[0] == {"phase": "active", "active_turn_id": "turn-0001"}

    with pytest.raises(TurnRuns, match="turn-0001"):
        turns.submit(agent, "second")
    sent = messages.interrupt(agent)

    assert (sent.outcome, sent.turn_id) == (Outcome.DELIVERED, "turn-0001")
    assert turns.status(agent, "turn-0001").status == "interrupted"
    assert messages.interrupt(agent).detail == "no turn runs: there is nothing to interrupt"
    assert turns.submit(agent, "next").status == "completed"


def test_a_turn_outlives_whoever_submitted_it(bob: RealWorld) -> None:
    agent = named(bob, "bob")
    turns.submit(agent, "slow 0.5", wait=False)

    until(lambda: turns.status(agent, "turn-0001").status != "active", "it does not end")

    assert turns.status(agent, "turn-0001").status == "completed"
    assert said(agent, "turn-0001") == "waited 0.5 s"


def test_a_killed_turn_is_not_taken_for_a_finished_one(bob: RealWorld) -> None:
    agent = named(bob, "bob")
    turn = turns.submit(agent, "stall", wait=False)

    os.killpg(turn.row.pid, signal.SIGKILL)
    until(lambda: turns.status(agent, turn.row.id).status != "active", "it does not end")

    found = turns.status(agent, turn.row.id)
    assert (found.status, found.code, found.error) == ("failed", None, "its process is gone and left no exit code")


def test_stopping_the_agent_ends_its_turn(bob: RealWorld) -> None:
    agent = named(bob, "bob")
    turn = turns.submit(agent, "stall", wait=False)

    bob.given(HEADLESS.replace("headless: true", "headless: true, state: Stopped"))
    assert bob.when_applied().settled

    bearing = bob.look().process.bearing([agent.row.uid])
    assert bearing == {agent.row.uid: ()}
    assert turns.status(agent, turn.row.id).status == "failed"


def test_a_prompt_to_a_headless_agent_is_a_turn(bob: RealWorld) -> None:
    sent = messages.prompt(named(bob, "bob"), "hello")

    assert (sent.outcome, sent.turn_id, sent.turn_index) == (Outcome.DELIVERED, "turn-0001", 1)
    with pytest.raises(messages.NotAdmitted, match="headless"):
        messages.send_keys(named(bob, "bob"), "x")


def test_an_unknown_turn_is_said(bob: RealWorld) -> None:
    with pytest.raises(NoSuchTurn, match="has no turn"):
        turns.status(named(bob, "bob"), "../../x")


def test_an_agent_with_a_terminal_takes_no_turns_and_is_not_typed_at(scripted: Scripted) -> None:
    with pytest.raises(NoTurns, match="nothing was sent"):
        turns.submit(scripted.agent, "hello")
    assert scripted.pane.pasted == []
