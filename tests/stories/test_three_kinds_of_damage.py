"""A killed session, a killed process and an edited record: each is named and repaired, nothing else is touched."""

from reconciler.testing.world import World
from tests.stories.fleets import ALICE_BOB_CAROL, PROMPT, TEXT, instance


def test_one_apply_repairs_exactly_what_was_damaged(world: World) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(ALICE_BOB_CAROL + instance("dora"))
    world.when_applied()
    uids, dora = world.uids, world.session_of("dora")
    carol, record_of_dora = world.session_of("carol").pid, world.record_of("dora").read_bytes()

    world.kill_session_of("alice")
    world.kill_process_of("bob")
    world.edit_record_of("carol")
    report = world.when_applied()

    assert report.told == [
        "create Instance/alice SessionMissing",
        "relaunch Instance/bob ProviderExited",
        "update Instance/carol RecordEdited",
    ]
    assert report.settled
    assert world.uids == uids
    assert world.session_of("dora") == dora
    assert world.session_of("carol").pid == carol
    assert world.record_of("dora").read_bytes() == record_of_dora
    assert world.running == {"alice", "bob", "carol", "dora"}
    assert world.when_planned().in_sync
