"""A real agent in the middle of a turn, and an apply that heeds it."""

import pytest

from reconciler.app import messages
from reconciler.ports.requests import Outcome
from reconciler.testing.real_world import RealWorld
from tests.fleets import FLEET
from tests.requests.conftest import named


def fleet(disruption: str) -> str:
    alice = FLEET.rpartition("\n---\n")[0]
    return alice.replace("{specialistRef: coder}", f"{{specialistRef: coder, disruption: {{{disruption}}}}}")


@pytest.mark.tmux
def test_it_is_left_to_finish_its_turn_until_its_longest_wait_is_over(real_world: RealWorld) -> None:
    real_world.given_file("prompts/coder.md", "You write code.\n")
    real_world.given(fleet("when: Idle"))
    real_world.until_ready()
    assert messages.prompt(named(real_world), "stall").outcome is Outcome.DELIVERED
    pid = real_world.session_of("alice").pid

    real_world.given_file("prompts/coder.md", "You write better code.\n")
    left = real_world.when_applied(timeout_s=2.0)
    assert left.exit_code == 3
    assert left.outcomes["Instance/alice"].reason in ("Deferred", "TimedOut")
    assert real_world.session_of("alice").pid == pid

    real_world.given(fleet("maxWait: 1s, onTimeout: Force"))
    assert real_world.when_applied().settled
    assert real_world.session_of("alice").pid != pid
