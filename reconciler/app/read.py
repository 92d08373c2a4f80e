"""`get`: what is recorded, beside what is there; and sessions nobody here owns."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from reconciler.app import kind_names, steady
from reconciler.app.session import Flags, Session, kinds, open_session
from reconciler.app.status import Status
from reconciler.model.errors import ReconcilerError, Unreachable, UsageFault
from reconciler.model.json import JsonMap
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple


class NotFound(ReconcilerError):
    """Nothing of that name is recorded."""

    code = "resource.not_found"


class Found(NamedTuple):
    """What `get` shows: statuses by kind, in the order asked; `single` when one resource was named."""

    kinds: tuple[str, ...]
    items: tuple[Status, ...]
    single: bool
    now: datetime
    overlay_exists: bool

    def of(self, kind: str) -> tuple[Status, ...]:
        """Those of one kind."""
        return tuple(item for item in self.items if item.ref.kind == kind)


def get(
    flags: Flags,
    words: Sequence[str],
    *,
    selector: str = "",
    apply_set: str | None = None,
    specs: bool = True,
    session: Session | None = None,
) -> Found:
    """Look at what the words name; `specs` may be False where none is shown, `session` is looked through where given.

    Raises NotFound for a named resource that is not there, UsageFault for bad words.
    """
    named = kind_names.named(words, kinds())
    selects = _selects(selector)
    fleet = steady.fleet(flags, specs=specs) if named.kinds == ("Instance",) else None
    if fleet is not None:
        found = Found(named.kinds, fleet.items, False, fleet.now, True)
    else:
        found = _look(session or open_session(flags), named)
    kept = (
        item
        for item in found.items
        if selects(item.row.labels if item.row else {})
        and (apply_set is None or (item.row is not None and item.row.apply_set == apply_set))
    )
    return found._replace(items=tuple(kept))


def _look(session: Session, named: kind_names.Named) -> Found:
    from reconciler.app import look  # with the planner, which a steady fleet does not need

    if named.refs:
        items = look.at(session, refs=named.refs)
        must_be_there(session, named.refs, items)
    else:
        items = look.at(session, kinds=named.kinds)
    shown = named.kinds or tuple(dict.fromkeys(ref.kind for ref in named.refs))
    now = session.reader.clock.now_utc()
    return Found(shown, tuple(items), len(named.refs) == 1, now, session.overlay_exists)


def _selects(selector: str) -> Callable[[Mapping[str, str]], bool]:
    if not selector:
        return lambda labels: True
    from reconciler.app.selector import parse_selector  # three patterns to compile

    return parse_selector(selector)


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
    selects = _selects(selector)
    rows = session.reader.catalog.inventory()
    return tuple(row.ref for row in rows if row.ref.kind in named.kinds and selects(row.labels))


def meant(session: Session, words: Sequence[str], selector: str = "") -> tuple[Ref, ...]:
    """Resources by kind and name, or agents by bare names; a selector alone chooses among agents."""
    if any("/" in word for word in words) or (words and selector):
        return refs(session, words, selector)
    return agents(session, words, selector)


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
            if ref in {one.ref for one in session.reader.catalog.absences()}:
                found.append(ref)  # deleted and held absent: known, and what may be done about it is the verb's affair
                continue
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
    from reconciler.app import look

    items = look.at(session, refs=wanted)
    must_be_there(session, wanted, items)
    return items[0]


def must_be_there(session: Session, wanted: Sequence[Ref], items: Sequence[Status]) -> None:
    """Raise NotFound for the first ref that was looked for and not found, naming the nearest that is there."""
    there = {item.ref for item in items}
    missing = [ref for ref in wanted if ref not in there]
    if not missing:
        return
    from reconciler.app import holding
    from reconciler.declare.suggest import nearest
    from reconciler.engine import absence

    ref = missing[0]
    names = [row.ref.name for row in session.reader.catalog.inventory() if row.ref.kind == ref.kind]
    near = nearest(ref.name, names)
    hint = (
        f"did you mean {ref.kind.lower()}/{near}?"
        if near
        else f"`houmao get {kind_names.plural(ref.kind)}` lists what there is"
    )
    held = holding.absences(session.reader).get(ref)
    if held is not None:
        hint = f"{absence.sentence(held)}; `houmao release {ref.kind.lower()}/{ref.name}` ends that"
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
    pane: str = ""
    """The pane that can be taken for an agent's; empty where there is no telling."""

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
    from reconciler.ports.tmux import Pane, Unanswered, alone_in_front

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
            front.pane_id if (front := alone_in_front(panes)) is not None else "",
        )
        for panes in by_id.values()
        if not any(pane.uid in ours for pane in panes)
    ]
    return tuple(sorted(found))
