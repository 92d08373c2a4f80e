"""Request bodies: closed and strict; `schema_version`, where it is sent, must be the current one."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from reconciler.app.hand_over import text_fault
from reconciler.ports.gateway import PROMPT_MAX

REMINDER_ID = r"^greminder-[0-9a-f]{12}$"
CONVERSATION_ID = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$"
"""It becomes a word of a command line: nothing that reads as a flag or a path."""
FAR = datetime(9000, 1, 1, tzinfo=UTC)
LONG_S = 10 * 366 * 86_400.0
"""Ten years: nobody is reminded later than that."""


def _prompt(text: str) -> str:
    fault = text_fault(text.replace("\r\n", "\n"))
    if fault is not None:
        raise ValueError(f"the prompt {fault}")
    return text


def _soon(moment: datetime) -> datetime:
    if not datetime(1970, 1, 2, tzinfo=UTC) < moment < FAR:
        raise ValueError("no such day")
    return moment.astimezone(UTC)


Prompt = Annotated[str, Field(min_length=1, max_length=PROMPT_MAX), AfterValidator(_prompt)]
Seconds = Annotated[float, Field(ge=0, le=LONG_S, allow_inf_nan=False, strict=False)]
When = Annotated[AwareDatetime, Field(strict=False), AfterValidator(_soon)]


class Body(BaseModel):
    """Base of every body."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=False)


class Reasoning(Body):
    """Reasoning level of one turn."""

    level: Annotated[int, Field(ge=0, le=1000)]


class Model(Body):
    """The model of one turn."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    reasoning: Reasoning | None = None


class Execution(Body):
    """How one turn is executed; headless agents only."""

    model: Model


class ChatSession(Body):
    """Which conversation a prompt belongs to."""

    mode: Literal["auto", "new", "current", "tool_last_or_new", "exact"]
    id: Annotated[str, Field(pattern=CONVERSATION_ID)] | None = None

    @model_validator(mode="after")
    def _id_goes_with_exact(self) -> "ChatSession":
        if (self.mode == "exact") != (self.id is not None):
            raise ValueError("id goes with mode exact, and only with it")
        return self


class SubmitPayload(Body):
    """Payload of `submit_prompt`."""

    prompt: Prompt
    turn_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$")] | None = None
    chat_session: ChatSession | None = None
    execution: Execution | None = None


class Nothing(Body):
    """Payload of `interrupt`."""


class SubmitRequest(Body):
    """A prompt for the queue."""

    schema_version: Literal[1] = 1
    kind: Literal["submit_prompt"]
    payload: SubmitPayload


class InterruptRequest(Body):
    """An interrupt for the queue."""

    schema_version: Literal[1] = 1
    kind: Literal["interrupt"]
    payload: Nothing = Nothing()


RequestCreate = Annotated[SubmitRequest | InterruptRequest, Field(discriminator="kind")]


class PromptControl(Body):
    """A prompt that is typed while its sender waits."""

    schema_version: Literal[2] = 2
    prompt: Prompt
    admission_policy: Annotated[str, Field(max_length=40)] = "ready_only"
    """`ready_only`, `if_no_pending` or `always`; another word is refused in this route's own shape."""
    chat_session: ChatSession | None = None
    execution: Execution | None = None


class SendKeys(Body):
    """Keys that are typed now."""

    schema_version: Literal[1] = 1
    sequence: Annotated[str, Field(min_length=1, max_length=10_000)]
    escape_special_keys: bool = False


class NotePrompt(Body):
    """A prompt that somebody typed otherwise."""

    schema_version: Literal[1] = 1
    prompt: Prompt


class NextPromptSession(Body):
    """The next prompt of a headless agent begins a new conversation."""

    schema_version: Literal[1] = 1
    mode: Literal["new"]


class KeysDelivery(Body):
    """Keys of a reminder."""

    sequence: Annotated[str, Field(min_length=1, max_length=10_000)]
    ensure_enter: bool = True


class ReminderBody(Body):
    """What a reminder is made of."""

    mode: Literal["one_off", "repeat"]
    title: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
    prompt: Prompt | None = None
    send_keys: KeysDelivery | None = None
    ranking: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] = 0
    paused: bool = False
    start_after_seconds: Seconds | None = None
    deliver_at_utc: When | None = None
    interval_seconds: Annotated[float, Field(ge=1, le=LONG_S, allow_inf_nan=False, strict=False)] | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "ReminderBody":
        if (self.prompt is None) == (self.send_keys is None):
            raise ValueError("exactly one of prompt and send_keys must be given")
        if (self.start_after_seconds is None) == (self.deliver_at_utc is None):
            raise ValueError("exactly one of start_after_seconds and deliver_at_utc must be given")
        if (self.mode == "repeat") != (self.interval_seconds is not None):
            raise ValueError("interval_seconds goes with mode repeat, and only with it")
        return self


class ReminderPut(ReminderBody):
    """A reminder in place of another."""

    schema_version: Literal[1] = 1


class ReminderCreate(Body):
    """New reminders."""

    schema_version: Literal[1] = 1
    reminders: Annotated[list[ReminderBody], Field(min_length=1, max_length=100)]
