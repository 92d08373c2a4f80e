"""`suspend` and `resume`: tell a watch what to leave alone, and when to go on (`app.suspended`)."""

from collections.abc import Callable, Iterable, Sequence

from reconciler.app import read as reading
from reconciler.app.noted import noted
from reconciler.app.request import Emit
from reconciler.app.selector import set_named
from reconciler.app.session import Flags, Session, opened
from reconciler.app.suspended import KEY, Since, Suspended, read
from reconciler.model.errors import UsageFault
from reconciler.model.json import JsonMap, canonical
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports
from reconciler.ports.catalog import Transaction


class Changed(NamedTuple):
    """What a verb changed, and all that is suspended after it."""

    changed: tuple[str, ...]
    now: Suspended

    def to_json(self) -> JsonMap:
        """`{changed, sets, resources}`."""
        return {"changed": list(self.changed), **self.now.to_json()}


Change = Callable[[Suspended, Since], Suspended]


def listed(flags: Flags) -> Suspended:
    """What is suspended now."""
    with opened(flags) as session:
        return read(session.reader.catalog) if session.overlay_exists else Suspended()


def suspend(
    flags: Flags,
    words: Sequence[str],
    selector: str = "",
    apply_set: str | None = None,
    why: str = "",
    *,
    lock_timeout_s: float | None = None,
    emit: Emit = lambda kind, fields: None,
) -> Changed:
    """Let a watch leave these alone. Raises NotFound for what is not recorded."""
    with opened(flags) as session:
        refs = _refs(session, words, selector, apply_set)

        def change(found: Suspended, since: Since) -> Suspended:
            sets = {**found.sets, **({} if apply_set is None else {apply_set: since})}
            return Suspended(sets, {**found.refs, **dict.fromkeys(refs, since)})

        return _written(session, "suspend", change, why, lock_timeout_s, emit)


def resume(
    flags: Flags,
    words: Sequence[str],
    selector: str = "",
    apply_set: str | None = None,
    *,
    lock_timeout_s: float | None = None,
    emit: Emit = lambda kind, fields: None,
) -> Changed:
    """Let a watch go on with these. What is not suspended stays as it is."""
    with opened(flags) as session:
        refs = _refs(session, words, selector, apply_set, gone=read(session.reader.catalog).refs)

        def change(found: Suspended, since: Since) -> Suspended:
            del since
            return Suspended(
                {name: kept for name, kept in found.sets.items() if name != apply_set},
                {ref: kept for ref, kept in found.refs.items() if ref not in refs},
            )

        return _written(session, "resume", change, "", lock_timeout_s, emit)


def _written(
    session: Session, verb: str, change: Change, why: str, lock_timeout_s: float | None, emit: Emit
) -> Changed:
    def write(ports: Ports, tx: Transaction) -> Changed:
        before = read(ports.catalog)
        since = Since(ports.clock.now_utc().isoformat(), ports.environ.get("USER") or "unknown", why)
        after = change(before, since)
        if after != before:
            body: JsonMap = {
                "sets": {name: each.to_json() for name, each in after.sets.items()},
                "resources": {str(ref): each.to_json() for ref, each in after.refs.items()},
            }
            tx.put_meta(KEY, canonical(body))
        sets = before.sets.items() ^ after.sets.items()
        refs = before.refs.items() ^ after.refs.items()
        names = [*sorted({f"set {name}" for name, _ in sets}), *sorted({str(ref) for ref, _ in refs})]
        return Changed(tuple(names), after)

    return noted(session, verb, write, lock_timeout_s=lock_timeout_s, emit=emit)


def _refs(
    session: Session,
    words: Sequence[str],
    selector: str,
    apply_set: str | None,
    gone: Iterable[Ref] = (),
) -> frozenset[Ref]:
    """What is meant; `gone` are refs that may be named although they are not recorded any more."""
    if apply_set is not None:
        set_named(apply_set)
    if not words and not selector:
        if apply_set is None:
            raise UsageFault(
                "nothing was named", hint="write a name, KIND/NAME, -l LABELS or --applyset NAME", code="usage.names"
            )
        return frozenset()
    refs = reading.meant(session, words, selector)
    known = {row.ref for row in session.reader.catalog.inventory()} | set(gone)
    for ref in refs:
        if ref not in known:
            reading.must_be_there(session, (ref,), ())
    return frozenset(refs)
