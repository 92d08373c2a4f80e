"""What a run is asked: the source, and the flags that steer planning and running."""

from collections.abc import Callable, Mapping

from reconciler.engine.orders import Probe, no_probe
from reconciler.model.action import Plan
from reconciler.model.json import JsonMap
from reconciler.model.ref import Uid
from reconciler.model.tuples import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from reconciler.app.lock import Writer
    from reconciler.engine.rollout import Chosen
    from reconciler.ports.bundle import Ports


class Source(NamedTuple):
    """What is declared: `-f` paths, `-R`, `-k` directory, or the text on stdin for `-f -`."""

    paths: tuple[str, ...] = ()
    recursive: bool = False
    composition: str | None = None
    stdin: bytes | None = None
    git: str = ""
    """`git+URL@ref[:path]` instead of paths."""
    signers: str = ""
    """Allowed-signers file that vouches for the commit, absolute; empty where nobody has to."""


class PlanFlags(NamedTuple):
    """Flags that steer what is planned."""

    applyset: str | None = None
    selector: str = ""
    targets: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    prune: bool = False
    prune_limit: int | None = None
    allow_empty: bool = False
    allow_source_change: bool = False
    allow_kind_removal: tuple[str, ...] = ()
    allow_set_mismatch: bool = False
    allow_prune_outside_selector: bool = False
    force_conflicts: bool = False
    force_destroy: tuple[str, ...] = ()
    validate: str = "strict"


class RunFlags(NamedTuple):
    """Flags that steer how a plan is run. `wait`: None for Synced, True for Ready, False for settled actions alone."""

    wait: bool | None = None
    timeout_s: float = 600.0
    parallelism: int = 8
    fail_fast: bool = False
    lock_timeout_s: float | None = None
    yes: bool = False
    stopping: Callable[[], int | None] = lambda: None
    """The signal that asked to stop, if one did."""
    probe: Probe = no_probe
    tries: int = 4
    tried: Mapping[Uid, int] = {}
    """How often each failed before, of a watch."""
    command: str = "apply"
    """Which command this is, for the history."""
    writer: "Writer | None" = None
    """The lock, where it is held already: of a watch, and of what it serves."""
    chosen: "Chosen | None" = None
    """How what is selected shall be rolled out, of one run."""
    before: "Callable[[Ports, int], None]" = lambda ports, token: None
    """Done under the lock and its number, before the first action: what a later run must know of this one."""
    respect_busy: bool = False
    """Agents in the middle of a turn are left to finish it, also those that declare nothing of the kind."""
    ignore_window: bool = False
    """Agents that wait for their hours are disturbed at any."""
    judged: bool = False
    """Who may be disturbed was said already: of a watch, which looks again and does not wait inside a run."""


Confirm = Callable[[Plan], bool]
Shown = Callable[[Plan], None]
Emit = Callable[[str, JsonMap], None]
