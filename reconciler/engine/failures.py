"""What becomes of an action that failed in a run: tried again while that can help, else taken back and recorded.

The Runner hands each failure on and gets back the flights that go on. Retries wait in the threads of the run; each
observes and decides again first (R-EXE-13).
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from reconciler.engine import retry
from reconciler.engine.flight import Flight
from reconciler.engine.handler import Case, Context, Handlers, Step, Unknown
from reconciler.engine.orders import Orders
from reconciler.engine.plan import Planned, decide, steps_of
from reconciler.engine.workers import Job, Workers
from reconciler.model.action import Disruption, Verb
from reconciler.model.errors import ErrorClass, ReconcilerError, StaleObservation
from reconciler.model.outcome import Fault, Outcome, Result
from reconciler.ports.bundle import Ports
from reconciler.ports.catalog import Attempt


class Failures:
    """Failures of one run. `fresh`, `one` and `end` are the Runner's: look again, run a step, end a flight."""

    def __init__(
        self,
        planned: Planned,
        handlers: Handlers,
        ports: Ports,
        orders: Orders,
        threads: Workers,
        *,
        fresh: Callable[[Case, Context], Case],
        one: Callable[[Flight, Step], None],
        end: Callable[[Flight, Outcome], None],
    ) -> None:
        self.planned = planned
        self.handlers = handlers
        self.ports = ports
        self.orders = orders
        self.threads = threads
        self.retrying: dict[Job[None], Flight] = {}
        self.over = False
        """The run ends: nothing is tried again any more."""
        self._fresh = fresh
        self._one = one
        self._end = end

    def failed(self, flight: Flight, error: Exception) -> None:
        """Retry what may be retried, in a thread of its own; else take back a failed create and report."""
        fault = retry.fault_of(error)
        if isinstance(error, StaleObservation) and fault.error_class is not ErrorClass.AMBIGUOUS:
            self._end(flight, Outcome(flight.action, Result.STALE, fault=fault))
            return
        policy = self._policy(flight)
        if fault.error_class in retry.RETRIED and flight.attempt < policy.tries and not self._out_of_time(flight):
            self.orders.emit(
                "retry_scheduled",
                {"ref": str(flight.action.ref), "verb": flight.action.verb.value, "error": fault.to_json()},
            )
            self.retrying[self.threads.submit(partial(self._retry, flight))] = flight
            return
        self._give_up(flight, error)

    def _retry(self, flight: Flight) -> None:
        retry.again(
            lambda attempt: self._attempt(flight, attempt),
            flight.context.uid,
            self.ports.clock,
            lambda: self._out_of_time(flight),
            self._policy(flight),
            done=flight.attempt,
        )

    def _policy(self, flight: Flight) -> retry.Policy:
        return retry.policy_of(flight.case.want.spec if flight.case.want else None, self.orders.tries)

    def _out_of_time(self, flight: Flight) -> bool:
        now, limit = self.ports.clock.monotonic(), self._policy(flight).timeout_s
        if limit is not None and now - flight.started >= limit:
            return True
        late = self.orders.deadline is not None and now >= self.orders.deadline
        return late or self.over or self.orders.stopping()

    def _attempt(self, flight: Flight, attempt: int) -> None:
        """Observe again, decide again, and run the same action if it is still the one to run (R-EXE-13)."""
        flight.attempt = attempt
        case = self._fresh(flight.case, flight.context)
        if isinstance(case.seen, Unknown):
            raise NoObservation(f"{case.ref} cannot be observed: {case.seen.why}")
        found = [action for action in decide(case, self.planned.view, self.handlers) if action.runs]
        now = found[0] if found else None
        allowed = max(flight.action.disruption.weight, Disruption.RECORD.weight)
        if now is not None and (now.verb is not flight.action.verb and now.disruption.weight > allowed):
            raise StaleObservation(
                f"{case.ref} would now need {now.verb}, which is more than was planned",
                hint="run apply again",
                code="stale.verb",
            )
        context = flight.context
        context.case, context.seen = case, case.seen
        action = now or flight.action
        steps = self.orders.around(action, case, steps_of(action, case, self.planned.view, self.handlers))
        again = Flight(flight.action, case, context, steps, flight.started)
        while (step := again.step) is not None:
            self._one(again, step)
        flight.case, flight.steps, flight.index = case, again.steps, len(again.steps)

    def landed(self, job: Job[None]) -> Flight | None:
        """The flight of a retry that is over, where it goes on; else it is ended."""
        flight = self.retrying.pop(job)
        error = job.error
        if error is None:
            return flight
        if not isinstance(error, Exception):
            raise error
        if isinstance(error, StaleObservation):
            self._end(flight, Outcome(flight.action, Result.STALE, flight.attempt, fault=retry.fault_of(error)))
            return None
        self._give_up(flight, error)
        return None

    def _give_up(self, flight: Flight, error: Exception) -> None:
        fault = retry.fault_of(error)
        context = flight.context
        note = ""
        if flight.action.verb is Verb.CREATE and flight.case.row is None:
            note = self._undo(flight)
        try:
            with self.ports.catalog.transaction(self.orders.token) as tx:
                tx.put_attempt(self._attempt_row(flight, fault))
                if note == "":
                    tx.note(self.orders.run, context.uid, {"failed": fault.code})
        except ReconcilerError as also:
            # The failure itself is what matters; that it could not be recorded costs only its history.
            self.orders.emit("diagnostic", {"ref": str(context.case.ref), "message": also.message})
        self._end(flight, Outcome(flight.action, Result.FAILED, flight.attempt, fault=fault, note=note))

    def _undo(self, flight: Flight) -> str:
        """Take back the steps of a first create, last first; what cannot be taken back is said (R-EXE-9)."""
        for step in reversed(flight.done):
            if step.undo is None:
                continue
            try:
                step.undo(self.ports, flight.context)
            except ReconcilerError as error:
                return f"Leaked: {step.name} could not be taken back: {error.message}. {error.hint}"
        return ""

    def _attempt_row(self, flight: Flight, fault: Fault) -> Attempt:
        tries = self.orders.tried.get(flight.context.uid, 0) + flight.attempt
        after = retry.delay_s(flight.context.uid, tries, fault.error_class, self._policy(flight))
        next_at = (self.ports.clock.now_utc() + timedelta(seconds=after)).isoformat()
        return Attempt(
            flight.context.uid,
            fault.error_class.value,
            tries,
            next_at,
            self.planned.view.input_digest(flight.action.ref),
            fault.code,
            fault.message,
        )


class NoObservation(ReconcilerError):
    """An observation that did not answer while an action was being retried."""

    code = "observe.unknown"
    error_class = ErrorClass.TRANSIENT
