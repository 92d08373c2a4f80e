"""Somebody kills the tmux session of one agent."""

from reconciler.testing.world import World
from tests.stories.fleets import ALICE_BOB_CAROL, PROMPT, TEXT


def test_a_killed_session_comes_back_on_the_next_apply(world: World) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(ALICE_BOB_CAROL)
    world.when_applied()
    before, home = world.uids, world.home_of("alice")
    others = {name: world.session_of(name).pid for name in ("bob", "carol")}

    world.kill_session_of("alice")
    assert world.when_planned().told == ["create Instance/alice SessionMissing"]
    report = world.when_applied()

    assert report.told == ["create Instance/alice SessionMissing"]
    assert report.lines[0].startswith("create   Instance/alice  (recorded as running, but ")
    assert report.settled
    assert world.running == {"alice", "bob", "carol"}
    assert world.uids == before
    assert world.home_of("alice") == home
    assert {name: world.session_of(name).pid for name in others} == others
    assert world.when_planned().in_sync


def test_all_come_back_when_the_whole_server_was_killed(world: World) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(ALICE_BOB_CAROL)
    world.when_applied()
    before = world.uids

    world.kill_server()
    report = world.when_applied()

    assert report.told == [f"create Instance/{name} SessionMissing" for name in ("alice", "bob", "carol")]
    assert world.running == {"alice", "bob", "carol"}
    assert world.uids == before
    assert world.when_planned().in_sync
