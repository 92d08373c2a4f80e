"""Two sources of an observation are old, each as it was at a moment of its own, and an apply believes them both."""

from itertools import combinations

import pytest

from reconciler.model.errors import ReconcilerError
from tests.stale.conftest import LOOKS, StaleWorld
from tests.stale.test_old_news import MOMENTS, alive, honest, served, stale_world, told

__all__ = ["stale_world", "told"]

PAIRS = list(combinations(LOOKS, 2))


def both(world: StaleWorld, ports: tuple[str, str], moments: tuple[str, str]) -> None:
    """From now on each of the two answers from its moment."""
    served(world, ports[1], moments[1])
    world.also = world.serving
    served(world, ports[0], moments[0])


def believed(world: StaleWorld, ports: tuple[str, str], moments: tuple[str, str]) -> None:
    before, uids = alive(world), world.uids
    both(world, ports, moments)
    try:
        world.when_applied(tries=2)
    except ReconcilerError:
        pass  # a refusal is a good answer
    world.serving = world.also = None
    assert alive(world) == before, "an agent was ended because of old news"
    assert world.uids == uids or "catalog" in ports
    honest(world)
    assert alive(world) == before


@pytest.mark.parametrize("ports", PAIRS, ids="+".join)
def test_old_news_of_one_moment(stale_world: StaleWorld, ports: tuple[str, str]) -> None:
    """Both from before bob came back: the likeliest pair, for it is one look that came too late."""
    believed(stale_world, ports, ("bob's session killed", "bob's session killed"))


@pytest.mark.faults
@pytest.mark.parametrize("second", MOMENTS)
@pytest.mark.parametrize("first", MOMENTS)
@pytest.mark.parametrize("ports", PAIRS, ids="+".join)
def test_old_news_of_any_two_moments(stale_world: StaleWorld, ports: tuple[str, str], first: str, second: str) -> None:
    believed(stale_world, ports, (first, second))
