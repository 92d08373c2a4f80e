"""One gateway under uvicorn: its parts put together, its worker begun, its run file written and taken away again."""

import asyncio
import gc
import socket
from types import FrameType

from uvicorn.config import Config
from uvicorn.server import Server

from reconciler.app import wiring
from reconciler.app.gateway.core import Core
from reconciler.app.gateway.face import Face
from reconciler.app.gateway.journal import Journal
from reconciler.app.gateway.served import Served
from reconciler.app.gateway.status import status
from reconciler.app.gateway.told import Told
from reconciler.model.json import JsonMap, canonical
from reconciler.ports.gateway import (
    FOLDER,
    RUN_FILE,
    STATE_FILE,
    TIMINGS,
    ExecutionMode,
    GatewayFault,
    GatewayOrder,
    Running,
)
from reconciler.ports.screen import Timings
from reconciler.ports.tmux import Listing, Tmux
from reconciler.servers.gateway.front import App, Front
from reconciler.servers.gateway.guard import Door

GRACE_S = 2
HEADER_MAX = 16_384


class Serving:
    """Everything one gateway process is made of."""

    def __init__(self, served: Served, order: GatewayOrder, run: Running, token: str) -> None:
        self._served, self._run = served, run
        ports = wiring.gateway_ports(served.socket, f"{served.root}/{FOLDER}")
        provider = ports.providers.get(served.tool)
        if provider is None:
            raise GatewayFault(f"no provider is called {served.tool!r}", code="gateway.no_provider")
        self._tmux = ports.tmux
        told = Told()
        self._journal = Journal(ports.events, ports.clock, told)
        self._files, timings = ports.files, timings_of(order)
        face: Face
        if served.headless:
            from reconciler.app.gateway.turner import Turner

            face = Turner(served, ports, ports.tmux, ports.queue, told, look_s=timings.watch_poll_interval_s)
        else:
            from reconciler.app.gateway.eye import Eye
            from reconciler.app.gateway.typist import Typist

            eye = Eye(served, provider, ports.tmux, ports.process, ports.clock, timings)
            face = Typist(served, provider, eye, ports.tmux, ports.files, ports.clock)
        self._core = Core(served, face, ports.queue, ports.files, ports.clock, told)
        self._front = Front(Door(run.host, run.port, token), self._load, self._begin, self._end)
        self._server: _Quiet | None = None
        self._fell = False

    def run(self, listening: socket.socket) -> int:
        """Serve until told to end; 1 when it ended by itself."""
        self._server = _Quiet(
            Config(
                self._front,
                http="h11",
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                h11_max_incomplete_event_size=HEADER_MAX,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self._server.run([listening])
        return 1 if self._fell else 0

    def _begin(self) -> None:
        """Before the first request: settle what was left behind, then say that we are here."""
        self._core.start()
        self._core.fallen = self._fall
        run = _in_window(self._tmux, self._served, self._run)
        self._run = run._replace(epoch=self._core.epoch, instance=self._core.instance)
        self._core.begin_work()
        self._write(STATE_FILE, self.status())
        self._write(RUN_FILE, self._run.to_json())
        self._journal.say("started", {"pid": self._run.pid, "port": self._run.port, "epoch": self._run.epoch})
        gc.collect()
        gc.freeze()

    def _end(self) -> None:
        self._core.stop()
        self._journal.say("ended", {})
        self._journal.close()

    def _fall(self) -> None:
        """The worker died: so must the gateway, or it would be advertised with a queue that stands still."""
        self._fell = True
        if self._server is not None:
            self._server.end()

    def _load(self) -> App:
        """FastAPI and pydantic, when somebody first asks for more than `/health`."""
        import sys

        from pydantic import BaseModel

        # FastAPI declares forty models of its OpenAPI document: built when that is asked for, not before.
        BaseModel.model_config["defer_build"] = True
        # Nothing here is written for pydantic 1; FastAPI loads its compatibility layer to make sure.
        sys.modules.setdefault("pydantic.v1", None)  # type: ignore[arg-type]
        from reconciler.servers.gateway.api import application

        app = application(self._core, self.status)
        gc.collect()
        gc.freeze()
        return app

    def status(self) -> JsonMap:
        """GatewayStatus, now."""
        run = self._run._replace(epoch=self._core.epoch, instance=self._core.instance)
        return status(self._served, run, self._core.standing())

    def _write(self, name: str, body: JsonMap) -> None:
        self._files.write(f"{self._served.root}/{FOLDER}/{name}", (canonical(body) + "\n").encode())


def _in_window(tmux: Tmux, served: Served, run: Running) -> Running:
    """With the tmux window this process lives in, where it does."""
    if run.mode is not ExecutionMode.AUXILIARY or not run.pane_id:
        return run
    listing = tmux.listing()
    panes = listing.panes if isinstance(listing, Listing) else ()
    own = next((pane for pane in panes if pane.pane_id == run.pane_id and pane.uid == served.uid), None)
    return run._replace(window_id=own.window_id, window_index=own.window_index) if own is not None else run


def timings_of(order: GatewayOrder) -> Timings:
    """The defaults, under what was declared."""
    names = dict(zip(TIMINGS, Timings._fields, strict=True))
    return Timings()._replace(**{names[name]: value for name, value in order.timings})


class _Quiet(Server):
    """uvicorn's server without its ten ticks a second: it waits to be told to end."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._over: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Sleep until `end`."""
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        if not self.should_exit:
            await self._over.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal: end politely, and at once with the second one."""
        super().handle_exit(sig, frame)
        self.end()

    def end(self) -> None:
        """From any thread."""
        self.should_exit = True
        if self._loop is not None and self._over is not None:
            self._loop.call_soon_threadsafe(self._over.set)
