"""When a failed action is tried again, and after how long (R §11). The one place that retries (D7)."""

import hashlib
from collections.abc import Callable

from reconciler.model.errors import ErrorClass, ReconcilerError
from reconciler.model.json import Json
from reconciler.model.outcome import Fault
from reconciler.model.ref import Uid
from reconciler.model.resource import at_path
from reconciler.model.tuples import NamedTuple
from reconciler.ports.clock import Clock

BASE_S = 1.0
CAP_S = 300.0
CRASH_BASE_S = 10.0
CRASH_CAP_S = 600.0
TRIES = 4
"""Attempts of one action inside one run; the persisted schedule goes on from there."""


class Policy(NamedTuple):
    """How often and how fast one resource is tried inside one run (R-RET-3)."""

    tries: int = TRIES
    base_s: float = BASE_S
    cap_s: float = CAP_S
    timeout_s: float | None = None
    """How long in all, from the action's start; None for as long as the run lasts."""


def policy_of(spec: Json, tries: int) -> Policy:
    """`spec.retry` over the defaults: limit 0 is one try; a one-off run makes a handful at most."""
    limit, base, cap, timeout = (at_path(spec, f"retry.{key}") for key in ("limit", "base", "max", "timeout"))
    return Policy(
        tries=min(tries, limit + 1) if isinstance(limit, int) and limit >= 0 else tries,
        base_s=base / 1000 if isinstance(base, int) else BASE_S,
        cap_s=cap / 1000 if isinstance(cap, int) else CAP_S,
        timeout_s=timeout / 1000 if isinstance(timeout, int) else None,
    )


RETRIED = frozenset({ErrorClass.TRANSIENT, ErrorClass.AMBIGUOUS})


def fault_of(error: BaseException) -> Fault:
    """The class, code and words of a failure; what is not ours is Internal."""
    if isinstance(error, ReconcilerError):
        return Fault(error.error_class, error.code, error.message, error.hint)
    return Fault(
        ErrorClass.INTERNAL,
        "internal.error",
        f"{type(error).__name__}: {error}",
        "this is a bug; please report it with the output of `houmao doctor`",
    )


def delay_s(uid: Uid, attempt: int, error_class: ErrorClass, policy: Policy) -> float:
    """Seconds before attempt `attempt + 1`: exponential, full jitter from a hash of (uid, attempt) (R-ACT-3)."""
    crashing = error_class is ErrorClass.CRASH_LOOP
    base, cap = (CRASH_BASE_S, CRASH_CAP_S) if crashing else (policy.base_s, policy.cap_s)
    ceiling = min(cap, base * 2.0 ** min(attempt - 1, 60))
    fraction = int.from_bytes(hashlib.sha256(f"{uid}:{attempt}".encode()).digest()[:8], "big") / 2**64
    return ceiling * fraction


def again(
    action: Callable[[int], None],
    uid: Uid,
    clock: Clock,
    stopping: Callable[[], bool],
    policy: Policy,
    *,
    done: int = 1,
) -> None:
    """Call `action(attempt)` for the attempts after `done` until one ends well; raises the last error of the last."""
    import tenacity

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        found = fault_of(error).error_class if error else ErrorClass.TRANSIENT
        return delay_s(uid, state.attempt_number + done, found, policy)

    def retryable(error: BaseException) -> bool:
        return isinstance(error, ReconcilerError) and error.error_class in RETRIED and not stopping()

    clock.sleep(delay_s(uid, done, ErrorClass.TRANSIENT, policy))
    for attempt in tenacity.Retrying(
        sleep=clock.sleep,
        wait=wait,
        stop=tenacity.stop_after_attempt(max(1, policy.tries - done)),
        retry=tenacity.retry_if_exception(retryable),
        reraise=True,
    ):
        with attempt:
            action(attempt.retry_state.attempt_number + done)
