"""`retry`: what failed and waits is tried again at once, as if it had never failed (R §11)."""

from collections.abc import Sequence

from reconciler.app import read
from reconciler.app.noted import noted
from reconciler.app.request import Emit
from reconciler.app.session import Flags, opened
from reconciler.app.watch import notes as notes_
from reconciler.model.json import Json, JsonMap, canonical
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports
from reconciler.ports.catalog import Attempt, Transaction


class Forgiven(NamedTuple):
    """One that had failed."""

    ref: Ref
    attempt: Attempt

    def to_json(self) -> JsonMap:
        """`{ref, tries, code, message}`."""
        return {
            "ref": str(self.ref),
            "tries": self.attempt.tries,
            "code": self.attempt.code,
            "message": self.attempt.message,
        }


class Retried(NamedTuple):
    """What is tried again, and whether a watch does so by itself."""

    items: tuple[Forgiven, ...]
    watched: bool

    def to_json(self) -> JsonMap:
        """`{items, watched}`."""
        items: list[Json] = [item.to_json() for item in self.items]
        return {"items": items, "watched": self.watched}


def retry(
    flags: Flags,
    words: Sequence[str],
    selector: str = "",
    *,
    lock_timeout_s: float | None = None,
    emit: Emit = lambda kind, fields: None,
) -> Retried:
    """Forget how often it failed, of what is named or else of all, and how often a watch has put it right."""
    led: list[str] = []

    def told(kind: str, fields: JsonMap) -> None:
        if "lent_by" in fields:
            led.append(kind)
        emit(kind, fields)

    with opened(flags) as session:
        refs: frozenset[Ref] | None = None
        if words or selector:
            refs = frozenset(read.meant(session, words, selector))
            rows = {row.ref for row in session.reader.catalog.inventory()}
            for ref in refs - rows:
                read.must_be_there(session, (ref,), ())

        def write(ports: Ports, tx: Transaction) -> tuple[Forgiven, ...]:
            uids = {row.uid: row.ref for row in ports.catalog.inventory()}
            found = []
            for uid, attempt in ports.catalog.attempts().items():
                ref = uids.get(uid)
                if ref is not None and (refs is None or ref in refs):
                    tx.drop_attempt(uid)
                    found.append(Forgiven(ref, attempt))
            notes = notes_.read(ports.catalog)
            notes.heals.forget(uids.values() if refs is None else refs)
            tx.put_meta(notes_.KEY, canonical(notes.to_json(ports.clock.now_utc())))
            return tuple(sorted(found))

        items = noted(session, "retry", write, lock_timeout_s=lock_timeout_s, emit=told)
        return Retried(items, bool(led))
