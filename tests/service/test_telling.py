"""What a watch tells its service manager: on the twin what and when, and once for real over a socket."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters import sd_notify
from reconciler.app.watch.supervised import Supervised
from reconciler.model.json import JsonMap
from reconciler.ports.wakers import Waker, Woken
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.watching import watched
from tests.watch.conftest import Story, fake_world

__all__ = ["fake_world"]
ROOT = Path(__file__).parents[2]


class Manager:
    """Whoever listens."""

    def __init__(self, watchdog_s: float | None = None) -> None:
        self.watchdog_s = watchdog_s
        self.told: list[dict[str, str]] = []

    def tell(self, **what: str) -> None:
        self.told.append(what)

    def of(self, key: str) -> list[str]:
        return [each[key] for each in self.told if key in each]


def supervised(world: FakeWorld, story: Story, manager: Manager, seconds: float) -> None:
    story.script.over_at = seconds
    kept = Supervised(manager, 600.0)

    def emit(kind: str, fields: JsonMap) -> None:
        del kind, fields

    watched(world, kept.wakers(lambda ports: story.script), kept.stopping(story.script.stopping), kept.emit(emit))


def test_it_is_ready_once_it_looked_says_what_it_does_and_that_it_ends(fake_world: FakeWorld) -> None:
    story, manager = Story(fake_world), Manager()
    story.script.at(10, lambda: fake_world.kill_process_of("alice"), Woken(Waker.PROCESS))
    supervised(fake_world, story, manager, 300)
    assert manager.of("READY") == ["1"]
    assert manager.of("STOPPING") == ["1"]
    assert manager.of("STATUS") == [
        "reads the source",
        "keeps 3 resources as declared",
        "runs 3 actions",
        "keeps 3 resources as declared",
        "runs 1 actions",
        "keeps 3 resources as declared",
        "ends as asked; agents go on",
    ]
    ready = next(each for each in manager.told if "READY" in each)
    assert manager.told.index(ready) == 1
    assert manager.told[-1]["STOPPING"] == "1"
    assert manager.of("WATCHDOG") == []


def test_with_a_source_that_cannot_be_used_it_is_ready_to_follow_it(fake_world: FakeWorld) -> None:
    story, manager = Story(fake_world), Manager()
    fake_world.given("kind: Instance\nmetadata: {name: alice")
    supervised(fake_world, story, manager, 10)
    assert manager.of("READY") == ["1"]
    assert "the source cannot be used" in manager.of("STATUS")[1]


def test_a_watchdog_hears_of_it_in_time_also_while_actions_run(fake_world: FakeWorld) -> None:
    story, manager = Story(fake_world), Manager(watchdog_s=30.0)
    moments: list[float] = []
    tell = manager.tell

    def told(**what: str) -> None:
        if "WATCHDOG" in what:
            moments.append(fake_world.clock.monotonic())
        tell(**what)

    manager.tell = told  # type: ignore[method-assign]
    supervised(fake_world, story, manager, 600)
    assert len(moments) >= 600 / 30
    assert max(after - before for before, after in itertools.pairwise(moments)) <= 10.5
    # For the length of a run it may be silent longer, and only for that.
    assert manager.of("WATCHDOG_USEC") == ["630000000", "30000000"]
    # It was awake for that, and looked no more often than else.
    assert story.script.waits < 100


@pytest.fixture
def listening() -> Iterator[tuple[socket.socket, str]]:
    with tempfile.TemporaryDirectory(prefix="notify-") as directory:
        path = f"{directory}/socket"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
            server.bind(path)
            server.settimeout(30)
            yield server, path


def test_the_variables_are_for_this_process_alone(
    listening: tuple[socket.socket, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, path = listening
    for pid, limit in ((str(os.getpid()), 20.0), ("1", None)):
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        monkeypatch.setenv("WATCHDOG_USEC", "20000000")
        monkeypatch.setenv("WATCHDOG_PID", pid)
        found = sd_notify.from_environment()
        assert found is not None
        assert found.watchdog_s == limit
        assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} & os.environ.keys()
    assert found is not None
    found.tell(READY="1", STATUS="a line\nMAINPID=1")
    assert server.recv(4096) == b"READY=1\nSTATUS=a line MAINPID=1"
    assert sd_notify.from_environment() is None


def test_a_name_without_a_file_and_nobody_who_listens() -> None:
    name = f"houmao-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(f"\0{name}")
        server.settimeout(30)
        sd_notify.Notifier(f"@{name}").tell(WATCHDOG="1")
        assert server.recv(4096) == b"WATCHDOG=1"
    sd_notify.Notifier(f"@{name}").tell(WATCHDOG="1")
    sd_notify.Notifier("/nowhere/at/all").tell(WATCHDOG="1")


@pytest.mark.tmux
def test_the_program_tells_when_it_is_ready_and_when_it_ends(
    listening: tuple[socket.socket, str], tmp_path: Path
) -> None:
    server, path = listening
    (tmp_path / "fleet.yaml").write_text(
        "apiVersion: houmao/v1alpha1\nkind: Role\nmetadata: {name: r}\nspec: {prompt: You review.}\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "watch", "-f", "fleet.yaml", "--tmux-socket", f"{Path(path).parent}/tmux"],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "HOUMAO_GLOBAL_REGISTRY_DIR": str(tmp_path / "registry"),
            "PYTHONPATH": str(ROOT),
            "NOTIFY_SOCKET": path,
        },
        stdout=subprocess.DEVNULL,
    )
    try:
        told = ""
        while "READY=1" not in told:
            told = server.recv(4096).decode()
        assert told == "READY=1\nSTATUS=keeps 1 resources as declared"
        process.send_signal(signal.SIGTERM)
        while "STOPPING=1" not in told:
            told = server.recv(4096).decode()
        assert process.wait(30) == 143
    finally:
        process.kill()
        process.wait()
