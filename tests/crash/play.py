"""Play a scenario with bad luck: undisturbed once, to learn its points and its end, then with faults as ordered.

Knows no kind. What comes back is what was wrong, one line each, beginning with the words that order it again.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from reconciler.model.errors import ReconcilerError
from reconciler.testing.end_state import State, difference, end_state
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Crashed, Fault, Kind
from reconciler.testing.invariants import check_invariants
from reconciler.testing.told import Applied
from tests.crash.gateway_scenarios import SCENARIOS
from tests.crash.scenarios import Scenario
from tests.crash.stage import arranged

WriteFault = tuple[int, str, Kind]
Luck = Fault | WriteFault
"""At a point, or at the n-th write."""


class Clean(NamedTuple):
    """A run that nothing disturbs: points passed, number of writes, its end, the uids before it, starts of agents."""

    points: tuple[tuple[str, str], ...]
    writes: int
    end: State
    before: dict[str, str]
    starts: int


KEPT = frozenset({Kind.CRASH, Kind.HANG_ONCE})
"""After these no agent is started, nor ended, more often than without them (R §27, differential).

After an error a first create is taken back, and begins anew. A gateway that was not advertised yet is started again.
"""


def agents_started(world: FakeWorld) -> int:
    """How many sessions there have been."""
    return world.tmux.opened


def by_name(name: str) -> Scenario:
    """One scenario."""
    return next(scenario for scenario in SCENARIOS if scenario.name == name)


@lru_cache
def undisturbed(name: str) -> Clean:
    """Once per scenario."""
    played = by_name(name)
    with arranged(played) as world:
        before, started = world.uids, agents_started(world)
        applied = played.run(world)
        starts = agents_started(world) - started
        assert applied.settled, (applied.report.outcomes, applied.report.remaining)
        after = world.when_planned(**played.flags)
        assert (after.told, [notice for notice in after.notices if not notice.startswith("Held ")]) == ([], [])
        points, writes = tuple(dict.fromkeys(applied.watch.points)), len(applied.watch.writes)
        return Clean(points, writes, end_state(world), before, starts)


def faults_of(name: str, kinds: Sequence[Kind] = tuple(Kind)) -> list[Fault]:
    """Every fault that can be ordered of a scenario: each point it passes, before and after, of each kind."""
    return [
        Fault(point, phase, kind)
        for kind in kinds
        for point, phase in undisturbed(name).points
        if not meaningless(point, phase, kind)
    ]


def crashes_of(name: str) -> list[WriteFault]:
    """A crash after each single write. Before a write is after the one before it, and before the first is nothing."""
    writes = 0 if by_name(name).delete else undisturbed(name).writes
    return [(nth, "after", Kind.CRASH) for nth in range(1, writes + 1)]


def meaningless(point: str, phase: str, kind: Kind) -> bool:
    """Between the commit and its end there is nothing that could fail; the program can only be gone."""
    return kind is not Kind.CRASH and phase == "after" and point.endswith((":settled", ":intent"))


def words(luck: Luck) -> str:
    """`crash after create/Instance:intent`, `crash after write 7`."""
    return str(luck) if isinstance(luck, Fault) else f"{luck[2]} {luck[1]} write {luck[0]}"


def ordered(text: str) -> Luck:
    """The same words, read."""
    kind, phase, point = text.split(" ", 2)
    if point.startswith("write "):
        return int(point.removeprefix("write ")), phase, Kind(kind)
    return Fault(point, phase, Kind(kind))


class Played(NamedTuple):
    """What was wrong, and how many of the ordered faults happened."""

    wrong: list[str]
    hit: int


def disturbed(scenario: Scenario, *lucks: Luck) -> Played:
    """One run for each piece of bad luck, one that nothing disturbs, and the end of an undisturbed one must be there.

    That the first fault is never reached is wrong; a later one may aim at what its run need not do any more.
    """
    name = f"{scenario.name}: {'; '.join(words(luck) for luck in lucks)}"
    clean = undisturbed(scenario.name)
    wrong: list[str] = []
    hit = 0
    with arranged(scenario) as world:
        started = agents_started(world)
        for nth, luck in enumerate(lucks):
            fault, write = (luck, None) if isinstance(luck, Fault) else (None, luck)
            try:
                applied = scenario.run(world, fault, write)
            except (Crashed, ReconcilerError):
                hit += 1
            else:
                hit += applied.watch.hit
                if not applied.watch.hit and not nth:
                    return Played([f"{name}: was never reached"], 0)
                if applied.watch.hit and fault is not None and fault.kind is Kind.HANG_ONCE and not applied.settled:
                    wrong.append(f"{name}: one time-out was not made good in the same run: {_bad(applied)}")
            wrong += [f"{name}: {line}" for line in check_invariants(world)]
        again = scenario.run(world)
        if not again.settled:
            left = [str(action) for action in again.report.remaining]
            wrong.append(f"{name}: the next run did not converge: {_bad(again)} {left}")
        wrong += [f"{name}: {line}" for line in _ended(world, scenario, clean)]
        starts = agents_started(world) - started
        if starts != clean.starts and all((one.kind if isinstance(one, Fault) else one[2]) in KEPT for one in lucks):
            wrong.append(f"{name}: agents were started {starts} times, {clean.starts} times without it")
    return Played(wrong, hit)


def _ended(world: FakeWorld, scenario: Scenario, clean: Clean) -> list[str]:
    wrong: list[str] = []
    left_over = world.when_planned(**scenario.flags)
    if not left_over.in_sync:
        wrong.append(f"the plan after it is not empty: {left_over.lines}")
    wrong += difference(clean.end, end_state(world))
    now = world.uids
    wrong += [f"{ref} has another uid" for ref, uid in clean.before.items() if now.get(ref, uid) != uid]
    return wrong + check_invariants(world)


def _bad(applied: Applied) -> list[str]:
    return [str(o.fault or o.reason) for o in applied.report.outcomes if o.result.value != "settled"]
