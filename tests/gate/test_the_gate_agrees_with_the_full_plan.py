"""Whatever happens to a fleet in sync, `plan` says the same with the no-op gate and without it (R-DRF-2a, R-CAN-5).

So does `get`, which shows what is recorded where the gate finds that the fleet stands so.
"""

from collections.abc import Callable

import pytest

from tests.gate.conftest import Fleet
from tests.gate.mutations import MUTATIONS

pytestmark = pytest.mark.tmux


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_gate_and_the_full_plan_say_the_same_after(
    fleet: Fleet, name: str, wait_until: Callable[..., object]
) -> None:
    mutation = MUTATIONS[name]
    mutation.do(fleet)
    if mutation.wait:
        wait_until(lambda: fleet.answer(gate=False).code == mutation.code)

    full = fleet.answer(gate=False)
    if fleet.gate_answers() is not None:  # else the program goes on to the full plan
        assert fleet.answer(gate=True) == full
    assert mutation.code in (None, full.code), full.out
    if (listed := fleet.listed()) is not None:  # else `get` looks in full
        steady, looked = listed
        assert steady == looked
