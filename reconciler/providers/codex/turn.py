"""What Codex prints with `exec --json`: whole items, no deltas. An item of type `error` is a warning, no error."""

from reconciler.build.heard import some, text
from reconciler.model.json import JsonMap
from reconciler.ports.turn import EventKind, Heard

TOOLS = ("command_execution", "mcp_tool_call", "file_change", "web_search")


def heard(line: JsonMap) -> tuple[Heard, ...]:
    """One line of it."""
    word = text(line, "type")
    match word:
        case "thread.started":
            return (Heard(EventKind.SESSION, word, session=text(line, "thread_id")),)
        case "turn.started":
            return (Heard(EventKind.PROGRESS, word),)
        case "turn.completed":
            return (Heard(EventKind.COMPLETION, word, data=some(line, "usage")),)
        case "turn.failed":
            return (Heard(EventKind.ERROR, word, text(line, "error.message")),)
        case "error":
            return (Heard(EventKind.ERROR, word, text(line, "message")),)
        case "item.started" | "item.updated" | "item.completed":
            item = line.get("item")
            return _item(word, item) if isinstance(item, dict) else ()
        case _:
            return ()


def _item(word: str, item: JsonMap) -> tuple[Heard, ...]:
    kind = text(item, "type")
    done = word == "item.completed"
    if kind == "agent_message" and done:
        return (Heard(EventKind.ASSISTANT, f"{word}/{kind}", text(item, "text")),)
    if kind in ("reasoning", "error") and done:
        said = text(item, "text") or text(item, "message")
        return (Heard(EventKind.PROGRESS, f"{word}/{kind}", said),)
    if kind in TOOLS:
        data = some(item, "id", "command", "exit_code", "server", "tool", "arguments", "status")
        return (Heard(EventKind.PROGRESS, f"{word}/{kind}", text(item, "command") or text(item, "tool"), data=data),)
    return ()
