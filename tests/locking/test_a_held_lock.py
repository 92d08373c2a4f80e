"""While somebody holds the lock, an apply changes nothing: told in one process, for it takes no time there."""

import pytest

from reconciler.model.errors import LockHeld
from reconciler.ports.files import LockHolder
from reconciler.testing.fake_world import FakeWorld
from tests.fleets import declared


def test_an_apply_beside_a_writer_is_refused_and_leaves_no_trace(fake_world: FakeWorld) -> None:
    declared(fake_world)
    fake_world.initialised()
    ports = fake_world.ports(fake_world.settings)
    lock = ports.files.lock(ports.places.lock)
    assert not isinstance(lock, LockHolder)
    before, revision = fake_world.bytes(), fake_world.look().catalog.revision()

    with pytest.raises(LockHeld):
        fake_world.when_applied(lock_timeout_s=0.0)

    assert (fake_world.bytes(), fake_world.look().catalog.revision()) == (before, revision)
    assert fake_world.tmux.sessions == {}
    lock.release()
    ports.catalog.close()
    assert fake_world.when_applied().settled
