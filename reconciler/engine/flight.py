"""One action under way, and the names of its fault points: every durable step has one (R-EXE-2)."""

from collections.abc import Sequence

from reconciler.engine.handler import Case, Context, Step
from reconciler.model.action import Action

INTENT = "intent"
SETTLED = "settled"


class Flight:
    """One action under way."""

    __slots__ = ("action", "attempt", "case", "context", "done", "index", "started", "steps")

    def __init__(self, action: Action, case: Case, context: Context, steps: Sequence[Step], started: float) -> None:
        self.action = action
        self.attempt = 1
        self.case = case
        self.context = context
        self.steps = [step for step in steps if not step.done(context.seen, context)]
        self.index = 0
        self.done: list[Step] = []
        self.started = started

    @property
    def slow(self) -> bool:
        """True while a step is left that may wait."""
        return any(step.slow for step in self.steps[self.index :])

    @property
    def step(self) -> Step | None:
        return self.steps[self.index] if self.index < len(self.steps) else None


def fault_point(action: Action, step: str) -> str:
    """`create/Instance:start-session`, the name of one arrow of R-EXE-3."""
    return f"{action.verb}/{action.ref.kind}:{step}"


def fault_points(action: Action, steps: Sequence[Step]) -> tuple[str, ...]:
    """Every fault point of one action, in order, journal and commit included."""
    return tuple(fault_point(action, name) for name in (INTENT, *(step.name for step in steps), SETTLED))
