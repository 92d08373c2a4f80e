"""What a series of screens adds up to, as functions from one memory to the next. `tracking` feeds them.

changed     another screen or another diagnosis than before
thresholds  what happens by itself while the same screen stays, and when
phase_of, readiness_of, completion_of, summary_of     what to say of a memory
"""

from collections.abc import Callable

from reconciler.model.tuples import NamedTuple
from reconciler.ports.reading import Reading, ScreenState, Tri, TurnResult
from reconciler.ports.screen import (
    Availability,
    Completion,
    Diagnostics,
    LastTurn,
    Look,
    Moment,
    ParseStatus,
    Phase,
    ProcessState,
    Readiness,
    Timings,
    TransportState,
    TurnSource,
)
from reconciler.ports.tmux import Screen, Unanswered

Threshold = tuple[Moment, Callable[["Memory", Moment], "Memory"]]


class OpenTurn(NamedTuple):
    """A turn that has begun and not ended."""

    id: str
    number: int
    source: TurnSource
    begun: Moment
    before: Reading | None
    """The last idle screen before it."""
    busy_seen: bool = False
    moved: bool = False
    """Something was said since it began."""
    interrupted: bool = False
    """Somebody says to have interrupted it."""


class Memory(NamedTuple):
    """All a tracker knows; a value, so that it can be compared and put aside."""

    now: Moment | None = None
    diagnostics: Diagnostics = Diagnostics()
    instance: str = ""
    reading: Reading | None = None
    since: Moment | None = None
    """The signature is this one from here on."""
    pulse_since: Moment | None = None
    frozen: bool = False
    stalled: bool = False
    unknown_since: Moment | None = None
    rest: Reading | None = None
    """The newest idle screen."""
    turn: OpenTurn | None = None
    waiting: tuple[OpenTurn, ...] = ()
    """Prompts noted while another turn ran."""
    reported: bool = False
    """A hook reported the end of the turn, and the screen has not come to rest since."""
    turns: int = 0
    last: LastTurn = LastTurn()
    told: int = 0
    """Entries of history so far."""


def diagnosed(look: Look) -> Diagnostics:
    """What the facts say before anybody reads the screen."""
    transport, process, _, detail = look.facts
    found: tuple[Availability, ParseStatus]
    if transport is TransportState.TMUX_MISSING:
        found = Availability.UNAVAILABLE, ParseStatus.TRANSPORT_UNAVAILABLE
    elif transport is TransportState.PROBE_ERROR:
        found = Availability.ERROR, ParseStatus.PROBE_ERROR
    elif process is ProcessState.TUI_DOWN:
        found = Availability.TUI_DOWN, ParseStatus.SKIPPED_TUI_DOWN
    elif process is ProcessState.UNSUPPORTED_TOOL:
        found = Availability.ERROR, ParseStatus.UNSUPPORTED_TOOL
    elif not isinstance(look.screen, Screen):
        why = look.screen.why if isinstance(look.screen, Unanswered) else "there is no capture"
        found, detail = (Availability.ERROR, ParseStatus.PROBE_ERROR), detail or why
    elif process is ProcessState.TUI_UP:
        found = Availability.AVAILABLE, ParseStatus.PARSED
    else:
        failed = process is ProcessState.PROBE_ERROR
        found = (Availability.ERROR if failed else Availability.UNKNOWN), ParseStatus.PARSED
    return Diagnostics(found[0], transport, process, found[1], detail)


def restarted(memory: Memory, now: Moment) -> Memory:
    """The provider was started again: what ran before ended somehow, and no older screen counts."""
    while memory.turn is not None:
        memory = next_turn(memory, memory.turn, TurnResult.UNKNOWN, now)
    return Memory(
        now=memory.now, last=memory.last, turns=memory.turns, told=memory.told, diagnostics=memory.diagnostics
    )


def changed(memory: Memory, diagnostics: Diagnostics, reading: Reading | None, now: Moment) -> Memory:
    """Another screen, or another diagnosis."""
    before = memory.reading
    same = reading is not None and before is not None and reading.signature == before.signature
    memory = memory._replace(diagnostics=diagnostics, reading=reading)
    if not same:
        memory = memory._replace(since=now, pulse_since=now, frozen=False)
    if memory.turn is not None and _is_gone(diagnostics):
        while memory.turn is not None:
            memory = next_turn(memory, memory.turn, TurnResult.KNOWN_FAILURE, now)
    elif reading is not None and diagnostics.availability is Availability.AVAILABLE:
        memory = _followed(memory, before, reading, now)
    return unknown_or_not(memory, now)


def _is_gone(diagnostics: Diagnostics) -> bool:
    """Certainly gone, as opposed to not seen."""
    return (
        diagnostics.transport_state is TransportState.TMUX_MISSING or diagnostics.process_state is ProcessState.TUI_DOWN
    )


def _followed(memory: Memory, before: Reading | None, reading: Reading, now: Moment) -> Memory:
    """What a new screen means for the turn."""
    turn = memory.turn
    if turn is None:
        sent = (
            before is not None
            and before.surface.pending_input is Tri.YES
            and reading.surface.pending_input is Tri.NO
            and is_idle(reading)
            and said_more(before, reading)
        )
        if (reading.busy is Tri.YES and not memory.reported) or sent:
            number = memory.turns + 1
            turn = OpenTurn(f"t{number}", number, TurnSource.SURFACE_INFERENCE, now, before if sent else memory.rest)
            memory = memory._replace(turns=number)
    if turn is not None:
        turn = turn._replace(
            busy_seen=turn.busy_seen or reading.busy is Tri.YES,
            moved=turn.moved or turn.before is None or said_more(turn.before, reading),
        )
    if is_idle(reading):
        memory = memory._replace(rest=reading, reported=False)
    return memory._replace(turn=turn)


def said_more(before: Reading, after: Reading) -> bool:
    """Something was written between the two."""
    return after.body != before.body or after.lines > before.lines


def is_idle(reading: Reading | None) -> bool:
    """A turn could start now."""
    return reading is not None and reading.state is ScreenState.IDLE and reading.surface.ready_posture is Tri.YES


def next_turn(memory: Memory, turn: OpenTurn, result: TurnResult, at: Moment) -> Memory:
    """End the open turn, and begin the next of those that were noted meanwhile."""
    last = LastTurn(result, turn.source, at.utc, turn.id, turn.number)
    following = memory.waiting[0]._replace(begun=at, before=memory.rest) if memory.waiting else None
    return memory._replace(last=last, turn=following, waiting=memory.waiting[1:])


def thresholds(memory: Memory, timings: Timings) -> list[Threshold]:
    """What will happen if nothing changes, and when."""
    reading, turn, since = memory.reading, memory.turn, memory.since
    found: list[Threshold] = []
    if memory.diagnostics.availability is Availability.AVAILABLE and reading is not None and since is not None:
        if turn is not None and is_idle(reading):
            begun = max(since, turn.begun, key=_seconds)
            if has_worked(turn, reading):
                found.append((begun.after(timings.completion_stability_s), completed))
            else:
                found.append((begun.after(timings.stale_active_recovery_s), _let_go))
        moves = reading.state is ScreenState.BUSY and reading.pulse != ""
        if moves and not memory.frozen and memory.pulse_since is not None:
            found.append((memory.pulse_since.after(timings.final_stable_active_recovery_s), _frozen))
    if memory.unknown_since is not None and not memory.stalled:
        found.append((memory.unknown_since.after(timings.unknown_to_stalled_s), _stalled))
    return found


def _seconds(moment: Moment) -> float:
    return moment.s


def has_worked(turn: OpenTurn, reading: Reading | None) -> bool:
    """It was seen to work, or it left something behind and its prompt no longer waits in the box."""
    emptied = reading is not None and reading.surface.pending_input is Tri.NO
    return turn.busy_seen or (turn.moved and emptied)


def completed(memory: Memory, at: Moment) -> Memory:
    """The turn is over, as the idle screen shows."""
    assert memory.turn is not None
    assert memory.reading is not None
    return unknown_or_not(next_turn(memory, memory.turn, _result(memory.turn, memory.reading), at), at)


def _result(turn: OpenTurn, reading: Reading) -> TurnResult:
    """How it ended, as the screen says; where the screen does not, as whoever interrupted it says."""
    signs = (TurnResult.SUCCESS, TurnResult.INTERRUPTED, TurnResult.KNOWN_FAILURE)
    # Asked of the last picture, not of those between: where nothing is left, its sign is that of the turn before.
    left = turn.before is None or said_more(turn.before, reading)
    if left and reading.result in signs:
        return reading.result
    # A prompt that is back in the box, with nothing said, was called back.
    if turn.interrupted or (not left and reading.surface.pending_input is Tri.YES):
        return TurnResult.INTERRUPTED
    return TurnResult.UNKNOWN


def _let_go(memory: Memory, at: Moment) -> Memory:
    assert memory.turn is not None
    result = TurnResult.INTERRUPTED if memory.turn.interrupted else TurnResult.UNKNOWN
    return unknown_or_not(next_turn(memory, memory.turn, result, at), at)


def _frozen(memory: Memory, at: Moment) -> Memory:
    return unknown_or_not(memory._replace(frozen=True), at)


def _stalled(memory: Memory, at: Moment) -> Memory:
    return memory._replace(stalled=True)


def unknown_or_not(memory: Memory, now: Moment) -> Memory:
    """Keep in step since when nobody knows."""
    if phase_of(memory) is not Phase.UNKNOWN:
        return memory._replace(unknown_since=None, stalled=False)
    return memory if memory.unknown_since is not None else memory._replace(unknown_since=now)


def phase_of(memory: Memory) -> Phase:
    """Ready only from an idle screen of an available agent whose turn is over."""
    reading = memory.reading
    if memory.diagnostics.availability is not Availability.AVAILABLE or reading is None or memory.frozen:
        return Phase.UNKNOWN
    if reading.state is ScreenState.ASKING:
        return Phase.BLOCKED
    if reading.state is ScreenState.BUSY:
        return Phase.ACTIVE
    if is_idle(reading):
        return Phase.ACTIVE if memory.turn else Phase.READY
    return Phase.UNKNOWN


def readiness_of(memory: Memory) -> Readiness:
    """The readiness lifecycle."""
    state = memory.reading.state if memory.reading else ScreenState.UNKNOWN
    if _is_gone(memory.diagnostics) or state is ScreenState.CRASHED:
        return Readiness.FAILED
    match phase_of(memory):
        case Phase.READY:
            return Readiness.READY
        case Phase.ACTIVE:
            return Readiness.WAITING
        case Phase.BLOCKED:
            return Readiness.BLOCKED
        case Phase.UNKNOWN:
            if memory.stalled:
                return Readiness.STALLED
            return Readiness.WAITING if state is ScreenState.STARTING else Readiness.UNKNOWN


def completion_of(memory: Memory) -> Completion:
    """The completion lifecycle of the newest turn."""
    turn, reading = memory.turn, memory.reading
    if turn is None:
        return {TurnResult.NONE: Completion.INACTIVE, TurnResult.KNOWN_FAILURE: Completion.FAILED}.get(
            memory.last.result, Completion.COMPLETED
        )
    match phase_of(memory):
        case Phase.BLOCKED:
            return Completion.BLOCKED
        case Phase.UNKNOWN:
            return Completion.STALLED if memory.stalled else Completion.UNKNOWN
        case Phase.ACTIVE | Phase.READY:
            if reading is None or not is_idle(reading):
                return Completion.IN_PROGRESS
            return Completion.CANDIDATE_COMPLETE if has_worked(turn, reading) else Completion.WAITING


def summary_of(memory: Memory) -> str:
    """One line for a person."""
    found, reading = memory.diagnostics, memory.reading
    if found.availability is not Availability.AVAILABLE:
        why = f": {found.detail}" if found.detail else ""
        return f"{found.availability.value}, terminal {found.transport_state.value}, {found.process_state.value}{why}"
    if memory.frozen:
        return "its busy sign has stopped moving" + (", stalled" if memory.stalled else "")
    if reading is not None and reading.asking is not None:
        return f"asks ({reading.asking.kind.value})"
    match phase_of(memory):
        case Phase.READY:
            ended = memory.last
            return f"ready, turn {ended.number} ended: {ended.result.value}" if ended.number else "ready"
        case Phase.ACTIVE:
            return f"turn {memory.turn.number} runs" if memory.turn else "busy"
        case Phase.BLOCKED | Phase.UNKNOWN:
            state = reading.state.value if reading else ScreenState.UNKNOWN.value
            return f"its screen is {state}" + (", stalled" if memory.stalled else "")
