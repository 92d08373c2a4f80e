"""The agents family as it is typed: every command of the table is there, and answers with its keys."""

from typing import Any

import pytest

from reconciler.cli.tree import PATHS
from tests.cli.conftest import TEAM, Program
from tests.conftest import WaitUntil

BOTH = [
    "state", "prompt", "interrupt", "relaunch",
    *(f"turn {verb}" for verb in ("submit", "status", "events", "stdout", "stderr")),
    *(f"memory {verb}" for verb in ("status", "path", "memo show", "memo set", "memo append", "tree", "resolve", "read",
                                    "write", "append", "delete")),
]  # fmt: skip
TABLE = {
    "agents global list", "agents launch", "agents self join", "agents self identity", "agents single stop",
    "agents single cleanup session", "agents single cleanup logs",
    *(f"agents {family} {verb}" for family in ("single", "self") for verb in BOTH),
}  # fmt: skip
IDENTITY = {
    "tracked_agent_id", "transport", "tool", "session_name", "terminal_id", "runtime_session_id", "tmux_session_name",
    "tmux_window_name", "manifest_path", "session_root", "agent_name", "agent_id", "lifecycle_state", "management_kind",
    "lifecycle_owner", "external_agent_id", "remote_pair_api_base_url", "remote_agent_ref",
}  # fmt: skip
HEADLESS = """---
apiVersion: houmao/v1alpha1
kind: Instance
metadata: {name: bob}
spec: {specialistRef: coder, headless: true}
"""
ENVELOPE = {
    "success", "tracked_agent_id", "request_id", "request_kind", "disposition", "delivery", "detail",
    "headless_turn_id", "headless_turn_index",
}  # fmt: skip


def test_every_command_of_the_table_is_there() -> None:
    assert TABLE - PATHS.keys() == set()


@pytest.mark.tmux
@pytest.mark.slow
def test_a_day_with_two_agents(houmao: Program, wait_until: WaitUntil) -> None:
    houmao.given(TEAM + HEADLESS)

    def single(name: str, *words: str, code: int = 0) -> Any:
        ran = houmao("agents", "single", "--agent-name", name, *words, "-o", "json")
        assert ran.code == code, ran
        return ran.data

    agents = houmao("agents", "global", "list", "--print-json").data["agents"]
    assert [one["agent_name"] for one in agents] == ["bob", "alice"]
    assert all(set(one) == IDENTITY for one in agents)

    state = single("alice", "state")
    assert set(state) == {
        "tracked_agent_id", "identity", "availability", "turn", "last_turn", "diagnostics", "mailbox", "gateway",
        "memory_root", "memo_file", "pages_dir",
    }  # fmt: skip
    assert (state["availability"], state["turn"], state["last_turn"]["result"]) == (
        "available", {"phase": "ready"}, "none",
    )  # fmt: skip

    sent = single("HOUMAO-alice", "prompt", "--prompt", "lines 3", "--wait")
    assert set(sent) >= ENVELOPE
    assert sent["delivery"] == "delivered"
    assert "line 1\nline 2\nline 3" in sent["answer"]
    sent = houmao("agents", "single", "--agent-name", "alice", "prompt", "-o", "json", stdin="stall")
    assert set(sent.data) == ENVELOPE
    assert single("alice", "state")["turn"]["phase"] == "active"
    refused = single("alice", "prompt", "--prompt", "more", code=1)
    assert refused["error"]["code"] == "prompt.not_ready"
    assert set(single("alice", "interrupt")) == {"success", "tracked_agent_id", "detail", "turn_id", "delivery"}
    wait_until(lambda: single("alice", "state")["turn"]["phase"] == "ready")

    turn = single("bob", "turn", "submit", "--prompt", "hello")
    assert set(turn) == {"success", "tracked_agent_id", "turn_id", "turn_index", "status", "detail"}
    assert set(single("bob", "turn", "status", turn["turn_id"])) == {
        "tracked_agent_id", "turn_id", "turn_index", "status", "started_at_utc", "completed_at_utc", "returncode",
        "completion_source", "stdout_path", "stderr_path", "error",
    }  # fmt: skip
    assert [event["kind"] for event in single("bob", "turn", "events", turn["turn_id"])["events"]] == [
        "session", "assistant", "completion",
    ]  # fmt: skip
    raw = houmao("agents", "single", "--agent-name", "bob", "turn", "stdout", turn["turn_id"])
    assert '"text": "hello"' in raw.out
    assert single("bob", "prompt", "--prompt", "hi")["headless_turn_index"] == 2
    assert single("alice", "turn", "submit", "--prompt", "x", code=1)["error"]["code"] == "turn.not_headless"

    assert single("alice", "memory", "memo", "set", "--content", "Use tabs.")["content"] == "Use tabs."
    assert single("alice", "memory", "write", "--path", "a/b.md", "--content", "x")["action"] == "write"
    assert single("alice", "memory", "read", "--path", "a/b.md") == {"path": "a/b.md", "content": "x"}
    assert single("alice", "memory", "read", "--path", "../x", code=64)["error"]["code"] == "usage.page"

    stopped = single("alice", "stop")
    assert set(stopped) == {
        "success", "tracked_agent_id", "detail", "turn_id", "manifest_path", "session_root", "found",
    }  # fmt: skip
    assert single("alice", "state", code=1)["error"]["code"] == "agent.not_active"
    cleaned = single("alice", "cleanup", "session", "--dry-run")
    assert set(cleaned) == {
        "dry_run", "scope", "resolution", "planned_actions", "applied_actions", "blocked_actions", "preserved_actions",
        "summary",
    }  # fmt: skip
    assert single("alice", "relaunch")["success"] is True
    assert houmao("agents", "self", "state").code == 1
    assert houmao("agents", "single", "state").code == 64
    assert houmao("agents", "single", "--agent-name", "nobody", "state").code == 1
