"""A large fleet that stands as the last apply left it is listed from what is recorded."""

import pytest

from tests.gate.conftest import Fleet

pytestmark = pytest.mark.tmux

NOT_LOADED = """\
import sys
from reconciler.app import columns, read, steady
from reconciler.app.session import Flags
assert len(steady.fleet(Flags(), specs=True, least=1).items) == 2
heavy = {"hashlib", "subprocess", "threading", "reconciler.engine.plan", "reconciler.kinds", "reconciler.providers"}
print(sorted(heavy & set(sys.modules)))
"""


def test_it_is_shown_as_a_look_in_full_shows_it(still: Fleet) -> None:
    listed = still.listed()

    assert listed is not None
    assert listed[0] == listed[1]
    assert [(resource["metadata"]["name"], resource["status"]["health"]) for resource, *_ in listed[0]] == [
        ("alice", "healthy"),
        ("bob", "stopped"),
    ]


def test_a_small_fleet_is_looked_at_for_its_screens_are_probed(still: Fleet) -> None:
    assert still.listed(least=2) is not None
    assert still.listed(least=3) is None


def test_the_switch_of_the_gate_turns_it_off(still: Fleet) -> None:
    assert still.listed(env={"HOUMAO_NO_GATE": "1"}) is None


def test_a_flag_turns_it_off() -> None:
    from reconciler.app import steady
    from reconciler.app.session import Flags

    assert steady.fleet(Flags(tmux_socket="another"), specs=False, least=0) is None


def test_its_listing_loads_no_planner_and_no_kind(still: Fleet) -> None:
    ran = still.python(NOT_LOADED)

    assert (ran.stdout, ran.stderr) == ("[]\n", "")
