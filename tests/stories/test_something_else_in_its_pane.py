"""Another program in the agent's pane is not the agent, however alive it is."""

import pytest

from reconciler.app import status
from reconciler.app.session import open_session
from reconciler.model.health import Health
from reconciler.model.ref import Ref
from reconciler.testing.real_world import RealWorld, until
from tests.stories.fleets import ALICE, PROMPT, TEXT

pytestmark = pytest.mark.tmux


def health(world: RealWorld) -> tuple[Health | None, str]:
    (found,) = status.look(open_session(world.flags), refs=[Ref("Instance", "alice")], probe=False)
    return found.health, found.health_reason


def applied(world: RealWorld) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(ALICE)
    world.when_applied()
    assert health(world) == (Health.HEALTHY, "Running")


def test_an_idle_shell_in_its_pane_is_an_exited_provider(real_world: RealWorld) -> None:
    applied(real_world)
    pane = real_world.session_of("alice")

    real_world.tmux("respawn-pane", "-k", "-t", pane.pane_id, "exec sh")
    until(lambda: real_world.session_of("alice").pid != pane.pid, "the shell does not start")

    assert health(real_world) == (Health.DEGRADED, "ProviderExited")
    report = real_world.when_applied()
    assert report.told == ["relaunch Instance/alice ProviderExited"]
    assert health(real_world) == (Health.HEALTHY, "Running")


def test_another_pane_that_says_it_is_the_agents_is_not(real_world: RealWorld) -> None:
    applied(real_world)
    pane = real_world.session_of("alice")

    other = real_world.tmux("split-window", "-d", "-P", "-F", "#{pane_id}", "-t", pane.pane_id, "exec sh").strip()
    real_world.tmux("set-option", "-p", "-t", other, "@houmao_pane", "agent")
    real_world.tmux("kill-pane", "-t", pane.pane_id)

    assert health(real_world) == (Health.DEGRADED, "StaleHandles")
    assert real_world.when_applied().told == ["relaunch Instance/alice ProviderExited"]
    assert health(real_world) == (Health.HEALTHY, "Running")
