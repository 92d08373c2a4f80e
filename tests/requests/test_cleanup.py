"""What a stopped agent left is taken away; what lives, its home and its memory stay."""

import json
from pathlib import Path

import pytest

from reconciler.app import lifecycle, messages
from reconciler.app.agents import Agent, AgentNotActive, AgentNotFound, Selector
from reconciler.app.cleanup import cleanup, target
from reconciler.app.lifecycle import Telling
from reconciler.app.request import RunFlags
from reconciler.model.errors import UsageFault
from tests.requests.conftest import Scripted

TELLING = Telling(RunFlags(yes=True), lambda plan: True, lambda plan: None, lambda kind, fields: None, [])


def stopped(scripted: Scripted) -> Agent:
    assert lifecycle.stop(scripted.agent, TELLING).success
    return scripted.agent


def record(scripted: Scripted) -> Path:
    return scripted.world.registry / "live_agents" / scripted.agent.agent_id / "record.json"


def test_a_live_agent_is_left_alone(scripted: Scripted) -> None:
    found = cleanup(scripted.agent, "session", "alice", dry_run=False).to_json()

    assert found["applied_actions"] == []
    (blocked,) = found["blocked_actions"]  # type: ignore[misc]
    assert "the agent is active (healthy)" in blocked["reason"]  # type: ignore[index,call-overload,operator]
    assert found["summary"]["live_session"] == scripted.agent.live["session_name"]  # type: ignore[index,call-overload]
    assert scripted.agent.reachable


def test_a_stopped_one_is_retired(scripted: Scripted) -> None:
    agent = stopped(scripted)
    root, home = Path(agent.session_root), Path(agent.live["home"])
    before = json.loads(record(scripted).read_text())

    dry = cleanup(agent, "session", "alice", dry_run=True).to_json()
    assert [act["proposed_action"] for act in dry["planned_actions"]] == ["remove", "retire"]  # type: ignore[union-attr,index,call-overload]
    assert root.is_dir()

    found = cleanup(agent, "session", "alice", dry_run=False).to_json()

    assert found["summary"]["registry_lifecycle_action"] == "retire"  # type: ignore[index,call-overload]
    assert not root.exists()
    assert home.is_dir()
    after = json.loads(record(scripted).read_text())
    assert (after["lifecycle"]["state"], after["lifecycle"]["relaunchable"]) == ("retired", False)
    assert after["lifecycle"]["stopped_at"] == before["lifecycle"]["stopped_at"]
    assert scripted.agent.state == "retired"
    for verb in (lambda agent: lifecycle.relaunch(agent, TELLING), lambda agent: messages.prompt(agent, "x")):
        with pytest.raises(AgentNotActive) as refused:
            verb(scripted.agent)
        assert "houmao apply" in refused.value.hint
    assert lifecycle.stop(scripted.agent, TELLING).success
    assert cleanup(scripted.agent, "session", "alice", dry_run=False).applied == ()


def test_its_record_may_be_purged(scripted: Scripted) -> None:
    cleanup(stopped(scripted), "session", "alice", dry_run=False, purge=True)

    assert not record(scripted).exists()


def test_what_is_declared_runs_again_after_it_was_retired(scripted: Scripted) -> None:
    agent = stopped(scripted)
    cleanup(agent, "session", "alice", dry_run=False)
    scripted.world.clock.advance(4000)  # the override that stopped it has ended

    assert scripted.world.when_applied().settled

    assert scripted.agent.reachable
    assert scripted.agent.agent_id == agent.agent_id
    assert json.loads(record(scripted).read_text())["lifecycle"]["state"] == "active"


def test_a_session_root_that_is_a_link_is_not_touched(scripted: Scripted) -> None:
    agent = stopped(scripted)
    root, moved = Path(agent.session_root), scripted.world.root / "moved"
    root.rename(moved)
    root.symlink_to(moved)

    found = cleanup(agent, "session", "alice", dry_run=False)

    assert found.applied == ()
    assert len(found.blocked) == 1
    assert (moved / "manifest.json").exists()


def test_it_is_found_by_its_paths_too(scripted: Scripted) -> None:
    flags, agent = scripted.world.flags, scripted.agent
    none = Selector()
    assert target(flags, none, agent.session_manifest, None)[0].row.uid == agent.row.uid
    assert target(flags, none, None, agent.session_root + "/")[0].row.uid == agent.row.uid
    with pytest.raises(AgentNotFound):
        target(flags, none, "/no/manifest.json", None)
    with pytest.raises(UsageFault):
        target(flags, Selector(agent_name="alice"), agent.session_manifest, None)
