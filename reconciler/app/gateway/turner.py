"""The face of a headless agent: a prompt to it is a turn, begun by the code that commands begin theirs with.

What a gateway has to know of turns is in files that every sender shares, so it may come and go, be killed, and find
turns that it did not begin; nothing is remembered here but which turn was at work at the newest look.
"""

from reconciler.app import turn_seen, turning
from reconciler.app.gateway.admission import MISSING_CONVERSATION, Policy, Refusal
from reconciler.app.gateway.eye import IDLE_MAX_S
from reconciler.app.gateway.face import Asked, Posture, Turned
from reconciler.app.gateway.served import Nowhere, Place, Served, place_of
from reconciler.app.gateway.told import Told
from reconciler.app.turn_seen import ACTIVE, Seat, Turn
from reconciler.app.turning import Hands, NoConversation, TurnRuns
from reconciler.app.turnstile import AgentTaken, turnstile
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import Json, JsonMap, parse_map
from reconciler.ports.gateway import GatewayQueue, State
from reconciler.ports.process import Gone, ProcessFacts
from reconciler.ports.reading import Tri
from reconciler.ports.requests import TurnRow
from reconciler.ports.screen import Eligibility
from reconciler.ports.tmux import Stroke, Tmux
from reconciler.ports.turn import AUTO, Chat

HELD_S = 5.0
"""How long to wait for another sender to the same agent."""
NEW = Chat("new")


class Turner:
    """Runs one agent's turns."""

    def __init__(
        self, served: Served, hands: Hands, tmux: Tmux, queue: GatewayQueue, told: Told, *, look_s: float
    ) -> None:
        self._served, self._hands, self._tmux, self._queue, self._told = served, hands, tmux, queue, told
        self._seat = Seat(served.uid, served.agent_id, served.agent_name, served.ref, served.tool, served.root)
        self._look_s = self._pause = look_s
        self._at: TurnRow | None = None
        self.place: Place | Nowhere = Nowhere("nobody has looked yet", sure=False)

    # --- seen -----------------------------------------------------------------------------------------------------

    @property
    def pause(self) -> float:
        """Longer each time, while it is between turns."""
        return self._pause

    def find(self) -> Place | Nowhere:
        """Where what stands for it between its turns is now."""
        self.place = place_of(self._served.uid, self._tmux, self._hands.process)
        return self.place

    def look(self) -> None:
        """Whether it is there, and which turn it is at; a turn that ended since the last look is told of."""
        place = self.place
        if isinstance(place, Nowhere) or self._ended(place):
            self.find()
        try:
            active = self.working()
            before = self._at
            if before is not None and (active is None or active.row.id != before.id):
                self._over(before)
        except ReconcilerError:
            self._pause = self._look_s
            return  # `posture` says so to whoever wants something; what is not known has not ended
        self._at = active.row if active is not None else None
        self._pause = self._look_s if active is not None else min(IDLE_MAX_S, self._pause * 2)

    def _ended(self, place: Place) -> bool:
        facts = self._hands.process.facts([place.pid]).get(place.pid)
        return isinstance(facts, Gone) or (
            isinstance(facts, ProcessFacts) and (facts.exited or facts.start_ticks != place.ticks)
        )

    def _over(self, row: TurnRow) -> None:
        turn = turn_seen.seen(self._seat, self._hands, self._newest(row))
        if turn.status != ACTIVE:
            turning.keep_events(self._seat, self._hands, turn)
            self._tell(turn)

    def _newest(self, row: TurnRow) -> TurnRow:
        """Its row as it is now: somebody may have interrupted it since."""
        with turning.opened(self._seat, self._hands) as log:
            return next((each for each in log.turns() if each.id == row.id), row)

    def _tell(self, turn: Turn) -> None:
        self._told.tell("turn", {"turn_id": turn.row.id, "turn_index": turn.row.number, "status": turn.status})

    def wake(self) -> None:
        """Look often again."""
        self._pause = self._look_s

    def working(self) -> Turn | None:
        """The turn that runs now, whoever began it."""
        log = self._hands.requests.log(self._served.root, create=False)
        if log is None:
            return None
        try:
            return turn_seen.running(self._seat, self._hands, log)
        finally:
            log.close()

    def posture(self) -> Posture:
        """Asked of its files: true at this moment."""
        try:
            active = self.working()
        except ReconcilerError as fault:
            why = f"its turns cannot be looked at: {fault.message}"
            return Posture(False, why, Tri.UNKNOWN, Eligibility.UNKNOWN.value, working=False)
        word = Eligibility.READY if active is None else Eligibility.NOT_READY
        if active is None:
            return Posture(True, "", Tri.NO, word.value, working=False)
        return Posture(False, f"it is at turn {active.row.id}", Tri.NO, word.value, working=True)

    def state(self, *, admission: str, depth: int) -> JsonMap:
        """HeadlessControlState (§7.5)."""
        active, place = self.working(), self.place
        with turning.opened(self._seat, self._hands) as log:
            current = turning.conversation(self._seat, self._hands, log)
        override = self._queue.next_session()
        chosen: Json = {"mode": override} if override else None
        return {
            "runtime_resumable": self._hands.providers[self._served.tool].can_resume,
            "tmux_session_live": isinstance(place, Place) or place.terminal,
            "can_accept_prompt_now": admission == "open" and active is None and depth == 0,
            "interruptible": active is not None,
            "chat_session": {
                "current": {"id": current} if current else None,
                "startup_default": {**self._served.startup_chat} or {"mode": "tool_last_or_new"},
                "next_prompt_override": chosen,
            },
            "request_admission": admission,
            "active_execution": "running" if active is not None else "idle",
            "queue_depth": depth,
            "active_turn_id": active.row.id if active is not None else None,
        }

    # --- handed things --------------------------------------------------------------------------------------------

    def unfit(self, asked: Asked, policy: Policy | None) -> Refusal | None:
        """One turn at a time is no matter of policy; the current conversation can only be asked for where one is."""
        if policy not in (None, Policy.READY_ONLY):
            return Refusal("invalid_admission_policy", 422, "a headless agent takes ready_only alone")
        if asked.chat.mode == "current":
            with turning.opened(self._seat, self._hands) as log:
                if not turning.conversation(self._seat, self._hands, log):
                    return Refusal(MISSING_CONVERSATION, 409, "the agent has no conversation yet")
        return None

    def hand(self, asked: Asked, label: str, *, judged: bool) -> Turned:
        """Begin a turn; it is delivered with that, and goes on without us."""
        del label, judged
        if isinstance(self.place, Nowhere):
            return Turned(State.FAILED, self.place.why)
        chat = NEW if asked.chat == AUTO and self._queue.next_session() else asked.chat
        hands = self._hands
        try:
            with (
                turnstile(hands.files, hands.clock, self._served.root, HELD_S),
                turning.opened(self._seat, hands) as log,
            ):
                row = turning.begin(
                    self._seat,
                    self._house(),
                    hands,
                    log,
                    asked.text,
                    chat=chat,
                    model=asked.model,
                    turn_id=asked.turn_id,
                )
        except (TurnRuns, AgentTaken) as busy:
            return Turned(State.FAILED, busy.message, moved=True)
        except NoConversation as none:
            return Turned(State.FAILED, f"{MISSING_CONVERSATION}: {none.message}")
        except ReconcilerError as fault:
            return Turned(State.FAILED, f"{fault.code}: {fault.message}")
        self._queue.set_next_session("")
        self._at = row
        self.wake()
        self._tell(Turn(self._served.agent_id, row, ACTIVE, self._seat.directory(row)))
        result: JsonMap = {"headless_turn_id": row.id, "headless_turn_index": row.number}
        return Turned(State.COMPLETED, f"turn {row.id} has begun", result=result)

    def _house(self) -> turning.House:
        """What the newest start wrote down: the agent may have been given another home since this gateway began."""
        served, files = self._served, self._hands.files
        try:
            session = parse_map(files.read(served.manifest_path))
        except ValueError as fault:
            raise ReconcilerError(f"{served.manifest_path} is no JSON object", code="turn.manifest") from fault
        return turning.house_of(files, session, self._seat, served.memory_root, served.agent_def_dir)

    def interrupt(self) -> Turned:
        """SIGTERM to the turn that runs, and its end waited for."""
        try:
            with turning.opened(self._seat, self._hands) as log:
                ended = turning.end(self._seat, self._hands, log)
        except ReconcilerError as fault:
            return Turned(State.FAILED, f"{fault.code}: {fault.message}")
        if ended is None:
            return Turned(State.COMPLETED, "no turn runs: there is nothing to interrupt")
        result: JsonMap = {"headless_turn_id": ended.row.id, "headless_turn_index": ended.row.number}
        if ended.status == ACTIVE:
            why = f"turn {ended.row.id} goes on: its program does not end at SIGTERM"
            return Turned(State.FAILED, why, result=result)
        return Turned(State.COMPLETED, f"turn {ended.row.id} is {ended.status}", result=result)

    def press(self, strokes: tuple[Stroke, ...], *, judged: bool) -> Turned:
        """There is nothing to press keys at."""
        del strokes, judged
        return Turned(State.FAILED, "a headless agent has no terminal to type keys at")
