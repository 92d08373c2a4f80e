"""One damaged fleet for each way of the table, with an agent for each of its cells."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from reconciler.testing.real_world import RealWorld
from tests.recovery.ways import WAYS, Way

CELLS = ("state", "prompt", "stop", "relaunch", "apply")


class Damaged(NamedTuple):
    """A fleet whose records are not true any more."""

    world: RealWorld
    way: Way


@pytest.fixture(scope="module", params=WAYS)
def damaged(request: pytest.FixtureRequest) -> Iterator[Damaged]:
    """Agents of one world are started together, and each cell has the one of its own name."""
    way = WAYS[request.param]
    with RealWorld() as world:
        world.given(way.fleet(CELLS))
        world.until_ready()
        way.breaks(world, CELLS)
        yield Damaged(world, way)
