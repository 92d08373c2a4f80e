"""The face of an agent with a terminal: its screen is followed, and it is typed at."""

from collections.abc import Callable

from reconciler.app import hand_over
from reconciler.app.gateway.admission import Policy, Refusal
from reconciler.app.gateway.eye import Eye
from reconciler.app.gateway.face import Asked, Posture, Turned
from reconciler.app.gateway.served import Nowhere, Place, Served
from reconciler.app.hand_over import Handed, Terminal
from reconciler.app.sight import sight
from reconciler.app.turnstile import AgentTaken, turnstile
from reconciler.model.json import JsonMap
from reconciler.ports.clock import Clock
from reconciler.ports.files import Files
from reconciler.ports.gateway import State
from reconciler.ports.provider import Provider
from reconciler.ports.reading import ScreenState, Tri, TurnResult
from reconciler.ports.requests import Outcome
from reconciler.ports.screen import Eligibility, TerminalState, eligibility, pending_input, submit_ready
from reconciler.ports.tmux import Screen, Stroke, Tmux, Unanswered

TAKEN_S = 2.0
"""How long a screen may look untouched after something was typed before it is believed."""
KEYS_S = 0.3
"""The same for keys, which need not change anything."""
HELD_S = 5.0
"""How long to wait for another sender to the same agent: a command typed by a person, say."""
RESET_S = 15.0
"""How long a program may take to begin a new conversation until it waits for a prompt again."""
LOOK_AGAIN_S = 0.1
POLL_S = 0.005
ESCAPE = (Stroke("Escape"),)


class Typist:
    """Types at one agent, and follows what it shows."""

    def __init__(self, served: Served, provider: Provider, eye: Eye, tmux: Tmux, files: Files, clock: Clock) -> None:
        self._served, self._provider, self._eye = served, provider, eye
        self._tmux, self._files, self._clock = tmux, files, clock

    # --- seen -----------------------------------------------------------------------------------------------------

    @property
    def place(self) -> Place | Nowhere:
        """As of the newest look."""
        return self._eye.place

    @property
    def pause(self) -> float:
        """Until somebody should look again."""
        return self._eye.pause

    def find(self) -> Place | Nowhere:
        """Where its pane is now."""
        return self._eye.find()

    def look(self) -> None:
        """Capture now, and take it in."""
        self._eye.look()

    def wake(self) -> None:
        """Look often again."""
        self._eye.wake()

    def posture(self) -> Posture:
        """What its screen says."""
        state = self._eye.state
        working = state.reading is not None and state.reading.state is ScreenState.BUSY
        pending, word = pending_input(state), eligibility(state)
        if submit_ready(state) and self._loads(state):
            return Posture(
                False, "its conversation may still be loading", pending, Eligibility.NOT_READY.value, working
            )
        stable = "" if state.stability.stable else ", its screen has not come to rest"
        why = f"its turn is {state.turn.phase.value}{stable}"
        return Posture(submit_ready(state), why, pending, word.value, working)

    def _loads(self, state: TerminalState) -> bool:
        """A program that goes on with a conversation may draw its prompt box before it has loaded what was said."""
        empty = state.reading is not None and state.reading.result is TurnResult.NONE
        return empty and state.stability.stable_for_s < self._provider.resume_settles_s

    @property
    def state(self) -> TerminalState:
        """Everything that is known of its terminal."""
        return self._eye.state

    def terminal(self) -> JsonMap:
        """The detailed state, in the wire's keys."""
        return {"tracked_session_id": self._served.agent_id, **self._eye.state.to_json()}

    def history(self, limit: int) -> JsonMap:
        """The newest entries, oldest first."""
        entries = list(self._eye.history)[-limit:]
        return {
            "terminal_id": self._served.session_name,
            "tracked_session_id": self._served.agent_id,
            "entries": [entry.to_json() for entry in entries],
        }

    def note_prompt(self, turn_id: str) -> None:
        """Somebody typed a prompt without us: the turn that follows was asked for."""
        self._eye.look()
        self._eye.note_prompt(turn_id)

    # --- handed things --------------------------------------------------------------------------------------------

    def unfit(self, asked: Asked, policy: Policy | None) -> Refusal | None:
        """A model for one prompt is none of a terminal's; of conversations it can only be asked for a new one."""
        del policy
        if asked.model is not None:
            return Refusal("invalid_execution", 422, "a model for one turn can be chosen for headless agents alone")
        if asked.chat.mode not in ("auto", "new"):
            return Refusal(
                "invalid_chat_session",
                422,
                "a terminal can be asked for a new conversation alone; relaunch it to go on with another one",
            )
        if asked.chat.mode == "new" and not self._provider.reset_command:
            return Refusal(
                "invalid_chat_session", 422, f"{self._provider.name} has no command that begins a new conversation"
            )
        return None

    def hand(self, asked: Asked, label: str, *, judged: bool) -> Turned:
        """Paste and submit it, if the screen still is the one that was judged, and nobody else is typing."""

        def typed(terminal: Terminal, screen: Screen | None) -> Turned:
            if asked.chat.mode != "new":
                return self._typed(terminal, screen if judged else None, label, asked.text)
            reset = self._typed(terminal, screen if judged else None, label, self._provider.reset_command)
            if reset.state is not State.COMPLETED:
                return reset
            return self._once_reset(terminal, screen, label, asked.text, judged=judged)

        turned = self._held(typed)
        if turned.state is not State.FAILED:
            self._eye.note_prompt(label)
        return turned

    def _typed(self, terminal: Terminal, screen: Screen | None, label: str, text: str) -> Turned:
        return _turned(hand_over.prompt(terminal, screen, label, text))

    def _once_reset(self, terminal: Terminal, before: Screen | None, label: str, text: str, *, judged: bool) -> Turned:
        """The prompt itself, when the program waits for one again; nothing goes in behind a reset that did not work."""
        if before is not None:
            self._until_moved_on(terminal, sight(before), TAKEN_S)
        deadline = self._clock.monotonic() + RESET_S
        turned = Turned(State.FAILED, self.posture().why_not)
        while self._clock.monotonic() < deadline:
            self._eye.look()
            screen, seen = self._eye.screen, self.posture()
            if isinstance(self.place, Nowhere):
                break
            if screen is not None and seen.ready and seen.pending is Tri.NO:
                turned = self._typed(terminal, screen, label, text)
                if not turned.moved:
                    return turned
            self._clock.sleep(LOOK_AGAIN_S)
        if not judged and isinstance(self.place, Place):
            return self._typed(terminal, None, label, text)
        return Turned(
            State.FAILED,
            f"{self._provider.reset_command} was typed, the prompt was not: the agent is not ready for it, "
            f"{self.posture().why_not}",
        )

    def press(self, strokes: tuple[Stroke, ...], *, judged: bool) -> Turned:
        """Type keys; not judged whatever the screen shows."""

        def pressed(terminal: Terminal, screen: Screen | None) -> Turned:
            return _turned(hand_over.keys(terminal, screen if judged else None, strokes))

        return self._held(pressed, TAKEN_S if judged else KEYS_S)

    def interrupt(self) -> Turned:
        """One Escape, where a turn runs."""
        reading = self._eye.state.reading
        if reading is not None and reading.state is ScreenState.IDLE:
            return Turned(State.COMPLETED, "no turn runs: there is nothing to interrupt")
        turned = self.press(ESCAPE, judged=False)
        if turned.state is not State.FAILED:
            self._eye.note_interrupt()
        return turned

    def _held(self, hand: Callable[[Terminal, Screen | None], Turned], within_s: float = TAKEN_S) -> Turned:
        """Hand something over as the only sender of this host, and stay that until the screen has moved on."""
        place, screen = self._eye.place, self._eye.screen
        if isinstance(place, Nowhere):
            return Turned(State.FAILED, place.why)
        terminal = Terminal(self._tmux, self._clock, self._provider, place.pane_id, self._served.uid, place.pid)
        try:
            with turnstile(self._files, self._clock, self._served.root, HELD_S):
                turned = hand(terminal, screen)
                self._eye.wake()
                if turned.state is State.COMPLETED and screen is not None:
                    self._until_moved_on(terminal, sight(screen), within_s)
                return turned
        except AgentTaken as error:
            return Turned(State.FAILED, error.message, moved=True)

    def _until_moved_on(self, terminal: Terminal, shown: str, within_s: float) -> None:
        """The next sender must not judge by the picture that this one was judged by."""
        deadline = self._clock.monotonic() + within_s
        while self._clock.monotonic() < deadline:
            screen = terminal.look()
            if isinstance(screen, Unanswered) or sight(screen) != shown:
                return
            self._clock.sleep(POLL_S)


def _turned(handed: Handed) -> Turned:
    match handed.outcome:
        case Outcome.DELIVERED:
            return Turned(State.COMPLETED, "")
        case Outcome.UNKNOWN:
            return Turned(State.UNKNOWN, f"{handed.detail}; it may have been typed, and is not typed again")
        case _:
            return Turned(State.FAILED, handed.detail, handed.moved)
