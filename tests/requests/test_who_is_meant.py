"""Which agent is meant: by id, by name in either spelling, or the one whose terminal this is; never by chance."""

import json
from pathlib import Path

import pytest

from reconciler.app.agents import AgentAmbiguous, AgentNotFound, NoSelf, Selector, identity, own, resolve
from reconciler.app.fleet import listed
from reconciler.model.errors import UsageFault
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.real_world import RealWorld
from tests.requests.conftest import FLEET, Scripted

TWINS = FLEET + "".join(
    f"---\nkind: Instance\nmetadata: {{name: {name}}}\nspec: {{specialistRef: coder, agentName: twin}}\n"
    for name in ("one", "two")
)


def test_by_id_and_by_name_in_both_spellings(scripted: Scripted) -> None:
    flags, agent = scripted.world.flags, scripted.agent
    assert resolve(flags, Selector(agent_name="HOUMAO-alice")).row.uid == agent.row.uid
    assert resolve(flags, Selector(agent_id=agent.agent_id)).row.uid == agent.row.uid


@pytest.mark.parametrize("selector", [Selector(), Selector("x", "y")])
def test_exactly_one_of_the_two(scripted: Scripted, selector: Selector) -> None:
    with pytest.raises(UsageFault, match="exactly one"):
        resolve(scripted.world.flags, selector)


@pytest.mark.parametrize("name", ["alic", "Alice", "", "../alice", "HOUMAO-", "\x1b[31m", "alice/"])
def test_nobody_is_taken_for_another(scripted: Scripted, name: str) -> None:
    with pytest.raises(AgentNotFound) as missing:
        resolve(scripted.world.flags, Selector(agent_name=name))
    assert missing.value.code == "agent.not_found"
    if name == "alic":
        assert missing.value.hint == "did you mean --agent-name alice?"


def test_several_of_one_name_are_listed_and_none_is_chosen(fake_world: FakeWorld) -> None:
    fake_world.given(TWINS.rpartition("---")[0])
    fake_world.when_applied()
    fake_world.clock.advance(1.0)  # two sessions of one name and one millisecond would be one
    fake_world.given(TWINS)
    assert fake_world.when_applied().settled
    with pytest.raises(AgentAmbiguous) as several:
        resolve(fake_world.flags, Selector(agent_name="twin"))

    assert several.value.message.startswith("2 agents are called 'twin': ")
    uids = [row.uid for row in fake_world.look().catalog.inventory() if row.ref.name in ("one", "two")]
    assert all(uid in several.value.message for uid in uids)
    assert resolve(fake_world.flags, Selector(agent_id=uids[0])).row.uid == uids[0]


def test_one_bad_record_hides_nobody(scripted: Scripted) -> None:
    bad = scripted.world.registry / "live_agents" / "bad"
    bad.mkdir()
    (bad / "record.json").write_text('{"schema_version": 3}')

    found = listed(scripted.world.flags, "all")

    assert [one["agent_name"] for one in found["agents"]] == ["alice"]  # type: ignore[union-attr,index,call-overload]
    assert [one["agent_id"] for one in found["unreadable"]] == ["bad"]  # type: ignore[union-attr,index,call-overload]
    assert scripted.agent.reachable


def test_the_list_says_the_state_of_each(fake_world: FakeWorld) -> None:
    bob = "---\nkind: Instance\nmetadata: {name: bob}\nspec: {specialistRef: coder}\n"
    fake_world.given(FLEET + bob)
    fake_world.when_applied()
    fake_world.given(FLEET.replace("specialistRef: coder", "specialistRef: coder, state: Stopped") + bob)
    fake_world.when_applied()

    assert [one["agent_name"] for one in listed(fake_world.flags, "active")["agents"]] == ["bob"]  # type: ignore[union-attr,index,call-overload]
    assert [one["agent_name"] for one in listed(fake_world.flags, "stopped")["agents"]] == ["alice"]  # type: ignore[union-attr,index,call-overload]
    every = listed(fake_world.flags, "all")["agents"]
    assert {one["lifecycle_state"] for one in every} == {"active", "stopped"}  # type: ignore[union-attr,index,call-overload]


@pytest.mark.tmux
def test_self_is_the_session_of_the_pane_and_nothing_else(alice: RealWorld) -> None:
    pane = alice.session_of("alice")
    variables = alice.environ.values

    # A server that can be reached is no reason: without a pane of one's own there is no current agent.
    with pytest.raises(NoSelf, match="not inside tmux"):
        own(alice.flags)
    variables["TMUX"] = f"{alice.tmux_socket},1,0"
    with pytest.raises(NoSelf, match="not inside tmux"):
        own(alice.flags)

    variables["TMUX_PANE"] = pane.pane_id
    assert own(alice.flags).row.ref.name == "alice"

    alice.tmux("new-window", "-d", "-t", f"{pane.session_id}:", "exec sleep 1000")
    (other,) = [one for one in alice.panes if one.session_id == pane.session_id and one.pane_id != pane.pane_id]
    variables["TMUX_PANE"] = other.pane_id
    assert own(alice.flags).row.ref.name == "alice"

    alice.foreign_session("mine")
    (mine,) = [one for one in alice.panes if one.session_name == "mine"]
    variables["TMUX_PANE"] = mine.pane_id
    with pytest.raises(NoSelf, match="is no agent's"):
        own(alice.flags)

    variables["TMUX_PANE"] = "%999"
    with pytest.raises(NoSelf, match="has no pane %999"):
        own(alice.flags)


@pytest.mark.tmux
def test_an_option_alone_makes_no_session_an_agents(alice: RealWorld) -> None:
    uid = alice.session_of("alice").uid
    alice.foreign_session("forged")
    (pane,) = [one for one in alice.panes if one.session_name == "forged"]
    alice.tmux("set-option", "-t", pane.session_id, "@houmao_uid", uid)
    alice.environ.values |= {"TMUX": f"{alice.tmux_socket},1,0", "TMUX_PANE": pane.pane_id}

    with pytest.raises(NoSelf, match="is no agent's"):
        own(alice.flags)


@pytest.mark.tmux
def test_an_agent_of_another_project_is_found_through_the_registry(alice: RealWorld, tmp_path: Path) -> None:
    """As somebody would who stands elsewhere: the same registry, another directory."""
    import os
    import subprocess
    import sys

    root = Path(__file__).parents[2]
    env = {"PATH": os.environ["PATH"], "HOME": str(alice.root / "home"), "PYTHONPATH": str(root)}
    env["HOUMAO_GLOBAL_REGISTRY_DIR"] = str(alice.registry)
    words = [sys.executable, "-m", "reconciler", "agents", "single", "--agent-name", "alice", "state", "-o", "json"]
    ran = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["identity"]["agent_name"] == "alice"
    assert json.loads(ran.stdout)["turn"]["phase"] == "ready"


def test_what_is_not_there_is_null_and_never_an_empty_word(fake_world: FakeWorld) -> None:
    """Of an agent that never ran, and of a row in which words were left empty."""
    fake_world.given(FLEET)
    fake_world.when_applied()
    row = fake_world.rows["Instance/alice"]
    for live in ({}, dict.fromkeys(row.live, "")):
        told = identity(row._replace(live=live), "agent-1", lifecycle="absent")
        assert (told["session_root"], told["manifest_path"], told["terminal_id"]) == (None, None, None)
        assert "" not in told.values()
