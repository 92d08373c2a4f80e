"""What Claude Code prints with `--output-format stream-json`. An answer comes twice, as deltas and as a whole: the
deltas count as progress, the whole as the answer."""

from reconciler.build.heard import parts, some, text
from reconciler.model.json import JsonMap
from reconciler.ports.turn import EventKind, Heard


def heard(line: JsonMap) -> tuple[Heard, ...]:
    """One line of it."""
    word = text(line, "type")
    match word:
        case "system" if text(line, "subtype") == "init":
            session = text(line, "session_id")
            return (
                Heard(EventKind.SESSION, "system/init", session=session, data=some(line, "model", "permissionMode")),
            )
        case "stream_event":
            delta = text(line, "event.delta.text")
            return (Heard(EventKind.PROGRESS, "stream_event", delta, data={"delta": True}),) if delta else ()
        case "assistant":
            return tuple(_said(part) for part in parts(line, "message.content") if text(part, "type") in SAID)
        case "user":
            results = [part for part in parts(line, "message.content") if text(part, "type") == "tool_result"]
            return tuple(
                Heard(EventKind.PROGRESS, "tool_result", data=some(part, "tool_use_id", "is_error")) for part in results
            )
        case "result":
            failed = line.get("is_error") is True or text(line, "terminal_reason") == "api_error"
            data = some(line, "subtype", "terminal_reason", "usage", "num_turns")
            if failed:
                return (Heard(EventKind.ERROR, word, text(line, "result"), text(line, "session_id"), data),)
            return (Heard(EventKind.COMPLETION, word, "", text(line, "session_id"), data),)
        case _:
            return ()


SAID = ("text", "tool_use", "thinking")


def _said(part: JsonMap) -> Heard:
    word = text(part, "type")
    if word == "text":
        return Heard(EventKind.ASSISTANT, "assistant", text(part, "text"))
    if word == "thinking":
        return Heard(EventKind.PROGRESS, "thinking", text(part, "thinking"))
    return Heard(EventKind.PROGRESS, "tool_use", text(part, "name"), data=some(part, "id", "input"))
