"""Other shells write while a watch leads: it lends them its lock and its number, one after the other (R-LCK-5)."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.lending_socket import SocketLending
from reconciler.adapters.wakers_linux import LinuxWakers
from reconciler.app import verbs
from reconciler.app.lock import take
from reconciler.app.watch.lead import Ended
from reconciler.model.errors import LockHeld
from reconciler.model.json import JsonMap
from reconciler.model.ref import Ref
from reconciler.ports.bundle import Ports
from reconciler.ports.wakers import Followed, Woken
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.real_world import until
from reconciler.testing.watching import watched
from tests.fleets import declared

ALICE, BOB = Ref("Instance", "alice"), Ref("Instance", "bob")


class Heard:
    """Real wakers for files and for the desk; the twin's processes and sessions are not the kernel's."""

    def __init__(self) -> None:
        self._inner = LinuxWakers()

    def follow(self, what: Followed) -> None:
        self._inner.follow(what._replace(processes=frozenset()))

    def wait(self, seconds: float | None) -> tuple[Woken, ...]:
        return self._inner.wait(seconds)

    def rest(self) -> None:
        self._inner.rest()

    def close(self) -> None:
        self._inner.close()


class Led:
    """A watch in a thread."""

    def __init__(self, world: FakeWorld) -> None:
        self.world = world
        self.events: list[tuple[str, JsonMap]] = []
        self.ended: Ended | None = None
        self._stop: int | None = None
        world.lending = SocketLending()
        declared(world)
        self._thread = threading.Thread(target=self._watch)

    @property
    def lock(self) -> str:
        return str(self.world.overlay / "lock")

    def start(self) -> None:
        self._thread.start()
        until(lambda: self.world.running == {"alice", "bob"} and self.calm, "the watch never came to rest")

    @property
    def calm(self) -> bool:
        return bool(self.events) and self.events[-1][0] == "observe"

    def stop(self) -> None:
        self._stop = 15
        loan = SocketLending().ask(self.lock, "nothing")  # wakes it
        if loan is not None:
            loan.close()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def of(self, kind: str, field: str) -> list[JsonMap]:
        return [fields for found, fields in self.events if found == kind and field in fields]

    def ports(self) -> Ports:
        return self.world.ports(self.world.settings)

    def _watch(self) -> None:
        self.ended = watched(
            self.world,
            lambda ports: Heard(),
            lambda: self._stop,
            lambda kind, fields: self.events.append((kind, fields)),
        )


@pytest.fixture
def led(fake_world: FakeWorld) -> Iterator[Led]:
    made = Led(fake_world)
    try:
        yield made
    finally:
        made.stop()


def test_verbs_of_another_shell_are_carried_out_in_the_turn_of_the_watch(led: Led) -> None:
    led.start()
    world = led.world
    lease = world.look().catalog.lease()
    stopped = world.when_asked(verbs.stop((ALICE,)))
    assert stopped.settled
    assert world.running == {"bob"}
    until(lambda: led.calm, "the watch never came to rest")
    assert world.running == {"bob"}, "the watch keeps what the verb asked for"
    assert world.look().catalog.lease() == lease, "one writer and one number all the time"
    assert [each["purpose"] for each in led.of("lock", "lent_to")] == ["apply"]
    assert len(led.of("lock", "returned_by")) == 1


def test_many_at_once_each_have_their_turn(led: Led) -> None:
    led.start()
    at_once: list[int] = []
    order: list[int] = []

    def one(number: int) -> None:
        ports = led.ports()
        writer = take(ports, purpose=f"test {number}", wait_s=0.0, emit=lambda kind, fields: None)
        at_once.append(number)
        assert len(at_once) == 1
        writer.guard(ports)
        order.append(number)
        at_once.clear()
        writer.release()
        ports.catalog.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert sorted(order) == list(range(8))
    until(lambda: len(led.of("lock", "returned_by")) == 8, "a turn was not given back")


def test_who_leaves_without_a_word_gives_its_turn_back(led: Led) -> None:
    led.start()
    loan = SocketLending().ask(led.lock, "leaves before its turn")
    assert loan is not None
    loan.close()
    ports = led.ports()
    writer = take(ports, purpose="test", wait_s=0.0, emit=lambda kind, fields: None)
    writer.release()
    ports.catalog.close()


def test_the_lock_is_held_by_who_borrowed_it_when_the_watch_ends_meanwhile(led: Led) -> None:
    led.start()
    told: list[tuple[str, JsonMap]] = []
    ports = led.ports()
    writer = take(ports, purpose="test", wait_s=0.0, emit=lambda kind, fields: told.append((kind, fields)))
    led.stop()
    writer.guard(ports)
    with pytest.raises(LockHeld):
        take(ports, purpose="third", wait_s=0.0, emit=lambda kind, fields: None)
    assert not os.path.exists(f"{led.lock}.ask")
    writer.release()
    ports.catalog.close()
    assert told[-1] == ("lock", {"lender_ended": os.getpid()})
    after = led.ports()
    take(after, purpose="fourth", wait_s=0.0, emit=lambda kind, fields: None).release()
    after.catalog.close()


def test_what_a_dead_leader_left_and_what_nobody_of_ours_says_is_harmless(led: Led) -> None:
    import socket

    led.start()
    for noise in (b"", b"\n", b"{}\n", b"[1]\n", b"\xff" * 100 + b"\n", b"x" * 70_000):
        other = socket.socket(socket.AF_UNIX)
        other.connect(f"{led.lock}.ask")
        try:
            other.sendall(noise)
        except OSError:
            pass
        other.close()
    assert led.world.when_asked(verbs.stop((BOB,))).settled
    led.stop()
    # A socket that nobody listens at lies there, as after a kill -9.
    left = socket.socket(socket.AF_UNIX)
    left.bind(f"{led.lock}.ask")
    left.close()
    assert SocketLending().ask(led.lock, "test") is None
    assert led.world.when_asked(verbs.release((BOB,), ())).settled


def test_a_desk_is_found_below_a_path_longer_than_a_socket_may_have(tmp_path: Path) -> None:
    lock = tmp_path / ("d" * 120) / "lock"
    lock.parent.mkdir()
    desk = SocketLending().desk(str(lock))
    assert desk is not None
    loan = SocketLending().ask(str(lock), "test")
    assert loan is not None
    until(desk.asked, "nobody was heard")
    assert [(each.verb, each.pid) for each in desk.asked()] == [("test", os.getpid())]
    assert desk.tell(desk.asked()[0], {"b": 1, "a": 2})
    told = loan.wait(30)
    assert told is not None
    assert list(told.body) == ["b", "a"], "the order of keys is the teller's"
    desk.close()
    assert loan.gone
    loan.close()
    assert not Path(f"{lock}.ask").exists()


def test_a_desk_that_was_replaced_leaves_the_new_one_alone(tmp_path: Path) -> None:
    lock = str(tmp_path / "lock")
    old = SocketLending().desk(lock)
    new = SocketLending().desk(lock)
    assert old is not None
    assert new is not None
    old.close()
    loan = SocketLending().ask(lock, "test")
    assert loan is not None
    until(new.asked, "nobody was heard")
    loan.close()
    new.close()


def test_who_asks_while_nobody_listens_is_told_so_at_once(tmp_path: Path) -> None:
    assert SocketLending().ask(str(tmp_path / "lock"), "test") is None
