"""An agent of each vendor, talked to and handled by `houmao agents` alone: in a terminal, and headless turn by turn."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import WaitUntil
from tests.loopback.server import Entry, LoopbackServer
from tests.providers.real.fleet import START_S, VENDORS, Fleet
from tests.providers.real.recipes import RECIPES

pytestmark = [pytest.mark.providers, pytest.mark.tmux, pytest.mark.timeout(600)]
EVERY = pytest.mark.parametrize("name", sorted(VENDORS))
NEW = ("--chat-session-mode", "new")
READY = ("--ready-within", f"{START_S:g}s")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Talk:
    """What a person types about alice."""

    def __init__(self, fleet: Fleet, server: LoopbackServer) -> None:
        self.fleet, self.server = fleet, server

    def __call__(self, *words: str, ok: bool = True) -> Any:
        ran = self.fleet.houmao("agents", "single", "--agent-name", "alice", *words, "--print-json")
        assert (ran.returncode == 0) is ok, f"{words}: {ran.stdout}{ran.stderr}"
        return json.loads(ran.stdout)

    def asked(self, prompt: str, *words: str) -> tuple[Any, Entry]:
        """A prompt whose answer is waited for: what was said of it, and what the model was asked."""
        since = len(self.server.log)
        said = self("prompt", "--prompt", prompt, "--wait", *READY, *words)
        return said, self.server.wait_for_prompt(prompt, START_S, since)

    @property
    def turn(self) -> str:
        return str(self("state")["turn"]["phase"])


@pytest.fixture
def talk(name: str, tmp_path: Path, installed: Path, loopback: LoopbackServer) -> Iterator[Talk]:
    with Fleet(VENDORS[name], tmp_path, loopback.url, installed) as fleet:
        yield Talk(fleet, loopback)


@EVERY
def test_an_agent_in_a_terminal(name: str, talk: Talk, wait_until: WaitUntil) -> None:
    talk.fleet.declare("You review. role-mark:alpha-7")
    applied = talk.fleet.apply()
    assert applied.returncode == 0, applied.stdout + applied.stderr

    said, _ = talk.asked("echo hello there")
    assert (said["delivery"], said["result"]) == ("delivered", "success")
    assert said["answer"].strip("●•✦ ") == "hello there"

    since = len(talk.server.log)
    assert talk("prompt", "--prompt", "slow 60", *READY)["success"] is True
    talk.server.wait_for(lambda entry: entry["prompt"] == "slow 60", START_S, since)
    wait_until(lambda: talk.turn == "active", within_s=START_S, what="a turn that is seen to run")
    assert talk("prompt", "--prompt", "echo too soon", ok=False)["error"]["code"] == "prompt.not_ready"
    assert talk("interrupt")["success"] is True
    talk.server.wait_for(lambda entry: entry["prompt"] == "slow 60" and entry["ended"], START_S, since)
    wait_until(lambda: talk.turn == "ready", within_s=START_S, what="an interrupted turn that is over")
    assert not [entry for entry in talk.server.log if entry["prompt"] == "echo too soon"]

    before = talk.fleet.instance()["status"]["pid"]
    assert talk("relaunch")["success"] is True
    _, entry = talk.asked("echo going on")
    assert entry["earlier"][0] == "echo hello there"
    assert talk.fleet.instance()["status"]["pid"] != before
    # A program may be writing its file anew while it is looked at.
    kept: set[str] = set()
    wait_until(
        lambda: bool(kept.update(conversations(talk.fleet)) or kept),
        within_s=START_S,
        what="a conversation on the disk",
    )

    assert talk("relaunch", "--chat-session-mode", "new")["success"] is True
    _, entry = talk.asked("echo a new one")
    assert entry["earlier"] == []

    still: set[str] = set()
    wait_until(
        lambda: bool(still.update(kept & conversations(talk.fleet)) or still),
        within_s=START_S,
        what="the conversation of before on the disk",
    )
    (conversation,) = still
    exact = ("--chat-session-mode", "exact", "--chat-session-id", conversation)
    assert talk("relaunch", *exact)["success"] is True
    _, entry = talk.asked("echo the first again")
    assert entry["earlier"][:1] == ["echo hello there"]
    assert "echo a new one" not in entry["earlier"]

    terminal = talk.fleet.terminal()
    assert terminal.group()
    assert talk("stop")["success"] is True
    assert terminal.group() == []
    again = talk.fleet.apply()
    assert again.returncode == 0, again.stderr
    assert "Held" in again.stdout
    assert talk.fleet.tmux("list-sessions") == ""
    assert set(talk.server.outside()) <= set(RECIPES[name].fetches)


def conversations(fleet: Fleet) -> set[str]:
    """Ids of the conversations that the program keeps in its home, by the names of their files or what is in them."""
    home = Path(json.loads(fleet.houmao("get", "instance/alice", "-o", "json").stdout)["status"]["home"])
    found: set[str] = set()
    for path in [*home.rglob("*.jsonl"), *home.rglob("session-*.json")]:
        found |= set(ID.findall(path.name)[-1:] or ID.findall(path.read_text(errors="replace"))[:1])
    return found


@EVERY
def test_a_headless_agent_turn_by_turn(name: str, talk: Talk, wait_until: WaitUntil) -> None:
    talk.fleet.declare("You review. role-mark:alpha-7")
    text = talk.fleet.source.read_text()
    talk.fleet.source.write_text(text.replace("readiness: [process, prompt]", "headless: true"))
    applied = talk.fleet.apply()
    assert applied.returncode == 0, applied.stdout + applied.stderr

    first = talk("turn", "submit", "--prompt", "echo hello there")
    assert (first["turn_id"], first["status"]) == ("turn-0001", "completed")
    events = talk("turn", "events", "turn-0001")["events"]
    assert "hello there" in "".join(str(event["message"]) for event in events if event["kind"] == "assistant")
    assert talk("turn", "status", "turn-0001")["returncode"] == 0
    assert talk("turn", "stdout", "turn-0001")["text"]

    since = len(talk.server.log)
    talk("turn", "submit", "--prompt", "role")
    entry = talk.server.wait_for_prompt("role", START_S, since)
    assert entry["earlier"] == ["echo hello there"], "the conversation was not gone on with"
    assert any("role-mark:alpha-7" in text for text in entry["role"])
    told = [talk("turn", "events", turn)["events"] for turn in ("turn-0001", "turn-0002")]
    ids = [{event["session_id"] for event in each if event["session_id"]} for each in told]
    assert ids[0] == ids[1] != set()

    since = len(talk.server.log)
    assert talk("turn", "submit", "--prompt", "slow 60", "--no-wait")["status"] == "active"
    talk.server.wait_for(lambda entry: entry["prompt"] == "slow 60", START_S, since)
    assert talk.turn == "active"
    assert talk("interrupt")["success"] is True
    assert talk("turn", "status", "turn-0003")["status"] == "interrupted"
    talk.server.wait_for(lambda entry: entry["prompt"] == "slow 60" and entry["ended"], START_S, since)

    since = len(talk.server.log)
    assert talk("prompt", "--prompt", "echo once more")["headless_turn_id"] == "turn-0004"
    assert "echo hello there" in talk.server.wait_for_prompt("echo once more", START_S, since)["earlier"]
    assert talk("stop")["success"] is True
    assert talk.fleet.tmux("list-sessions") == ""
    wait_until(lambda: talk.fleet.processes() == [], within_s=START_S, what="no process of the project")
    assert set(talk.server.outside()) <= set(RECIPES[name].fetches)


@EVERY
def test_its_gateway_hands_prompts_over_and_follows_its_turns(name: str, talk: Talk, wait_until: WaitUntil) -> None:
    talk.fleet.declare("You review.")
    text = talk.fleet.source.read_text()
    talk.fleet.source.write_text(text.replace("prompt]}", "prompt], gateway: {enabled: true}}"))
    applied = talk.fleet.apply()
    assert applied.returncode == 0, applied.stdout + applied.stderr

    def handed(prompt: str, *words: str) -> list[str]:
        since = len(talk.server.log)
        assert talk("gateway", "prompt", "--prompt", prompt, *words, *READY)["sent"] is True
        earlier: list[str] = talk.server.wait_for_prompt(prompt, START_S, since)["earlier"]
        return earlier

    def said_before(prompt: str, *words: str) -> list[str]:
        """Without what a program tells the model of its own command."""
        return [text for text in handed(prompt, *words) if text.startswith("echo ")]

    def result() -> str:
        return str(talk("gateway", "tui", "state")["last_turn"]["result"])

    assert handed("echo one") == []
    wait_until(lambda: result() == "success", within_s=START_S, what="the end of the turn")
    assert handed("echo two") == ["echo one"]
    assert talk("relaunch")["success"] is True
    assert handed("echo three") == ["echo one", "echo two"]
    assert talk("state")["gateway"]["gateway_health"] == "healthy"
    handed("echo four")
    talk("gateway", "prompt", "--prompt", "slow 60", *READY)
    wait_until(lambda: talk("gateway", "tui", "state")["turn"]["phase"] == "active", within_s=START_S)
    talk("gateway", "interrupt")
    wait_until(lambda: result() == "interrupted", within_s=START_S, what="an interrupted turn")
    assert said_before("echo afresh", *NEW) == []
    wait_until(lambda: result() == "success", within_s=START_S, what="the end of the first turn of a new conversation")
    assert said_before("echo going on") == ["echo afresh"]


@EVERY
def test_a_headless_agent_takes_turns_through_its_gateway(name: str, talk: Talk, wait_until: WaitUntil) -> None:
    talk.fleet.declare("You review.")
    text = talk.fleet.source.read_text()
    talk.fleet.source.write_text(
        text.replace("readiness: [process, prompt]", "headless: true, gateway: {enabled: true}")
    )
    applied = talk.fleet.apply()
    assert applied.returncode == 0, applied.stdout + applied.stderr

    def handed(prompt: str, *words: str) -> list[str]:
        since = len(talk.server.log)
        said = talk("gateway", "prompt", "--prompt", prompt, *words, *READY)
        earlier: list[str] = talk.server.wait_for_prompt(prompt, START_S, since)["earlier"]
        wait_until(
            lambda: talk("turn", "status", said["headless_turn_id"])["status"] == "completed",
            within_s=START_S,
            what=f"the end of {said['headless_turn_id']}",
        )
        return earlier

    assert handed("echo one") == []
    assert handed("echo two") == ["echo one"]
    assert handed("echo afresh", *NEW) == []
    assert handed("echo going on") == ["echo afresh"]
    assert talk("stop")["success"] is True
    wait_until(lambda: talk.fleet.processes() == [], within_s=START_S, what="no process of the project")
