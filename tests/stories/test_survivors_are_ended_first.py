"""A program that ignores HUP and TERM: its session is gone, it is not."""

import pytest

from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.real_world import RealWorld
from tests.stories.fleets import ALICE, PROMPT, TEXT, instance

DEAF = """
kind: Setup
metadata: {name: deaf}
spec: {provider: echo, path: setups/deaf}
---
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, promptFile: prompts/coder.md, setupRef: deaf}
"""


def test_a_survivor_is_ended_before_its_agent_starts_again(fake_world: FakeWorld) -> None:
    fake_world.stubborn = {"alice"}
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    old = fake_world.session_of("alice").pid
    fake_world.kill_session_of("alice")
    assert fake_world.process.alive(old)

    report = fake_world.when_applied()

    assert report.told == ["create Instance/alice Survivor"]
    assert report.actions["Instance/alice"].disruption.value == "restart"
    assert report.settled
    assert not fake_world.process.alive(old)
    assert fake_world.process.signals[-2:] == [(old, "TERM"), (old, "KILL")]
    assert len(fake_world.processes_of("alice")) == 1
    assert fake_world.when_planned().in_sync


def test_a_relaunch_of_a_deaf_program_ends_it_for_sure(fake_world: FakeWorld) -> None:
    fake_world.stubborn = {"alice"}
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    old = fake_world.session_of("alice").pid

    fake_world.given_file(PROMPT, "Something else.\n")
    assert fake_world.when_applied().settled

    assert not fake_world.process.alive(old)
    assert len(fake_world.processes_of("alice")) == 1


def test_nothing_is_started_beside_a_process_that_cannot_be_ended(fake_world: FakeWorld) -> None:
    fake_world.unkillable = {"alice"}
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE + instance("bob"))
    fake_world.when_applied()
    fake_world.given_file(PROMPT, "Something else.\n")

    report = fake_world.when_applied()

    fault = report.outcomes["Instance/alice"].fault
    assert fault is not None
    assert "does not end, not even by SIGKILL" in fault.message
    assert report.exit_code == 1
    assert len(fake_world.processes_of("alice")) == 1
    assert "alice" not in fake_world.sessions.values()
    assert fake_world.running == {"bob"}

    again = fake_world.when_applied()
    assert any(line.startswith("create Instance/alice") for line in again.told)
    assert len(fake_world.processes_of("alice")) == 1


@pytest.mark.tmux
def test_a_real_program_that_ignores_hup_and_term_is_ended_before_the_next_start(real_world: RealWorld) -> None:
    real_world.given_file("setups/deaf/behaviour.json", '{"ignore_signals": ["HUP", "TERM"]}\n')
    real_world.given_file(PROMPT, TEXT)
    real_world.given(DEAF + instance("alice"))
    real_world.when_applied(wait=True)
    old = real_world.session_of("alice").pid
    real_world.kill_session_of("alice")
    assert [process.pid for process in real_world.processes_of("alice")] == [old]

    report = real_world.when_applied()

    assert report.told == ["create Instance/alice Survivor"]
    assert report.settled
    (process,) = real_world.processes_of("alice")
    assert process.pid != old
    assert real_world.when_planned().in_sync
