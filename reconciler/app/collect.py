"""`gc`: what nobody can want back any more is removed for good (R-PRU-5, R-HIS-3). Never implied by anything.

Collected are: what was removed longer ago than it was to be kept, with the home, manifests and session root of an
agent; old revisions; payloads that no revision, no tombstone and no definition names. Each is looked at by what is
recorded, and a path is touched only where it lies in this overlay, is no link, and says itself whose it is. What cannot
be told stays, and why is said.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from reconciler.app import history, revisions, standing
from reconciler.app.lock import Writer, take
from reconciler.app.session import Flags, opened
from reconciler.app.undelete import expired
from reconciler.engine import kept
from reconciler.engine.observe import edges_of
from reconciler.model.errors import ReconcilerError
from reconciler.model.json import Json, JsonMap
from reconciler.model.outcome import Result
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports, Reader
from reconciler.ports.catalog import CatalogReader, InventoryRow, RunRow, Tombstone
from reconciler.ports.process import NoAnswer

KEEP_REVISIONS = 20
KEEP_FOR = timedelta(days=90)


class Limits(NamedTuple):
    """What stays: so many revisions of each set, and every one that is younger."""

    revisions: int = KEEP_REVISIONS
    age: timedelta = KEEP_FOR


class Item(NamedTuple):
    """One thing that is collected, or that stays although its time is over."""

    kind: str
    """`resource`, `home`, `manifest`, `session`, `revision` or `payload`."""
    name: str
    why: str
    path: str = ""
    uid: str = ""

    def to_json(self) -> JsonMap:
        """`{kind, name, why, path}`."""
        return {"kind": self.kind, "name": self.name, "why": self.why, "path": self.path or None}


class Collected(NamedTuple):
    """What was, or would be, removed; and what stays although its time is over."""

    removed: tuple[Item, ...]
    kept: tuple[Item, ...]
    dry_run: bool

    def to_json(self) -> JsonMap:
        """`{dryRun, removed, kept}`."""
        removed: list[Json] = [each.to_json() for each in self.removed]
        stays: list[Json] = [each.to_json() for each in self.kept]
        return {"dryRun": self.dry_run, "removed": removed, "kept": stays}


class Found(NamedTuple):
    """What a plan of removal came to, by what removing it means."""

    stones: tuple[Tombstone, ...]
    runs: tuple[RunRow, ...]
    files: tuple[Item, ...]
    payloads: tuple[Item, ...]
    items: tuple[Item, ...]
    kept: tuple[Item, ...]


class _Declared(NamedTuple):
    """What matters of one bundle."""

    whole: bool
    documents: frozenset[str]


class _Bundles:
    """Bundles of revisions, each read once however many runs declared the same."""

    __slots__ = ("_catalog", "_known")

    def __init__(self, catalog: CatalogReader) -> None:
        self._catalog = catalog
        self._known: dict[str, _Declared] = {}

    def of(self, run: RunRow) -> _Declared:
        """What a run declared."""
        if run.bundle not in self._known:
            (found,) = revisions.read(self._catalog, [run])
            documents = frozenset(entry.digest for entry in found.entries.values())
            self._known[run.bundle] = _Declared(found.whole, documents)
        return self._known[run.bundle]


def gc(flags: Flags, limits: Limits, *, dry_run: bool, lock_s: float = 30.0) -> Collected:
    """Look, and unless it is a dry run remove, under the overlay's lock. Raises LockHeld."""
    with opened(flags) as session:
        if not session.overlay_exists:
            return Collected((), (), dry_run)
        found = _look(session.reader, limits)
        if dry_run or not found.items:
            return Collected(found.items, found.kept, dry_run)
        ports = session.world.ports(session.settings)
        try:
            writer = take(ports, purpose="gc", wait_s=lock_s, emit=lambda name, fields: None)
            try:
                token = writer.token(ports)
                again = _look(ports.reader(), limits)
                _remove(again, ports, writer, token)
                return Collected(again.items, again.kept, False)
            finally:
                writer.release()
        finally:
            ports.catalog.close()


def _remove(found: Found, ports: Ports, writer: Writer, token: int) -> None:
    """What an agent left goes before its tombstone, which says that it may; payloads go once nothing names them."""
    for item in found.files:
        writer.guard(ports)
        ports.files.remove(item.path)
    if found.stones or found.runs:
        with ports.catalog.transaction(token) as tx:
            for stone in found.stones:
                tx.drop_inventory(stone.row.uid)
            tx.drop_runs([run.id for run in found.runs])
    for item in found.payloads:
        writer.guard(ports)
        ports.files.remove(item.path)


# --- looking ----------------------------------------------------------------------------------------------------------


def _look(reader: Reader, limits: Limits) -> Found:
    now = reader.clock.now_utc()
    stays: list[Item] = []
    stones = _stones(reader, now, stays)
    going = tuple(stones)
    used = frozenset(path for row in reader.catalog.inventory() for path in _paths(row)) if going else frozenset()
    files = [item for stone in going for item in _files_of(stone, reader, stays, used)]
    bundles = _Bundles(reader.catalog)
    every = reader.catalog.runs(history.EVERY)
    runs = tuple(_runs(reader, limits, now, every, bundles))
    over = {run.id for run in runs}
    left = [run for run in every if run.id not in over]
    payloads = tuple(_payloads(reader, {stone.row.uid for stone in going}, left, bundles))
    items = [Item("resource", str(stone.row.ref), f"removed, kept until {stone.until[:19]}Z") for stone in going]
    items += files
    for run in runs:
        why = f"revision {run.revision} of {run.apply_set}, of {run.started[:10]}"
        items.append(Item("revision", f"{run.apply_set}/{run.revision}", why))
    return Found(going, runs, tuple(files), payloads, (*items, *payloads), tuple(stays))


def _stones(reader: Reader, now: datetime, stays: list[Item]) -> list[Tombstone]:
    """Those whose time is over, that nothing which can come back refers to, and of whose agents nothing lives."""
    every = reader.catalog.tombstones()
    over = [stone for stone in every if expired(stone, now)]
    needed = _needed([stone for stone in every if not expired(stone, now)], over, reader)
    intents = {intent.uid for intent in reader.catalog.intents()}
    agents = [stone.row.uid for stone in over if stone.row.ref.kind == "Instance"]
    bearing = reader.process.bearing(agents) if agents else {}
    found: list[Tombstone] = []
    for stone in over:
        row = stone.row
        why = ""
        if row.uid in needed:
            why = "what can still be brought back is made of it"
        elif row.uid in intents:
            why = "an action on it began and did not finish: apply again"
        elif row.ref.kind == "Instance":
            alive = bearing.get(row.uid) if not isinstance(bearing, NoAnswer) else None
            if alive is None:
                why = "nobody can tell whether a process of it lives"
            elif alive:
                why = f"a process of it lives (pid {alive[0].pid})"
        if why:
            stays.append(Item("resource", str(row.ref), why))
        else:
            found.append(stone)
    return found


def _needed(fresh: Sequence[Tombstone], over: Sequence[Tombstone], reader: Reader) -> set[str]:
    """Uids of expired ones that a fresh one refers to, or that is its owner or child."""
    bodies = reader.catalog.bundles({stone.row.digest for stone in (*fresh, *over)})
    by_ref: dict[Ref, list[Tombstone]] = {}
    for stone in over:
        by_ref.setdefault(stone.row.ref, []).append(stone)
    found: set[str] = set()
    todo: list[InventoryRow] = [stone.row for stone in fresh]
    while todo:
        row = todo.pop()
        refs = {edge.to for edge in edges_of(bodies.get(row.digest, {}))}
        for stone in over:
            kin = stone.row.owner == row.uid or stone.row.uid == row.owner
            if stone.row.uid not in found and (kin or stone.row.ref in refs):
                found.add(stone.row.uid)
                todo.append(stone.row)
    return found


def _files_of(stone: Tombstone, reader: Reader, stays: list[Item], used: frozenset[str]) -> Iterator[Item]:
    """Home, manifests and session root of an agent that was removed; its memory is never touched."""
    live, uid = stone.row.live, stone.row.uid
    if stone.row.ref.kind != "Instance":
        return
    runtime = reader.places.runtime
    home, manifest = live.get("home", ""), live.get("manifest", "")
    root = live.get("session_manifest", "").rpartition("/")[0]
    asides = _asides(reader, home)
    for kind, path, witness in (
        ("home", home, f"{home}/owner.json"),
        *(("home", aside, f"{aside}/owner.json") for aside in asides),
        ("manifest", manifest, manifest),
        ("session", root, f"{root}/manifest.json"),
    ):
        if not path or reader.files.stamp(path) is None:
            continue
        item = Item(kind, str(stone.row.ref), "of an agent that was removed", path, uid)
        why = _not_ours(reader, path, runtime, used)
        if not why and not _says(reader, witness, uid):
            why = "it does not say that it is this agent's"
        if why:
            stays.append(item._replace(why=why))
        else:
            yield item


def _paths(row: InventoryRow) -> Iterator[str]:
    for key in ("home", "manifest"):
        if row.live.get(key):
            yield row.live[key]
    if row.live.get("session_manifest"):
        yield row.live["session_manifest"].rpartition("/")[0]


def _asides(reader: Reader, home: str) -> list[str]:
    """Homes of the same agent that were set aside when it was replaced."""
    folder, _, name = home.rpartition("/")
    if not folder or reader.files.stamp(folder) is None:
        return []
    names = [found.rstrip("/") for found in reader.files.names(folder)]
    return [f"{folder}/{found}" for found in names if found.startswith(f"{name}.aside-")]


def _not_ours(reader: Reader, path: str, runtime: str, used: Iterable[str]) -> str:
    """Why a path is not to be touched; empty where it is below our runtime root, no link, and nobody's."""
    below = path.removeprefix(f"{runtime}/")
    if below == path or {"", ".", ".."} & set(below.split("/")):
        return "it does not lie in the runtime directory of this overlay"
    if reader.files.real(path) != f"{reader.files.real(runtime)}/{below}":
        return "it is a link, or lies behind one"
    if path in used:
        return "an agent that is there uses it"
    return ""


def _says(reader: Reader, witness: str, uid: str) -> bool:
    """Whether the thing itself names its agent and this overlay: what we wrote does."""
    try:
        text = reader.files.read(witness).decode()
    except (ReconcilerError, UnicodeDecodeError):
        return False
    return bool(reader.overlay_id) and uid in text and reader.overlay_id in text


def _runs(
    reader: Reader, limits: Limits, now: datetime, every: Sequence[RunRow], bundles: _Bundles
) -> Iterator[RunRow]:
    """Old revisions. The newest of a set, the good one before it, and what a watch stands by always stay."""
    counts: dict[str, int] = {}
    safe: dict[str, set[str]] = {}
    for run in every:
        set_ = run.apply_set
        if set_ not in safe:
            safe[set_] = _safe(reader, set_, [each for each in every if each.apply_set == set_], bundles)
        counts[set_] = counts.get(set_, 0) + 1
        young = datetime.fromisoformat(run.started) > now - limits.age
        if counts[set_] > limits.revisions and not young and run.id not in safe[set_]:
            yield run


def _safe(reader: Reader, apply_set: str, every: Sequence[RunRow], bundles: _Bundles) -> set[str]:
    """Runs that stay however old they are: the newest, and of whole ones the two newest good ones."""
    scope = Ref(standing.WHOLE, apply_set)
    pin = standing.read(reader.catalog).get(scope)
    stands = pin.instead.get(scope) if pin is not None else None
    found = {run.id for run in every[:1]}
    good: list[str] = []
    for run in every:
        if len(good) == 2 and not stands:
            break
        new = len(good) < 2 and run.bundle not in good and run.outcome == Result.SETTLED.value
        if new and bundles.of(run).whole:
            good.append(run.bundle)
            found.add(run.id)
        if stands and run.bundle == stands:
            found.add(run.id)
            stands = None
    return found


def _payloads(reader: Reader, stones: set[str], left: Sequence[RunRow], bundles: _Bundles) -> Iterator[Item]:
    """Kept payloads that nothing names: no definition, no run of `left`, no tombstone but these. The folder is ours."""
    folder = f"{reader.places.content}/{kept.FOLDER}"
    if reader.files.stamp(folder) is None or reader.files.is_link(folder):
        return
    names = reader.files.names(folder)
    if not names:
        return
    catalog = reader.catalog
    documents = {row.digest for row in catalog.inventory()}
    documents |= {stone.row.digest for stone in catalog.tombstones() if stone.row.uid not in stones}
    for run in left:
        documents |= bundles.of(run).documents
    named = {digest for body in catalog.bundles(documents).values() for digest in kept.digests(body)}
    for name in names:
        digest = kept.digest_of(name)
        if digest.startswith("sha256:") and digest not in named:
            yield Item("payload", digest, "nothing that is recorded names it", f"{folder}/{name.rstrip('/')}")
