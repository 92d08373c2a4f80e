"""The one poller of a gateway: it captures its agent's pane, feeds the tracker, and looks seldom while nothing changes.

A capture costs two milliseconds, so a fixed half second would be the dearest thing an idle gateway does. While the
agent is at rest and the picture stays the same, each pause is twice the one before, up to `IDLE_MAX_S`; whoever asks
for something has it look at once.
"""

from collections.abc import Sequence

from reconciler.app.gateway.served import Nowhere, Place, Served, place_of
from reconciler.build.tracking import Tracker
from reconciler.ports.clock import Clock
from reconciler.ports.process import Gone, ProcessFacts, ProcessReader
from reconciler.ports.provider import Provider
from reconciler.ports.screen import (
    Facts,
    Look,
    Moment,
    Phase,
    ProcessState,
    TerminalState,
    Timings,
    Transition,
    TransportState,
)
from reconciler.ports.tmux import Screen, Tmux, Unanswered

IDLE_MAX_S = 8.0
HISTORY_MAX = 1000


class Eye:
    """Looks at one agent. Not for two threads at once."""

    def __init__(
        self, served: Served, provider: Provider, tmux: Tmux, process: ProcessReader, clock: Clock, timings: Timings
    ) -> None:
        self._served, self._tmux, self._process, self._clock = served, tmux, process, clock
        self._timings = timings
        self._tracker = Tracker(provider.reading, provider.name, timings, keep=HISTORY_MAX)
        self._pause = timings.watch_poll_interval_s
        self._last_pid = 0
        self.place: Place | Nowhere = Nowhere("nobody has looked yet", sure=False)
        self.screen: Screen | None = None
        """What the newest look showed; None where there was nothing to see."""
        self.looks = 0

    @property
    def state(self) -> TerminalState:
        """As of the newest look."""
        return self._tracker.state

    @property
    def history(self) -> Sequence[Transition]:
        """Oldest first."""
        return self._tracker.history

    def find(self) -> Place | Nowhere:
        """Where the agent is now, asked of tmux and the process table."""
        self.place = place_of(self._served.uid, self._tmux, self._process)
        return self.place

    def look(self) -> TerminalState:
        """Capture now, and take it in."""
        self.looks += 1
        screen, facts = self._seen()
        before = self._tracker.state.stability.signature
        state = self._tracker.feed(Look(screen, self._now(), facts))
        self.screen = screen if isinstance(screen, Screen) else None
        quiet = (
            state.turn.phase is Phase.READY and state.stability.stable and state.stability.signature == before
        ) or facts.process is ProcessState.TUI_DOWN
        self._pause = min(IDLE_MAX_S, self._pause * 2) if quiet else self._timings.watch_poll_interval_s
        return state

    @property
    def pause(self) -> float:
        """Seconds until somebody should look again, as long as nobody asks for anything."""
        return self._pause

    def wake(self) -> None:
        """Something is going to happen: look often again."""
        self._pause = self._timings.watch_poll_interval_s

    def note_prompt(self, turn_id: str) -> None:
        """A prompt was typed."""
        self._tracker.note_prompt(self._now(), turn_id)
        self.wake()

    def note_interrupt(self) -> None:
        """An interrupt was typed."""
        self._tracker.note_interrupt(self._now())
        self.wake()

    def _now(self) -> Moment:
        return Moment(self._clock.monotonic(), self._clock.now_utc())

    def _seen(self) -> tuple[Screen | Unanswered | None, Facts]:
        place = self.place
        if isinstance(place, Place):
            facts = self._process.facts([place.pid]).get(place.pid)
            ended = isinstance(facts, Gone) or (
                isinstance(facts, ProcessFacts) and (facts.exited or facts.start_ticks != place.ticks)
            )
            if ended:
                place = self.find()
        else:
            place = self.find()
        if isinstance(place, Nowhere):
            if not place.sure:
                return None, Facts(TransportState.PROBE_ERROR, ProcessState.UNKNOWN, detail=place.why)
            transport = TransportState.TMUX_UP if place.terminal else TransportState.TMUX_MISSING
            return None, Facts(transport, ProcessState.TUI_DOWN, detail=place.why)
        screen = self._tmux.capture(place.pane_id)
        if isinstance(screen, Unanswered):
            # The pane may be another one now; the next look finds it, or finds out that it is nowhere.
            self.place = Nowhere(screen.why, sure=False)
            return screen, Facts(TransportState.PROBE_ERROR, ProcessState.UNKNOWN, detail=screen.why)
        return screen, Facts(TransportState.TMUX_UP, ProcessState.TUI_UP, place.instance)
