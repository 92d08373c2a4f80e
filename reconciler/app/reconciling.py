"""`reconcile`: ask the watch that leads for one look now, and hear what came of it (R-WAT-6)."""

from typing import cast

from reconciler.app import lock as lock_
from reconciler.app.request import Emit
from reconciler.app.session import Flags, opened
from reconciler.app.watch.verbs import RECONCILE
from reconciler.model.errors import DeadlineExceeded, LockHeld, ReconcilerError
from reconciler.model.json import JsonMap
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports

POLL_S = 0.5


class NoWatch(ReconcilerError):
    """Nobody leads this overlay."""

    code = "watch.none"


class WatchEnded(ReconcilerError):
    """It ended before it had answered."""

    code = "watch.ended"


class Reconciled(NamedTuple):
    """What the watch answered."""

    leader: int
    exit_code: int
    report: JsonMap | None
    error: JsonMap | None

    def to_json(self) -> JsonMap:
        """`{leader, exitCode, error, report}`."""
        return {"leader": self.leader, "exitCode": self.exit_code, "error": self.error, "report": self.report}


def reconcile(flags: Flags, timeout_s: float, *, emit: Emit) -> Reconciled:
    """One look of the watch, with its source read anew; its events go to `emit`.

    Raises NoWatch, WatchEnded, LockHeld where the watch is stopped, DeadlineExceeded.
    """
    with opened(flags) as session:
        reader = session.reader
        loan = reader.lending.ask(reader.places.lock, RECONCILE)
        if loan is None:
            raise NoWatch(
                "no watch leads this overlay",
                hint="`houmao watch -f PATH` starts one; `houmao apply -f PATH` acts by itself",
            )
        deadline = reader.clock.monotonic() + timeout_s
        try:
            while True:
                told = loan.wait(POLL_S)
                if told is not None and "exit_code" in told.body:
                    return _answer(loan.pid, told.body)
                if told is not None:
                    fields = told.body.get("fields")
                    emit(str(told.body.get("event")), fields if isinstance(fields, dict) else {})
                    continue
                if loan.gone:
                    raise WatchEnded(
                        f"the watch (process {loan.pid}) ended before it had answered",
                        hint="what it had begun is in the journal; the next watch or apply goes on from there",
                    )
                holder = reader.files.lock_holder(reader.places.lock)
                if holder is not None and holder.pid == loan.pid and holder.state in ("T", "t"):
                    raise LockHeld(lock_.describe(holder, cast(Ports, reader)), hint=lock_.remedy(holder))
                if reader.clock.monotonic() >= deadline:
                    raise DeadlineExceeded(
                        f"the watch (process {loan.pid}) did not answer within {timeout_s:g} s",
                        hint="it may be in the middle of a long look; --timeout waits longer",
                        code="watch.timeout",
                    )
        finally:
            loan.close()


def _answer(leader: int, body: JsonMap) -> Reconciled:
    code, report, error = body["exit_code"], body.get("report"), body.get("error")
    return Reconciled(
        leader,
        code if isinstance(code, int) else 1,
        report if isinstance(report, dict) else None,
        error if isinstance(error, dict) else None,
    )
