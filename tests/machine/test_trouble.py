"""Trouble that no fault point names: a disk that is full at any write, a catalog that is busy, what happens unseen.

All of it on the twin in memory, where one run is a few milliseconds; each end is compared with the end without it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import lru_cache

import pytest

from reconciler.adapters.catalog_sqlite.store import SqliteCatalog
from reconciler.model.errors import ReconcilerError
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref
from reconciler.testing.end_state import State, difference, end_state
from reconciler.testing.invariants import check_invariants
from tests.machine.twin import Twin

HEADER = "apiVersion: houmao/v1alpha1\n"


def fleet(prompt: str, *names: str, state: str = "Running") -> str:
    """A specialist and agents of it."""
    documents = [f"kind: Specialist\nmetadata: {{name: coder}}\nspec: {{provider: echo, prompt: {prompt}}}"]
    documents += [
        f"kind: Instance\nmetadata: {{name: {name}}}\nspec: {{specialistRef: coder, state: {state}}}" for name in names
    ]
    return "\n---\n".join(HEADER + document for document in documents) + "\n"


BEFORE = fleet("You write.", "alice", "bob")
AFTER = {
    "create": (None, BEFORE),
    "relaunch": (BEFORE, fleet("You write well.", "alice", "bob")),
    "stop": (BEFORE, fleet("You write.", "alice", "bob", state="Stopped")),
    "remove": (BEFORE, fleet("You write.", "alice")),
}
"""What is applied before, and what is applied when there is trouble."""


def twin_of(case: str) -> Twin:
    """Just before the run that is troubled."""
    twin = Twin()
    before = AFTER[case][0]
    if before is not None:
        settled(twin.apply(before))
    return twin


def settled(report: Report) -> None:
    bad = [str(one.fault or one.reason) for one in report.outcomes if one.result.value != "settled"]
    assert bad == []


def ends_clean(twin: Twin, case: str) -> None:
    """One apply in peace, and all is as if there had been no trouble."""
    assert check_invariants(twin) == []
    settled(twin.apply(AFTER[case][1], prune=True))
    assert twin.plan(AFTER[case][1], prune=True).plan.actions == ()
    assert check_invariants(twin) == []
    end, files = untroubled(case)
    assert difference(end, end_state(twin)) == []
    assert len(twin.files.snapshot(str(twin.overlay))) == files, "a file is missing, or left over"


@lru_cache
def untroubled(case: str) -> tuple[State, int]:
    """The end without trouble, and how many files there are: their names hold the time of a launch."""
    with closing(twin_of(case)) as twin:
        settled(twin.apply(AFTER[case][1], prune=True))
        return end_state(twin), len(twin.files.snapshot(str(twin.overlay)))


@pytest.mark.parametrize("case", AFTER)
def test_a_disk_that_is_full_at_any_write_is_made_good(case: str) -> None:
    nth, hit = 0, True
    while hit:
        nth += 1
        with closing(twin_of(case)) as twin:
            twin.files.full_at = nth
            with suppress(ReconcilerError):
                twin.apply(AFTER[case][1], prune=True)
            hit = twin.files.full_at == 0
            twin.files.full_at = 0
            ends_clean(twin, case)
    assert nth > 1 or case in ("stop", "remove"), "it never wrote a file"


class Storm:
    """Another program that holds the catalog for writing, again and again."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def on(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def off(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def close(self) -> None:
        self.off()
        self._db.close()


@pytest.mark.parametrize(
    ("case", "length"),
    [("relaunch", 1)] + [pytest.param(case, n, marks=pytest.mark.faults) for case in AFTER for n in (1, 3)],
)
def test_a_catalog_that_others_keep_busy_at_any_step_is_made_good(case: str, length: int) -> None:
    """It is locked for so many steps, from each step of the run on."""
    first, passed = 0, True
    while passed:
        with closing(twin_of(case)) as twin:
            path = twin.held.places.catalog
            twin.held.catalog.close()
            twin.held = twin.held._replace(catalog=SqliteCatalog(path, busy_timeout_ms=1))
            storm = Storm(path)
            steps = 0

            def on_point(point: str, phase: str, ref: Ref, storm: Storm = storm, first: int = first) -> None:
                nonlocal steps
                if phase == "before":
                    storm.on() if steps == first else storm.off() if steps == first + length else None
                    steps += 1

            with suppress(ReconcilerError):
                twin.apply(AFTER[case][1], prune=True, on_point=on_point)
            storm.close()
            passed = steps > first
            ends_clean(twin, case)
        first += 1
    assert first > 3


def _changes(twin: Twin) -> Iterator[tuple[str, str]]:
    yield "a prompt", fleet("You write something else.", "alice", "bob")
    yield "somebody new", fleet("You write.", "alice", "bob", "carol")
    yield "somebody gone", fleet("You write.", "alice")
    yield "somebody stopped", fleet("You write.", "alice", "bob", state="Stopped")


def test_what_was_changed_and_changed_back_unseen_did_not_happen() -> None:
    """Between two looks the source, a record or a name was another: nobody looked, and nothing is done."""
    with closing(Twin()) as twin:
        settled(twin.apply(BEFORE))
        before, started = end_state(twin), twin.process.spawned
        for what, text in _changes(twin):
            twin.desired(text)
            assert twin.plan(BEFORE, prune=True).plan.actions == (), what
        agent = next(iter(twin.memory.scan().records))
        kept = twin.memory.text(agent)
        twin.memory.drop(agent)
        twin.memory.put(agent, kept or "")
        session = twin.agent("alice")
        assert session is not None
        name, session.name = session.name, "by-hand"
        session.name = name
        twin.clock.step(86_400)
        twin.clock.step(-86_400)
        assert twin.plan(BEFORE, prune=True).plan.actions == ()
        settled(twin.apply(BEFORE, prune=True))
        assert (difference(before, end_state(twin)), twin.process.spawned) == ([], started)


@pytest.mark.parametrize("seconds", [-10 * 365 * 86_400, -3600, 3600, 365 * 86_400])
def test_a_wall_clock_that_is_set_disturbs_nobody(seconds: int) -> None:
    with closing(Twin()) as twin:
        settled(twin.apply(BEFORE))
        started = twin.process.spawned
        twin.clock.step(seconds)
        assert twin.plan(BEFORE, prune=True).plan.actions == ()
        session = twin.agent("alice")
        assert session is not None
        twin.tmux.kill_session(session.name)
        settled(twin.apply(BEFORE))
        assert twin.process.spawned == started + 1
        assert twin.running == {"alice", "bob"}
