"""A world whose tmux, processes and time are in memory: stories in milliseconds, crashes at will."""

import signal as signals
import tempfile
from collections.abc import Mapping
from pathlib import Path

from reconciler.ports.bundle import Ports
from reconciler.ports.lending import Lending
from reconciler.ports.tmux import Screen, Unanswered
from reconciler.testing.clock import FakeClock
from reconciler.testing.gateway import FakeGateways
from reconciler.testing.lending import NoLending
from reconciler.testing.process import Behaviour, FakeProcess
from reconciler.testing.tmux import FakePane, FakeSession, FakeTmux
from reconciler.testing.world import World

MEMORY = Path("/dev/shm")


class FakeWorld(World):
    """Files and SQLite in a directory of its own, in memory where the host has such a place; the rest fake.

    `stubborn` names instances whose program ignores HUP and TERM; `unkillable` ones that not even KILL ends.
    """

    def __init__(self, root: Path | None = None) -> None:
        where = str(MEMORY) if MEMORY.is_dir() else None
        super().__init__(root or Path(tempfile.mkdtemp(prefix="world-", dir=where)))
        self.clock = FakeClock()
        self.process = FakeProcess(self.clock)
        self.tmux = _Server(self)
        self.gateways = FakeGateways(self.process)
        self.lending: Lending = NoLending()
        self.stubborn: set[str] = set()
        self.unkillable: set[str] = set()
        self.ready_after: float | None = 0.0
        """Seconds from the start of an echo agent to its prompt on the screen; None for never."""

    def behaviour_of(self, uid: str) -> Behaviour:
        """How the program of an instance takes signals; its uid is known from its row, or from the open intent."""
        if not self.stubborn and not self.unkillable:
            return Behaviour()
        catalog = self.look().catalog
        names = {row.ref.name for row in catalog.inventory() if row.uid == uid}
        names |= {intent.ref.name for intent in catalog.intents() if intent.uid == uid}
        hard = bool(names & self.unkillable)
        ignores = hard or bool(names & self.stubborn)
        return Behaviour(ignore_hup=ignores, ignore_term=ignores, survive=hard)

    def kill_session_of(self, name: str) -> None:
        self.tmux.kill_session(self.session_of(name).session_name)

    def kill_process_of(self, name: str, signal: int = signals.SIGKILL) -> None:
        pane = self.session_of(name)
        behaviour = self.process.started(pane.pid).behaviour
        if (signal == signals.SIGTERM and behaviour.ignore_term) or (signal == signals.SIGHUP and behaviour.ignore_hup):
            return
        self.process.exit(pane.pid)
        self.tmux.exit(pane.pane_id, f"signal {signal}")

    def kill_gateway_of(self, name: str) -> None:
        """SIGKILL to the gateway of an instance."""
        root = self.rows[f"Instance/{name}"].live["session_manifest"].rpartition("/")[0]
        for found in self.process.started_for(root):
            self.process.exit(found.pid)

    def foreign_session(self, name: str, uid: str = "") -> None:
        """A session that somebody else made, perhaps with a uid of ours on it."""
        marked = {"HOUMAO_UID": uid} if uid else {}
        self.tmux.foreign(name, env=marked, options={"@houmao_uid": uid} if uid else {})

    def kill_server(self) -> None:
        self.tmux.kill_server()

    def reboot(self) -> None:
        """The host starts again: no process, no tmux, another boot id."""
        self.process.reboot()
        self.tmux.kill_server()

    def pane_of(self, name: str) -> FakePane:
        """The agent's pane as the fake keeps it, to write on its screen."""
        found = self.session_of(name)
        return next(
            pane for session in self.tmux.sessions.values() for pane in session.panes if pane.pane_id == found.pane_id
        )

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def _twin(self, ports: Ports) -> Ports:
        return (
            super()
            ._twin(ports)
            ._replace(
                tmux=self.tmux, process=self.process, clock=self.clock, gateways=self.gateways, lending=self.lending
            )
        )


class _Server(FakeTmux):
    """FakeTmux whose agents draw their prompt once they have started, unless a test has drawn something else."""

    socket = "/fake/tmux/default"

    def __init__(self, world: FakeWorld) -> None:
        super().__init__(processes=_Panes(world), now=lambda: int(world.clock.now_utc().timestamp()))
        self._world = world
        self._started: dict[int, float] = {}

    def capture(self, pane_id: str, lines: int = 0) -> Screen | Unanswered:
        """What is on the screen by now."""
        self.draw()
        return super().capture(pane_id, lines)

    def draw(self) -> None:
        """What agents have drawn by themselves up to now."""
        now, after = self._world.clock.monotonic(), self._world.ready_after
        for session in self.sessions.values():
            for pane in session.panes:
                begun = self._started.setdefault(pane.pid, now)
                blank = not pane.dead and not pane.text and not pane.title
                if blank and "HOUMAO_UID" in session.env and after is not None and now - begun >= after:
                    pane.text, pane.title = "echo> ", "echo: ready"

    def _open(self, name: str, argv: tuple[str, ...], env: dict[str, str], cwd: str) -> FakeSession:
        made = super()._open(name, argv, env, cwd)
        self._started[made.panes[0].pid] = self._world.clock.monotonic()
        return made


class _Panes:
    """What FakeTmux starts programs in: the fake process table, with the behaviour a test asked for by instance."""

    def __init__(self, world: FakeWorld) -> None:
        self._world = world

    def spawn(self, argv: tuple[str, ...], env: Mapping[str, str], cwd: str) -> int:
        behaviour = self._world.behaviour_of(env.get("HOUMAO_UID", ""))
        return self._world.process.spawn(argv, env, cwd, behaviour=behaviour)

    def hangup(self, pid: int) -> None:
        self._world.process.hangup(pid)

    def alive(self, pid: int) -> bool:
        return self._world.process.alive(pid)
