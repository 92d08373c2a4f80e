"""What echo prints in a headless turn: its session, tokens, then a result or an error."""

from reconciler.build.heard import some, text
from reconciler.model.json import JsonMap
from reconciler.ports.turn import EventKind, Heard


def heard(line: JsonMap) -> tuple[Heard, ...]:
    """One line of it."""
    word = text(line, "type")
    match word:
        case "session":
            return (Heard(EventKind.SESSION, word, session=text(line, "id"), data=some(line, "model", "turns")),)
        case "token":
            return (Heard(EventKind.ASSISTANT, word, text(line, "text")),)
        case "result":
            return (Heard(EventKind.COMPLETION, word),)
        case "error":
            return (Heard(EventKind.ERROR, word, text(line, "text")),)
        case _:
            return ()
