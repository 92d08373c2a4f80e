"""What must hold after every run, whatever happened in it (R §10, I1 to I9 as far as one look can tell)."""

from collections.abc import Mapping, Sequence

from reconciler.ports.bundle import Reader
from reconciler.ports.process import ProcessFacts
from reconciler.ports.tmux import Listing, Pane
from reconciler.testing.world import World


def check_invariants(world: World, *, foreign: frozenset[str] = frozenset()) -> list[str]:
    """Every broken invariant, one sentence each; `foreign` names sessions that are not ours and must still be there."""
    reader = world.look()
    if not reader.catalog.present():
        return []
    listing = reader.tmux.listing()
    if not isinstance(listing, Listing):
        return [f"tmux does not answer: {listing.why}"]
    panes = listing.panes
    return [*_unique(reader, panes), *_known(reader, panes), *_whole(reader), *_untouched(panes, foreign)]


def _unique(reader: Reader, panes: Sequence[Pane]) -> list[str]:
    """I1: at most one live session, and the processes of at most one start, per uid."""
    broken: list[str] = []
    by_uid: dict[str, set[str]] = {}
    for pane in panes:
        if pane.uid:
            by_uid.setdefault(pane.uid, set()).add(pane.session_id)
    broken += [f"I1: {len(found)} sessions carry uid {uid}" for uid, found in by_uid.items() if len(found) > 1]
    uids = {row.uid for row in reader.catalog.inventory() if row.ref.kind == "Instance"}
    uids |= {intent.uid for intent in reader.catalog.intents() if intent.ref.kind == "Instance"}
    bearing = reader.process.bearing(sorted(uids))
    assert isinstance(bearing, Mapping)
    for uid, found in bearing.items():
        leaders = {_leader(process) for process in found if not process.exited}
        if len(leaders) > 1:
            broken.append(f"I1: processes of {len(leaders)} starts carry uid {uid}")
    return broken


def _leader(process: ProcessFacts) -> int:
    return process.session or process.pid


def _known(reader: Reader, panes: Sequence[Pane]) -> list[str]:
    """I2: whatever the engine started has an inventory row or an open intent; so has each record and home."""
    rows = {row.uid for row in reader.catalog.inventory()}
    known = rows | {intent.uid for intent in reader.catalog.intents()}
    overlay = reader.overlay_id
    broken = [
        f"I2: session {pane.session_name} carries uid {pane.uid}, which nothing knows"
        for pane in panes
        if pane.uid and pane.mark.split(" ")[2:3] == [overlay] and pane.uid not in known
    ]
    for agent_id, record in reader.registry.scan().records.items():
        body = getattr(record, "body", None)
        owner = body.get("owner") if isinstance(body, dict) else None
        if isinstance(owner, dict) and owner.get("overlay_id") == overlay and owner.get("uid") not in known:
            broken.append(f"I2: record {agent_id} is of uid {owner.get('uid')}, which nothing knows")
    return broken


def _whole(reader: Reader) -> list[str]:
    """I8 as one look sees it: generations count from 1; no child without its owner, no ref twice."""
    rows = reader.catalog.inventory()
    uids = {row.uid for row in rows}
    broken = [f"I8: {row.ref} has generation {row.generation}" for row in rows if row.generation < 1]
    broken += [
        f"{row.ref} belongs to uid {row.owner}, which has no row" for row in rows if row.owner and row.owner not in uids
    ]
    names = [row.ref for row in rows]
    broken += [f"{ref} has two rows" for ref in set(names) if names.count(ref) > 1]
    return broken


def _untouched(panes: Sequence[Pane], foreign: frozenset[str]) -> list[str]:
    """I3: what is not ours is still there."""
    there = {pane.session_name for pane in panes}
    return [f"I3: session {name} is not ours and is gone" for name in sorted(foreign - there)]
