"""Sessions and records of other people, whatever they are called."""

import pytest

from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.real_world import RealWorld
from tests.stories.fleets import ALICE, CODER, PROMPT, TEXT, instance


def test_a_foreign_session_with_a_declared_name_blocks_the_start_and_is_left_alone(fake_world: FakeWorld) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(CODER + instance("alice", "specialistRef: coder, sessionName: work") + instance("bob"))
    theirs = fake_world.tmux.foreign("work")

    report = fake_world.when_applied()

    assert "blocked Instance/alice Unmanaged New" in report.told
    assert "choose another sessionName" in report.actions["Instance/alice"].reasons[0].text
    assert report.exit_code == 1
    assert fake_world.running == {"bob"}
    assert fake_world.tmux.named("work") is theirs


def test_a_foreign_session_with_a_name_like_ours_survives_apply_prune_and_delete(fake_world: FakeWorld) -> None:
    fake_world.given_file(PROMPT, TEXT)
    theirs = fake_world.tmux.foreign("HOUMAO-alice-1", options={"@houmao_mark": "1 x y 1"})
    fake_world.given(ALICE)
    fake_world.when_applied()
    fake_world.kill_session_of("alice")
    fake_world.when_applied()
    fake_world.given(CODER)
    fake_world.when_applied(prune=True, allow_kind_removal=("Instance",))

    assert fake_world.tmux.named("HOUMAO-alice-1") is theirs
    assert list(fake_world.sessions) == ["HOUMAO-alice-1"]


@pytest.mark.tmux
def test_real_foreign_sessions_survive_too(real_world: RealWorld) -> None:
    real_world.foreign_session("HOUMAO-alice-1")
    real_world.given_file(PROMPT, TEXT)
    real_world.given(ALICE)
    real_world.when_applied()
    real_world.given(CODER)
    real_world.when_applied(prune=True, allow_kind_removal=("Instance",))

    assert list(real_world.sessions) == ["HOUMAO-alice-1"]


def test_two_sessions_of_one_uid_are_left_alone(fake_world: FakeWorld) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(ALICE)
    fake_world.when_applied()
    uid = fake_world.uids["Instance/alice"]
    fake_world.tmux.foreign("copy", env={"HOUMAO_UID": uid}, options={"@houmao_uid": uid})
    before = sorted(fake_world.tmux.sessions)

    fake_world.given_file(PROMPT, "Something else.\n")
    report = fake_world.when_applied()

    assert report.told == ["update Specialist/coder SpecChanged"]
    assert [f"{notice.code.value} {notice.ref}" for notice in report.report.plan.notices] == [
        "Ambiguous Instance/alice"
    ]
    assert sorted(fake_world.tmux.sessions) == before


@pytest.mark.tmux
def test_two_real_sessions_of_one_uid_are_left_alone(real_world: RealWorld) -> None:
    real_world.given_file(PROMPT, TEXT)
    real_world.given(ALICE)
    real_world.when_applied()
    real_world.foreign_session("copy", uid=real_world.uids["Instance/alice"])

    assert real_world.when_planned().notices == ["Ambiguous Instance/alice"]
    assert real_world.when_applied().told == []
    assert len(real_world.panes) == 2


def test_the_registry_record_of_another_live_agent_is_not_overwritten(fake_world: FakeWorld) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(CODER + instance("alice", "specialistRef: coder, agentId: shared"))
    fake_world.when_applied()
    record = fake_world.record_of("alice")
    import json

    body = json.loads(record.read_text())
    body["owner"]["uid"] = "f" * 32
    record.write_text(json.dumps(body))

    report = fake_world.when_applied()

    assert report.exit_code == 1
    assert json.loads(record.read_text()) == body
    assert fake_world.running == {"alice"}
