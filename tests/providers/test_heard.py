"""What a line of a headless turn means: the same words for every provider, whatever the lines are."""

import json
from typing import Any

import pytest

from reconciler.build.turn import canonical, conversation, heard
from reconciler.ports.turn import EventKind
from reconciler.providers import discover

PROVIDERS = discover()
LINES: dict[str, list[Any]] = {
    "echo": [
        {"type": "session", "id": "c1", "turns": 0, "model": "m", "api_key": "unset"},
        {"type": "token", "text": "hel"},
        {"type": "token", "text": "lo"},
        {"type": "result", "ok": True, "text": "hello"},
    ],
    "claude": [
        {"type": "system", "subtype": "init", "session_id": "c1", "model": "m", "permissionMode": "bypassPermissions"},
        {"type": "system", "subtype": "thinking_tokens"},
        {
            "type": "stream_event",
            "event": {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "hel"}},
        },
        {
            "type": "assistant",
            "message": {"content": [{"type": "text", "text": "hello"}, {"type": "tool_use", "id": "t"}]},
        },
        {"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": "t", "is_error": False}]}},
        {"type": "result", "subtype": "success", "is_error": False, "result": "hello", "session_id": "c1"},
    ],
    "codex": [
        {"type": "thread.started", "thread_id": "c1"},
        {"type": "turn.started"},
        {"type": "item.completed", "item": {"type": "error", "message": "unknown model name"}},
        {"type": "item.started", "item": {"type": "command_execution", "id": "i", "command": "ls"}},
        {"type": "item.completed", "item": {"type": "agent_message", "text": "hello"}},
        {"type": "turn.completed", "usage": {"output_tokens": 3}},
    ],
    "gemini": [
        {"type": "init", "session_id": "c1", "model": "m", "timestamp": "2026-01-01T00:00:00.000Z"},
        {"type": "message", "role": "user", "content": "say hello"},
        {"type": "message", "role": "assistant", "content": "hel", "delta": True},
        {"type": "message", "role": "assistant", "content": "lo", "delta": True},
        {"type": "tool_use", "tool_name": "ls", "tool_id": "t", "parameters": {}},
        {"type": "result", "status": "success", "stats": {}},
    ],
}
FAILED: dict[str, Any] = {
    "echo": {"type": "error", "text": "no"},
    "claude": {"type": "result", "is_error": True, "terminal_reason": "api_error", "result": "no"},
    "codex": {"type": "turn.failed", "error": {"message": "no"}},
    "gemini": {"type": "result", "status": "error", "error": {"message": "no"}},
}


def stdout(lines: list[Any]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@pytest.mark.parametrize("name", LINES)
def test_a_turn_in_the_words_of_all_providers(name: str) -> None:
    events = canonical(PROVIDERS[name], stdout(LINES[name]), number=3, at_utc="now")

    assert events[0]["kind"] == "session"
    assert events[-1]["kind"] == "completion"
    assert "".join(str(event["message"]) for event in events if event["kind"] == "assistant") == "hello"
    assert {event["session_id"] for event in events} == {"c1"}
    assert {event["turn_index"] for event in events} == {3}
    assert {event["provider"] for event in events} == {name}


@pytest.mark.parametrize("name", FAILED)
def test_a_failure_in_the_words_of_all_providers(name: str) -> None:
    ((event, _),) = heard(PROVIDERS[name], stdout([FAILED[name]]))

    assert (event.kind, event.message) == (EventKind.ERROR, "no")


@pytest.mark.parametrize("name", list(PROVIDERS))
@pytest.mark.parametrize(
    "line",
    [{}, {"type": None}, {"type": ["x"]}, {"type": "item.completed", "item": 3}, {"type": "assistant", "message": "x"},
     {"type": "assistant", "message": {"content": [3, None, {"type": 4}]}}, {"type": "user", "message": []},
     {"type": "stream_event", "event": {"delta": {"text": 5}}}, {"type": "result"}, {"type": "token", "text": {}}],
    ids=str,
)  # fmt: skip
def test_no_line_can_break_the_reader(name: str, line: Any) -> None:
    for event in PROVIDERS[name].heard(line):
        assert isinstance(event.message, str)
        assert isinstance(event.session, str)


def test_what_is_not_whole_or_no_object_says_nothing() -> None:
    text = b'not json\n[1]\n"x"\n{"type": "token", "text": "a"}\n{"type": "token", "text": "b"'
    found = heard(PROVIDERS["echo"], text)

    assert [event.message for event, _ in found] == ["a"]
    assert conversation(found) == ""
