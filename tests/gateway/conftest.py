"""A gateway's core over an agent whose terminal a test draws, and gateways that really run."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.adapters.files_local import LocalFiles
from reconciler.adapters.gateway_queue import SqliteGatewayQueue
from reconciler.app.gateway.core import Core
from reconciler.app.gateway.eye import Eye
from reconciler.app.gateway.served import Served
from reconciler.app.gateway.told import Told
from reconciler.app.gateway.typist import Typist
from reconciler.model.ref import Uid
from reconciler.ports.provider import Provider
from reconciler.ports.screen import Timings
from reconciler.ports.tmux import Create, Created, Fence
from reconciler.providers import discover
from reconciler.testing.clock import FakeClock
from reconciler.testing.plugin import fake_world, real_world
from reconciler.testing.process import FakeProcess
from reconciler.testing.tmux import FakePane, FakeTmux

__all__ = ["fake_world", "real_world"]

UID = Uid("01a0000000007000800000000000abcd")
READY, BUSY = ("echo> ", "echo: ready"), ("… working (esc to interrupt)", "echo: busy")


class _Panes:
    def __init__(self, process: FakeProcess) -> None:
        self._process = process

    def spawn(self, argv: tuple[str, ...], env: object, cwd: str) -> int:
        return self._process.spawn(argv, {}, cwd)

    def hangup(self, pid: int) -> None:
        self._process.hangup(pid)

    def alive(self, pid: int) -> bool:
        return self._process.alive(pid)


class _Drawing(FakeTmux):
    """Draws what a program would, when something is typed at it."""

    draw: Callable[[], None] | None = None

    def on_delivery(self, pane: FakePane) -> None:
        super().on_delivery(pane)
        if self.draw is not None:
            self.draw()


class Desk:
    """One agent in memory, and the gateway that serves it; `restart` is a kill -9 and a new one on the same files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = FakeClock()
        self.process = FakeProcess(self.clock)
        self.tmux = _Drawing(processes=_Panes(self.process))
        self.start_agent()
        self.served = Served(
            UID, "overlay", "alice-id", "alice", "local_interactive", "echo", "s", "local_interactive-1",
            "/fake/tmux/default", "/m.json", str(root),
        )  # fmt: skip
        self.cores: list[Core] = []
        self.core = self.begin()
        self.settled()

    def start_agent(self) -> None:
        """The agent starts, for the first time or again."""
        made = self.tmux.act(Fence("overlay", 1), [Create(UID, "mark", "s", "/", (), ("echo-agent", "--tui"))])[0]
        assert isinstance(made, Created), made
        self.pane_id = made.pane_id
        self.shows(*READY)

    @property
    def pane(self) -> FakePane:
        """What the test draws on."""
        return next(pane for each in self.tmux.sessions.values() for pane in each.panes if pane.pane_id == self.pane_id)

    def shows(self, text: str, title: str) -> None:
        self.pane.text, self.pane.title = text, title

    def begin(self, provider: Provider | None = None) -> Core:
        """A gateway process starts."""
        provider = provider or discover()["echo"]
        eye = Eye(self.served, provider, self.tmux, self.process, self.clock, Timings())
        queue = SqliteGatewayQueue(str(self.root / "queue.sqlite"))
        face = Typist(self.served, provider, eye, self.tmux, LocalFiles(), self.clock)
        core = Core(self.served, face, queue, LocalFiles(), self.clock, Told())
        core.start()
        self.cores.append(core)
        self.core = core
        return core

    def settled(self) -> None:
        """The screen comes to rest."""
        for _ in range(4):
            self.core.looked()
            self.clock.advance(1.0)

    def step(self) -> None:
        """The worker's next round, the screen at rest before it."""
        self.settled()
        self.core.step()

    @property
    def typed(self) -> list[str]:
        """Texts pasted, each with its Enter, and keys otherwise."""
        pasted = self.pane.pasted
        keys = [key for key, _ in self.pane.keys]
        return [word for text in pasted for word in (text, "Enter")] + keys[len(pasted) :]

    def close(self) -> None:
        for core in self.cores:
            core.stop()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An agent at its prompt, and its gateway."""
    made = Desk(tmp_path)
    try:
        yield made
    finally:
        made.close()
