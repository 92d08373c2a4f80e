"""How to run a plan, beside the plan itself: token, bounds, and who listens."""

from collections.abc import Callable, Mapping, Sequence

from reconciler.engine.gating import Gating
from reconciler.engine.handler import Case, Step
from reconciler.engine.retry import TRIES
from reconciler.engine.rolling import Rolling
from reconciler.model.action import Action
from reconciler.model.json import JsonMap
from reconciler.model.ref import Ref, Uid
from reconciler.model.tuples import NamedTuple

Probe = Callable[[str, str, Ref], None]
"""Called with (point, `before`|`after`, ref) around every durable step: where tests crash, fail and hang a run."""


def no_probe(point: str, phase: str, ref: Ref) -> None:
    """Nothing listens."""
    del point, phase, ref


Around = Callable[[Action, Case, Sequence[Step]], Sequence[Step]]
"""Gets the steps of an action, and gives them back with others before or after them."""


def as_they_are(action: Action, case: Case, steps: Sequence[Step]) -> Sequence[Step]:
    """Nothing around them."""
    del action, case
    return steps


class Orders(NamedTuple):
    """How to run, beside the plan."""

    run: str
    token: int
    guard: Callable[[], None]
    """Raises TokenLost when this writer may act no more."""
    parallelism: int = 8
    fail_fast: bool = False
    deadline: float | None = None
    stopping: Callable[[], bool] = lambda: False
    emit: Callable[[str, JsonMap], None] = lambda kind, fields: None
    probe: Probe = no_probe
    source_root: str = ""
    root_of: Mapping[Ref, str] = {}
    """The source root id of each declared ref, where several roots are applied together (R-PRU-10)."""
    apply_set: str = ""
    base: str = ""
    """Where relative paths of positions begin: they are recorded whole, for whoever edits the file later."""
    keep_sets: bool = False
    """Of an imperative verb: what a set declares stays that set's, and where it was declared stays recorded."""
    tries: int = TRIES
    tried: Mapping[Uid, int] = {}
    """How often each failed before this run: of a watch, whose back-off outlives its runs."""
    transient: Mapping[Ref, Mapping[str, str]] = {}
    """One-off variables of a start, by who is started: for this run alone, never stored."""
    launches: int | None = None
    """How many launches may be under way at a time, beside `parallelism`."""
    launch_rate: tuple[float, int] | None = None
    """Launches a second, and how many at once after a pause."""
    rolling: Rolling | None = None
    """The rollouts of this run: who may be disturbed when."""
    gating: Gating | None = None
    """The gates of those it may disturb: who is left to finish a turn, or waits for its hours."""
    around: Around = as_they_are
    """What is done around the steps of an action, such as the hooks of its agent."""
