"""A series of screens of one agent: where its turn stands, how the last one ended, since when nothing changed.

    Look (capture or its absence, facts, time) ──► Tracker.feed ──► TerminalState, and the history of what changed

Pure: same looks, same notes, same answer. Time is an argument; nothing waits. A threshold acts only on evidence, at a
look which still shows what it is about, and is stamped with the moment it was reached: looking more often at the same
picture changes neither state nor history.

A turn begins with `note_prompt` (somebody typed it and says so) or with a busy screen (inferred). It ends when the
prompt box was idle and unchanged for `completion_stability_s`. A noted prompt that nothing on the screen answers is let
go after `stale_active_recovery_s`, its result unknown. A busy sign that ought to move and has not for
`final_stable_active_recovery_s` is an old picture: the phase is then unknown, never ready.
"""

from collections.abc import Sequence

from reconciler.build.turns import (
    Memory,
    OpenTurn,
    changed,
    completed,
    completion_of,
    diagnosed,
    has_worked,
    is_idle,
    next_turn,
    phase_of,
    readiness_of,
    restarted,
    summary_of,
    thresholds,
    unknown_or_not,
)
from reconciler.ports.reading import Read, Reading, ScreenState, Surface, TurnResult
from reconciler.ports.screen import (
    Availability,
    Look,
    Moment,
    ParseStatus,
    Stability,
    TerminalState,
    Timings,
    Transition,
    Turn,
    TurnSource,
)
from reconciler.ports.tmux import Screen, Unanswered

DEFAULT_TIMINGS = Timings()


class Tracker:
    """Follows one agent. Not for two threads at once."""

    __slots__ = ("_history", "_keep", "_parser", "_read", "_seen", "_timings", "memory")

    def __init__(self, read: Read, parser: str, timings: Timings = DEFAULT_TIMINGS, keep: int = 1000) -> None:
        """`read` and `parser` are the provider's reader and name; `keep` is how many entries of history stay."""
        if min(timings) <= 0:
            raise ValueError(f"every timing must be above zero: {timings}")
        self._read, self._parser, self._timings, self._keep = read, parser, timings, max(1, keep)
        self._history: list[Transition] = []
        self._seen: tuple[Screen, Reading] | None = None
        self.memory = Memory()

    def feed(self, look: Look) -> TerminalState:
        """Take one look in."""
        memory = self.memory
        now = look.now
        if memory.now is not None:  # no clock of a look may turn this one back
            now = Moment(max(now.s, memory.now.s), max(now.utc, memory.now.utc))
        memory = memory._replace(now=now)
        diagnostics = diagnosed(look)
        reading = self._reading(look.screen) if diagnostics.parse_status is ParseStatus.PARSED else None
        if reading is not None and reading.state is ScreenState.UNKNOWN:
            diagnostics = diagnostics._replace(parse_status=ParseStatus.PARSE_ERROR)
        if look.facts.instance and memory.instance and look.facts.instance != memory.instance:
            memory = restarted(memory, now)
        memory = memory._replace(instance=look.facts.instance or memory.instance)
        before = memory.reading
        if diagnostics != memory.diagnostics or (reading and reading.signature) != (before and before.signature):
            memory = self._told(changed(memory, diagnostics, reading, now), now)
        elif reading is not None and before is not None and reading.pulse != before.pulse:
            memory = self._told(
                unknown_or_not(memory._replace(reading=reading, pulse_since=now, frozen=False), now), now
            )
        self.memory = self._caught_up(memory, now)
        return self.state

    def _reading(self, screen: Screen | Unanswered | None) -> Reading | None:
        """What the screen says; the same picture is not read twice."""
        if not isinstance(screen, Screen):
            return None
        if self._seen is None or self._seen[0] != screen:
            self._seen = screen, self._read(screen)
        return self._seen[1]

    def note_prompt(self, now: Moment, turn_id: str = "") -> str:
        """A prompt was just sent; answers the id of its turn. Behind a turn that runs it waits for that one's end."""
        memory = self.memory
        if memory.turn is not None and is_idle(memory.reading) and has_worked(memory.turn, memory.reading):
            memory = self._told(completed(memory, now), now)  # it was over, and nobody had waited to be sure
        number = memory.turns + 1
        turn = OpenTurn(turn_id or f"t{number}", number, TurnSource.EXPLICIT_INPUT, now, memory.rest)
        memory = memory._replace(turns=number)
        if memory.turn is None:
            self.memory = self._told(memory._replace(turn=turn), now)
        else:
            self.memory = memory._replace(waiting=(*memory.waiting, turn))
        return turn.id

    def note_interrupt(self, now: Moment) -> None:
        """An interrupt was just sent; it tells how the turn ended where the screen does not."""
        if self.memory.turn is not None:
            self.memory = self.memory._replace(turn=self.memory.turn._replace(interrupted=True))

    def note_hook(self, now: Moment, result: TurnResult) -> None:
        """The provider itself reported the end of a turn; the screen still decides whether the next may start."""
        turn = self.memory.turn
        if turn is not None:
            ended = turn._replace(source=TurnSource.HOOK_OBSERVATION)
            self.memory = self._told(next_turn(self.memory, ended, result, now)._replace(reported=True), now)

    @property
    def state(self) -> TerminalState:
        """As of the newest look."""
        memory = self.memory
        available = memory.diagnostics.availability is Availability.AVAILABLE
        stability = Stability()
        if memory.reading is not None and memory.since is not None and memory.now is not None:
            lasted = memory.now.s - memory.since.s
            stable = lasted >= self._timings.stability_threshold_s
            stability = Stability(memory.reading.signature, stable, lasted, memory.since.utc)
        phase, turn = phase_of(memory), memory.turn
        return TerminalState(
            surface=memory.reading.surface if memory.reading is not None and available else Surface(),
            turn=Turn(phase, turn.id, turn.number, turn.source) if turn else Turn(phase),
            last_turn=memory.last,
            diagnostics=memory.diagnostics,
            stability=stability,
            readiness=readiness_of(memory),
            completion=completion_of(memory),
            reading=memory.reading,
            parser=self._parser,
            at=memory.now.utc if memory.now else None,
        )

    @property
    def history(self) -> Sequence[Transition]:
        """Oldest first; stamps never fall, numbers rise by one."""
        return tuple(self._history)

    def _caught_up(self, memory: Memory, now: Moment) -> Memory:
        """Let every threshold act that was reached by now, in order."""
        while True:
            due = [(moment, act) for moment, act in thresholds(memory, self._timings) if moment.s <= now.s]
            if not due:
                return memory
            moment, act = min(due, key=lambda pair: pair[0].s)
            memory = self._told(act(memory, moment), moment)

    def _told(self, memory: Memory, at: Moment) -> Memory:
        """Write an entry of history where there is something new to say."""
        summary = summary_of(memory)
        entry = Transition(
            memory.told + 1,
            at.utc if not self._history else max(at.utc, self._history[-1].at),
            summary,
            memory.diagnostics.availability,
            phase_of(memory),
            memory.last.result,
            memory.turn.id if memory.turn else "",
        )
        if self._history and self._history[-1][2:] == entry[2:]:
            return memory
        self._history.append(entry)
        del self._history[: -self._keep]
        return memory._replace(told=memory.told + 1)
