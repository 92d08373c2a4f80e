"""The gates of an apply: whom it leaves to finish a turn, or to wait for its hours, and for how long (R-WAT-8)."""

from datetime import datetime, timedelta

from reconciler.app import waiting
from reconciler.app.desired import Desired
from reconciler.app.request import Emit, RunFlags
from reconciler.app.watch import calendar
from reconciler.app.watch.busy import busy
from reconciler.engine.gating import IDLE, IMMEDIATE, WINDOW, Gating, Terms, ends_a_process, gate_of
from reconciler.engine.plan import Planned
from reconciler.model.outcome import Outcome, Result
from reconciler.ports.bundle import Ports


def of_run(
    planned: Planned, desired: Desired, ports: Ports, token: int, how: RunFlags, emit: Emit, started: datetime
) -> Gating | None:
    """The gates that are declared, and with `--respect-busy` those of everybody; None where nobody is behind one."""
    gated = []
    for action in planned.plan.running:
        case = planned.cases[action.ref]
        gate = gate_of(case)
        heeded = gate.when == IDLE and (gate.declared or how.respect_busy)
        heeded = heeded or (gate.when == WINDOW and not how.ignore_window)
        if heeded and gate.when != IMMEDIATE and ends_a_process(action, case):
            gated.append((action, case))
    if not gated:
        return None
    terms = Terms(
        calendar=lambda now: calendar.closed(desired, ports.clock, now),
        since=waiting.since(ports.catalog, planned),
        until=None if how.wait is False else started + timedelta(seconds=how.timeout_s),
    )
    return Gating(
        gated,
        desired.session.handlers,
        ports,
        terms,
        busy=busy,
        keep=lambda waits: waiting.write(ports, token, planned, waits),
        tell=emit,
    )


def ended(gating: Gating | None, outcomes: tuple[Outcome, ...], planned: Planned, ports: Ports, token: int) -> None:
    """Keep who is left waiting."""
    settled = {outcome.action.ref for outcome in outcomes if outcome.result is Result.SETTLED}
    left = {ref: wait for ref, wait in gating.waits.items() if ref not in settled} if gating is not None else {}
    waiting.write(ports, token, planned, left)
