"""Gateways that really run: declared, killed, healed, moved, and asked over HTTP and from the command line."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.app import turns
from reconciler.app.agent_state import managed_state
from reconciler.app.agents import Agent, Selector, resolve
from reconciler.app.gateway.remote import GatewaySaidNo, ask, ask_prompt, running, status
from reconciler.ports.gateway import GatewayFault, Running
from reconciler.testing.real_world import RealWorld, until

pytestmark = pytest.mark.tmux

FLEET = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, prompt: You write code.}
---
kind: Instance
metadata: {name: alice}
spec: {specialistRef: coder, gateway: {GATEWAY}}
"""
QUICK = "enabled: true, tui: {stabilityThreshold: 100ms, completionStability: 100ms, watchPollInterval: 50ms}"
DETACHED = QUICK + ", background: true"


def fleet(gateway: str) -> str:
    return FLEET.replace("GATEWAY", gateway)


def alice(world: RealWorld) -> Agent:
    return resolve(world.flags, Selector(agent_name="alice"))


def gateway(world: RealWorld) -> Running:
    found = running(alice(world))
    assert isinstance(found, Running), found
    return found


def root(world: RealWorld) -> Path:
    return Path(alice(world).session_root)


def advertised(world: RealWorld) -> object:
    return json.loads(world.record_of("alice").read_text())["gateway"]


def exported(world: RealWorld) -> str:
    return world.tmux("show-environment", "-t", world.session_of("alice").session_id)


def prompts(world: RealWorld) -> list[str]:
    path = world.home_of("alice") / "history.jsonl"
    return [json.loads(line)["prompt"] for line in path.read_text().splitlines()] if path.exists() else []


def conversations(world: RealWorld) -> list[str]:
    """Of each prompt, oldest first."""
    path = world.home_of("alice") / "history.jsonl"
    return [json.loads(line)["conversation"] for line in path.read_text().splitlines()] if path.exists() else []


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")
    except OSError:
        return True


def prompt(world: RealWorld, text: str) -> dict[str, object]:
    """As soon as the agent is ready."""
    answers: list[dict[str, object]] = []

    def tried() -> bool:
        try:
            answers.append(ask_prompt(alice(world), {"prompt": text}))
        except GatewaySaidNo as no:
            if no.code == "gateway.not_ready":
                return False
            raise
        return True

    until(tried, "the agent never became ready", 30)
    return answers[-1]


@pytest.mark.parametrize("how", [QUICK, DETACHED], ids=["window", "detached"])
def test_a_declared_gateway_runs_is_named_healed_and_ended(real_world: RealWorld, how: str) -> None:
    world = real_world
    world.given(fleet(how))
    world.when_applied()
    assert world.when_planned().in_sync
    first = gateway(world)
    assert advertised(world) == {
        "host": "127.0.0.1",
        "port": first.port,
        "protocol_version": "v1",
        "state_path": f"{root(world)}/gateway/state.json",
    }
    assert f"HOUMAO_AGENT_GATEWAY_PORT={first.port}" in exported(world)
    assert stat.S_IMODE((root(world) / "gateway/token").stat().st_mode) == 0o600
    assert len(world.processes_of("alice")) == 1, "the gateway is not the agent"
    told = managed_state(alice(world))["gateway"]
    assert isinstance(told, dict)
    assert (told["gateway_health"], told["gateway_port"], told["queue_depth"]) == ("healthy", first.port, 0)
    windows = world.tmux(
        "list-windows", "-t", world.session_of("alice").session_id, "-F", "#{window_index} #{window_name}"
    )
    assert windows.splitlines() == (["0 agent", "1 gateway"] if how == QUICK else ["0 agent"])
    agent = world.session_of("alice").pid

    os.kill(first.pid, signal.SIGKILL)
    until(lambda: gone(first.pid), "the gateway does not die")
    assert status(alice(world))["gateway_health"] == "not_attached"
    assert managed_state(alice(world))["gateway"] is None
    assert world.when_planned().lines == [f"update   Instance/alice  (its gateway does not run: {_why(first)})"]
    world.when_applied()

    second = gateway(world)
    assert second.pid != first.pid
    assert second.port == first.port, "the port it had is asked for again"
    assert world.session_of("alice").pid == agent, "nothing that is wrong with a gateway touches its agent"
    world.given(fleet("enabled: false"))
    world.when_applied()
    assert gone(second.pid)
    assert advertised(world) is None
    assert "GATEWAY_PORT" not in exported(world)
    assert world.when_planned().in_sync


def _why(run: Running) -> str:
    return f"its process {run.pid} is gone"


def test_a_relaunched_agent_has_a_gateway_and_never_a_dead_one(real_world: RealWorld) -> None:
    world = real_world
    world.given(fleet(QUICK))
    world.when_applied()
    first = gateway(world)

    world.kill_session_of("alice")
    until(lambda: gone(first.pid), "a gateway in a window ends with its session")
    world.when_applied()

    second = gateway(world)
    assert second.pid != first.pid
    assert second.epoch == first.epoch + 1
    record = advertised(world)
    assert isinstance(record, dict)
    assert record["port"] == second.port


def test_a_detached_gateway_blocks_what_was_meant_for_the_agent_before(real_world: RealWorld) -> None:
    world = real_world
    world.given(fleet(DETACHED))
    world.when_applied()
    prompt(world, "stall")
    waiting = ask(
        alice(world), "POST", "/v1/requests", {"kind": "submit_prompt", "payload": {"prompt": "for the old one"}}
    )

    world.kill_session_of("alice")
    world.when_applied()
    prompt(world, "hello")

    row = ask(alice(world), "GET", f"/v1/requests/{waiting['request_id']}")
    assert row["state"] == "blocked"
    assert prompts(world) == ["stall", "hello"]


def test_a_headless_agent_takes_turns_through_its_gateway(real_world: RealWorld) -> None:
    world = real_world
    declared = fleet(QUICK).replace("{specialistRef", "{headless: true, specialistRef")
    world.given(declared)
    world.when_applied()
    run = gateway(world)

    def turn(answer: Mapping[str, object]) -> str:
        found = str(answer["headless_turn_id"])
        until(lambda: turns.status(alice(world), found).status != "active", f"{found} does not end")
        assert turns.status(alice(world), found).status == "completed"
        return found

    assert [turn(ask_prompt(alice(world), {"prompt": text})) for text in ("one", "two")] == ["turn-0001", "turn-0002"]
    turn(ask_prompt(alice(world), {"prompt": "afresh", "chat_session": {"mode": "new"}}))
    chats = conversations(world)
    assert (chats[0] == chats[1], chats[1] == chats[2]) == (True, False)
    ask_prompt(alice(world), {"prompt": "stall"})
    with pytest.raises(GatewaySaidNo, match="turn-0004"):
        ask_prompt(alice(world), {"prompt": "too early"})
    waiting = ask(alice(world), "POST", "/v1/requests", {"kind": "submit_prompt", "payload": {"prompt": "later"}})
    os.kill(run.pid, signal.SIGKILL)
    until(lambda: gone(run.pid), "the gateway does not die")
    world.when_applied()
    assert turns.status(alice(world), "turn-0004").status == "active", "a turn outlives the gateway that began it"
    ask(alice(world), "POST", "/v1/requests", {"kind": "interrupt", "payload": {}})
    until(lambda: turns.status(alice(world), "turn-0004").status == "interrupted", "the interrupt does nothing")
    path = f"/v1/requests/{waiting['request_id']}"
    until(lambda: ask(alice(world), "GET", path)["state"] == "completed", "what was queued is lost")
    assert turn(ask(alice(world), "GET", path)) == "turn-0005"
    assert conversations(world)[2] == conversations(world)[4]

    ask_prompt(alice(world), {"prompt": "stall"}, 30.0)
    world.given(declared.replace("{headless", "{state: Stopped, headless"))
    world.when_applied()
    assert not world.processes_of("alice")


def test_stop_ends_the_gateway_too(real_world: RealWorld) -> None:
    world = real_world
    world.given(fleet(DETACHED))
    world.when_applied()
    run = gateway(world)

    world.given(fleet(DETACHED).replace("{specialistRef", "{state: Stopped, specialistRef"))
    world.when_applied()

    assert gone(run.pid)
    assert advertised(world) is None
    assert world.when_planned().in_sync


def test_prompts_reminders_and_history_over_http(real_world: RealWorld) -> None:
    world = real_world
    world.given(fleet(QUICK))
    world.when_applied()

    assert prompt(world, "hello")["sent"] is True
    until(lambda: prompts(world) == ["hello"], "the agent never got it")
    for number in range(3):
        ask(alice(world), "POST", "/v1/requests", {"kind": "submit_prompt", "payload": {"prompt": f"queued {number}"}})
    until(lambda: len(prompts(world)) == 4, "the queue stands still", 60)
    assert prompts(world)[1:] == ["queued 0", "queued 1", "queued 2"]
    fresh = ask_prompt(alice(world), {"prompt": "afresh", "chat_session": {"mode": "new"}}, 30.0)
    assert fresh["sent"] is True
    until(lambda: prompts(world)[-1] == "afresh", "the prompt of the new conversation never came")
    assert len(set(conversations(world)[:4])) == 1
    assert conversations(world)[4] != conversations(world)[3]
    made = ask(
        alice(world), "POST", "/v1/reminders",
        {"reminders": [{"mode": "one_off", "title": "t", "prompt": "remember", "start_after_seconds": 2}]},
    )  # fmt: skip
    assert made["effective_reminder_id"]
    os.kill(gateway(world).pid, signal.SIGKILL)
    world.when_applied()
    until(lambda: prompts(world)[-1] == "remember", "the reminder did not survive", 60)
    until(lambda: not ask(alice(world), "GET", "/v1/reminders")["reminders"], "it stays")
    assert prompts(world).count("remember") == 1
    entries = ask(alice(world), "GET", "/v1/control/tui/history")["entries"]
    assert isinstance(entries, list)
    assert entries


def test_without_a_gateway_one_is_told_how_to_get_one(real_world: RealWorld) -> None:
    world = real_world
    world.given(fleet("enabled: false"))
    world.when_applied()

    with pytest.raises(GatewayFault) as told:
        ask(alice(world), "GET", "/v1/reminders")

    assert told.value.code == "gateway.not_attached"
    assert "gateway attach" in told.value.hint


def houmao(world: RealWorld, *words: str) -> tuple[int, str]:
    """The program as a person runs it."""
    env = {
        **os.environ,
        "HOUMAO_GLOBAL_REGISTRY_DIR": str(world.registry),
        "HOUMAO_TMUX_SOCKET": str(world.tmux_socket),
        "HOUMAO_GLOBAL_RUNTIME_DIR": str(world.overlay / "runtime"),
    }
    ran = subprocess.run(
        [sys.executable, "-m", "reconciler", "--project-dir", str(world.root), *words],
        env=env, cwd=world.root, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    return ran.returncode, ran.stdout


def on_alice(world: RealWorld, *words: str) -> tuple[int, dict[str, object]]:
    code, text = houmao(world, "agents", "single", "--agent-name", "alice", "gateway", *words, "-o", "json")
    return code, json.loads(text)


def test_attach_ask_and_detach_from_the_command_line(real_world: RealWorld) -> None:
    world = real_world
    world.given(fleet("enabled: false"))
    world.until_ready()
    assert on_alice(world, "status")[1]["gateway_health"] == "not_attached"

    code, body = on_alice(world, "attach", "--background", "--gateway-tui-stability-threshold-seconds", "0.1")
    assert (code, body["gateway_health"], body["execution_mode"]) == (0, "healthy", "detached_process")
    port = body["gateway_port"]
    assert on_alice(world, "attach")[1]["gateway_port"] == port
    prompt(world, "hello")
    code, body = on_alice(world, "prompt", "--prompt", "bell \a", "--admission-policy", "always")
    assert code == 1
    code, body = on_alice(world, "send-keys", "--sequence", "keys<[Enter]>")
    assert (code, body["action"]) == (0, "control_input")
    until(lambda: prompts(world) == ["hello", "keys"], "the keys never came")
    code, body = on_alice(world, "interrupt")
    assert (code, body["request_kind"]) == (0, "interrupt")
    code, body = on_alice(
        world, "reminders", "create", "--title", "t", "--prompt", "p", "--start-after-seconds", "600", "--ranking", "3"
    )
    one = str(body["effective_reminder_id"])
    assert on_alice(world, "reminders", "set", "--reminder-id", one, "--paused")[1]["paused"] is True
    assert on_alice(world, "reminders", "remove", "--reminder-id", one)[1]["deleted"] is True
    code, body = on_alice(world, "reminders", "get", "--reminder-id", one)
    assert (code, body["error"]["code"]) == (1, "gateway.http_404")  # type: ignore[index]
    assert on_alice(world, "tui", "state")[1]["surface"]
    assert on_alice(world, "tui", "history", "--limit", "5")[1]["entries"]
    code, text = houmao(world, "agents", "single", "--agent-name", "alice", "gateway", "tui", "watch", "--looks", "1")
    assert (code, "turn " in text) == (0, True)

    code, body = on_alice(world, "detach")
    assert (code, body["gateway_health"]) == (0, "not_attached")
    assert on_alice(world, "detach")[0] == 0
