"""pytest fixtures of the test kit; load with `-p reconciler.testing.plugin` or `pytest_plugins`.

`world` tells a story to the fake world and, under the marker `tmux`, to a real one; `fake_world` and `real_world` are
for stories that only one of them can play.
"""

from collections.abc import Iterator

import pytest

from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.real_world import RealWorld
from reconciler.testing.world import World


@pytest.fixture
def fake_world() -> Iterator[FakeWorld]:
    """tmux, processes and time in memory."""
    world = FakeWorld()
    try:
        yield world
    finally:
        world.close()


@pytest.fixture
def real_world() -> Iterator[RealWorld]:
    """A tmux server of its own."""
    world = RealWorld()
    try:
        yield world
    finally:
        world.close()


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.tmux)])
def world(request: pytest.FixtureRequest) -> World:
    """Both, one after the other."""
    found: World = request.getfixturevalue(f"{request.param}_world")
    return found
