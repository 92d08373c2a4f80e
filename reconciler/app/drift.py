"""`drift`: where what is there differs from what was last applied. It reads only (R-DRF-3).

One look at everything that is recorded, and the checks that a plan has no time for: the content store and the view for
other programs file by file, and sessions of this overlay that it does not know (R-DRF-2, R-DRF-2a).
"""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.app import doctor, look, read
from reconciler.app.session import Flags, Session, opened
from reconciler.app.status import Status
from reconciler.engine.differs import Difference, difference
from reconciler.engine.handler import Unknown
from reconciler.engine.unasked import known
from reconciler.model.errors import UsageFault
from reconciler.model.json import Json, JsonMap, parse_map
from reconciler.model.tuples import NamedTuple


class Drift(NamedTuple):
    """One difference; `key` is the same as long as it is the same difference."""

    subject: str
    """The resource, or what has none of its own."""
    code: str
    text: str
    repair: str
    accepted: bool = False
    unknown: bool = False
    known_by: str = ""

    @property
    def key(self) -> str:
        """What a baseline knows it by."""
        return Difference(self.subject, self.code, self.text, self.known_by).key

    def to_json(self) -> JsonMap:
        """`{subject, code, text, repair, key, accepted, unknown}`."""
        return {
            "subject": self.subject,
            "code": self.code,
            "text": self.text,
            "repair": self.repair,
            "key": self.key,
            "accepted": self.accepted,
            "unknown": self.unknown,
        }


class Drifted(NamedTuple):
    """Everything that was found."""

    items: tuple[Drift, ...]
    looked_at: int

    @property
    def new(self) -> tuple[Drift, ...]:
        """What is not in the baseline."""
        return tuple(item for item in self.items if not item.accepted)

    @property
    def exit_code(self) -> int:
        """2 for drift, 1 where something could not be looked at, else 0."""
        if any(item.unknown for item in self.new):
            return 1
        return 2 if self.new else 0

    def to_json(self) -> JsonMap:
        """`{lookedAt, new, accepted, items}`."""
        items: list[Json] = [item.to_json() for item in self.items]
        known = len(self.items) - len(self.new)
        return {"lookedAt": self.looked_at, "new": len(self.new), "accepted": known, "items": items}


def drift(flags: Flags, words: Sequence[str], selector: str = "", baseline: str | None = None) -> Drifted:
    """Look at what is named, or at everything. `baseline` is the path of an earlier `drift -o json`."""
    with opened(flags) as session:
        accepted = _accepted(session, baseline) if baseline is not None else frozenset()
        if not session.overlay_exists:
            return Drifted((), 0)
        refs = None
        if words or selector:
            refs = read.meant(session, words, selector)
        found = look.at(session, refs=refs, probe=False)
        if refs is not None:
            read.must_be_there(session, refs, found)
        items = [*_of_resources(found)]
        if refs is None:
            items += _of_files(session)
        unique = dict.fromkeys(item._replace(accepted=item.accepted or item.key in accepted) for item in items)
        return Drifted(tuple(sorted(unique)), len(found))


def _of_resources(found: Iterable[Status]) -> Iterator[Drift]:
    for item in found:
        if isinstance(item.seen, Unknown):
            yield Drift(str(item.ref), "Unknown", item.seen.why, "`houmao doctor` looks closer", unknown=True)
            continue
        for action in item.actions:
            differs = difference(action)
            spec = item.resource.spec if item.resource else None
            repair = f"`houmao apply` of what declares it ({action.verb.value})"
            accepted = known(action, spec)
            yield Drift(differs.subject, differs.code, differs.text, repair, accepted, known_by=differs.known_by)


def _of_files(session: Session) -> Iterator[Drift]:
    for check in doctor.DEEP:
        for finding in check(session):
            if finding.level is not doctor.Level.OK:
                yield Drift("overlay", finding.code, finding.message, finding.repair)


def _accepted(session: Session, path: str) -> frozenset[str]:
    """The keys of a baseline; raises UsageFault where the file is none, and FileMissing."""
    at = path if path.startswith("/") else f"{session.settings.cwd}/{path}"
    try:
        items = parse_map(session.reader.files.read(at)).get("items")
        if not isinstance(items, list):
            raise ValueError
        return frozenset(str(item["key"]) for item in items if isinstance(item, dict))
    except (ValueError, KeyError) as fault:
        raise UsageFault(
            f"{path} is no baseline", hint="`houmao drift -o json > FILE` writes one", code="usage.baseline"
        ) from fault
