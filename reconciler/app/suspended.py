"""What a watch leaves alone until it is told to go on: whole apply sets, or single resources (R-WAT-6).

Kept in the catalog as one value. It rules what a watch does unasked and nothing else: an explicit `apply` or verb acts
all the same.
"""

from collections.abc import Iterable, Mapping

from reconciler.model.json import Json, JsonMap, parse_map
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.catalog import CatalogReader, InventoryRow

KEY = "suspended"


class Since(NamedTuple):
    """Since when, by whom, and why where they said so."""

    at: str
    by: str
    why: str = ""

    def __str__(self) -> str:
        why = f" ({self.why})" if self.why else ""
        return f"suspended since {self.at[:19]}Z by {self.by}{why}"

    def to_json(self) -> JsonMap:
        """`{since, by, reason}`."""
        return {"since": self.at, "by": self.by, "reason": self.why or None}


class Suspended(NamedTuple):
    """All that is suspended."""

    sets: Mapping[str, Since] = {}
    refs: Mapping[Ref, Since] = {}

    def to_json(self) -> JsonMap:
        """`{sets: [{name, …}], resources: [{ref, …}]}`."""
        sets: list[Json] = [{"name": name, **since.to_json()} for name, since in sorted(self.sets.items())]
        resources: list[Json] = [{"ref": str(ref), **since.to_json()} for ref, since in sorted(self.refs.items())]
        return {"sets": sets, "resources": resources}


def read(catalog: CatalogReader) -> Suspended:
    """Nothing where nothing was noted, or what stands there cannot be read."""
    text = catalog.meta(KEY)
    if not text:
        return Suspended()
    try:
        body = parse_map(text)
        return Suspended(
            dict(_entries(body.get("sets"))),
            {Ref.parse(name): since for name, since in _entries(body.get("resources"))},
        )
    except ValueError:
        return Suspended()


def covered(found: Suspended, rows: Iterable[InventoryRow]) -> dict[Ref, str]:
    """Every suspended resource and the members of suspended sets of instances, with what is said of it."""
    words = {ref: f"{since}; `houmao resume {said(ref)}` lets it go on" for ref, since in found.refs.items()}
    if not words:
        return {}
    every = tuple(rows)
    uids = {row.uid: row.ref for row in every}
    for row in every:
        owner = uids.get(row.owner) if row.owner else None
        if owner in words:
            words.setdefault(row.ref, words[owner])
    return words


def words(catalog: CatalogReader) -> dict[Ref, str]:
    """What is said of each resource that a watch leaves alone: by itself, as a member, or with its whole apply set."""
    if not catalog.meta(KEY):
        return {}
    found, every = read(catalog), catalog.inventory()
    sets = {row.ref: text for row in every if (text := of_set(found, row.apply_set))}
    return {**sets, **covered(found, every)}


def of_set(found: Suspended, name: str) -> str:
    """What is said of everything in an apply set that is suspended; empty where it is not."""
    since = found.sets.get(name)
    return f"set {name} is {since}; `houmao resume --applyset {name}` lets it go on" if since is not None else ""


def said(ref: Ref) -> str:
    """A resource as it is written on a command line."""
    return f"{ref.kind.lower()}/{ref.name}"


def _entries(value: Json) -> Iterable[tuple[str, Since]]:
    for name, each in value.items() if isinstance(value, dict) else ():
        if isinstance(each, dict):
            yield name, Since(str(each.get("since")), str(each.get("by")), str(each.get("reason") or ""))
