"""What the engine knows about one kind: the four members of `KindHandler`, and the words they speak.

The engine alone compares, journals, guards, runs and commits. A handler says what it sees, what should be done, and the
visible writes that do it; its steps are crashed one by one in a test that knows no kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from reconciler.model.tuples import NamedTuple

if TYPE_CHECKING:  # a listing speaks these words too, and needs nothing of what they are about
    from datetime import datetime

    from reconciler.model.action import Action, Reason
    from reconciler.model.change import FieldChange
    from reconciler.model.field import Shape
    from reconciler.model.json import Json, JsonMap
    from reconciler.model.outcome import Fault
    from reconciler.model.ref import Ref, Uid
    from reconciler.model.resource import ContentSource, Resource
    from reconciler.ports.bundle import Ports, Reader
    from reconciler.ports.catalog import Intent, InventoryRow, Transaction


class Part(NamedTuple):
    """One object an instance consists of, as seen: `present` is None when that could not be learned."""

    present: bool | None
    facts: JsonMap
    why: str = ""
    """Evidence of absence, or why it is unknown."""


class Present(NamedTuple):
    """It is there. `facts` has the canonical shape of the spec, for the paths that can be observed."""

    facts: JsonMap
    stamp: JsonMap
    parts: Mapping[str, Part] = {}
    complete: bool = False
    """True when `facts` holds every path of the spec: a path missing from it is absent, not merely unseen."""
    unmet: tuple[Reason, ...] = ()
    """Preconditions of `create` and `relaunch` that do not hold now, such as a missing binary."""


class Absent(NamedTuple):
    """It is certain that it is not there."""

    evidence: str
    parts: Mapping[str, Part] = {}
    stamp: Mapping[str, Json] = {}
    unmet: tuple[Reason, ...] = ()


class Unknown(NamedTuple):
    """It could not be observed: no action follows (R-OBS-2)."""

    why: str
    ambiguous: bool = False


Seen = Present | Absent | Unknown


class Target(NamedTuple):
    """One ref to observe, with what is recorded of it."""

    ref: Ref
    uid: Uid | None
    want: Resource | None
    row: InventoryRow | None
    intent: Intent | None
    was: Ref | None = None
    """The name it is recorded under, where a Moved document gave it another one."""


class Held(NamedTuple):
    """An operator's temporary value for a declared path (R-OWN-7); None takes the path away."""

    path: str
    """`spec.state`, `metadata.labels.team`."""
    value: Json
    by: str
    until: datetime
    declared: Json = None
    """What the declaration says there now."""
    known: Json = None
    """What it said when that was last recorded."""


class HeldAbsent(NamedTuple):
    """Who deleted a declared resource, and until when it stays so (R-IMP-4)."""

    by: str
    until: datetime


class Books(NamedTuple):
    """What settles in the catalog with an action, beside its own rows: overrides that come, stay and go."""

    put: tuple[Held, ...] = ()
    drop: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    """Said with the action, or of an action that does nothing but keep these books."""
    absent: HeldAbsent | None = None
    """Of a removal: how long what is declared stays away."""


class Asked(NamedTuple):
    """An action asked for once (R-IMP-5). `token` is the writer's that first began it, None before that."""

    id: str
    by: str
    token: int | None = None
    resume: JsonMap | None = None
    """Which conversation to continue, this once; None as declared (R-MOD-13)."""
    rolling: bool = False
    """Of a whole set: as its strategy says, and not at once."""


class Case(NamedTuple):
    """All there is to know about one ref when its actions are decided; nothing is read here.

    `want` is None only when removal was asked for and allowed; `removal` then says why. `changes` is what the engine
    found between declared, last applied and observed.
    """

    ref: Ref
    uid: Uid | None
    want: Resource | None
    row: InventoryRow | None
    seen: Seen
    changes: tuple[FieldChange, ...]
    intent: Intent | None
    held: tuple[Held, ...]
    now: datetime
    removal: Reason | None = None
    derived: tuple[tuple[Ref, tuple[FieldChange, ...]], ...] = ()
    """Derived rows of this resource that differ: its own action writes them (R-OWN-8a)."""
    lapsed: tuple[Held, ...] = ()
    """Overrides whose time is over and that nothing has put away yet."""
    books: Books = Books()
    asked: Asked | None = None
    was: Ref | None = None
    """The name it is recorded under, where a Moved document gave it another one."""


class Lookup(Protocol):
    """Other specs, as canonical values: declared first, else last applied (R-CAN-1a)."""

    def get(self, ref: Ref) -> Resource | None:
        """The resource, or None where nobody declares or recorded it."""
        ...

    def closure(self, ref: Ref) -> tuple[Resource, ...]:
        """`ref` and everything reached from it by references, each once, sorted by ref."""
        ...

    def changes(self, ref: Ref) -> tuple[FieldChange, ...]:
        """What differs for another ref of this plan."""
        ...

    def seen(self, ref: Ref) -> Seen | None:
        """What was observed of another ref, if it was."""
        ...

    def row(self, ref: Ref) -> InventoryRow | None:
        """The inventory row of another ref."""
        ...

    def children(self, ref: Ref) -> tuple[Resource, ...]:
        """Declared resources that `ref` owns."""
        ...

    def owned(self, ref: Ref) -> tuple[Resource, ...]:
        """Derived resources that `ref` is recorded to own, as last applied."""
        ...

    def memo(self, key: tuple[str, ...], make: Callable[[], object]) -> object:
        """A value derived once per plan."""
        ...

    def content(self, digest: str) -> ContentSource | None:
        """Where the bytes behind a digest of a declared spec can be read."""
        ...


class Context:
    """What the steps of one action share while it runs; the runner makes it, one per attempt.

    `handle` collects what recovery and a later kill need; `live` becomes the inventory row's handles.
    """

    __slots__ = (
        "action",
        "case",
        "child_uids",
        "handle",
        "live",
        "look",
        "note",
        "run",
        "scratch",
        "seen",
        "token",
        "transient",
        "uid",
        "uids",
    )

    def __init__(
        self,
        action: Action,
        case: Case,
        look: Lookup,
        *,
        uid: Uid,
        run: str,
        token: int,
        handle: JsonMap,
        uids: Mapping[Ref, Uid] | None = None,
        transient: Mapping[str, str] | None = None,
    ) -> None:
        self.action = action
        self.case = case
        self.look = look
        self.uid = uid
        self.run = run
        self.token = token
        self.handle = handle
        self.seen: Seen = case.seen
        self.live: dict[str, str] = dict(case.row.live) if case.row else {}
        self.uids: Mapping[Ref, Uid] = uids if uids is not None else {}
        """Uids of other resources, those allocated in this run included."""
        self.child_uids: dict[Ref, Uid] = {}
        """Uids of the rows this resource derives, by their refs; set before the rows are committed."""
        self.scratch: dict[str, object] = {}
        """Values one step leaves for the next of the same attempt; never needed for recovery."""
        self.note = ""
        self.transient: Mapping[str, str] = transient or {}
        """One-off variables of this start; they are gone with it."""

    @property
    def generation(self) -> int:
        """The generation this action brings the resource to: one more than recorded when the spec differs (R-MOD-5)."""
        row, want = self.case.row, self.case.want
        if row is None:
            return 1
        return row.generation + (1 if want is not None and want.digest != row.digest else 0)


LAUNCH, STAMP, SHORT_UID, FULL_UID = "<launch>", "<stamp>", "<uid>", "<full uid>"
"""Stand in a plan for the launch time in epoch ms, the same as `20261121-020000Z`, eight digits of the uid, and all.

They are allocated with the intent and never part of a plan (R-ACT-3).
"""


def never_done(seen: Seen, context: Context) -> bool:
    """For steps that are cheap and idempotent: always run them again."""
    del seen, context
    return False


class Batch(NamedTuple):
    """One trip to a port that several actions share: `send` gets the ports, the token and every request, in order."""

    key: str
    send: Callable[[Ports, int, Sequence[object]], Sequence[object]]


class Step(NamedTuple):
    """One visible write. Its name is its fault point (R-EXE-2).

    A step either runs alone (`run`), or is one of many that go to a port together: then `batch` names the port's trip,
    `ask` gives its request and `took` receives its answer. `slow` steps may wait and run beside others.
    """

    name: str
    run: Callable[[Ports, Context], None] | None = None
    done: Callable[[Seen, Context], bool] = never_done
    commit: Callable[[Transaction, Context], None] | None = None
    batch: Batch | None = None
    ask: Callable[[Ports, Context], object] | None = None
    took: Callable[[Ports, Context, object], None] | None = None
    slow: bool = False
    undo: Callable[[Ports, Context], None] | None = None
    """Takes back what this step of a first `create` made, proved by uid, when the action fails for good (R-EXE-9)."""
    starts: bool = False
    """It starts the process of an agent; what ends the one before is done."""


class KindSchema(Protocol):
    """What loading and diffing need of a kind; made from its schema module when a document of it occurs."""

    kind: str
    shape: Shape


class KindHandler(Protocol):
    """Everything the engine knows about one kind. Four members, no base class."""

    kind: str

    @property
    def schema(self) -> KindSchema:
        """Fields with change class, merge key, sensitive bit and default; imported when asked for."""
        ...

    def observe(self, targets: Sequence[Target], ports: Reader) -> Mapping[Ref, Seen]:
        """Read the world once for all targets; read-only, never raises for one of them."""
        ...

    def plan(self, case: Case, look: Lookup) -> Sequence[Action]:
        """Pure. What to do about one ref; empty means in sync."""
        ...

    def steps(self, action: Action, case: Case, look: Lookup) -> Sequence[Step]:
        """Pure. The visible writes of one action, in order; the engine runs them."""
        ...


Handlers = Mapping[str, KindHandler]


class Conditions(Protocol):
    """Optional fifth member: a kind whose resources can be Ready says so from what was seen (R-STA-2)."""

    def ready(self, cases: Sequence[Case], ports: Reader) -> Mapping[Ref, ReadyState]:
        """Read what is needed, once, for all cases; never raises for one of them."""
        ...


class ReadyState(NamedTuple):
    """Readiness computed from observation; never a step, never a row of a plan."""

    status: bool | None
    reason: str
    message: str
    fault: Fault | None = None


def in_order(refs: Iterable[Ref]) -> tuple[Ref, ...]:
    """Sorted and without doubles."""
    return tuple(sorted(set(refs)))
