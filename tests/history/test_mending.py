"""`houmao doctor --fix`: what findings name is planned and run; what cannot be put right stays a finding."""

import json

import pytest

from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Crashed, Fault, Kind
from reconciler.testing.tmux import FakeSession
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


def test_what_others_can_read_is_closed_to_them(fake_world: FakeWorld, houmao: Houmao) -> None:
    fleet(fake_world)
    opened = [fake_world.overlay, fake_world.overlay / "catalog.sqlite", fake_world.overlay / "content" / "auth"]
    for path in opened:
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert wrong(houmao) == {"overlay.mode"}
    assert f"would close {opened[1]} to others" in houmao("doctor", "--fix", "--dry-run=server").out
    assert opened[1].stat().st_mode & 0o777 == 0o644

    assert f"close {opened[1]} to others" in houmao("doctor", "--fix").out

    assert wrong(houmao) == set()
    assert [path.stat().st_mode & 0o777 for path in opened] == [0o700, 0o600, 0o700]
    assert fake_world.when_planned().in_sync


UID = "5" * 32


def lost(world: FakeWorld, name: str, uid: str = UID, **differs: str) -> FakeSession:
    """A session as one of ours is, but for what differs."""
    mark = world.session_of("alice").mark.split(" ")
    mark[3] = differs.get("token", mark[3])
    env = {"HOUMAO_UID": differs.get("env", uid)}
    session = world.tmux.foreign(name, env=env, options={"@houmao_uid": uid, "@houmao_mark": " ".join(mark)})
    if differs.get("role") != "none":
        session.panes[0].options["@houmao_pane"] = "agent"
    return session


def sessions(world: FakeWorld) -> set[str]:
    return {session.name for session in world.tmux.sessions.values()}


def test_a_session_that_is_provably_ours_is_ended_once_that_is_confirmed(fake_world: FakeWorld, houmao: Houmao) -> None:
    fleet(fake_world)
    lost(fake_world, "lost")
    assert wrong(houmao) == {"session.orphan"}
    assert "would end tmux session lost" in houmao("doctor", "--fix", "--dry-run=server").out

    unasked = houmao("doctor", "--fix")
    assert (unasked.code, "--yes confirms" in unasked.out, "lost" in sessions(fake_world)) == (1, True, True)
    ran = houmao("doctor", "--fix", "--yes")

    assert "end tmux session lost" in ran.out
    assert wrong(houmao) == set()
    assert "lost" not in sessions(fake_world)
    assert fake_world.running == {"alice"}
    assert fake_world.when_planned().in_sync


@pytest.mark.parametrize(
    ("differs", "why"),
    [
        ({"env": "6" * 32}, "its environment"),
        ({"token": "999"}, "younger than this catalog"),
        ({"token": "x"}, "younger than this catalog"),
        ({"role": "none"}, "more in it than an agent"),
    ],
)
def test_one_that_is_not_is_named_and_left(
    fake_world: FakeWorld, houmao: Houmao, differs: dict[str, str], why: str
) -> None:
    fleet(fake_world)
    lost(fake_world, "lost", **differs)
    ran = houmao("doctor", "--fix", "--yes", "-o", "json")
    found = next(each for each in ran.data["findings"] if each["code"] == "session.orphan")
    assert why in found["message"]
    assert found["repair"].startswith("look at it: tmux ")
    assert (ran.code, "lost" in sessions(fake_world)) == (1, True)


def test_a_persons_window_in_it_and_a_second_one_of_its_uid_keep_it(fake_world: FakeWorld, houmao: Houmao) -> None:
    fleet(fake_world)
    fake_world.tmux.foreign_window(lost(fake_world, "shared"))
    lost(fake_world, "one", "7" * 32)
    lost(fake_world, "two", "7" * 32)
    assert houmao("doctor", "--fix", "--yes").code == 1
    assert {"shared", "one", "two"} <= sessions(fake_world)
