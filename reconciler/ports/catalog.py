"""The catalog: state of record. Rows in, rows out; one transaction per settled action.

Definitions are spoken of as facts in the canonical shape of the spec, whatever tables hold them. Inventory, journal and
run rows are the engine's own (R §28).
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref, Uid
from reconciler.model.resource import Position
from reconciler.model.tuples import NamedTuple


class InventoryRow(NamedTuple):
    """What an apply set owns (R-OWN-1). `digest` names the bundle that holds the last-applied canonical spec."""

    uid: Uid
    ref: Ref
    apply_set: str
    owner: Uid | None
    source_root: str
    position: Position | None
    """Where it was declared when it was last applied; None for what was made by hand."""
    digest: str
    generation: int
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    prevent_destroy: bool = False
    ignore_changes: tuple[str, ...] = ()
    launch_digest: str = ""
    """Of an instance: the launch digest last accepted."""
    layout_version: int = 0
    live: Mapping[str, str] = {}
    """Handles of what was started: session, pane, pid, ticks, boot, agent id, home, record digest …"""


class Intent(NamedTuple):
    """An action that began and did not settle: where recovery has to look."""

    run: str
    uid: Uid
    ref: Ref
    verb: str
    token: int
    handle: JsonMap
    at: str


class Attempt(NamedTuple):
    """Persisted retry state of one resource (R-RET-1)."""

    uid: Uid
    error_class: str
    tries: int
    next_at: str
    input_digest: str
    code: str
    message: str


class ContentRef(NamedTuple):
    """A payload of the content store: kind, path below `content/`, digest and size."""

    kind: str
    relative_path: str
    tree: bool
    digest: str
    size: int


class Definition(NamedTuple):
    """One definition as stored: facts in the canonical shape of the spec, and its payloads by spec path."""

    ref: Ref
    facts: JsonMap
    contents: Mapping[str, ContentRef]
    uid: Uid | None = None


class Lease(NamedTuple):
    """Who writes, or wrote last."""

    token: int
    owner: str
    pid: int
    start_ticks: int
    boot_id: str
    purpose: str
    since: str


class Tombstone(NamedTuple):
    """What was removed and can still be brought back (R-PRU-5): its last row, and until when."""

    row: InventoryRow
    until: str
    """ISO 8601, UTC."""


class Event(NamedTuple):
    """Something that happened to a resource, as often as it did (R-STA-8)."""

    uid: Uid
    ref: Ref
    reason: str
    message: str
    times: int
    first: str
    last: str
    """ISO 8601, UTC."""


class NewEvent(NamedTuple):
    """Something that happened just now; the same reason and message are one event that is counted."""

    uid: Uid
    reason: str
    message: str
    at: str


class RunRow(NamedTuple):
    """One run with at least one action (R-HIS-1)."""

    id: str
    apply_set: str
    revision: int
    source_revision: str
    plan_digest: str
    actor: str
    outcome: str
    started: str
    ended: str
    command: str = ""
    """`apply`, `watch`, `delete` …; empty where nobody told."""
    bundle: str = ""
    """Digest of the document that names what was declared; given by the catalog, ignored when written."""


class Override(NamedTuple):
    """An operator's temporary value for one path of a resource (R-OWN-7, R-IMP-2); a value of None takes it away."""

    uid: Uid
    path: str
    """`spec.state`, `metadata.labels.team`."""
    value: Json
    by: str
    until: str
    """ISO 8601, UTC."""
    declared: Json = None
    """What the declaration says there, as far as it was told."""


class Absence(NamedTuple):
    """A resource that was deleted although it is declared, and stays absent until a time (R-IMP-4)."""

    ref: Ref
    by: str
    until: str
    """ISO 8601, UTC."""


class RequestRow(NamedTuple):
    """Something asked for once (R-IMP-5): `id` names the asking and the resource. `state` is `open` or `done`."""

    id: str
    verb: str
    uid: Uid
    args: JsonMap
    actor: str
    state: str


class CatalogReader(Protocol):
    """The half that only looks; opened `rw` with `query_only` (R-ACT-4). Raises OverlayError."""

    def present(self) -> bool:
        """False when there is no catalog yet: every list below is then empty."""
        ...

    def revision(self) -> int:
        """Raised by every change of a definition or engine table, also by other programs (R-OBS-1)."""
        ...

    def meta(self, key: str) -> str | None: ...

    def inventory(self) -> tuple[InventoryRow, ...]:
        """Every row, sorted by ref."""
        ...

    def naming(self, words: Iterable[str]) -> tuple[InventoryRow, ...]:
        """At least every row that has one of these words for its uid, its name or a handle, sorted by ref.

        Perhaps others too: whoever asks looks at what it wants. Of a thousand rows it reads a few.
        """

    def tombstones(self) -> tuple[Tombstone, ...]:
        """What was removed and not yet collected, sorted by ref, the newest of one ref first."""
        ...

    def bundles(self, digests: Iterable[str]) -> Mapping[str, JsonMap]:
        """Canonical documents by digest; missing ones are left out."""
        ...

    def definitions(self, kind: str) -> Mapping[str, Definition]:
        """Every definition of one kind, by name: one query per table."""
        ...

    def intents(self) -> tuple[Intent, ...]:
        """Actions begun and not settled, oldest first."""
        ...

    def attempts(self) -> Mapping[Uid, Attempt]: ...

    def overrides(self) -> tuple[Override, ...]:
        """Every override, those that lapsed too, sorted by uid and path."""
        ...

    def absences(self) -> tuple[Absence, ...]:
        """Everything that is held absent, or was until its time, sorted by ref."""
        ...

    def requests(self, ids: Iterable[str]) -> Mapping[str, RequestRow]:
        """Requests by id; unknown ones are left out."""
        ...

    def lease(self) -> Lease | None: ...

    def runs(self, limit: int, apply_set: str | None = None) -> tuple[RunRow, ...]:
        """Newest first; of one apply set where it is named."""
        ...

    def events(self, limit: int, uid: Uid | None = None) -> tuple[Event, ...]:
        """Newest first; of one resource where it is named, also of one that was removed."""
        ...

    def run_actions(self, ids: Iterable[str]) -> Mapping[str, tuple[JsonMap, ...]]:
        """What became of each action of these runs; empty where nobody told."""
        ...

    def rest(self) -> None:
        """Give back what was kept in memory to answer sooner; the next answers take longer."""
        ...

    def close(self) -> None:
        """Let go of the file; the next question opens it again."""
        ...


class Transaction(Protocol):
    """Writes of one transaction; all or nothing."""

    freed: list[str]
    """Paths below `content/` that lost their last user; known after the commit, which is when to remove the files."""

    def put_definition(self, definition: Definition, *, auth_ref: str = "") -> None:
        """Insert or replace a definition with its content references."""
        ...

    def drop_definition(self, ref: Ref) -> None:
        """Delete a definition and content references nobody else uses; unknown ones are no error."""
        ...

    def put_inventory(self, row: InventoryRow) -> None: ...

    def drop_inventory(self, uid: Uid) -> None: ...

    def bury(self, uid: Uid, until: str) -> None:
        """Take a row out of the inventory and keep it as a tombstone; what was held of it is over. Unknown is no error.

        A row that is put again under its uid is no tombstone any more.
        """
        ...

    def drop_runs(self, ids: Iterable[str]) -> None:
        """Forget runs, with the documents that nobody else names, and what their actions wrote into the journal."""
        ...

    def put_bundle(self, digest: str, body: JsonMap) -> None:
        """Deduplicated by digest."""
        ...

    def intend(self, intent: Intent) -> None: ...

    def note(self, run: str, uid: Uid, handle: JsonMap) -> None:
        """Add handles to an open intent: what a kill needs afterwards (R-EXE-1a)."""
        ...

    def settle(self, run: str, uid: Uid, outcome: str, at: str) -> None:
        """Close the open intents of `uid`, of this run and of earlier ones."""
        ...

    def put_override(self, override: Override) -> None:
        """Insert or replace by uid and path; the resource must be in the inventory."""
        ...

    def drop_override(self, uid: Uid, path: str) -> None:
        """Unknown is no error."""
        ...

    def put_absence(self, absence: Absence) -> None:
        """Insert or replace by ref."""
        ...

    def drop_absence(self, ref: Ref) -> None:
        """Unknown is no error."""
        ...

    def put_request(self, request: RequestRow) -> None:
        """Insert or replace by id."""
        ...

    def put_attempt(self, attempt: Attempt) -> None: ...

    def drop_attempt(self, uid: Uid) -> None: ...

    def put_run(self, run: RunRow, bundle: JsonMap, actions: Sequence[JsonMap] = ()) -> None:
        """Insert or replace by id; the bundle is the whole declared set by digest, `actions` what became of each."""
        ...

    def put_meta(self, key: str, value: str) -> None: ...

    def put_events(self, events: Sequence[NewEvent], forget_before: str) -> None:
        """Count or add each; of a resource that has no row, nothing. Older and surplus ones of theirs are forgotten."""
        ...

    def put_lease(self, lease: Lease) -> None: ...


class Catalog(CatalogReader, Protocol):
    """Writing, always under a token."""

    def transaction(self, token: int) -> AbstractContextManager[Transaction]:
        """One immediate transaction; raises TokenLost when the lease's token is no longer `token` (R-LCK-2)."""
        ...

    def acquire(self, lease: Lease, *, above: int = 0) -> int:
        """Write the lease row with the next token, and one `above`; that token. `lease.token` is ignored (R-LCK-1)."""
        ...
