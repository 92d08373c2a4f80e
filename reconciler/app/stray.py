"""Sessions that bear this overlay's mark and that no row knows: which of them are provably ours, and their end.

A name proves nothing, and neither does a mark alone, which anybody can set. Proven is a session whose panes all say the
same, whose own environment agrees, which holds nothing but an agent and what serves it, and whose token this catalog
gave out. Any other is told of and left.
"""

from collections.abc import Iterable, Iterator

from reconciler.model.ref import Uid
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports, Reader
from reconciler.ports.process import Ended, ProcessFacts
from reconciler.ports.tmux import Done, Fence, Kill, Listing, Pane

ROLES = frozenset({"agent", "gateway"})
GRACE_S = 5.0


class Stray(NamedTuple):
    """One session, and why it cannot be proven ours; empty where it can."""

    session_id: str
    name: str
    uid: str
    mark: str
    pids: tuple[int, ...]
    why_not: str = ""


def found(reader: Reader) -> tuple[Stray, ...]:
    """Every one; none where tmux does not answer."""
    listing = reader.tmux.listing()
    if not isinstance(listing, Listing):
        return ()
    known = {row.uid for row in reader.catalog.inventory()} | {each.uid for each in reader.catalog.intents()}
    sessions: dict[str, list[Pane]] = {}
    for pane in listing.panes:
        sessions.setdefault(pane.session_id, []).append(pane)
    ours = {
        key: panes
        for key, panes in sessions.items()
        if any(_is_of(pane, reader.overlay_id) and pane.uid not in known for pane in panes)
    }
    bearers = [pane.uid for panes in sessions.values() for pane in {pane.uid: pane for pane in panes}.values()]
    return tuple(_judged(panes, bearers, reader) for panes in ours.values())


def _is_of(pane: Pane, overlay_id: str) -> bool:
    parts = pane.mark.split(" ")
    return len(parts) == 4 and parts[2] == overlay_id


def _judged(panes: list[Pane], bearers: list[str], reader: Reader) -> Stray:
    first = next(pane for pane in panes if _is_of(pane, reader.overlay_id))
    pids = tuple(pane.pid for pane in panes if not pane.dead)
    why = next(_doubts(first, panes, bearers, reader), "")
    return Stray(first.session_id, first.session_name, first.uid, first.mark, pids, why)


def _doubts(first: Pane, panes: list[Pane], bearers: list[str], reader: Reader) -> Iterator[str]:
    if not first.uid or any((pane.uid, pane.mark) != (first.uid, first.mark) for pane in panes):
        yield "its panes do not agree whose it is"
    if bearers.count(first.uid) > 1:
        yield "another session says the same of itself"
    if [pane.role for pane in panes].count("agent") != 1 or any(pane.role not in ROLES for pane in panes):
        yield "there is more in it than an agent, or less"
    if reader.tmux.environment(first.session_id, "HOUMAO_UID") != first.uid:
        yield "its environment does not say the same"
    token, lease = first.mark.rpartition(" ")[2], reader.catalog.lease()
    if lease is None or not token.isdecimal() or int(token) > lease.token:
        yield "it is younger than this catalog, which may have been brought back from a copy"


def end(ports: Ports, token: int, strays: Iterable[Stray]) -> Iterator[tuple[Stray, str]]:
    """End each that still is what it was judged to be, with its programs; and say why one was not, else nothing.

    tmux itself compares uid and mark in the step that kills.
    """
    for stray in strays:
        before = ports.process.facts(list(stray.pids))
        answer = ports.tmux.act(Fence(ports.overlay_id, token), [Kill(stray.session_id, Uid(stray.uid), stray.mark)])[0]
        if not isinstance(answer, Done):
            yield stray, getattr(answer, "why", "tmux gave an answer that is none")
            continue
        survivors = [
            pid
            for pid, facts in before.items()
            if isinstance(facts, ProcessFacts)
            and not facts.exited
            and ports.process.end(pid, facts.start_ticks, GRACE_S) is Ended.SURVIVES
        ]
        yield stray, f"process {survivors[0]} does not end, not even by SIGKILL" if survivors else ""
