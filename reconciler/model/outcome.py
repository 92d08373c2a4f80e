"""What an apply did: an outcome per action, and the report that gives the exit code."""

from enum import StrEnum

from reconciler.model.action import Action, Code, Notice, Plan, tally
from reconciler.model.errors import ErrorClass
from reconciler.model.json import JsonMap
from reconciler.model.tuples import NamedTuple


class Result(StrEnum):
    """R-EVT-3."""

    SETTLED = "settled"
    FAILED = "failed"
    SKIPPED = "skipped"
    STALE = "stale"


class Fault(NamedTuple):
    """Why an action did not settle."""

    error_class: ErrorClass
    code: str
    message: str
    hint: str = ""

    def to_json(self) -> JsonMap:
        """`{class, code, message, hint}`."""
        return {
            "class": self.error_class.value,
            "code": self.code,
            "message": self.message,
            "hint": self.hint or None,
        }


class Outcome(NamedTuple):
    """One action and how it ended; `skipped` names its blocker in `reason`."""

    action: Action
    result: Result
    attempt: int = 1
    duration_ms: int = 0
    reason: str = ""
    fault: Fault | None = None
    note: str = ""
    """What a person should know afterwards, such as where a home was kept."""

    def to_json(self) -> JsonMap:
        """`{ref, verb, outcome, attempt, duration_ms, reason, error, note}`."""
        return {
            "ref": str(self.action.ref),
            "verb": self.action.verb.value,
            "uid": self.action.uid,
            "outcome": self.result.value,
            "attempt": self.attempt,
            "duration_ms": self.duration_ms,
            "reason": self.reason or None,
            "error": self.fault.to_json() if self.fault else None,
            "note": self.note or None,
        }


class Report(NamedTuple):
    """The end of an apply: its plan, what became of each action, and what still differs."""

    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    run_id: str = ""
    revision: int | None = None
    remaining: tuple[Action, ...] = ()
    """Actions that one more observation would plan; left to the next apply (R-EXE-13)."""
    not_ready: tuple[str, ...] = ()
    timed_out: bool = False
    interrupted: int | None = None
    """The signal that asked the run to stop."""
    created_overlay: str | None = None
    notices: tuple[Notice, ...] = ()
    already_applied: bool = False
    """Of a saved plan: all of it was done before."""

    @property
    def unknown(self) -> int:
        """How many resources could not be observed: whether they are as declared is not known (R-PRU-9)."""
        return sum(1 for notice in self.plan.notices if notice.code in (Code.UNKNOWN, Code.AMBIGUOUS))

    @property
    def exit_code(self) -> int:
        """R-CLI-4: signals, then 1 if anything failed or is unknown, 4 if stale, 3 on a time-out, else 0."""
        if self.interrupted is not None:
            return 128 + self.interrupted
        results = {outcome.result for outcome in self.outcomes}
        blocked = any(action.verb.value == "blocked" for action in self.plan.actions)
        stopped = any(outcome.reason == "RolloutFailed" for outcome in self.outcomes)
        if Result.FAILED in results or blocked or stopped or self.unknown:
            return 1
        if Result.STALE in results:
            return 4
        if self.timed_out:
            return 3
        return 0

    def to_json(self) -> JsonMap:
        """`{run, revision, plan, outcomes, summary, remaining, notReady, timedOut, exitCode}`."""
        body: JsonMap = {
            "run": self.run_id or None,
            "revision": self.revision,
            "createdOverlay": self.created_overlay,
            "plan": self.plan.to_json(),
            "outcomes": [outcome.to_json() for outcome in self.outcomes],
            "summary": dict(tally(outcome.result for outcome in self.outcomes)),
            "remaining": [action.to_json() for action in self.remaining],
            "notReady": list(self.not_ready),
            "timedOut": self.timed_out,
            "unknown": self.unknown,
            "exitCode": self.exit_code,
        }
        return {**body, "alreadyApplied": True} if self.already_applied else body
