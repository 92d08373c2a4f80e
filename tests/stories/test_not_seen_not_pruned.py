"""What an agent that cannot be seen is made of stays, whatever the operator allows (R-PRU-9, R-PRU-11)."""

from reconciler.testing.fake_world import FakeWorld
from tests.stories.fleets import ALICE_BOB_CAROL, CODER, PROMPT, TEXT


def test_no_limit_lifts_not_knowing(fake_world: FakeWorld) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE_BOB_CAROL)
    fake_world.when_applied()
    fake_world.given(CODER)
    fake_world.tmux.unanswered = "no answer within 5 s"

    plan = fake_world.when_planned(prune=True, prune_limit=10, allow_kind_removal=("Instance",))

    assert plan.lines == []
    assert {"Unknown Instance/carol", "Unknown Specialist/tester"} <= set(plan.notices)
