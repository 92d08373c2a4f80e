"""The gateway itself: one agent, one queue, one poller, and one mutation of the terminal at a time.

    accepted ──(admission holds)── intent row ── typed ── commit row
                                       │
                      killed here: `unknown` at the next start, never typed again

Every way to the terminal (the queue, a prompt whose caller waits, keys, reminders) passes the same two rows under the
same lock, so a gateway that is killed leaves at most one request of which nobody can say whether it was typed.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from reconciler.app.gateway import admission, coalesce, reminders
from reconciler.app.gateway.admission import Policy, Refusal, Standing
from reconciler.app.gateway.face import Asked, Face, Turned, asked_of
from reconciler.app.gateway.served import Nowhere, Place, Served
from reconciler.app.gateway.status import admission_of
from reconciler.app.gateway.told import Told
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import JsonMap
from reconciler.model.keys import sequence
from reconciler.ports.clock import Clock
from reconciler.ports.files import Files
from reconciler.ports.gateway import GatewayQueue, Kind, ReminderRow, Row, State
from reconciler.ports.screen import utc_text
from reconciler.ports.tmux import Stroke

if TYPE_CHECKING:  # a gateway loads the face that its agent has, and not the other one
    from reconciler.app.gateway.turner import Turner
    from reconciler.app.gateway.typist import Typist

KEPT = 5000
"""Settled rows that are remembered."""
TRIES = 5
"""How often a prompt is judged again when the screen moved between the look and the hand-over."""


class Unfit(ReconcilerError):
    """A request the gateway will not take; `status` is that of HTTP, `body` the object under `detail`."""

    code = "gateway.refused"

    def __init__(self, status: int, message: str, body: JsonMap | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class Core:
    """Everything but HTTP. Methods may be called from any thread."""

    def __init__(self, served: Served, face: Face, queue: GatewayQueue, files: Files, clock: Clock, told: Told) -> None:
        self.served, self.told = served, told
        self._face = face
        self._queue, self._files, self._clock = queue, files, clock
        self._turn = threading.RLock()
        self._bell = threading.Event()
        self._stopping = False
        self._worker: threading.Thread | None = None
        self._running = False
        self._executing = ""
        """The reminder that is being typed."""
        self.epoch = 0
        self.instance = ""
        self.fallen: Callable[[], None] = lambda: None
        """Called when the worker ends by itself."""

    # --- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Settle what an earlier process left behind. Nothing is typed before this."""
        with self._turn:
            place = self._face.find()
            self.instance = place.instance if isinstance(place, Place) else ""
            found = self._queue.recover(self.instance, self._now())
            self.epoch = found.epoch
            for request_id in found.unknown:
                self._tell(request_id, State.UNKNOWN)
            for request_id in found.blocked:
                self._tell(request_id, State.BLOCKED)

    def begin_work(self) -> None:
        """Start the worker."""
        self._worker = threading.Thread(target=self._work, name="worker", daemon=True)
        self._worker.start()

    def stop(self) -> None:
        """End the worker after what it is doing."""
        self._stopping = True
        self._bell.set()
        if self._worker is not None:
            self._worker.join(timeout=10.0)
        with self._turn:
            self._queue.close()

    def _work(self) -> None:
        try:
            while not self._stopping:
                self._bell.clear()
                self._bell.wait(self.step())
        finally:
            if not self._stopping:
                self.fallen()  # a gateway whose queue stands still must not look alive

    def step(self) -> float:
        """One round of the worker: look, then at most one thing; seconds until the next one."""
        with self._turn:
            if self._stopping:
                return 0.0
            if self._files.stamp(self.served.root) is None:
                self.fallen()  # its agent was cleaned up, and with it all that this gateway is for
                return self._face.pause
            self._face.look()
            self._follow_instance()
            waiting = self._coalesced()
            acted = self._next(waiting) if waiting else self._remind()
            if acted:
                return 0.0 if self._queue.depth() else self._face.pause
            if waiting:
                self._face.wake()
            return self._pause()

    def _pause(self) -> float:
        pause = self._face.pause
        soon = reminders.next_due(self._queue.reminders())
        if soon is not None:
            left = (soon - self._clock.now_utc()).total_seconds()
            pause = max(0.01, left) if 0 < left < pause else min(pause, 1.0) if left <= 0 else pause
        return pause

    def _follow_instance(self) -> None:
        """Another start of the agent than the one served: nothing accepted for the old one is typed into it."""
        place = self._face.place
        if isinstance(place, Nowhere) or place.instance == self.instance:
            return
        self.instance = place.instance
        found = self._queue.recover(place.instance, self._now())
        self.epoch = found.epoch
        self.told.tell("epoch", {"managed_agent_instance_epoch": self.epoch})
        for request_id in (*found.unknown, *found.blocked):
            self._tell(request_id, State.BLOCKED)

    # --- the queue ------------------------------------------------------------------------------------------------

    def submit(self, kind: Kind, payload: JsonMap, request_id: str = "") -> tuple[Row, int]:
        """Put a request in line; the row, and how many stand there. The same id again is the same request."""
        with self._turn:
            known = self._queue.get(request_id) if request_id else None
            if known is None:
                self._admit_to_queue()
                row = Row(request_id or self._new_id(), kind, payload, State.ACCEPTED, self._now(), self.epoch)
                known = self._queue.put(row)
                self._queue.prune(KEPT)
                self._tell(known.id, known.state)
            depth = self._queue.depth()
        self._bell.set()
        return known, depth

    def request(self, request_id: str) -> Row | None:
        """One request, settled or not."""
        return self._queue.get(request_id)

    def _admit_to_queue(self) -> None:
        standing = self.standing()
        if standing.blocked:
            raise Unfit(409, "blocked_reconciliation: the agent was started again")
        if not standing.connected:
            raise Unfit(503, f"unavailable: {standing.why_not}")

    def _coalesced(self) -> tuple[Row, ...]:
        """Rows in line, after neighbours became one."""
        rows = self._queue.accepted()
        for gone, by in coalesce.superseded(rows).items():
            if self._queue.move(gone, State.ACCEPTED, State.COALESCED, self._now(), f"taken over by {by}"):
                self._tell(gone, State.COALESCED)
        return self._queue.accepted() if len(rows) > 1 else rows

    def _next(self, rows: tuple[Row, ...]) -> bool:
        """Type the first row in line if that may be; True when something was typed or settled."""
        row = rows[0]
        standing = self.standing(line=True)
        if not standing.connected or standing.blocked:
            return False
        if row.kind is not Kind.INTERRUPT:
            if admission.refusal(Policy.READY_ONLY, standing) is None:
                asked = asked_of(row.payload)
                turned = self._carry_out(row, lambda: self._face.hand(asked, row.id, judged=True))
                return turned.state is not State.ACCEPTED
            # Where it waits for a turn, an interrupt behind it is meant for that very turn.
            ahead = next((each for each in rows if each.kind is Kind.INTERRUPT), None)
            if ahead is None or not self._face.posture().working:
                return False
            row = ahead
        return self._carry_out(row, self._face.interrupt).state is not State.ACCEPTED

    def _carry_out(self, row: Row, act: Callable[[], Turned]) -> Turned:
        """Intent, act, commit. What moved away under the act goes back in line: nothing was typed."""
        if not self._queue.move(row.id, State.ACCEPTED, State.RUNNING, self._now()):
            return Turned(State.FAILED, "it was settled meanwhile")
        turned = Turned(State.UNKNOWN, "the gateway failed while it typed")
        self._running = True
        try:
            turned = act()
        finally:
            self._running = False
            state = State.ACCEPTED if turned.moved else turned.state
            self._queue.move(row.id, State.RUNNING, state, self._now(), turned.why, turned.result)
            if not turned.moved:
                self._tell(row.id, state)
        return turned._replace(state=state)

    # --- prompts and keys whose callers wait ----------------------------------------------------------------------

    def prompt(self, asked: Asked | str, policy: Policy, request_id: str = "") -> Row | Refusal:
        """Hand a prompt over now, or say why not; the row's state says what is certain."""
        asked = Asked(asked) if isinstance(asked, str) else asked
        with self._turn:
            known = self._queue.get(request_id) if request_id else None
            if known is not None:
                return known
            self._face.wake()
            row: Row | None = None
            turned = Turned(State.FAILED, "")
            for _ in range(TRIES):
                self._face.look()
                self._follow_instance()
                refused = admission.refusal(policy, self.standing())
                if refused is not None:
                    if row is not None:
                        self._commit(row, Turned(State.FAILED, refused.detail))
                    return refused
                row = row or self._intend(Kind.CONTROL_PROMPT, asked.to_json(), request_id)
                turned = self._face.hand(asked, row.id, judged=policy is not Policy.ALWAYS)
                if not turned.moved:
                    break
            assert row is not None
            self._commit(row, turned)
            self._bell.set()
            return self._queue.get(row.id) or row

    def unfit(self, asked: Asked, policy: Policy | None = None) -> Refusal | None:
        """Why this agent will never take such a prompt."""
        return self._face.unfit(asked, policy)

    def keys(self, text: str, *, literal: bool, request_id: str = "") -> Row:
        """Type keys now, whatever the screen shows; raises UsageFault for a sequence that is none."""
        self.typist()
        strokes = strokes_of(text, literal=literal)
        with self._turn:
            known = self._queue.get(request_id) if request_id else None
            if known is not None:
                return known
            self._admit_to_queue()
            row = self._intend(Kind.SEND_KEYS, {"count": len(strokes)}, request_id)
            self._commit(row, self._face.press(strokes, judged=False))
            self._bell.set()
            return self._queue.get(row.id) or row

    def note_prompt(self) -> None:
        """Somebody typed a prompt without us: the turn that follows was asked for."""
        with self._turn:
            self.typist().note_prompt(self._new_id())
        self._bell.set()

    def _intend(self, kind: Kind, payload: JsonMap, request_id: str) -> Row:
        now = self._now()
        row = Row(request_id or self._new_id(), kind, payload, State.RUNNING, now, self.epoch, started_at=now)
        return self._queue.put(row)

    def _commit(self, row: Row, turned: Turned) -> None:
        self._queue.move(row.id, State.RUNNING, turned.state, self._now(), turned.why, turned.result)
        self._queue.prune(KEPT)
        self._tell(row.id, turned.state)

    # --- what is seen ---------------------------------------------------------------------------------------------

    def standing(self, *, line: bool = False) -> Standing:
        """As admission sees it; `line` for the row that stands first in line itself."""
        place, posture = self._face.place, self._face.posture()
        return Standing(
            ready=posture.ready,
            not_ready=posture.why_not,
            pending=posture.pending,
            eligibility=posture.eligibility,
            connected=isinstance(place, Place),
            why_not=place.why if isinstance(place, Nowhere) else "",
            blocked=False,
            # A headless turn is what is executed; a terminal's is what a screen shows, and has its own word.
            running=self._running or (self.served.headless and posture.working),
            depth=0 if line else self._queue.depth(),
        )

    def looked(self) -> "Core":
        """Look now, for whoever wants to know now."""
        with self._turn:
            self._face.look()
        return self

    def typist(self) -> "Typist":
        """The terminal; raises Unfit where the agent is headless."""
        if not self.served.headless:
            return cast("Typist", self._face)
        raise Unfit(422, "unsupported_backend: this agent is headless, it has no terminal; its prompts are turns")

    def turner(self) -> "Turner":
        """The turns; raises Unfit where the agent has a terminal."""
        if self.served.headless:
            return cast("Turner", self._face)
        raise Unfit(422, "unsupported_backend: this agent has a terminal; only headless agents have turns")

    def terminal(self) -> JsonMap:
        """The detailed state, in the wire's keys."""
        return self.typist().terminal()

    def history(self, limit: int) -> JsonMap:
        """The newest entries, oldest first."""
        return self.typist().history(limit)

    def headless(self) -> JsonMap:
        """The state of a headless agent, in the wire's keys."""
        return self.turner().state(admission=admission_of(self.standing()), depth=self._queue.depth())

    def next_prompt_session(self, mode: str) -> JsonMap:
        """Have the next prompt begin a new conversation."""
        turner = self.turner()
        with self._turn:
            self._queue.set_next_session(mode)
        self.told.tell("next_prompt_session", {"mode": mode})
        return turner.state(admission=admission_of(self.standing()), depth=self._queue.depth())

    # --- reminders ------------------------------------------------------------------------------------------------

    def reminders(self) -> tuple[ReminderRow, ...]:
        """By ranking, then creation."""
        return self._queue.reminders()

    def reminder_json(self, row: ReminderRow, rows: tuple[ReminderRow, ...]) -> JsonMap:
        """One of them in the wire's keys."""
        return reminders.to_json(row, rows, self._clock.now_utc(), executing=row.id == self._executing)

    def put_reminder(self, row: ReminderRow) -> ReminderRow:
        """Create one, or replace the one of its id."""
        with self._turn:
            self._queue.put_reminder(row)
        self.told.tell("reminder", {"reminder_id": row.id, "action": "put"})
        self._bell.set()
        return next(found for found in self._queue.reminders() if found.id == row.id)

    def drop_reminder(self, reminder_id: str) -> bool:
        """Forget one; False when there is none of that id."""
        with self._turn:
            gone = self._queue.drop_reminder(reminder_id)
        if gone:
            self.told.tell("reminder", {"reminder_id": reminder_id, "action": "deleted"})
        return gone

    def reminder_id(self) -> str:
        """A new one."""
        return f"greminder-{self._clock.token_hex(6)}"

    def due_time(self, after_s: float | None, at: datetime | None) -> datetime:
        """When a reminder is due that was given one or the other."""
        return at if at is not None else self._clock.now_utc() + timedelta(seconds=after_s or 0.0)

    def now(self) -> datetime:
        """UTC."""
        return self._clock.now_utc()

    def _remind(self) -> bool:
        """Fire the effective reminder where it is due and everything is idle; once, whatever happens meanwhile."""
        rows = self._queue.reminders()
        found = reminders.due(rows, self._clock.now_utc())
        if found is None:
            return False
        standing = self.standing()
        if not standing.connected or standing.running or standing.depth or not standing.ready:
            return False
        now = self._now()
        row = Row(
            self._new_id(), Kind.REMINDER, {"reminder_id": found.id}, State.RUNNING, now, self.epoch, started_at=now
        )
        # The next due time and the intent are one commit: a kill now leaves an unknown, not a second firing.
        self._queue.fire(reminders.after_firing(found, self._clock.now_utc()), found.id, row)
        self._executing = found.id
        try:
            turned = self._fired(found, row.id)
        finally:
            self._executing = ""
        self._commit(row, turned)
        if turned.moved:
            self._queue.put_reminder(found)  # nothing was typed: it is due as it was
        return not turned.moved

    def _fired(self, found: ReminderRow, label: str) -> Turned:
        if found.prompt:
            return self._face.hand(Asked(found.prompt), label, judged=True)
        strokes = strokes_of(found.sequence, literal=False, enter=found.ensure_enter)
        return self._face.press(strokes, judged=True)

    # --- small ----------------------------------------------------------------------------------------------------

    def _now(self) -> str:
        return utc_text(self._clock.now_utc()) or ""

    def _new_id(self) -> str:
        return f"gwreq-{self._clock.now_utc().strftime('%Y%m%d-%H%M%SZ')}-{self._clock.token_hex(4)}"

    def _tell(self, request_id: str, state: State) -> None:
        self.told.tell("request", {"request_id": request_id, "state": state.value})


def strokes_of(text: str, *, literal: bool, enter: bool = False) -> tuple[Stroke, ...]:
    """Keys of a sequence (`/model<[Enter]><[Down]>`), with an Enter at its end where one is asked for."""
    strokes = [Stroke(key.text, key.literal) for key in sequence(text, literal=literal)]
    if enter and strokes[-1:] != [Stroke("Enter")]:
        strokes.append(Stroke("Enter"))
    return tuple(strokes)
