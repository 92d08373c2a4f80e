"""What a provider's headless turn says while it runs, in the words of all providers."""

from enum import StrEnum

from reconciler.model.json import JsonMap
from reconciler.model.tuples import NamedTuple


class EventKind(StrEnum):
    """`session` names the conversation, `assistant` is part of the answer, `completion` and `error` end the turn."""

    SESSION = "session"
    PROGRESS = "progress"
    ASSISTANT = "assistant"
    COMPLETION = "completion"
    ERROR = "error"


class Heard(NamedTuple):
    """One event, as its provider said it."""

    kind: EventKind
    type: str
    """The provider's own word for it."""
    message: str = ""
    session: str = ""
    data: JsonMap = {}  # noqa: RUF012  # nobody changes it
