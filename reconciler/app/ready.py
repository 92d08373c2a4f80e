"""Wait until what was applied is Ready: computed from observation each time, never remembered (R-STA-4)."""

from collections.abc import Mapping

from reconciler.app import holding
from reconciler.app.desired import Desired
from reconciler.app.request import RunFlags
from reconciler.engine.handler import Case, Target
from reconciler.engine.observe import look_at
from reconciler.model.action import Code
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref
from reconciler.model.resource import Resource
from reconciler.ports.bundle import Reader

READY_POLL_S = 0.1


def waited(report: Report, desired: Desired, reader: Reader, how: RunFlags) -> Report:
    """`--wait`: look until every declared instance that shall run is Ready, or the time is over.

    One that is held stopped shall not.
    """
    unknown = any(notice.code in (Code.UNKNOWN, Code.AMBIGUOUS) for notice in report.plan.notices)
    if how.wait is not True or report.exit_code not in (0, 3) or unknown:
        return report
    declared = holding.laid_over(desired.declared, reader, desired.moves).declared
    waiting = {
        ref for ref, resource in declared.items() if ref.kind == "Instance" and resource.spec.get("state") == "Running"
    }
    deadline = reader.clock.monotonic() + how.timeout_s
    while waiting:
        waiting = not_ready(waiting, declared, desired, reader)
        if not waiting or how.stopping() is not None:
            break
        if reader.clock.monotonic() >= deadline:
            return report._replace(not_ready=tuple(str(ref) for ref in sorted(waiting)), timed_out=True)
        reader.clock.sleep(READY_POLL_S)
    return report


def not_ready(refs: set[Ref], declared: Mapping[Ref, Resource], desired: Desired, reader: Reader) -> set[Ref]:
    """Those of `refs` that are not Ready now."""
    rows = {row.ref: row for row in reader.catalog.inventory()}
    targets = [
        Target(ref, rows[ref].uid if ref in rows else None, declared[ref], rows.get(ref), None) for ref in sorted(refs)
    ]
    seen = look_at(targets, desired.session.handlers, reader)
    cases: dict[str, list[Case]] = {}
    for target in targets:
        case = Case(
            target.ref, target.uid, target.want, target.row, seen[target.ref], (), None, (), reader.clock.now_utc()
        )
        cases.setdefault(target.ref.kind, []).append(case)
    left: set[Ref] = set()
    for kind, asked in cases.items():
        ready = getattr(desired.session.handlers[kind], "ready", None)
        if ready is not None:
            states = ready(asked, reader)
            left |= {case.ref for case in asked if states[case.ref].status is not True}
    return left
