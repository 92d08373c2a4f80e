"""The ways an agent's record stops being true: how each is brought about, and what it is from then on."""

import os
import signal
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from reconciler.app.agents import Agent, Selector, resolve
from reconciler.app.gateway.remote import running
from reconciler.model.health import Health
from reconciler.ports.gateway import Running
from reconciler.testing.real_world import RealWorld, until

FLEET = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, prompt: You write code.}
"""
INSTANCE = """
---
kind: Instance
metadata: {{name: {name}, labels: {{cell: {name}}}}}
spec: {{specialistRef: coder{more}}}
"""
GATEWAY = ", gateway: {enabled: true, background: true}"


class Way(NamedTuple):
    """One row of the table: the damage, its class, and what an apply plans for it."""

    breaks: Callable[[RealWorld, Sequence[str]], None]
    """Does it to each agent of a world."""
    health: Health
    reason: str
    apply: str
    """Verb and reason of the one action."""
    reachable: bool = False
    """Whether the agent itself can still be talked to."""
    more: str = ""
    """What its declaration says besides."""

    def fleet(self, names: Sequence[str]) -> str:
        """One declared agent for each cell."""
        return FLEET + "".join(INSTANCE.format(name=name, more=self.more) for name in names)

    @property
    def found(self) -> str:
        """How stop and relaunch begin: a healthy agent is no recovery, and nothing is said of one."""
        if self.health is Health.HEALTHY:
            return ""
        return f"it was {self.health.value} ({self.reason}), what was left of it is ended; "


def agent(world: RealWorld, name: str) -> Agent:
    """As it is now."""
    return resolve(world.flags, Selector(agent_name=name))


def record(world: RealWorld, name: str) -> Path:
    """Its file in the registry, there or not."""
    return world.registry / "live_agents" / agent(world, name).agent_id / "record.json"


def each(damage: Callable[[RealWorld, str], None]) -> Callable[[RealWorld, Sequence[str]], None]:
    """The damage, to one agent after the other."""

    def all_of_them(world: RealWorld, names: Sequence[str]) -> None:
        for name in names:
            damage(world, name)

    return all_of_them


def session_gone(world: RealWorld, name: str) -> None:
    """With its program: one that is still on its way out is a survivor."""
    pid = world.session_of(name).pid
    world.kill_session_of(name)
    until(lambda: not Path(f"/proc/{pid}").exists(), "the program outlives its session")


def window_replaced(world: RealWorld, name: str) -> None:
    pane = world.session_of(name)
    world.tmux("new-window", "-d", "-t", f"{pane.session_id}:", "exec sh")
    world.tmux("kill-window", "-t", pane.window_id)


def shell_left(world: RealWorld, name: str) -> None:
    pane = world.session_of(name)
    world.tmux("respawn-pane", "-k", "-t", pane.pane_id, "exec sh")
    until(lambda: world.session_of(name).pid != pane.pid, "the shell does not start")


def provider_gone(world: RealWorld, name: str) -> None:
    world.kill_process_of(name)


def pane_changed(world: RealWorld, name: str) -> None:
    pane = world.session_of(name)
    other = world.tmux("split-window", "-d", "-P", "-F", "#{pane_id}", "-t", pane.pane_id, "exec sh").strip()
    world.tmux("set-option", "-p", "-t", other, "@houmao_pane", "agent")
    world.tmux("kill-pane", "-t", pane.pane_id)


def record_deleted(world: RealWorld, name: str) -> None:
    record(world, name).unlink()


def record_corrupt(world: RealWorld, name: str) -> None:
    record(world, name).write_text('{"schema_version": 3, "agent_')


def manifest_missing(world: RealWorld, name: str) -> None:
    Path(agent(world, name).live["manifest"]).unlink()


def gateway_dead(world: RealWorld, name: str) -> None:
    found = running(agent(world, name))
    assert isinstance(found, Running), found
    os.kill(found.pid, signal.SIGKILL)
    until(lambda: not isinstance(running(agent(world, name)), Running), "its gateway does not die")


def reboot(world: RealWorld, names: Sequence[str]) -> None:
    """As near as one comes to it: no server, no process, and the boot that was recorded is another one."""
    pids = [world.session_of(name).pid for name in names]
    world.kill_server()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "a program outlives the server")
    db = sqlite3.connect(world.overlay / "catalog.sqlite")
    with db:
        (changed,) = db.execute("select count(*) from resource where json_extract(live, '$.boot') != ''").fetchone()
        db.execute("update resource set live = json_set(live, '$.boot', 'another')")
    db.close()
    assert changed == len(names)


DEGRADED, STALE, HEALTHY = Health.DEGRADED, Health.STALE, Health.HEALTHY
WAYS: dict[str, Way] = {
    "session gone": Way(each(session_gone), STALE, "SessionMissing", "create SessionMissing"),
    "window replaced": Way(each(window_replaced), DEGRADED, "MissingPrimary", "relaunch SessionMissing"),
    "provider gone, shell left": Way(each(shell_left), DEGRADED, "ProviderExited", "relaunch ProviderExited"),
    "provider gone": Way(each(provider_gone), DEGRADED, "ProviderExited", "relaunch ProviderExited"),
    "pane id changed": Way(each(pane_changed), DEGRADED, "StaleHandles", "relaunch ProviderExited"),
    "gateway dead": Way(each(gateway_dead), HEALTHY, "Running", "update GatewayMissing", True, GATEWAY),
    "record deleted": Way(each(record_deleted), DEGRADED, "RecordMissing", "update RecordMissing", True),
    "record corrupt": Way(each(record_corrupt), DEGRADED, "RecordCorrupt", "update RecordCorrupt", True),
    "manifest missing": Way(each(manifest_missing), DEGRADED, "HomeMissing", "relaunch HomeMissing", True),
    "reboot": Way(reboot, STALE, "SessionMissing", "create Rebooted"),
}
