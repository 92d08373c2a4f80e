"""A fake world as it is now, to be put back as often as a test wants: arranged once, disturbed a hundred times."""

import copy
from typing import Any

from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.kept import Kept

_LOCKS = ("_thread", "threading")


class Moment:
    """What a world was when this was made: its directory, and what its fakes held. Nothing of it may be running."""

    def __init__(self, world: FakeWorld) -> None:
        world.let_go()
        self._world = world
        self._disk = Kept(world.root)
        self._fakes: tuple[Any, ...] = (world.clock, world.process, world.tmux, world.gateways, world.environ)
        self._shared = {id(each): each for each in (world, *self._fakes)}
        self._shared |= {
            id(value): value
            for fake in self._fakes
            for value in vars(fake).values()
            if type(value).__module__ in _LOCKS
        }
        self._held = self._copy(([vars(fake) for fake in self._fakes], world.stubborn, world.unkillable))

    def back(self) -> None:
        """Make the world what it was."""
        self._world.let_go()
        self._disk.back()
        held, self._world.stubborn, self._world.unkillable = self._copy(self._held)
        for fake, values in zip(self._fakes, held, strict=True):
            vars(fake).clear()
            vars(fake).update(values)

    def _copy(self, held: Any) -> Any:
        """Locks, the fakes themselves and the world they refer to stay what they are."""
        return copy.deepcopy(held, dict(self._shared))
