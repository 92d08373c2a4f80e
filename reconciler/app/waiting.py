"""Who waits to be disturbed, why and since when: kept by a watch or a run for whoever looks, or goes on, later.

One value in the catalog; it says things about runs and nothing about what is declared, so writing it raises no
revision. A wait is of one change to one process: where either is another one now, it is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.model.json import canonical, parse_map
from reconciler.model.names import META_WAITING
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple

if TYPE_CHECKING:
    from reconciler.engine.gating import Wait
    from reconciler.engine.plan import Planned
    from reconciler.model.json import Json, JsonMap
    from reconciler.ports.bundle import Ports
    from reconciler.ports.catalog import CatalogReader, InventoryRow


class Waiting(NamedTuple):
    """One of them, as it was said."""

    code: str
    text: str
    since: datetime
    until: datetime | None
    """When it goes on by itself, or the window opens."""
    counts: bool
    """Its longest wait counts from `since`."""
    process: str
    """Which process it is that is not disturbed."""
    inputs: str
    """Digest of what it shall be made of."""

    def to_json(self) -> JsonMap:
        """`{code, text, since, until}`."""
        return {"code": self.code, "text": self.text, "since": _said(self.since), "until": _said(self.until)}


def read(catalog: CatalogReader) -> dict[Ref, Waiting]:
    """As kept; nothing where what stands there cannot be read."""
    text = catalog.meta(META_WAITING)
    try:
        found = parse_map(text) if text else {}
        return {Ref.parse(name): _of(each) for name, each in found.items() if isinstance(each, dict)}
    except (KeyError, ValueError):
        return {}


def standing(catalog: CatalogReader, rows: Iterable[InventoryRow]) -> dict[Ref, Waiting]:
    """Those whose process is still the same one."""
    found = read(catalog)
    if not found:
        return {}
    return {row.ref: found[row.ref] for row in rows if row.ref in found and found[row.ref].process == _process(row)}


def since(catalog: CatalogReader, planned: Planned) -> dict[Ref, datetime]:
    """Since when somebody waits for the very change that is planned now."""
    return {
        ref: each.since
        for ref, each in read(catalog).items()
        if each.counts
        and (case := planned.cases.get(ref)) is not None
        and each.process == _process(case.row)
        and each.inputs == planned.view.input_digest(ref)
    }


def write(ports: Ports, token: int, planned: Planned, waits: Mapping[Ref, Wait]) -> None:
    """Keep what was found of everything that `planned` is about, where it differs; of the rest nothing was learned."""
    before = ports.catalog.meta(META_WAITING)
    if not waits and before in (None, "{}"):
        return
    rows = {row.ref for row in ports.catalog.inventory()}
    body: JsonMap = {
        str(ref): _kept(each) for ref, each in read(ports.catalog).items() if ref not in planned.cases and ref in rows
    }
    for ref, wait in waits.items():
        inputs = planned.view.input_digest(ref)
        made = Waiting(
            wait.reason.code.value,
            wait.reason.text,
            wait.since,
            wait.until,
            wait.counts,
            _process(planned.cases[ref].row),
            inputs,
        )
        body[str(ref)] = _kept(made)
    text = canonical(dict(sorted(body.items())))
    if text != (before or "{}"):
        with ports.catalog.transaction(token) as tx:
            tx.put_meta(META_WAITING, text)


def _process(row: InventoryRow | None) -> str:
    return f"{row.uid} {row.generation} {row.launch_digest}" if row is not None else ""


def _kept(each: Waiting) -> JsonMap:
    return {
        "code": each.code,
        "text": each.text,
        "since": each.since.isoformat(),
        "until": each.until.isoformat() if each.until is not None else None,
        "counts": each.counts,
        "process": each.process,
        "inputs": each.inputs,
    }


def _of(found: Mapping[str, Json]) -> Waiting:
    until = found["until"]
    return Waiting(
        str(found["code"]),
        str(found["text"]),
        datetime.fromisoformat(str(found["since"])),
        datetime.fromisoformat(until) if isinstance(until, str) else None,
        found["counts"] is True,
        str(found["process"]),
        str(found["inputs"]),
    )


def _said(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment is not None else None
