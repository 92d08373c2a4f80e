"""tmux hangs, the process table cannot be read: nothing is started, nothing is killed (tenet 3)."""

import pytest

from reconciler.testing.fake_world import FakeWorld
from tests.stories.fleets import ALICE_BOB_CAROL, CODER, PROMPT, TEXT


@pytest.fixture
def world(fake_world: FakeWorld) -> FakeWorld:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE_BOB_CAROL)
    fake_world.when_applied()
    return fake_world


def test_a_silent_tmux_gives_notices_and_no_action(world: FakeWorld) -> None:
    before = dict(world.tmux.sessions)
    world.tmux.unanswered = "no answer within 5 s"

    plan = world.when_planned()

    assert plan.in_sync
    assert plan.notices == [f"Unknown Instance/{name}" for name in ("alice", "bob", "carol")]
    assert world.when_applied().lines == []
    assert world.tmux.sessions == before
    world.tmux.unanswered = ""
    assert world.when_planned().in_sync


def test_a_silent_tmux_keeps_even_a_wanted_change_and_a_prune_waiting(world: FakeWorld) -> None:
    world.given_file(PROMPT, "Something else.\n")
    world.tmux.unanswered = "no answer within 5 s"

    report = world.when_applied()

    assert report.told == ["update Specialist/coder SpecChanged"]
    world.tmux.unanswered = ""
    assert world.running == {"alice", "bob", "carol"}
    assert [line.split()[0] for line in world.when_applied().told] == ["relaunch", "relaunch"]
    assert world.when_planned().in_sync


def test_an_unreadable_process_table_starts_nothing_where_a_session_is_missing(world: FakeWorld) -> None:
    world.kill_session_of("alice")
    world.process.silent = "the process table cannot be opened"

    plan = world.when_planned()

    assert plan.in_sync
    assert "Unknown Instance/alice" in plan.notices
    world.process.silent = ""
    assert world.when_applied().told == ["create Instance/alice SessionMissing"]


def test_an_old_picture_of_tmux_kills_nothing_that_is_not_what_it_was(world: FakeWorld) -> None:
    world.given_file(PROMPT, "Something else.\n")
    world.tmux.freeze()
    world.tmux.kill_session(world.session_of("alice").session_name)

    report = world.when_applied()
    world.tmux.thaw()

    assert report.exit_code in (1, 4)
    assert len(world.processes_of("alice")) <= 1
    world.when_applied()
    assert world.running == {"alice", "bob", "carol"}
    assert world.when_planned().in_sync


def test_an_unknown_user_of_a_definition_keeps_it_from_being_pruned(world: FakeWorld) -> None:
    world.given(CODER)
    world.tmux.unanswered = "no answer within 5 s"

    plan = world.when_planned(prune=True, allow_kind_removal=("Instance",))

    assert plan.in_sync
    assert {"Unknown Instance/carol", "Unknown Specialist/tester"} <= set(plan.notices)
