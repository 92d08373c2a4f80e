"""The provider's process dies, its tmux session stays."""

from reconciler.testing.world import World
from tests.stories.fleets import ALICE_BOB_CAROL, PROMPT, TEXT


def test_a_killed_provider_process_is_relaunched_on_its_identity(world: World) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(ALICE_BOB_CAROL)
    world.when_applied()
    before, others = world.uids, {name: world.session_of(name).pid for name in ("alice", "carol")}

    world.kill_process_of("bob")
    report = world.when_applied()

    assert report.told == ["relaunch Instance/bob ProviderExited"]
    assert report.actions["Instance/bob"].disruption.value == "restart"
    assert report.settled
    assert world.running == {"alice", "bob", "carol"}
    assert world.uids == before
    assert {name: world.session_of(name).pid for name in others} == others
    assert len([name for name in world.sessions.values() if name == "bob"]) == 1
    assert world.when_planned().in_sync
