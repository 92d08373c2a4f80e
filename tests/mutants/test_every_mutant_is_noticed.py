"""Each mutant is noticed by its test: what the suite promises to catch, it catches.

That the same tests pass without the mutant is the suite's own result; `make mutants` runs both and counts.
"""

import pytest

from tests.mutants.every import MUTANTS
from tests.mutants.kit import Killer, Mutant, died

PAIRS = [
    pytest.param(one, killer, id=one.name, marks=[pytest.mark.tmux] if killer.tmux else [])
    for one in MUTANTS
    for killer in one.killers
]


@pytest.mark.parametrize(("mutant", "killer"), PAIRS)
def test_its_killer_fails_with_it(mutant: Mutant, killer: Killer) -> None:
    with mutant.on():
        noticed = died(killer)
    assert noticed, f"{killer.name} passes although {mutant.says}"


def test_there_are_many_and_each_says_what_it_does() -> None:
    assert len(MUTANTS) >= 20
    assert [one.name for one in MUTANTS if not one.says or not one.killers] == []
    assert len({one.says for one in MUTANTS}) == len(MUTANTS)
