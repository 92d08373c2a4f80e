"""Carry out a plan (R §10): the one place that journals, guards, runs steps, batches, commits and retries.

Receives a Planned, handlers and ports; hands on an Outcome per action. Actions advance in lockstep: quick steps run one
after the other, steps that share a batch go to their port together, slow steps wait in threads beside them. There is
no barrier between dependency levels: whatever is ready starts, `parallelism` at a time (R-GRA-2, R-GRA-6).

Where many wait for one port, a trip is made with the first of them while the others are prepared. When trips begin and
are waited for depends on the plan alone, never on how long they take, so a run stays deterministic.
"""

from collections.abc import Sequence
from functools import partial

from reconciler.engine import kept
from reconciler.engine.failures import Failures
from reconciler.engine.flight import INTENT, SETTLED, Flight, fault_point
from reconciler.engine.gating import DEFERRED
from reconciler.engine.handler import (
    FULL_UID,
    LAUNCH,
    SHORT_UID,
    STAMP,
    Batch,
    Case,
    Conditions,
    Context,
    Handlers,
    Step,
    Target,
)
from reconciler.engine.launches import Bucket, is_launch
from reconciler.engine.observe import look_at
from reconciler.engine.orders import Orders
from reconciler.engine.plan import Planned, steps_of
from reconciler.engine.rollout import FAILED, PAUSED
from reconciler.engine.rows import Rows
from reconciler.engine.workers import Job, Workers
from reconciler.model.action import Action, Verb
from reconciler.model.errors import TokenLost
from reconciler.model.json import JsonMap
from reconciler.model.outcome import Outcome, Result
from reconciler.model.ref import Ref, Uid
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports
from reconciler.ports.catalog import Intent, Transaction

READY_POLL_S = 0.1
NOT_STARTED = frozenset({"Interrupted", "TimedOut", "FailFast", FAILED, PAUSED, DEFERRED})
"""Reasons of a run that ends early: nothing failed, and what depended on it did not start for the same reason."""
QUICK = 128
"""How many actions without a slow step are under way at a time: they wait for nobody and share their trips.

`parallelism` bounds those that wait (docs/decisions/0006-parallelism.md).
"""
TRIP_SIZES = (1, 8, 32)
"""How many actions the first trip to a port takes, the second, and each later one.

The first is soon under way, for it may have to start the server; the later ones cost a large fleet few processes.
"""


class Trip(NamedTuple):
    """Requests on their way to a port, for the actions that asked, in that order."""

    asked: list[tuple[Flight, Step]]
    job: Job[Sequence[object]]


class Runner:
    """One run of one plan."""

    def __init__(self, planned: Planned, handlers: Handlers, ports: Ports, orders: Orders) -> None:
        self.planned = planned
        self.handlers = handlers
        self.ports = ports
        self.orders = orders
        self.outcomes: dict[Ref, Outcome] = {}
        self.flying: list[Flight] = []
        self.slow: dict[Job[None], Flight] = {}
        self.trips: dict[Batch, Trip] = {}
        self.trips_made: dict[Batch, int] = {}
        self.threads = Workers(orders.parallelism, "step")
        self.carriers = Workers(1, "trip")
        self.failures = Failures(
            planned, handlers, ports, orders, self.threads, fresh=self._fresh, one=self._one, end=self._end
        )
        self.timed_out = False
        self.waiting: dict[Ref, float] = {}
        self.launched_now = 0
        self.bucket = Bucket(*orders.launch_rate) if orders.launch_rate else None
        absent = frozenset(one.ref for one in ports.catalog.absences())
        self.rows = Rows(planned.view, ports.clock, orders, absent)
        self.in_plan = frozenset(action.ref for action in planned.plan.running)

    def run(self) -> tuple[Outcome, ...]:
        """Run every action that may run; one outcome per action of the plan that runs, in plan order."""
        pending = list(self.planned.plan.running)
        try:
            while pending or self.flying or self.slow or self.failures.retrying:
                if self.orders.gating is not None:
                    self.orders.gating.look(pending)
                if self.orders.rolling is not None:
                    self.orders.rolling.look(self.outcomes, (flight.action.ref for flight in self._aloft()))
                pending = self._start(pending)
                moved = self._advance()
                if not moved and (self.slow or self.failures.retrying):
                    self._join()
                elif not moved and pending and not self.flying:
                    self.ports.clock.sleep(READY_POLL_S)
            if self.orders.rolling is not None:
                self.orders.rolling.look(self.outcomes, ())
        finally:
            # Nothing of this run may act once its lock is free: what is under way ends first, nothing new begins.
            self.failures.over = True
            self.carriers.close()
            self.threads.close()
        return tuple(self.outcomes[action.ref] for action in self.planned.plan.running if action.ref in self.outcomes)

    # --- starting -------------------------------------------------------------------------------------------------

    def _start(self, pending: list[Action]) -> list[Action]:
        """Start what is ready, up to the bounds, under one durable intent; skip what can never start."""
        starting: list[Flight] = []
        left: list[Action] = []
        self.launched_now = 0
        aloft = self._aloft()
        waiting = sum(flight.slow for flight in aloft)
        room = (QUICK if self.orders.parallelism > 1 else 1) - len(aloft)
        for at, action in enumerate(pending):
            if len(starting) >= room and not self._together(action):
                if self.orders.rolling is None:
                    # Nothing more can start now: to look at the rest each time would cost a large plan its square.
                    left += pending[at:]
                    break
                left.append(action)
                continue
            why = self._never(action)
            if why:
                self.outcomes[action.ref] = Outcome(action, Result.SKIPPED, reason=why, note=self._waited(action))
                self._end_event(self.outcomes[action.ref])
                continue
            flight = self._flight(action) if self._may_start(action) else None
            if (
                flight is None
                or (flight.slow and waiting >= self.orders.parallelism and not self._together(action))
                or not self._launch_allowed(action)
            ):
                left.append(action)
                continue
            waiting += flight.slow
            starting.append(flight)
        if starting:
            self._take_off(starting)
        return left

    def _aloft(self) -> list[Flight]:
        """Every action under way."""
        return [*self.flying, *self.slow.values(), *self.failures.retrying.values()]

    def _together(self, action: Action) -> str:
        """Whose members are all ended before any is started; nothing for most."""
        return self.orders.rolling.together(action.ref) if self.orders.rolling is not None else ""

    def _never(self, action: Action) -> str:
        """Why `action` will not start any more, or nothing."""
        for need in action.needs:
            outcome = self.outcomes.get(need)
            if outcome is not None and outcome.result is Result.SKIPPED and outcome.reason in NOT_STARTED:
                return outcome.reason
            if outcome is not None and outcome.result is not Result.SETTLED:
                root = outcome.reason if outcome.reason.startswith("DependencyFailed(") else f"DependencyFailed({need})"
                return root
        since = self.waiting.get(action.ref)
        limit = action.ready_timeout_ms
        if since is not None and limit is not None and self.ports.clock.monotonic() - since > limit / 1000:
            slow = next((ref for ref in action.ready if not self._is_ready(ref)), None)
            if slow is not None:
                return f"DependencyFailed({slow})"
        if self.orders.rolling is not None and (why := self.orders.rolling.never(action.ref)):
            return why
        if self.orders.stopping():
            return "Interrupted"
        if self.orders.gating is not None and action.ref in self.orders.gating.deferred:
            return DEFERRED
        if self.orders.deadline is not None and self.ports.clock.monotonic() >= self.orders.deadline:
            self.timed_out = True
            return "TimedOut"
        if self.orders.fail_fast and any(o.result is Result.FAILED for o in self.outcomes.values()):
            return "FailFast"
        return ""

    def _waited(self, action: Action) -> str:
        """What an action waited for that is not started any more."""
        return self.orders.gating.holds(action.ref) if self.orders.gating is not None else ""

    def _may_start(self, action: Action) -> bool:
        if any(need not in self.outcomes for need in action.needs if need in self.in_plan):
            return False
        if self.orders.gating is not None and self.orders.gating.holds(action.ref):
            return False
        if self.orders.rolling is not None and not self.orders.rolling.admits(action.ref):
            return False
        if all(self._is_ready(ref) for ref in action.ready):
            return True
        self.waiting.setdefault(action.ref, self.ports.clock.monotonic())
        return False

    def _launch_allowed(self, action: Action) -> bool:
        """Limits of the Project on launches: how many at a time, and how fast (R-GRA-6)."""
        if not is_launch(action):
            return True
        aloft = sum(is_launch(flight.action) for flight in self._aloft())
        if self.orders.launches is not None and aloft + self.launched_now >= self.orders.launches:
            return False
        if self.bucket is not None and not self.bucket.take(self.ports.clock.monotonic()):
            return False
        self.launched_now += 1
        return True

    def _is_ready(self, ref: Ref) -> bool:
        """`dependsOn … Ready`: asked of the world each time, never remembered (R-STA-4)."""
        handler = self.handlers.get(ref.kind)
        case = self.planned.cases.get(ref)
        if handler is None or case is None or not hasattr(handler, "ready"):
            return True
        conditions: Conditions = handler  # type: ignore[assignment]
        state = conditions.ready([self._fresh(case)], self.ports.reader()).get(ref)
        return state is not None and state.status is True

    def _fresh(self, case: Case, context: Context | None = None) -> Case:
        """The same case with a new observation and the rows as they are now; under way, with its open intent."""
        rows = {row.ref: row for row in self.ports.catalog.inventory() if row.ref == case.ref}
        row, uid, intent = rows.get(case.ref, case.row), case.uid, case.intent
        if context is not None:
            uid = context.uid
            intent = next((one for one in self.ports.catalog.intents() if one.uid == uid), intent)
        target = Target(case.ref, row.uid if row else uid, case.want, row, intent, case.was)
        seen = look_at([target], self.handlers, self.ports.reader())[case.ref]
        return case._replace(seen=seen, row=row, uid=target.uid, intent=intent)

    def _take_off(self, flights: Sequence[Flight]) -> None:
        """One durable intent for all that start together (R-EXE-1)."""
        for flight in flights:
            self.orders.probe(fault_point(flight.action, INTENT), "before", flight.action.ref)
        now = self._now()
        with self.ports.catalog.transaction(self.orders.token) as tx:
            for flight in flights:
                context = flight.context
                tx.intend(
                    Intent(
                        self.orders.run,
                        context.uid,
                        flight.action.ref,
                        flight.action.verb.value,
                        self.orders.token,
                        {**context.handle, "source_root": self.rows.root_of(flight.action.ref)},
                        now,
                    )
                )
                self._open_request(tx, flight)
        for flight in flights:
            self.orders.probe(fault_point(flight.action, INTENT), "after", flight.action.ref)
            self.orders.emit("action_start", {"ref": str(flight.action.ref), "verb": flight.action.verb.value})
        self.flying += flights

    def _open_request(self, tx: Transaction, flight: Flight) -> None:
        """With the intent, so that a later run knows from which token on it may have been done (R-IMP-5)."""
        asked = flight.case.asked
        if asked is not None and asked.token is None:
            tx.put_request(self.rows.request(asked, flight.context, "open"))

    def _flight(self, action: Action) -> Flight:
        case = self.planned.cases[action.ref]
        uid = case.uid or action.uid or self.rows.uids.get(action.ref) or self.ports.clock.new_uid()
        self.rows.uids[action.ref] = uid
        handle: JsonMap = dict(case.row.live) if case.row else {}
        handle.update(case.intent.handle if case.intent else {})
        handle.update(self._allocated(action, uid))
        context = Context(
            action,
            case,
            self.planned.view,
            uid=uid,
            run=self.orders.run,
            token=self.orders.token,
            handle=handle,
            uids=self.rows.uids,
            transient=self.orders.transient.get(action.ref),
        )
        steps = self._steps(action, case)
        return Flight(action, case, context, steps, self.ports.clock.monotonic())

    def _steps(self, action: Action, case: Case) -> Sequence[Step]:
        return self.orders.around(action, case, steps_of(action, case, self.planned.view, self.handlers))

    def _allocated(self, action: Action, uid: Uid) -> JsonMap:
        """Launch time and the names made of it belong to the intent, not to the plan (R-ACT-3)."""
        now = self.ports.clock.now_utc()
        values = {
            LAUNCH: str(int(now.timestamp() * 1000)),
            STAMP: now.strftime("%Y%m%d-%H%M%SZ"),
            SHORT_UID: uid[-8:],
            FULL_UID: uid,
        }
        names: JsonMap = {"launch_ms": values[LAUNCH]}
        for key, text in action.post.items():
            if key.endswith(("_name", "_id")) and isinstance(text, str):
                for mark, value in values.items():
                    text = text.replace(mark, value)
                names[key] = text
        return names

    # --- advancing ------------------------------------------------------------------------------------------------

    def _advance(self) -> bool:
        """Move every flight to its next trip, wait or end, and make the trips. True when anything moved."""
        moved = False
        gathered: dict[Batch, list[Flight]] = {}
        for flight in list(self.flying):
            moved = self._quick_steps(flight) or moved
            batch = flight.step.batch if flight.step is not None and flight in self.flying else None
            if batch is None or self._waits_for_others(flight):
                continue
            waiting = gathered.setdefault(batch, [])
            waiting.append(flight)
            made = self.trips_made.get(batch, 0)
            if len(waiting) == TRIP_SIZES[min(made, len(TRIP_SIZES) - 1)]:
                self.trips_made[batch] = made + 1
                self._depart(batch, gathered.pop(batch))
        for batch, flights in gathered.items():
            self._depart(batch, flights)
        for batch in list(self.trips):
            self._land(batch)
        moved = moved or bool(gathered)
        for job in [job for job in self.slow if job.over]:
            moved = True
            self._landed_slow(job)
        for job in [job for job in self.failures.retrying if job.over]:
            moved = True
            if (on := self.failures.landed(job)) is not None:
                self.flying.append(on)
        return moved

    def _waits_for_others(self, flight: Flight) -> bool:
        """Where all of a set are ended before any is started: whether one of them still is not."""
        group = self._together(flight.action)
        if not group or flight.step is None or not flight.step.starts:
            return False
        others = [other for other in (*self.flying, *self.slow.values()) if self._together(other.action) == group]
        return any(any(step.starts for step in other.steps[other.index + 1 :]) for other in others)

    def _quick_steps(self, flight: Flight) -> bool:
        moved = False
        while (step := flight.step) is not None and step.batch is None:
            if step.slow:
                self.flying.remove(flight)
                self.slow[self.threads.submit(partial(self._one, flight, step))] = flight
                return True
            try:
                self._one(flight, step)
            except Exception as error:
                self._failed(flight, error)
                return True
            moved = True
        if flight.step is None:
            try:
                self._settle(flight)
            except Exception as error:
                self._failed(flight, error)
            return True
        return moved

    def _one(self, flight: Flight, step: Step) -> None:
        """One step by itself: guard, run, count it done."""
        point = fault_point(flight.action, step.name)
        if self.failures.over:
            raise TokenLost("this run is over", hint="run apply again")
        self.orders.probe(point, "before", flight.action.ref)
        # Last, so that whatever held this writer up before is noticed: what follows is the write itself (R-LCK-2).
        self.orders.guard()
        if step.run is not None:
            step.run(self.ports, flight.context)
        elif step.batch is not None and step.ask is not None:
            answers = step.batch.send(self.ports, self.orders.token, [step.ask(self.ports, flight.context)])
            if step.took is not None:
                step.took(self.ports, flight.context, answers[0])
        self.orders.probe(point, "after", flight.action.ref)
        self._step_done(flight, step)

    def _step_done(self, flight: Flight, step: Step) -> None:
        flight.done.append(step)
        flight.index += 1
        self.orders.emit(
            "action_progress",
            {"ref": str(flight.action.ref), "verb": flight.action.verb.value, "step": step.name},
        )

    def _depart(self, batch: Batch, flights: Sequence[Flight]) -> None:
        """Send what `flights` ask of one port, once the trip before is back, whose flights go on meanwhile."""
        back = self._land(batch)
        asked: list[tuple[Flight, Step]] = []
        requests: list[object] = []
        for flight in flights:
            step = flight.step
            if step is None or step.ask is None:
                continue
            try:
                self.orders.probe(fault_point(flight.action, step.name), "before", flight.action.ref)
                self.orders.guard()
                requests.append(step.ask(self.ports, flight.context))
                asked.append((flight, step))
            except Exception as error:
                self._failed(flight, error)
        if asked:
            job = self.carriers.submit(partial(batch.send, self.ports, self.orders.token, requests))
            self.trips[batch] = Trip(asked, job)
        for flight in back:
            self._quick_steps(flight)

    def _land(self, batch: Batch) -> list[Flight]:
        """Wait for the trip under way, if there is one; each takes its own answer. Who goes on."""
        trip = self.trips.pop(batch, None)
        if trip is None:
            return []
        self.carriers.wait([trip.job])
        on: list[Flight] = []
        for (flight, step), answer in zip(trip.asked, trip.job.result(), strict=True):
            try:
                if step.took is not None:
                    step.took(self.ports, flight.context, answer)
                self.orders.probe(fault_point(flight.action, step.name), "after", flight.action.ref)
                self._step_done(flight, step)
                on.append(flight)
            except Exception as error:
                self._failed(flight, error)
        return on

    def _join(self) -> None:
        """Nothing else to do: wait for a slow step or a retry, looking up now and then for a stop request."""
        self.threads.wait([*self.slow, *self.failures.retrying], timeout_s=0.5)

    def _landed_slow(self, job: Job[None]) -> None:
        flight = self.slow.pop(job)
        error = job.error
        if error is None:
            self.flying.append(flight)
        elif isinstance(error, Exception):
            self.flying.append(flight)
            self._failed(flight, error)
        else:
            raise error

    # --- ending ---------------------------------------------------------------------------------------------------

    def _settle(self, flight: Flight) -> None:
        """Rows of the steps, inventory and journal in one transaction (R-OWN-3)."""
        action, context = flight.action, flight.context
        self.orders.probe(fault_point(action, SETTLED), "before", action.ref)
        if flight.case.want is not None:
            self.rows.name_children(flight.case.want, context)
        with self.ports.catalog.transaction(self.orders.token) as tx:
            for step in flight.steps:
                if step.commit is not None:
                    step.commit(tx, context)
            self.rows.write(tx, flight.action, flight.context, flight.case)
            tx.settle(self.orders.run, context.uid, Result.SETTLED.value, self._now())
            older = self.planned.view.snapshot.intents.get(action.ref)
            if older is not None and older.uid != context.uid:
                # Left by a catalog that was restored or answered old news: nothing of that uid was ever settled.
                tx.settle(older.run, older.uid, Result.SKIPPED.value, self._now())
            tx.drop_attempt(context.uid)
        if action.verb is Verb.UPDATE:
            # A payload that the new declaration does without: a removal has dropped its own.
            for path in tx.freed:
                kept.put_aside(self.ports.files, self.ports.places.content, path)
        self.orders.probe(fault_point(action, SETTLED), "after", action.ref)
        self.flying.remove(flight)
        self._end(flight, Outcome(action, Result.SETTLED, flight.attempt, note=context.note))

    def _failed(self, flight: Flight, error: Exception) -> None:
        if flight in self.flying:
            self.flying.remove(flight)
        self.failures.failed(flight, error)

    def _end(self, flight: Flight, outcome: Outcome) -> None:
        took = int((self.ports.clock.monotonic() - flight.started) * 1000)
        self.outcomes[flight.action.ref] = outcome._replace(duration_ms=took)
        self._end_event(self.outcomes[flight.action.ref])

    def _end_event(self, outcome: Outcome) -> None:
        self.orders.emit("action_end", outcome.to_json())

    def _now(self) -> str:
        return self.ports.clock.now_utc().isoformat()
