"""What Gemini prints with `-o stream-json`: deltas of the answer, tools, and one result."""

from reconciler.build.heard import some, text
from reconciler.model.json import JsonMap
from reconciler.ports.turn import EventKind, Heard


def heard(line: JsonMap) -> tuple[Heard, ...]:
    """One line of it."""
    word = text(line, "type")
    match word:
        case "init":
            return (Heard(EventKind.SESSION, word, session=text(line, "session_id"), data=some(line, "model")),)
        case "message" if text(line, "role") == "assistant":
            return (Heard(EventKind.ASSISTANT, word, text(line, "content"), data=some(line, "delta")),)
        case "tool_use":
            data = some(line, "tool_id", "parameters")
            return (Heard(EventKind.PROGRESS, word, text(line, "tool_name"), data=data),)
        case "tool_result":
            return (Heard(EventKind.PROGRESS, word, data=some(line, "tool_id", "status")),)
        case "error":
            return (Heard(EventKind.PROGRESS, word, text(line, "message"), data=some(line, "severity")),)
        case "result":
            if text(line, "status") == "success":
                return (Heard(EventKind.COMPLETION, word, data=some(line, "stats")),)
            said = text(line, "error.message") or text(line, "error")
            return (Heard(EventKind.ERROR, word, said, data=some(line, "error", "stats")),)
        case _:
            return ()
