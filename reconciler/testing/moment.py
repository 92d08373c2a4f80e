"""A fake world as it is now, to be put back as often as a test wants: arranged once, disturbed a hundred times."""

import copy
from typing import Any

from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.kept import Kept

_LOCKS = ("_thread", "threading")
_KIT = "reconciler.testing."
_OF_THE_WORLD = ("root", "source", "overlay", "registry", "watch", "_catalogs")
"""Where it is and what is under way: neither changes with what happens in it."""


class Moment:
    """What a world was when this was made: its directory, and what its fakes held. Nothing of it may be running."""

    def __init__(self, world: FakeWorld) -> None:
        world.let_go()
        self._world = world
        self._disk = Kept(world.root)
        about = {name: value for name, value in vars(world).items() if name not in _OF_THE_WORLD}
        fakes = {name: value for name, value in about.items() if type(value).__module__.startswith(_KIT)}
        self._fakes = [value for value in fakes.values() if hasattr(value, "__dict__")]
        self._plain = {name: copy.copy(value) for name, value in about.items() if name not in fakes}
        self._shared: dict[int, object] = {id(each): each for each in (world, *self._fakes)}
        self._shared |= {
            id(value): value
            for fake in self._fakes
            for value in vars(fake).values()
            if type(value).__module__ in _LOCKS
        }
        self._held = self._copy([vars(fake) for fake in self._fakes])

    def back(self) -> None:
        """Make the world what it was."""
        self._world.let_go()
        self._disk.back()
        for fake, values in zip(self._fakes, self._copy(self._held), strict=True):
            vars(fake).clear()
            vars(fake).update(values)
        vars(self._world).update({name: copy.copy(value) for name, value in self._plain.items()})

    def _copy(self, held: Any) -> Any:
        """Locks, the fakes themselves and the world they refer to stay what they are."""
        return copy.deepcopy(held, dict(self._shared))
