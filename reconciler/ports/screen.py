"""What an agent's screen says, and what follows from a series of screens: the words every reader of them shares.

    capture ── provider.reading ──► Reading          one picture, no memory, no clock
    captures + facts + time ── build.tracking ──► TerminalState      what a person would say who kept watching

Everything that types at an agent asks `submit_ready` and `pending_input` of a state; nothing decides by itself. What a
screen does not show is `unknown`, a value of its own: it is never taken for `no`, and never for ready.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.model.json import Json, JsonMap
from reconciler.model.tuples import NamedTuple
from reconciler.ports.reading import Reading, ScreenState, Surface, Tri, TurnResult
from reconciler.ports.tmux import Screen, Unanswered


class Phase(StrEnum):
    """Where the turn stands; `blocked` waits for an operator."""

    READY = "ready"
    ACTIVE = "active"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class TurnSource(StrEnum):
    """How a turn is known: somebody told it, the screen showed it, or the provider's own hook reported it."""

    EXPLICIT_INPUT = "explicit_input"
    SURFACE_INFERENCE = "surface_inference"
    HOOK_OBSERVATION = "hook_observation"
    NONE = "none"


class Availability(StrEnum):
    """Whether the agent can be talked about at all."""

    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"
    TUI_DOWN = "tui_down"
    ERROR = "error"
    UNKNOWN = "unknown"


class TransportState(StrEnum):
    """The terminal the screen came from."""

    TMUX_UP = "tmux_up"
    TMUX_MISSING = "tmux_missing"
    PROBE_ERROR = "probe_error"


class ProcessState(StrEnum):
    """The provider's process."""

    TUI_UP = "tui_up"
    TUI_DOWN = "tui_down"
    UNSUPPORTED_TOOL = "unsupported_tool"
    PROBE_ERROR = "probe_error"
    UNKNOWN = "unknown"


class ParseStatus(StrEnum):
    """What became of the last capture."""

    PARSED = "parsed"
    SKIPPED_TUI_DOWN = "skipped_tui_down"
    UNSUPPORTED_TOOL = "unsupported_tool"
    TRANSPORT_UNAVAILABLE = "transport_unavailable"
    PROBE_ERROR = "probe_error"
    PARSE_ERROR = "parse_error"


class Eligibility(StrEnum):
    """`terminal_surface_eligibility` of a gateway's status."""

    READY = "ready"
    UNKNOWN = "unknown"
    NOT_READY = "not_ready"


class Readiness(StrEnum):
    """The readiness lifecycle."""

    READY = "ready"
    WAITING = "waiting"
    BLOCKED = "blocked"
    FAILED = "failed"
    UNKNOWN = "unknown"
    STALLED = "stalled"


class Completion(StrEnum):
    """The completion lifecycle of the newest turn."""

    INACTIVE = "inactive"
    IN_PROGRESS = "in_progress"
    CANDIDATE_COMPLETE = "candidate_complete"
    COMPLETED = "completed"
    WAITING = "waiting"
    BLOCKED = "blocked"
    FAILED = "failed"
    UNKNOWN = "unknown"
    STALLED = "stalled"


class ChatContext(StrEnum):
    """Whether the conversation is one to go on with."""

    CURRENT = "current"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"


class Work(StrEnum):
    """Whether something is still to be done: a turn that runs, or text that waits in the prompt box."""

    PENDING = "pending"
    CLEAR = "clear"
    UNKNOWN = "unknown"


class Turn(NamedTuple):
    """The turn that runs; id and number are empty while none does."""

    phase: Phase = Phase.UNKNOWN
    id: str = ""
    number: int = 0
    source: TurnSource = TurnSource.NONE

    def to_json(self) -> JsonMap:
        """`active_turn_id` only while a turn runs."""
        found: JsonMap = {"phase": self.phase.value}
        if self.id:
            found["active_turn_id"] = f"tui-anchor:{self.id}"
        return found


class LastTurn(NamedTuple):
    """The newest turn that ended."""

    result: TurnResult = TurnResult.NONE
    source: TurnSource = TurnSource.NONE
    at: datetime | None = None
    id: str = ""
    number: int = 0

    def to_json(self) -> JsonMap:
        """The terminal's view, whose `result` has no `unknown`."""
        result = TurnResult.NONE if self.result is TurnResult.UNKNOWN else self.result
        return {**self.managed_json(), "result": result.value, "source": self.source.value}

    def managed_json(self) -> JsonMap:
        """The managed view."""
        return {
            "result": self.result.value,
            "turn_id": self.id or None,
            "turn_index": self.number or None,
            "updated_at_utc": utc_text(self.at),
        }


class Diagnostics(NamedTuple):
    """Why the state is as it is, where the screen is not the reason."""

    availability: Availability = Availability.UNKNOWN
    transport_state: TransportState = TransportState.PROBE_ERROR
    process_state: ProcessState = ProcessState.UNKNOWN
    parse_status: ParseStatus = ParseStatus.PROBE_ERROR
    detail: str = ""

    def to_json(self) -> JsonMap:
        """In the wire's keys."""
        return {
            "availability": self.availability.value,
            "transport_state": self.transport_state.value,
            "process_state": self.process_state.value,
            "parse_status": self.parse_status.value,
            "detail": self.detail or None,
        }


class Stability(NamedTuple):
    """For how long the screen has said the same."""

    signature: str = ""
    stable: bool = False
    stable_for_s: float = 0.0
    stable_since: datetime | None = None

    def to_json(self) -> JsonMap:
        """In the wire's keys."""
        return {
            "signature": self.signature,
            "stable": self.stable,
            "stable_for_seconds": round(self.stable_for_s, 3),
            "stable_since_utc": utc_text(self.stable_since),
        }


class TerminalState(NamedTuple):
    """What is known of one agent's terminal at one moment."""

    surface: Surface = Surface()
    turn: Turn = Turn()
    last_turn: LastTurn = LastTurn()
    diagnostics: Diagnostics = Diagnostics()
    stability: Stability = Stability()
    readiness: Readiness = Readiness.UNKNOWN
    completion: Completion = Completion.UNKNOWN
    reading: Reading | None = None
    """What the newest capture said; None where there was none to read."""
    parser: str = ""
    at: datetime | None = None
    """The moment of the newest look."""

    @property
    def chat_context(self) -> ChatContext:
        """Degraded where the newest turn failed."""
        if self.reading is None or self.reading.state is ScreenState.UNKNOWN:
            return ChatContext.UNKNOWN
        failed = self.last_turn.result is TurnResult.KNOWN_FAILURE
        return ChatContext.DEGRADED if failed else ChatContext.CURRENT

    @property
    def work(self) -> Work:
        """Pending where a turn runs or text waits; clear only where neither can be."""
        if self.turn.phase is Phase.ACTIVE or self.surface.pending_input is Tri.YES:
            return Work.PENDING
        clear = self.turn.phase is Phase.READY and self.surface.pending_input is Tri.NO
        return Work.CLEAR if clear else Work.UNKNOWN

    def to_json(self) -> JsonMap:
        """The detailed terminal state of the wire."""
        parsed: Json = None
        if self.reading is not None:
            parsed = {
                "parser_family": f"{self.parser}_screen",
                "parser_preset_id": self.parser,
                **self.reading.to_json(),
            }
        return {
            "diagnostics": self.diagnostics.to_json(),
            "surface": self.surface.to_json(),
            "turn": self.turn.to_json(),
            "last_turn": self.last_turn.to_json(),
            "stability": self.stability.to_json(),
            "readiness": self.readiness.value,
            "completion": self.completion.value,
            "chat_context": self.chat_context.value,
            "work": self.work.value,
            "parsed_surface": parsed,
            "observed_at_utc": utc_text(self.at),
        }

    def managed_json(self) -> JsonMap:
        """`availability`, `turn` and `last_turn` as the managed state has them; the caller adds who it is."""
        return {
            "availability": managed_availability(self.diagnostics.availability),
            "turn": self.turn.to_json(),
            "last_turn": self.last_turn.managed_json(),
        }


class Transition(NamedTuple):
    """One entry of the history: from here on the agent was like this."""

    number: int
    """Rises by one with each entry."""
    at: datetime
    summary: str
    availability: Availability
    phase: Phase
    result: TurnResult
    turn_id: str = ""

    def to_json(self) -> JsonMap:
        """In the wire's keys."""
        found: JsonMap = {
            "recorded_at_utc": utc_text(self.at),
            "summary": self.summary,
            "availability": managed_availability(self.availability),
            "turn_phase": self.phase.value,
            "last_turn_result": self.result.value,
        }
        if self.turn_id:
            found["turn_id"] = f"tui-anchor:{self.turn_id}"
        return found


class Timings(NamedTuple):
    """Seconds, all above zero."""

    watch_poll_interval_s: float = 0.5
    """How often a poller looks; the tracker itself does not care."""
    stability_threshold_s: float = 1.0
    completion_stability_s: float = 1.0
    unknown_to_stalled_s: float = 30.0
    stale_active_recovery_s: float = 5.0
    final_stable_active_recovery_s: float = 20.0


class Facts(NamedTuple):
    """What is known of the agent besides its screen."""

    transport: TransportState
    process: ProcessState
    instance: str = ""
    """Which start of the provider this is (pid and start ticks, say); a change ends whatever ran before."""
    detail: str = ""


UP = Facts(TransportState.TMUX_UP, ProcessState.TUI_UP)


class Moment(NamedTuple):
    """One instant on both clocks: `s` is monotonic and measures, `utc` is what gets written down."""

    s: float
    utc: datetime

    def after(self, seconds: float) -> "Moment":
        """The moment that much later."""
        return Moment(self.s + seconds, self.utc + timedelta(seconds=seconds))


class Look(NamedTuple):
    """One look at an agent; `screen` is None where there was nothing to capture."""

    screen: Screen | Unanswered | None
    now: Moment
    facts: Facts = UP


def surface_ready(state: TerminalState) -> bool:
    """A turn could start now, as far as one look can tell: the right question where nobody has been watching."""
    return (
        state.turn.phase is Phase.READY
        and state.surface.accepting_input is Tri.YES
        and state.surface.ready_posture is Tri.YES
    )


def submit_ready(state: TerminalState) -> bool:
    """A turn could start now, and the screen has said so for the stability threshold."""
    return surface_ready(state) and state.stability.stable


def pending_input(state: TerminalState) -> Tri:
    """Whether text waits to be sent; only a decisive `no` lets a prompt pass."""
    return state.surface.pending_input if state.diagnostics.availability is Availability.AVAILABLE else Tri.UNKNOWN


def eligibility(state: TerminalState) -> Eligibility:
    """The state in the one word of a gateway's status."""
    if submit_ready(state):
        return Eligibility.READY
    return Eligibility.UNKNOWN if state.turn.phase is Phase.UNKNOWN else Eligibility.NOT_READY


def managed_availability(found: Availability) -> str:
    """The three values of the managed view."""
    if found is Availability.ERROR:
        return "error"
    return "unavailable" if found in (Availability.UNAVAILABLE, Availability.TUI_DOWN) else "available"


def utc_text(moment: datetime | None) -> str | None:
    """ISO 8601 to the millisecond, with its offset."""
    return moment.isoformat(timespec="milliseconds") if moment else None
