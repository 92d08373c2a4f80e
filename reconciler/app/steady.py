"""A large fleet that stands exactly as the last apply left it: what is recorded of it is how it is.

The no-op gate looks at every agent and every record; where it finds no difference, no plan is needed to say so. Any
doubt answers None, and the caller looks in full.
"""

from datetime import datetime

from reconciler.app import gate, suspended, waiting, wiring
from reconciler.app.session import Flags
from reconciler.app.settings import find
from reconciler.app.status import NOT_PROBED, PROBED, STOPPED, Status
from reconciler.engine.handler import Absent, Part, Present
from reconciler.engine.observe import from_bundle
from reconciler.model.health import Health
from reconciler.model.tuples import NamedTuple
from reconciler.ports.catalog import CatalogReader, InventoryRow

RUNNING = Present({}, {}, {"session": Part(True, {}), "process": Part(True, {})})
STILL = Absent("it is declared Stopped")


class Fleet(NamedTuple):
    """Every instance, sorted by ref, as it was at `now`."""

    items: tuple[Status, ...]
    now: datetime


def fleet(flags: Flags, *, specs: bool, least: int = PROBED + 1) -> Fleet | None:
    """All instances, with what was last applied where `specs` are wanted; None where somebody has to look in full.

    That is so for fewer than `least`, whose screens are probed, and with any flag: the gate knows nothing of flags.
    """
    if flags != Flags():
        return None
    settings = find()
    catalog = wiring.catalog_reader(settings)
    try:
        standing = gate.standing(settings.overlay.root, least, meanwhile=catalog.inventory)
        if standing is None:
            return None
        running, still, revision = standing
        rows = [row for row in catalog.inventory() if row.ref.kind == "Instance"]
        if catalog.intents() or any(row.uid not in (running if _runs(row) else still) for row in rows):
            return None
        items = _items(catalog, rows, specs)
        # The rows are those that the gate spoke of when the catalog has not changed since.
        if gate.revision_key(catalog.revision(), int(catalog.meta("user_version") or 0)) != revision:
            return None
        return Fleet(items, wiring.clock().now_utc())
    finally:
        catalog.close()


def _items(catalog: CatalogReader, rows: list[InventoryRow], specs: bool) -> tuple[Status, ...]:
    attempts = catalog.attempts()
    bundles = catalog.bundles({row.digest for row in rows}) if specs else {}
    waits, left_alone = waiting.standing(catalog, rows), suspended.words(catalog)
    items: list[Status] = []
    for row in rows:
        last = from_bundle(row.ref, row, bundles[row.digest]) if row.digest in bundles else None
        seen, health, why, ready = (
            (RUNNING, Health.HEALTHY, "Running", NOT_PROBED)
            if _runs(row)
            else (STILL, Health.STOPPED, "Stopped", STOPPED)
        )
        found = Status(row.ref, row.uid, row, last, seen, health, why, (), ready, attempts.get(row.uid), None)
        if row.ref in waits or row.ref in left_alone:
            found = found._replace(waiting=waits.get(row.ref), suspended=left_alone.get(row.ref, ""))
        items.append(found)
    return tuple(items)


def _runs(row: InventoryRow) -> bool:
    return row.live.get("state") == "running"
