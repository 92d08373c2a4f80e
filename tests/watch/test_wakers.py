"""The wakers of Linux: what wakes them does, and nothing else."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters import procfs
from reconciler.adapters.wakers_linux import LinuxWakers
from reconciler.ports.process import ProcessFacts
from reconciler.ports.wakers import Followed, Waker, Woken
from reconciler.testing.real_world import RealWorld, until

DEADLINE_S = 30.0


@pytest.fixture
def wakers() -> Iterator[LinuxWakers]:
    made = LinuxWakers()
    try:
        yield made
    finally:
        made.close()


def heard(wakers: LinuxWakers) -> list[Woken]:
    """Everything that is told until all is quiet; something has to be."""
    deadline = time.monotonic() + DEADLINE_S
    found: list[Woken] = []
    while not found:  # tmux may say what means nothing to us
        found += wakers.wait(max(0.0, deadline - time.monotonic()))
        assert found or time.monotonic() < deadline, "nothing woke"
    while more := wakers.wait(0.05):
        found += more
    return found


def test_without_news_it_sleeps_until_the_time_is_over(wakers: LinuxWakers, tmp_path: Path) -> None:
    wakers.follow(Followed(sources=frozenset({str(tmp_path)})))
    assert wakers.wait(0.01) == ()


def test_a_rename_into_place_tells_a_whole_file(wakers: LinuxWakers, tmp_path: Path) -> None:
    wakers.follow(Followed(sources=frozenset({str(tmp_path)})))
    (tmp_path / ".new").write_text("x")
    (tmp_path / ".new").rename(tmp_path / "fleet.yaml")
    assert Woken(Waker.SOURCE, str(tmp_path / "fleet.yaml"), True) in heard(wakers)


def test_a_file_that_is_being_written_is_not_whole_until_it_is_closed(wakers: LinuxWakers, tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text("before")
    wakers.follow(Followed(sources=frozenset({str(tmp_path)})))
    with path.open("w") as stream:
        stream.write("half")
        stream.flush()
        assert set(heard(wakers)) == {Woken(Waker.SOURCE, str(path), False)}
    assert Woken(Waker.SOURCE, str(path), True) in heard(wakers)


def test_a_directory_that_was_replaced_is_followed_again(wakers: LinuxWakers, tmp_path: Path) -> None:
    inner = tmp_path / "source"
    inner.mkdir()
    what = Followed(sources=frozenset({str(tmp_path), str(inner)}))
    wakers.follow(what)
    inner.rename(tmp_path / "old")
    heard(wakers)
    inner.mkdir()
    heard(wakers)
    wakers.follow(what)
    (inner / "fleet.yaml").write_text("x")
    assert Woken(Waker.SOURCE, str(inner / "fleet.yaml"), True) in heard(wakers)


def test_registry_and_catalog_are_told_apart(wakers: LinuxWakers, tmp_path: Path) -> None:
    registry, overlay = tmp_path / "registry", tmp_path / "overlay"
    registry.mkdir()
    overlay.mkdir()
    wakers.follow(Followed(registry=frozenset({str(registry)}), catalog=str(overlay / "catalog.sqlite")))
    (registry / "record.json").write_text("x")
    assert set(heard(wakers)) == {Woken(Waker.REGISTRY)}
    (overlay / "catalog.sqlite-wal").write_text("x")
    assert set(heard(wakers)) == {Woken(Waker.CATALOG)}
    (overlay / "lock").write_text("x")
    assert wakers.wait(0.05) == ()


def test_the_end_of_a_process_wakes_once(wakers: LinuxWakers) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        facts = procfs.facts(child.pid)
        assert isinstance(facts, ProcessFacts)
        wakers.follow(Followed(processes=frozenset({(child.pid, facts.start_ticks)})))
        assert wakers.wait(0.01) == ()
        child.kill()
        assert heard(wakers) == [Woken(Waker.PROCESS)]
        assert wakers.wait(0.01) == ()


def test_a_process_that_is_gone_already_wakes_at_once(wakers: LinuxWakers) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    wakers.follow(Followed(processes=frozenset({(child.pid, 1)})))
    assert wakers.wait(DEADLINE_S) == (Woken(Waker.PROCESS),)


def test_one_that_stays_gone_is_told_of_once_and_hides_nothing_else(wakers: LinuxWakers, tmp_path: Path) -> None:
    """It may be left as it is, by its drift policy or because another watch or nobody heals it."""
    child = subprocess.Popen(("sleep", "60"))
    facts = procfs.facts(child.pid)
    assert isinstance(facts, ProcessFacts)
    gone = (child.pid, facts.start_ticks)
    wakers.follow(Followed(processes=frozenset({gone})))
    child.kill()
    assert wakers.wait(30) == (Woken(Waker.PROCESS),)
    child.wait()
    what = Followed(sources=frozenset({str(tmp_path)}), processes=frozenset({gone, (2**22 + 1, 1)}))
    wakers.follow(what)
    (tmp_path / "a.yaml").write_text("a")
    first = wakers.wait(30)
    assert Woken(Waker.PROCESS) in first, "the other one"
    assert {each.kind for each in first} == {Waker.PROCESS, Waker.SOURCE}
    for _ in range(3):
        wakers.follow(what)
        assert Woken(Waker.PROCESS) not in wakers.wait(0)


def test_following_and_letting_go_leaks_no_descriptor(wakers: LinuxWakers, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        facts = procfs.facts(child.pid)
        assert isinstance(facts, ProcessFacts)
        what = Followed(sources=frozenset({str(tmp_path)}), processes=frozenset({(child.pid, facts.start_ticks)}))
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(50):
            wakers.follow(what)
            wakers.follow(Followed())
        assert len(os.listdir("/proc/self/fd")) == before
        child.kill()


@pytest.mark.tmux
def test_a_session_that_ended_is_told_although_its_program_lives_on(real_world: RealWorld, wakers: LinuxWakers) -> None:
    world = real_world
    deaf = "trap '' HUP; echo ready; while :; do sleep 1000; done"
    world.tmux("new-session", "-d", "-s", "one", deaf)
    world.foreign_session("two")
    until(lambda: "ready" in world.tmux("capture-pane", "-p", "-t", "one"), "it does not start")
    (pane,) = [pane for pane in world.panes if pane.session_name == "one"]
    facts = procfs.facts(pane.pid)
    assert isinstance(facts, ProcessFacts)
    try:
        wakers.follow(Followed(processes=frozenset({(pane.pid, facts.start_ticks)})))
        world.tmux("kill-session", "-t", "two")  # a terminal of somebody else
        assert wakers.wait(0.05) == ()
        world.tmux("kill-session", "-t", pane.session_id)
        assert heard(wakers) == [Woken(Waker.TMUX)]
    finally:
        os.kill(pane.pid, signal.SIGKILL)
    assert heard(wakers) == [Woken(Waker.PROCESS)]


def test_who_writes_to_a_terminal_wakes_nobody(wakers: LinuxWakers) -> None:
    master, slave = os.openpty()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=slave, start_new_session=True) as child:
        facts = procfs.facts(child.pid)
        assert isinstance(facts, ProcessFacts)
        wakers.follow(Followed(processes=frozenset({(child.pid, facts.start_ticks)})))
        os.write(slave, b"busy")
        assert wakers.wait(0.05) == ()
        child.kill()
    assert heard(wakers) == [Woken(Waker.PROCESS)]
    os.close(slave)
    os.close(master)
    assert wakers.wait(0.05) == ()
