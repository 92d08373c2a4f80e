"""What could be read of a source that is broken is no declaration: nothing is pruned, nothing is changed."""

import pytest

from reconciler.model.errors import DeclarationError
from reconciler.testing.fake_world import FakeWorld
from tests.stories.fleets import ALICE_BOB_CAROL, CODER_AND_TESTER, PROMPT, TEXT, instance


@pytest.mark.parametrize(
    "broken",
    ["kind: Instance\nmetadata: {name: bob\n", "kind: Instance\nmetadata: {name: bob}\nspec: {specialistRef: nobody}"],
    ids=["syntax", "reference"],
)
def test_half_a_source_removes_nobody(fake_world: FakeWorld, broken: str) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE_BOB_CAROL)
    fake_world.when_applied()
    fake_world.given(CODER_AND_TESTER + instance("alice") + instance("carol", "specialistRef: tester"))
    fake_world.given(broken, "bob.yaml")
    before, revision = fake_world.bytes(), fake_world.look().catalog.revision()

    refused = ""
    try:
        fake_world.when_applied(prune=True)
    except DeclarationError as fault:
        refused = fault.problems[0].position.file if fault.problems[0].position else "somewhere"

    assert fake_world.running == {"alice", "bob", "carol"}
    assert refused.endswith("bob.yaml")
    assert (fake_world.bytes(), fake_world.look().catalog.revision()) == (before, revision)
