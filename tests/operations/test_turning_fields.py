"""Every field of every kind, set, changed, taken away and set again; and what is not allowed, contained (R §27).

Each step reaches its end, with nothing left to plan. The same declaration ends in the same state, whatever was between.
A value that is refused changes nothing and disturbs nobody, and the last good one is still good. All of it is
`make faults`; a sample is drawn otherwise.
"""

import os
from random import Random

import pytest

from reconciler.model.errors import DeclarationError, ReconcilerError
from tests.machine.twin import Twin
from tests.operations.fleet import TARGETS, leaves, made, standing, text
from tests.operations.turns import LEFT_OUT, Turn, turn_of

SEED = os.environ.get("FAULTS_SEED", "20260101")
TURNED = [(kind, path) for kind, path in leaves() if path not in LEFT_OUT]
SAMPLE = Random(SEED).sample(TURNED, 12)


def test_every_field_has_a_turn_or_a_reason_to_have_none() -> None:
    assert [f"{kind}.{path}" for kind, path in TURNED if turn_of(kind, path) is None] == []
    assert {kind for kind, _ in TURNED} == TARGETS.keys()


def reached(twin: Twin, declared: str) -> dict[str, object]:
    """Apply it, and see that nothing is left to do."""
    report = twin.apply(declared)
    bad = [f"{one.action.ref} {one.fault or one.reason}" for one in report.outcomes if one.result.value != "settled"]
    assert bad == []
    assert [str(action) for action in twin.plan(declared).plan.actions] == []
    return standing(twin)


def turned(twin: Twin, kind: str, path: str, turn: Turn) -> None:
    """Base, A, B, base, A, something bad, base."""
    base = reached(twin, text())
    a, b = (text(kind, path, value, turn) for value in (turn.a, turn.b))
    first = reached(twin, a)
    reached(twin, b)
    assert reached(twin, a) == first, "A, B, A is not A"
    assert reached(twin, text()) == base, "set and taken away is not as before"
    assert reached(twin, a) == first, "set, taken away and set is not as it was set"
    if turn.bad is not None:
        pids = {name: twin.session_of(name).pid for name in twin.running}
        with pytest.raises((DeclarationError, ReconcilerError)):
            twin.apply(text(kind, path, turn.bad, turn))
        assert standing(twin) == first
        assert {name: twin.session_of(name).pid for name in twin.running} == pids
        assert twin.plan(a).plan.actions == ()
    assert reached(twin, text()) == base


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in SAMPLE}))
def test_a_sample_of_fields(kind: str) -> None:
    _all_of(kind, [path for found, path in SAMPLE if found == kind])


@pytest.mark.faults
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", sorted(TARGETS))
def test_every_field(kind: str) -> None:
    _all_of(kind, [path for found, path in TURNED if found == kind])


def _all_of(kind: str, paths: list[str]) -> None:
    """In one world, for each turn ends where it began."""
    twin = made()
    wrong: list[str] = []
    try:
        for path in paths:
            turn = turn_of(kind, path)
            assert turn is not None
            try:
                turned(twin, kind, path, turn)
            except (AssertionError, ReconcilerError, OSError, pytest.fail.Exception) as error:
                wrong.append(f"{kind}.{path}: {' '.join(str(error).split())[:300]}")
    finally:
        twin.close()
    assert wrong == []
