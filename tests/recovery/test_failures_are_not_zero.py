"""A verb that fails says so, and never ends with 0."""

from collections.abc import Callable

import pytest

from reconciler.app import lifecycle
from reconciler.app.agents import Agent, AgentBroken, Selector, resolve
from reconciler.app.lifecycle import Changed, Telling
from reconciler.app.request import RunFlags
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.plugin import fake_world
from tests.recovery.ways import FLEET, INSTANCE

__all__ = ["fake_world"]
Verb = Callable[[Agent, Telling], Changed]
TELLING = Telling(RunFlags(yes=True, tries=1), lambda plan: True, lambda plan: None, lambda kind, fields: None, [])


@pytest.mark.parametrize("verb", [lifecycle.stop, lifecycle.relaunch])
def test_a_process_that_cannot_be_ended(fake_world: FakeWorld, verb: Verb) -> None:
    fake_world.unkillable = {"alice"}
    fake_world.given(FLEET + INSTANCE.format(name="alice", more=""))
    fake_world.when_applied()

    done = verb(resolve(fake_world.flags, Selector(agent_name="alice")), TELLING)

    assert (done.success, done.exit_code) == (False, 1)
    assert "does not end, not even by SIGKILL" in done.detail


@pytest.mark.parametrize("verb", [lifecycle.stop, lifecycle.relaunch])
def test_what_cannot_be_seen_is_not_touched(fake_world: FakeWorld, verb: Verb) -> None:
    fake_world.given(FLEET + INSTANCE.format(name="alice", more=""))
    fake_world.when_applied()
    fake_world.tmux.unanswered = "tmux did not answer within 5 s"

    with pytest.raises(AgentBroken) as refused:
        verb(resolve(fake_world.flags, Selector(agent_name="alice")), TELLING)

    assert refused.value.code == "agent.unknown"
    fake_world.tmux.unanswered = ""
    assert fake_world.running == {"alice"}
