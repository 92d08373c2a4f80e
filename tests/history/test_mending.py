"""`houmao doctor --fix`: what findings name is planned and run; what cannot be put right stays a finding."""

import json

import pytest

from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Crashed, Fault, Kind
from tests.history.conftest import Houmao
from tests.history.test_bringing_back import fleet
from tests.stories.fleets import ALICE, PROMPT, instance


def wrong(houmao: Houmao) -> set[str]:
    found = houmao("doctor", "-o", "json").data["findings"]
    return {each["code"] for each in found if each["level"] != "ok" and not each["code"].startswith("tmux")}


def test_an_edited_view_is_written_again(fake_world: FakeWorld, houmao: Houmao) -> None:
    fleet(fake_world)
    view = fake_world.overlay / "agents" / "roles" / "coder" / "system-prompt.md"
    before = view.read_bytes()
    view.write_text("somebody else's")
    assert wrong(houmao) == {"projection.edited"}

    shown = houmao("doctor", "--fix", "--dry-run=server", "-o", "json").data
    assert view.read_bytes() != before
    ran = houmao("doctor", "--fix", "-o", "json")

    assert [(each["verb"], each["ref"]) for each in shown["actions"]] == [("update", "Specialist/coder")]
    assert [(each["ref"], each["outcome"]) for each in ran.data["outcomes"]] == [("Specialist/coder", "settled")]
    assert view.read_bytes() == before
    assert wrong(houmao) == set()
    assert fake_world.running == {"alice"}
    assert fake_world.when_planned().in_sync
    newest = houmao("history", "-o", "json").data["items"][0]
    assert (newest["command"], newest["restorable"]) == ("doctor", False)


def test_a_payload_comes_back_where_its_bytes_are_kept_and_stays_a_finding_where_not(
    fake_world: FakeWorld, houmao: Houmao
) -> None:
    fleet(fake_world)
    fake_world.given_file(PROMPT, "Second.\n")
    fake_world.when_applied()
    fake_world.given_file(PROMPT, "You write code.\n")
    fake_world.when_applied()
    prompt = fake_world.overlay / "content" / "prompts" / "coder.md"
    prompt.write_text("edited")

    houmao("doctor", "--fix")
    assert prompt.read_text() == "You write code.\n"
    assert wrong(houmao) == set()

    fake_world.given_file(PROMPT, "Third, kept nowhere.\n")
    fake_world.when_applied()
    prompt.write_text("edited")
    left = houmao("doctor", "--fix")
    assert left.code == 1
    assert "content.edited" in left.out
    assert "repair: houmao apply" in left.out
    assert prompt.read_text() == "edited"


def test_records_and_half_done_actions_are_put_right_and_left_overs_removed(
    fake_world: FakeWorld, houmao: Houmao
) -> None:
    fleet(fake_world, ALICE + instance("bob") + instance("carol"))
    fake_world.kill_session_of("bob")
    with pytest.raises(Crashed):
        fake_world.when_applied(fault=Fault("create/Instance:start-session", "after", Kind.CRASH))
    fake_world.corrupt_record_of("alice")
    fake_world.kill_session_of("carol")
    stale = fake_world.overlay / "content" / ".prompts.0a1b2c3d.tmp"
    stale.mkdir()
    assert wrong(houmao) == {"registry.bad_record", "overlay.left_over", "journal.open"}

    ran = houmao("doctor", "--fix", "--yes")

    assert f"remove {stale}" in ran.out
    assert not stale.exists()
    assert json.loads(fake_world.record_of("alice").read_text())["agent_name"] == "alice"
    assert wrong(houmao) == set()
    # Nothing but what a finding names is touched: carol's session is an apply's business.
    assert fake_world.running == {"alice", "bob"}


def test_nothing_wrong_is_nothing_done(fake_world: FakeWorld, houmao: Houmao) -> None:
    fleet(fake_world)
    before = len(houmao("history", "-o", "json").data["items"])
    assert "No changes" in houmao("doctor", "--fix").out
    assert len(houmao("history", "-o", "json").data["items"]) == before
    assert houmao("doctor", "--yes").code == 64
