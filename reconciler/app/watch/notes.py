"""What a watch has to know after it was ended: kept in the catalog, as one value (R-WAT-10).

What was healed when. It says things about the watch and nothing about what is declared, so writing it raises no
revision. Who is waited for, and since when, is kept beside it (`app.waiting`).
"""

from datetime import datetime

from reconciler.engine.heals import Heals
from reconciler.model.json import JsonMap, canonical, parse_map
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports
from reconciler.ports.catalog import CatalogReader

KEY = "watch"


class Notes(NamedTuple):
    """As read, to be changed and written back."""

    heals: Heals

    def to_json(self, now: datetime) -> JsonMap:
        """The value that is kept."""
        return {"heals": self.heals.to_json(now)}


def read(catalog: CatalogReader) -> Notes:
    """Empty where nothing was noted yet, or what stands there is not ours."""
    text = catalog.meta(KEY)
    try:
        found = parse_map(text) if text else {}
        return Notes(Heals(found.get("heals")))
    except ValueError:
        return Notes(Heals())


def write(ports: Ports, token: int, notes: Notes) -> bool:
    """Keep them, where they differ from what is kept; whether they did."""
    text = canonical(notes.to_json(ports.clock.now_utc()))
    before = ports.catalog.meta(KEY)
    if text == (before or canonical(Notes(Heals()).to_json(ports.clock.now_utc()))):
        return False
    with ports.catalog.transaction(token) as tx:
        tx.put_meta(KEY, text)
    return True
