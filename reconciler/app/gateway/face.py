"""What a gateway need not know: whether its agent has a terminal that is typed at, or is headless and takes turns.

Both faces are seen (where is it, may it be given something) and handed things (a prompt, an interrupt, keys); the core
owns the queue, the order, and the rows that are written before and after.
"""

from typing import Protocol

from reconciler.app.gateway.admission import Policy, Refusal
from reconciler.app.gateway.served import Nowhere, Place
from reconciler.model.json import Json, JsonMap
from reconciler.model.tuples import NamedTuple
from reconciler.ports.build import ModelConfig
from reconciler.ports.gateway import State
from reconciler.ports.reading import Tri
from reconciler.ports.tmux import Stroke
from reconciler.ports.turn import AUTO, Chat


class Asked(NamedTuple):
    """A prompt as it was asked for."""

    text: str
    chat: Chat = AUTO
    model: ModelConfig | None = None
    turn_id: str = ""
    """Of a headless turn, where the sender chose one."""

    def to_json(self) -> JsonMap:
        """The payload of its row in the queue, in the wire's keys (§7.5)."""
        body: dict[str, Json] = {"prompt": self.text}
        if self.chat != AUTO:
            body["chat_session"] = {"mode": self.chat.mode, **({"id": self.chat.id} if self.chat.id else {})}
        if self.model is not None:
            model: dict[str, Json] = {} if self.model.name is None else {"name": self.model.name}
            if self.model.reasoning_level is not None:
                model["reasoning"] = {"level": self.model.reasoning_level}
            body["execution"] = {"model": model}
        if self.turn_id:
            body["turn_id"] = self.turn_id
        return body


def asked_of(payload: JsonMap) -> Asked:
    """The same back again, from a payload that was checked when it came."""
    chat, execution, turn_id = payload.get("chat_session"), payload.get("execution"), payload.get("turn_id")
    model = execution.get("model") if isinstance(execution, dict) else None
    config: ModelConfig | None = None
    if isinstance(model, dict):
        name, reasoning = model.get("name"), model.get("reasoning")
        level = reasoning.get("level") if isinstance(reasoning, dict) else None
        config = ModelConfig(name if isinstance(name, str) else None, level if isinstance(level, int) else None)
    return Asked(
        str(payload.get("prompt", "")),
        Chat(str(chat.get("mode")), str(chat.get("id") or "")) if isinstance(chat, dict) else AUTO,
        config,
        turn_id if isinstance(turn_id, str) else "",
    )


class Posture(NamedTuple):
    """What is to be seen of an agent, as far as whoever wants to give it something has to know."""

    ready: bool
    """It takes a prompt now."""
    why_not: str
    """The end of the sentence `the agent is not ready for a prompt: …`."""
    pending: Tri
    """Whether something of somebody waits to be sent before a prompt."""
    eligibility: str
    """`ready`, `not_ready` or `unknown`."""
    working: bool
    """It is at a turn, which an interrupt would end."""


class Turned(NamedTuple):
    """What came of handing something over: the state its row ends in, and why."""

    state: State
    why: str
    moved: bool = False
    """Nothing was handed over, only because the agent is not as it was judged any more."""
    result: JsonMap = {}  # noqa: RUF012  # nobody changes it
    """What is known of it beyond that: the turn it became."""


class Face(Protocol):
    """One agent, as its gateway meets it. Not for two threads at once, but for `posture`."""

    @property
    def place(self) -> Place | Nowhere:
        """Where it was at the newest look."""
        ...

    @property
    def pause(self) -> float:
        """Seconds until somebody should look again, as long as nobody asks for anything."""
        ...

    def find(self) -> Place | Nowhere:
        """Where the agent is now."""
        ...

    def look(self) -> None:
        """Take in how it is now."""
        ...

    def wake(self) -> None:
        """Something is going to happen: look often again."""
        ...

    def posture(self) -> Posture:
        """As of the newest look."""
        ...

    def unfit(self, asked: Asked, policy: Policy | None) -> Refusal | None:
        """Why this agent will never take such a prompt; `policy` None for one that stands in line."""
        ...

    def hand(self, asked: Asked, label: str, *, judged: bool) -> Turned:
        """Give it a prompt, as its only sender; not `judged` whatever it is doing."""
        ...

    def interrupt(self) -> Turned:
        """End what it is at; success where that is nothing."""
        ...

    def press(self, strokes: tuple[Stroke, ...], *, judged: bool) -> Turned:
        """Give it keys."""
        ...
