"""The host starts again: no process, no tmux server, another boot id."""

from reconciler.testing.fake_world import FakeWorld
from tests.stories.fleets import ALICE_BOB_CAROL, PROMPT, TEXT


def test_one_plan_of_creates_brings_all_back_on_their_identities(fake_world: FakeWorld) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE_BOB_CAROL)
    fake_world.when_applied()
    uids, homes = fake_world.uids, {name: fake_world.home_of(name) for name in ("alice", "bob", "carol")}

    fake_world.reboot()
    report = fake_world.when_applied()

    assert report.told == [f"create Instance/{name} Rebooted" for name in ("alice", "bob", "carol")]
    assert report.settled
    assert fake_world.running == {"alice", "bob", "carol"}
    assert fake_world.uids == uids
    assert {name: fake_world.home_of(name) for name in homes} == homes
    assert fake_world.when_planned().in_sync


def test_a_process_that_got_an_old_pid_after_the_reboot_is_nobodys(fake_world: FakeWorld) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE_BOB_CAROL)
    fake_world.when_applied()
    old = fake_world.session_of("alice").pid
    ticks = fake_world.process.started(old).start_ticks
    fake_world.reboot()
    while True:
        fake_world.process.spawn(("stranger",), {}, pid=old)
        if fake_world.process.started(old).start_ticks >= ticks:
            break

    assert fake_world.when_applied().settled
    assert fake_world.process.alive(old)
    assert (old, "TERM") not in fake_world.process.signals
