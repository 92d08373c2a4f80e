"""The world in which scenarios are played: each is arranged once, and is as arranged every time it is asked for."""

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.moment import Moment
from tests.crash.scenarios import Scenario

_NOW: list[tuple[str, FakeWorld, Moment]] = []
"""The one that is up: tests ask for one scenario many times in a row."""


@contextmanager
def arranged(scenario: Scenario) -> Iterator[FakeWorld]:
    """The world of a scenario just before its run. Nobody else may hold it."""
    if _NOW and _NOW[0][0] == scenario.name:
        _, world, moment = _NOW.pop()
        moment.back()
    else:
        struck()
        world = FakeWorld()
        try:
            scenario.arrange(world)
            moment = Moment(world)
        except BaseException:
            world.close()
            raise
    try:
        yield world
    except BaseException:
        world.close()
        raise
    _NOW.append((scenario.name, world, moment))


def struck() -> None:
    """No world is left."""
    while _NOW:
        _NOW.pop()[1].close()
