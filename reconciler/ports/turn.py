"""What a provider's headless turn says while it runs, in the words of all providers; and whose conversation it is."""

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


class Chat(NamedTuple):
    """Which conversation a prompt belongs to, in the modes of the wire; `id` goes with `exact` alone.

    `auto` goes on with the current one where there is one, `current` wants that there is; `tool_last_or_new` leaves it
    to the tool, `new` begins one.
    """

    mode: str = "auto"
    id: str = ""


AUTO = Chat()
