"""What is recorded as running and is not, as recorded: what each command finds, says and leaves behind."""

import json
import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from reconciler.app import lifecycle, messages
from reconciler.app.agent_state import managed_state
from reconciler.app.agents import Agent, AgentBroken, Selector, resolve
from reconciler.app.gateway.remote import running
from reconciler.app.gateway.remote import status as gateway_status
from reconciler.app.lifecycle import Changed, Telling
from reconciler.app.request import RunFlags
from reconciler.model.health import Health
from reconciler.ports.gateway import Running
from reconciler.testing.plugin import real_world
from reconciler.testing.real_world import RealWorld, until

__all__ = ["real_world"]
pytestmark = [pytest.mark.tmux, pytest.mark.slow]

FLEET = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, prompt: You write code.}
---
kind: Instance
metadata: {name: alice}
spec: {specialistRef: coder}
"""
GUARDED = FLEET.replace("specialistRef: coder}", "specialistRef: coder, gateway: {enabled: true, background: true}}")
TELLING = Telling(RunFlags(yes=True), lambda plan: True, lambda plan: None, lambda kind, fields: None, [])


class Broken(NamedTuple):
    """One way to break an agent: how, and what it is from then on."""

    breaks: Callable[[RealWorld], None]
    health: Health
    reason: str
    apply: str
    """What an apply says it does."""
    reachable: bool = False
    fleet: str = FLEET

    def said(self, what: str) -> str:
        """How the answer begins: a healthy agent is no recovery, and nothing is said of one."""
        found = f"it was {self.health.value} ({self.reason}), what was left of it is ended; "
        return what if self.health is Health.HEALTHY else f"{found}{what}"


def alice(world: RealWorld) -> Agent:
    return resolve(world.flags, Selector(agent_name="alice"))


def record(world: RealWorld) -> Path:
    return world.registry / "live_agents" / alice(world).agent_id / "record.json"


def window_replaced(world: RealWorld) -> None:
    pane = world.session_of("alice")
    world.tmux("new-window", "-d", "-t", f"{pane.session_id}:", "exec sh")
    world.tmux("kill-window", "-t", pane.window_id)


def session_gone(world: RealWorld) -> None:
    """With its program: one that is still on its way out is a survivor."""
    pid = world.session_of("alice").pid
    world.kill_session_of("alice")
    until(lambda: not Path(f"/proc/{pid}").exists(), "the program outlives its session")


def shell_left(world: RealWorld) -> None:
    pane = world.session_of("alice")
    world.tmux("respawn-pane", "-k", "-t", pane.pane_id, "exec sh")
    until(lambda: world.session_of("alice").pid != pane.pid, "the shell does not start")


def pane_changed(world: RealWorld) -> None:
    pane = world.session_of("alice")
    other = world.tmux("split-window", "-d", "-P", "-F", "#{pane_id}", "-t", pane.pane_id, "exec sh").strip()
    world.tmux("set-option", "-p", "-t", other, "@houmao_pane", "agent")
    world.tmux("kill-pane", "-t", pane.pane_id)


def record_deleted(world: RealWorld) -> None:
    record(world).unlink()


def record_corrupt(world: RealWorld) -> None:
    record(world).write_text('{"schema_version": 3, "agent_')


def manifest_missing(world: RealWorld) -> None:
    Path(alice(world).live["manifest"]).unlink()


def reboot(world: RealWorld) -> None:
    """As near as one comes to it: no server, no process, and the boot that was recorded is another one."""
    pid = world.session_of("alice").pid
    world.kill_server()
    until(lambda: not Path(f"/proc/{pid}").exists(), "the program outlives the server")
    db = sqlite3.connect(world.overlay / "catalog.sqlite")
    with db:
        (changed,) = db.execute("select count(*) from resource where json_extract(live, '$.boot') != ''").fetchone()
        db.execute("update resource set live = json_set(live, '$.boot', 'another')")
    db.close()
    assert changed == 1


def gateway_dead(world: RealWorld) -> None:
    found = running(alice(world))
    assert isinstance(found, Running), found
    os.kill(found.pid, signal.SIGKILL)
    until(lambda: not isinstance(running(alice(world)), Running), "its gateway does not die")


WAYS: dict[str, Broken] = {
    "session gone": Broken(
        session_gone,
        Health.STALE,
        "SessionMissing",
        "create Instance/alice SessionMissing",
    ),
    "window replaced": Broken(
        window_replaced, Health.DEGRADED, "MissingPrimary", "relaunch Instance/alice SessionMissing"
    ),
    "provider gone, shell left": Broken(
        shell_left, Health.DEGRADED, "ProviderExited", "relaunch Instance/alice ProviderExited"
    ),
    "provider gone": Broken(
        lambda world: world.kill_process_of("alice"),
        Health.DEGRADED,
        "ProviderExited",
        "relaunch Instance/alice ProviderExited",
    ),
    "pane id changed": Broken(pane_changed, Health.DEGRADED, "StaleHandles", "relaunch Instance/alice ProviderExited"),
    "record deleted": Broken(
        record_deleted, Health.DEGRADED, "RecordMissing", "update Instance/alice RecordMissing", reachable=True
    ),
    "record corrupt": Broken(
        record_corrupt, Health.DEGRADED, "RecordCorrupt", "update Instance/alice RecordCorrupt", reachable=True
    ),
    "manifest missing": Broken(
        manifest_missing, Health.DEGRADED, "HomeMissing", "relaunch Instance/alice HomeMissing", reachable=True
    ),
    "gateway dead": Broken(
        gateway_dead,
        Health.HEALTHY,
        "Running",
        "update Instance/alice GatewayMissing",
        reachable=True,
        fleet=GUARDED,
    ),
    "reboot": Broken(reboot, Health.STALE, "SessionMissing", "create Instance/alice Rebooted"),
}


@pytest.fixture(params=WAYS)
def broken(request: pytest.FixtureRequest, real_world: RealWorld) -> tuple[RealWorld, Broken]:
    way = WAYS[request.param]
    real_world.given(way.fleet)
    real_world.until_ready()
    way.breaks(real_world)
    return real_world, way


def test_it_is_classed(broken: tuple[RealWorld, Broken]) -> None:
    world, way = broken
    found = alice(world)
    assert (found.state, found.health, found.reason) == ("active", way.health, way.reason)


def test_stop(broken: tuple[RealWorld, Broken]) -> None:
    world, way = broken

    done = lifecycle.stop(alice(world), TELLING)

    assert (done.success, done.exit_code) == (True, 0)
    assert said(done, way, "stopped")
    assert world.panes == ()
    assert world.running == set()
    after = alice(world)
    assert (after.state, after.health) == ("stopped", Health.STOPPED)
    assert not record(world).exists() or json.loads(record(world).read_text())["lifecycle"]["state"] == "stopped"
    assert world.when_applied().told == []  # held Stopped
    assert lifecycle.stop(after, TELLING).success
    assert lifecycle.relaunch(after, TELLING).success
    assert healthy(world)
    assert served(world, way)


def test_relaunch(broken: tuple[RealWorld, Broken]) -> None:
    world, way = broken
    before = alice(world)

    done = lifecycle.relaunch(before, TELLING)

    assert (done.success, done.exit_code) == (True, 0)
    assert said(done, way, "relaunched")
    assert healthy(world)
    assert alice(world).agent_id == before.agent_id
    assert alice(world).session_root == before.session_root
    assert served(world, way)
    # Every copy of the session's name was renewed: it can be relaunched again, as often as one likes.
    assert lifecycle.relaunch(alice(world), TELLING).success
    assert healthy(world)
    assert world.when_planned().in_sync


def test_state(broken: tuple[RealWorld, Broken]) -> None:
    world, way = broken
    if way.reachable:
        found = managed_state(alice(world))
        assert found["availability"] == "available"
        if way.health is Health.HEALTHY:
            # Nothing is wrong with the agent; what is dead is not shown as there.
            assert found["diagnostics"] == []
            shown = found["gateway"]
            assert isinstance(shown, dict)
            assert (shown["gateway_health"], shown["gateway_host"], shown["gateway_port"]) == (
                "not_attached",
                None,
                None,
            )
            assert gateway_status(alice(world))["gateway_health"] == "not_attached"
            return
        (diagnosis,) = found["diagnostics"]  # type: ignore[misc]
        assert diagnosis["kind"] == way.reason  # type: ignore[call-overload,index]
        return
    with pytest.raises(AgentBroken) as refused:
        managed_state(alice(world))
    assert refused.value.code == f"agent.{way.health.value}"
    assert f"it is {way.health.value} ({way.reason})" in refused.value.message
    assert "relaunch" in refused.value.hint
    evidence = "\n".join(refused.value.evidence)
    for name in (
        "agent_id: ",
        "lifecycle_state: active",
        "tmux_session: HOUMAO-alice-",
        "manifest_path: /",
        "session_root: /",
    ):
        assert name in evidence


def test_prompt(broken: tuple[RealWorld, Broken]) -> None:
    world, way = broken
    history = world.home_of("alice") / "history.jsonl"
    if way.reachable:
        assert messages.prompt(alice(world), "hello").success
        until(history.exists, "it did not arrive")
        return
    for force in (False, True):
        with pytest.raises(AgentBroken) as refused:
            messages.prompt(alice(world), "hello", force=force)
        assert refused.value.code == f"agent.{way.health.value}"
    assert not history.exists()


def test_apply(broken: tuple[RealWorld, Broken]) -> None:
    world, way = broken

    report = world.when_applied()

    assert report.told == [way.apply]
    assert report.settled
    assert healthy(world)
    assert served(world, way)
    assert world.when_planned().in_sync


def said(done: Changed, way: Broken, what: str) -> bool:
    assert done.to_json()["found"] == {
        "class": way.health.value,
        "reason": way.reason,
        "lifecycle_state": "active",
    }
    return done.detail.startswith(way.said(what))


def served(world: RealWorld, way: Broken) -> bool:
    """A gateway runs where one is declared, and nowhere else; its record names the one that runs."""
    found = running(alice(world))
    told = json.loads(record(world).read_text())["gateway"]
    if way.fleet != GUARDED:
        return told is None and not isinstance(found, Running)
    return isinstance(found, Running) and told["port"] == found.port


def healthy(world: RealWorld) -> bool:
    """It runs, once, and every record says so in the same words."""
    found = alice(world)
    assert (found.state, found.health, found.reason) == ("active", Health.HEALTHY, "Running")
    (pane,) = world.panes
    written = json.loads(record(world).read_text())
    manifest = json.loads(Path(found.session_manifest).read_text())
    assert written["terminal"]["current_session_name"] == pane.session_name
    assert manifest["tmux_session_name"] == pane.session_name
    assert found.live["session_name"] == pane.session_name
    return written["lifecycle"]["state"] == "active"
