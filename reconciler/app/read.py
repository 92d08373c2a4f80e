"""`get`: what is recorded, beside what is there; and sessions nobody here owns."""

from collections.abc import Callable, Sequence
from datetime import datetime

from reconciler.app import kind_names, status
from reconciler.app.selector import parse_selector
from reconciler.app.session import Flags, Session, open_session
from reconciler.app.status import Status
from reconciler.engine.handler import Present, Unknown
from reconciler.model.errors import ReconcilerError, Unreachable, UsageFault
from reconciler.model.json import JsonMap
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.tmux import Pane, Unanswered


class NotFound(ReconcilerError):
    """Nothing of that name is recorded."""

    code = "resource.not_found"


class Found(NamedTuple):
    """What `get` shows: statuses by kind, in the order asked; `single` when one resource was named."""

    kinds: tuple[str, ...]
    items: tuple[Status, ...]
    single: bool
    now: datetime
    overlay: str
    overlay_exists: bool

    def of(self, kind: str) -> tuple[Status, ...]:
        """Those of one kind."""
        return tuple(item for item in self.items if item.ref.kind == kind)


def get(
    flags: Flags, words: Sequence[str], *, selector: str = "", apply_set: str | None = None, lean: bool = False
) -> Found:
    """Look at what the words name, `lean` where no specs are shown.

    Raises NotFound for a named resource that is not there, UsageFault for bad words.
    """
    session = open_session(flags)
    named = kind_names.named(words, session.handlers)
    selects = parse_selector(selector) if selector else None
    if named.refs:
        items = status.look(session, refs=named.refs)
        must_be_there(session, named.refs, items)
    else:
        items = status.look(session, kinds=named.kinds, lean=lean)
    kept = [
        item
        for item in items
        if (selects is None or selects(item.row.labels if item.row else {}))
        and (apply_set is None or (item.row is not None and item.row.apply_set == apply_set))
    ]
    kinds = named.kinds or tuple(dict.fromkeys(ref.kind for ref in named.refs))
    overlay = session.settings.overlay
    single = len(named.refs) == 1
    return Found(kinds, tuple(kept), single, session.reader.clock.now_utc(), overlay.root, session.overlay_exists)


def refs(session: Session, words: Sequence[str], selector: str = "") -> tuple[Ref, ...]:
    """The recorded refs that words and selector name; a whole kind only together with a selector."""
    if not words:
        return ()
    named = kind_names.named(words, session.handlers)
    if named.refs:
        return named.refs
    if not selector:
        raise UsageFault(
            f"{words[0]!r} names a whole kind", hint="name the resources, or choose some with -l", code="usage.names"
        )
    selects = parse_selector(selector)
    rows = session.reader.catalog.inventory()
    return tuple(row.ref for row in rows if row.ref.kind in named.kinds and selects(row.labels))


def agents(session: Session, words: Sequence[str], selector: str = "") -> tuple[Ref, ...]:
    """The agents that words and selector name: a bare name is an instance's, a set stands for its members.

    Raises NotFound for one that is not recorded, UsageFault where nothing was named.
    """
    rows = {row.ref: row for row in session.reader.catalog.inventory()}
    found: list[Ref] = []
    if not words and not selector:
        raise UsageFault("no agent was named", hint="write a name, instance/NAME, or -l LABELS", code="usage.names")
    for ref in _named_agents(session, words, selector):
        if ref not in rows:
            must_be_there(session, (ref,), ())
        members = [one.ref for one in rows.values() if ref.kind == "InstanceSet" and one.owner == rows[ref].uid]
        found += members or [ref]
    strange = next((ref for ref in found if ref.kind != "Instance"), None)
    if strange is not None:
        raise UsageFault(f"{strange} is no agent", hint="name instances, or sets of them", code="usage.kind")
    return tuple(dict.fromkeys(found))


def _named_agents(session: Session, words: Sequence[str], selector: str) -> tuple[Ref, ...]:
    if not words:
        return refs(session, ("instances",), selector)
    bare = [word for word in words if "/" not in word]
    if bare and len(bare) == len(words):
        try:
            kind = kind_names.kind_of(words[0], session.handlers)
        except UsageFault:
            kind = ""
        known = {row.ref for row in session.reader.catalog.inventory()}
        if kind and (len(words) > 1 or selector) and Ref("Instance", words[0]) not in known:
            return refs(session, words, selector)
    named = tuple(f"instance/{word}" if "/" not in word else word for word in words)
    return kind_names.named(named, session.handlers).refs


def one(session: Session, words: Sequence[str], *, kind: str | None = None) -> Status:
    """The one resource the words name; a bare name means `kind` where that is given."""
    if kind is not None and len(words) == 1 and "/" not in words[0]:
        wanted: tuple[Ref, ...] = (Ref(kind, words[0]),)
    else:
        wanted = kind_names.named(words, session.handlers).refs
    if len(wanted) != 1:
        raise UsageFault("exactly one resource must be named", hint="write kind/name, such as instance/alice")
    items = status.look(session, refs=wanted)
    must_be_there(session, wanted, items)
    return items[0]


def must_be_there(session: Session, wanted: Sequence[Ref], items: Sequence[Status]) -> None:
    """Raise NotFound for the first ref that was looked for and not found, naming the nearest that is there."""
    there = {item.ref for item in items}
    missing = [ref for ref in wanted if ref not in there]
    if not missing:
        return
    from reconciler.declare.suggest import nearest

    ref = missing[0]
    names = [row.ref.name for row in session.reader.catalog.inventory() if row.ref.kind == ref.kind]
    near = nearest(ref.name, names)
    hint = (
        f"did you mean {ref.kind.lower()}/{near}?"
        if near
        else f"`houmao get {kind_names.plural(ref.kind)}` lists what there is"
    )
    if not session.overlay_exists:
        hint = f"there is no overlay at {session.settings.overlay.root} yet; `houmao apply` creates it"
    raise NotFound(f"{ref} is not recorded in this overlay", hint=hint, ref=str(ref))


# --- sessions that are not ours ---------------------------------------------------------------------------------------


class Unmanaged(NamedTuple):
    """A tmux session without a uid that this overlay knows (R-OWN-5)."""

    session: str
    session_id: str
    created: int
    uid: str
    mark: str
    panes: int

    def to_json(self) -> JsonMap:
        """`{session, sessionId, created, uid, overlayId, panes}`."""
        parts = self.mark.split(" ")
        return {
            "session": self.session,
            "sessionId": self.session_id,
            "created": self.created,
            "uid": self.uid or None,
            "overlayId": parts[2] if len(parts) == 4 else None,
            "panes": self.panes,
        }


def unmanaged(flags: Flags) -> tuple[Unmanaged, ...]:
    """Sessions on the tmux server that no inventory row and no open intent of this overlay names."""
    session = open_session(flags)
    listing = session.reader.tmux.listing()
    if isinstance(listing, Unanswered):
        raise Unreachable(f"tmux did not answer: {listing.why}", hint="`houmao doctor` looks closer")
    ours = {row.uid for row in session.reader.catalog.inventory()} | {i.uid for i in session.reader.catalog.intents()}
    by_id: dict[str, list[Pane]] = {}
    for pane in listing.panes:
        by_id.setdefault(pane.session_id, []).append(pane)
    found = [
        Unmanaged(
            panes[0].session_name,
            panes[0].session_id,
            panes[0].session_created,
            panes[0].uid,
            panes[0].mark,
            len(panes),
        )
        for panes in by_id.values()
        if not any(pane.uid in ours for pane in panes)
    ]
    return tuple(sorted(found))


# --- columns ----------------------------------------------------------------------------------------------------------

Cell = Callable[[Status, datetime], str]


def _truth(name: str) -> Cell:
    return lambda item, now: condition.status.value if (condition := item.condition(name)) else ""


def _spec(key: str) -> Cell:
    def cell(item: Status, now: datetime) -> str:
        del now
        value = item.resource.spec.get(key) if item.resource else None
        return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""

    return cell


def _source(item: Status, now: datetime) -> str:
    del now
    spec = item.resource.spec if item.resource else {}
    for key, prefix in (("profileRef", "profile/"), ("specialistRef", "specialist/"), ("recipeRef", "recipe/")):
        if isinstance(value := spec.get(key), str):
            return prefix + value
    return ""


def _health(item: Status, now: datetime) -> str:
    del now
    if item.health is None:
        return ""
    good = item.health.value in ("healthy", "stopped", "absent")
    return item.health.value if good else f"{item.health.value} ({item.health_reason})"


def _state(item: Status, now: datetime) -> str:
    """What it does, in a word; `Exited` has a session and no process, `Missing` neither although it should."""
    del now
    if isinstance(item.seen, Unknown):
        return "Unknown"
    process = item.seen.parts.get("process")
    if process is not None and process.present:
        word = "Running"
    elif isinstance(item.seen, Present):
        word = "Exited"
    else:
        word = "Stopped" if item.live("state") == "stopped" else "Missing"
    held = [one.until for one in item.holding.active]
    return f"{word} (held until {min(held):%H:%MZ})" if held else word


NAME: tuple[str, Cell] = ("NAME", lambda item, now: item.ref.name)
AGE: tuple[str, Cell] = ("AGE", lambda item, now: status.age(status.born(item.uid) if item.uid else None, now))
SYNCED: tuple[str, Cell] = ("SYNCED", _truth("Synced"))
SET: tuple[str, Cell] = ("SET", lambda item, now: item.row.apply_set if item.row else "")
GENERATION: tuple[str, Cell] = ("GENERATION", lambda item, now: str(item.row.generation) if item.row else "")
UID: tuple[str, Cell] = ("UID", lambda item, now: item.uid or "")
INSTANCE: tuple[tuple[str, Cell], ...] = (
    NAME,
    ("PROVIDER", lambda item, now: item.live("provider")),
    ("STATE", _state),
    SYNCED,
    ("READY", _truth("Ready")),
    ("HEALTH", _health),
    AGE,
    ("SESSION", lambda item, now: item.live("session_name")),
)
WIDE: tuple[tuple[str, Cell], ...] = (
    ("SOURCE", _source),
    ("AGENT", lambda item, now: item.live("agent_name")),
    ("PID", lambda item, now: item.live("pid")),
    ("WORKDIR", lambda item, now: item.live("workdir")),
)
COMMON: tuple[tuple[str, Cell], ...] = (SET, GENERATION, UID)
DETAILS = ("provider", "setupRef", "authRef", "roleRef", "specialistRef", "recipeRef", "model", "replicas")
"""Fields of other kinds that are worth a column where any resource has them."""


def columns(kind: str, items: Sequence[Status], *, wide: bool) -> tuple[tuple[str, Cell], ...]:
    """What to show of one kind, in a fixed order."""
    if kind == "Instance":
        return (*INSTANCE, *WIDE, *COMMON) if wide else INSTANCE
    present = [
        key for key in DETAILS if any(item.resource and item.resource.spec.get(key) is not None for item in items)
    ]
    details = tuple((_header(key), _spec(key)) for key in present)
    return (NAME, *details, SYNCED, AGE, *(COMMON if wide else ()))


def _header(key: str) -> str:
    return key.removesuffix("Ref").upper()
