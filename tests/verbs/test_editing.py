"""`edit`: what an editor made of the text, planned and run; the file is replaced with it."""

import pytest

from reconciler.app import edit, verbs
from reconciler.declare.dump import document
from reconciler.model.errors import ConflictError, DeclarationError, UsageFault
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld
from tests.stories.fleets import ALICE, PROMPT, TEXT

ALICE_REF = Ref("Instance", "alice")


def fleet(world: FakeWorld) -> bytes:
    world.given_file(PROMPT, TEXT)
    world.given(ALICE)
    world.when_applied()
    return (world.source / "fleet.yaml").read_bytes()


def test_a_declared_one_is_edited_in_its_file(fake_world: FakeWorld) -> None:
    before = fleet(fake_world)
    text = edit.text_of(fake_world.flags, ALICE_REF)
    assert text.data == before
    assert before.decode().splitlines()[text.line - 1].startswith("metadata: {name: alice")
    after = before.replace(b"{specialistRef: coder}", b"{specialistRef: coder, model: opus}  # louder")
    asked = edit.asked(text, after)
    assert asked is not None
    report = fake_world.when_asked(asked)
    assert report.told == ["relaunch Instance/alice LaunchDigestChanged"]
    assert report.settled
    assert (fake_world.source / "fleet.yaml").read_bytes() == after
    assert fake_world.when_planned().in_sync


def test_an_edit_of_comments_alone_replaces_the_file_and_does_nothing_else(fake_world: FakeWorld) -> None:
    before = fleet(fake_world)
    asked = edit.asked(edit.text_of(fake_world.flags, ALICE_REF), before + b"# the end\n")
    assert asked is not None
    assert fake_world.when_asked(asked).told == []
    assert (fake_world.source / "fleet.yaml").read_bytes().endswith(b"# the end\n")


def test_no_edit_asks_for_nothing(fake_world: FakeWorld) -> None:
    before = fleet(fake_world)
    assert edit.asked(edit.text_of(fake_world.flags, ALICE_REF), before) is None


def test_what_was_made_by_hand_is_edited_as_exported(fake_world: FakeWorld) -> None:
    fake_world.initialised()
    coder = document("Specialist", "coder", {"provider": "echo", "prompt": "You write.\n"})
    fake_world.when_asked(verbs.create([coder]))
    text = edit.text_of(fake_world.flags, Ref("Specialist", "coder"))
    assert text.file == ""
    asked = edit.asked(text, text.data.replace(b"You write.", b"You test."))
    assert asked is not None
    assert fake_world.when_asked(asked).told == ["update Specialist/coder SpecChanged"]


def test_a_text_that_is_broken_or_has_other_documents_changes_nothing(fake_world: FakeWorld) -> None:
    before = fleet(fake_world)
    text = edit.text_of(fake_world.flags, ALICE_REF)
    with pytest.raises(DeclarationError):
        edit.asked(text, before + b"\tx: [")
    with pytest.raises(UsageFault, match="is gone from the text"):
        edit.asked(text, before.replace(b"name: alice", b"name: bea"))
    assert (fake_world.source / "fleet.yaml").read_bytes() == before


def test_a_file_that_somebody_wrote_meanwhile_is_not_replaced(fake_world: FakeWorld) -> None:
    before = fleet(fake_world)
    text = edit.text_of(fake_world.flags, ALICE_REF)
    (fake_world.source / "fleet.yaml").write_bytes(before + b"# somebody else\n")
    asked = edit.asked(text, before.replace(b"{specialistRef: coder}", b"{specialistRef: coder, model: opus}"))
    assert asked is not None
    with pytest.raises(ConflictError):
        fake_world.when_asked(asked)
    assert (fake_world.source / "fleet.yaml").read_bytes() == before + b"# somebody else\n"
