"""What an apply or a plan told, in the words of stories: lines as printed, or verb, ref and reason codes."""

from collections.abc import Iterable, Mapping

from reconciler.app.plan import PlanResult
from reconciler.model.action import Action, Plan
from reconciler.model.json import JsonMap
from reconciler.model.outcome import Outcome, Report
from reconciler.model.tuples import NamedTuple
from reconciler.testing.faults import Watch


def told(actions: Iterable[Action]) -> list[str]:
    """`relaunch Instance/alice ProviderExited`: verb, ref and reason codes, in plan order."""
    return [" ".join((a.verb.value, str(a.ref), *(reason.code.value for reason in a.reasons))) for a in actions]


class Applied(NamedTuple):
    """What an apply said and did."""

    report: Report
    watch: Watch
    events: tuple[tuple[str, JsonMap], ...] = ()

    @property
    def lines(self) -> list[str]:
        """The plan as it is printed."""
        return [str(action) for action in self.report.plan.actions]

    @property
    def told(self) -> list[str]:
        """The plan as verb, ref and reason codes."""
        return told(self.report.plan.actions)

    @property
    def actions(self) -> Mapping[str, Action]:
        """Actions by ref."""
        return {str(action.ref): action for action in self.report.plan.actions}

    @property
    def outcomes(self) -> Mapping[str, Outcome]:
        """Outcomes by ref."""
        return {str(outcome.action.ref): outcome for outcome in self.report.outcomes}

    @property
    def exit_code(self) -> int:
        """As the command would exit."""
        return self.report.exit_code

    @property
    def settled(self) -> bool:
        """Everything planned was done, and nothing is left."""
        done = all(outcome.result.value == "settled" for outcome in self.report.outcomes)
        return done and len(self.report.outcomes) == len(self.report.plan.running) and not self.report.remaining


class Foreseen(NamedTuple):
    """What a plan says."""

    result: PlanResult

    @property
    def plan(self) -> Plan:
        """The plan itself."""
        return self.result.plan

    @property
    def lines(self) -> list[str]:
        """As it is printed."""
        return [str(action) for action in self.plan.actions]

    @property
    def told(self) -> list[str]:
        """As verb, ref and reason codes."""
        return told(self.plan.actions)

    @property
    def actions(self) -> Mapping[str, Action]:
        """Actions by ref."""
        return {str(action.ref): action for action in self.plan.actions}

    @property
    def notices(self) -> list[str]:
        """`Orphaned Specialist/x`."""
        return [f"{notice.code.value} {notice.ref}" for notice in self.plan.notices]

    @property
    def in_sync(self) -> bool:
        """Nothing would be done."""
        return self.plan.empty
