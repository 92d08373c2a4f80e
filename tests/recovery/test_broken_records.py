"""What is recorded as running and is not, as recorded: what each command finds, says and leaves behind.

The table is that of `ways.py` by the five commands below. All of them are typed: what is compared is the exit code,
the message and the class that a person is given, and then what is there.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.app.gateway.remote import running
from reconciler.model.health import Health
from reconciler.ports.gateway import Running
from reconciler.testing.real_world import RealWorld, until
from tests.authoring.conftest import Hand
from tests.recovery.conftest import CELLS, Damaged
from tests.recovery.ways import WAYS, Way, agent, record

pytestmark = [pytest.mark.tmux, pytest.mark.slow]
EVIDENCE = ("agent_id: ", "lifecycle_state: active", "tmux_session: HOUMAO-", "manifest_path: /", "session_root: /")
NAMED = {
    "session gone", "window replaced", "provider gone, shell left", "pane id changed", "gateway dead",
    "record deleted", "record corrupt", "manifest missing", "reboot",
}  # fmt: skip


def test_the_table_is_whole() -> None:
    assert set(WAYS) >= NAMED
    assert set(CELLS) == set(CHECKS) == {"stop", "relaunch", "state", "prompt", "apply"}


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_found_said_and_left(
    damaged: Damaged, cell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = agent(damaged.world, cell)
    assert (found.state, found.health, found.reason) == ("active", damaged.way.health, damaged.way.reason)
    CHECKS[cell](Hand(damaged.world, monkeypatch, capsys), damaged.way)


def state(hand: Hand, way: Way) -> None:
    """An agent that is there is described, with what is wrong; of another one is said what was seen, and what helps."""
    line = "agents single --agent-name state state"
    if not way.reachable:
        refused = hand.refuses(line)
        assert refused["exit"] == 1
        assert refused["code"] == f"agent.{way.health.value}"
        assert f"it is {way.health.value} ({way.reason})" in refused["message"]
        assert "relaunch" in refused["hint"]
        evidence = "\n".join(refused["causes"])
        assert [name for name in EVIDENCE if name not in evidence] == []
        return
    found = hand.does(line)
    assert found["availability"] == "available"
    if way.health is Health.HEALTHY:
        # Nothing is wrong with the agent; what is dead is not shown as there.
        assert (found["gateway"], found["diagnostics"]) == (None, [])
        status = hand.does("agents single --agent-name state gateway status")
        assert status["gateway_health"] == "not_attached"
    else:
        assert [each["kind"] for each in found["diagnostics"]] == [way.reason]


def prompt(hand: Hand, way: Way) -> None:
    """It arrives once, or nowhere: not in the shell that was left, and not by force."""
    line = "agents single --agent-name prompt prompt --prompt hello"
    history = hand.world.home_of("prompt") / "history.jsonl"
    if way.reachable:
        assert hand.does(f"{line} --ready-within 30")["success"] is True
        until(history.exists, "it did not arrive")
        assert [json.loads(row)["prompt"] for row in history.read_text().splitlines()] == ["hello"]
        return
    for more in ("", " --force"):
        refused = hand.refuses(line + more)
        assert (refused["exit"], refused["code"]) == (1, f"agent.{way.health.value}")
    assert not history.exists()
    assert "hello" not in "".join(
        hand.world.tmux("capture-pane", "-p", "-t", pane.pane_id) for pane in panes(hand.world, "prompt")
    )


def stop(hand: Hand, way: Way) -> None:
    """What is left of it is ended, and it stays ended against an apply."""
    world = hand.world
    done = hand.does("agents single --agent-name stop stop")
    assert done["found"] == found_as(way)
    assert done["detail"].startswith(f"{way.found}stopped")
    assert panes(world, "stop") == []
    assert world.processes_of("stop") == ()
    after = agent(world, "stop")
    assert (after.state, after.health) == ("stopped", Health.STOPPED)
    file = record(world, "stop")
    assert not file.exists() or json.loads(file.read_text())["lifecycle"]["state"] == "stopped"
    assert world.when_applied(selector="cell=stop").told == []  # held Stopped
    assert "nothing to do" in hand.does("agents single --agent-name stop stop")["detail"]
    assert hand.does("agents single --agent-name stop relaunch")["success"] is True
    healthy(world, way, "stop")


def relaunch(hand: Hand, way: Way) -> None:
    """It runs again as who it was, and every copy of its session's name was renewed: it can be relaunched again."""
    world = hand.world
    before = agent(world, "relaunch")
    done = hand.does("agents single --agent-name relaunch relaunch")
    assert done["found"] == found_as(way)
    assert done["detail"].startswith(f"{way.found}relaunched")
    after = healthy(world, way, "relaunch")
    assert (after.agent_id, after.session_root) == (before.agent_id, before.session_root)
    assert hand.does("agents single --agent-name relaunch relaunch")["success"] is True
    healthy(world, way, "relaunch")
    assert world.when_planned(selector="cell=relaunch").in_sync


def apply(hand: Hand, way: Way) -> None:
    """One action for one damage, then nothing."""
    world = hand.world
    verb, reason = way.apply.split()
    report = world.when_applied(selector="cell=apply")
    assert report.told == [f"{verb} Instance/apply {reason}"]
    assert report.settled
    healthy(world, way, "apply")
    assert world.when_planned(selector="cell=apply").in_sync


CHECKS: dict[str, Callable[[Hand, Way], None]] = {
    "state": state, "prompt": prompt, "stop": stop, "relaunch": relaunch, "apply": apply,
}  # fmt: skip


def found_as(way: Way) -> dict[str, Any]:
    return {"class": way.health.value, "reason": way.reason, "lifecycle_state": "active"}


def panes(world: RealWorld, name: str) -> list[Any]:
    uid = world.rows[f"Instance/{name}"].uid
    return [pane for pane in world.panes if pane.uid == uid]


def healthy(world: RealWorld, way: Way, name: str) -> Any:
    """It runs, once, and every record says so in the same words; its gateway too, where one is declared."""
    found = agent(world, name)
    assert (found.state, found.health, found.reason) == ("active", Health.HEALTHY, "Running")
    (pane,) = panes(world, name)
    written = json.loads(record(world, name).read_text())
    manifest = json.loads(Path(found.session_manifest).read_text())
    assert written["lifecycle"]["state"] == "active"
    assert written["terminal"]["current_session_name"] == pane.session_name
    assert manifest["tmux_session_name"] == pane.session_name
    assert found.live["session_name"] == pane.session_name
    serving = running(found)
    if way.more:
        assert isinstance(serving, Running)
        assert written["gateway"]["port"] == serving.port
    else:
        assert not isinstance(serving, Running)
        assert written["gateway"] is None
    return found
