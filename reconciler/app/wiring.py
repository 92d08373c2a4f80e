"""The composition root: the one place that chooses adapters (settings -> Reader or Ports).

It lists the folders of kinds and providers, too: nothing below may look at the disk, and `pkgutil`, which lists them
where nobody hands them in, imports `inspect`, 7 ms of each command.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from reconciler.app.settings import Settings, environment, is_root
from reconciler.model import names
from reconciler.model.errors import OverlayError
from reconciler.model.json import JsonMap
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Places, Ports, Reader

if TYPE_CHECKING:
    from reconciler.adapters.catalog_sqlite.migrate import Migrated, MigrationPlan
    from reconciler.adapters.log_file import LogFile
    from reconciler.ports.catalog import Catalog, CatalogReader
    from reconciler.ports.clock import Clock
    from reconciler.ports.files import Files
    from reconciler.ports.gateway import GatewayQueue, Gateways, GatewaySeen, Log, NoReply, Reply
    from reconciler.ports.lending import Desk, Loan
    from reconciler.ports.process import Process
    from reconciler.ports.provider import Provider
    from reconciler.ports.registry import Registry
    from reconciler.ports.requests import RequestLog
    from reconciler.ports.supervisor import Supervisor
    from reconciler.ports.tmux import Tmux
    from reconciler.ports.wakers import Wakers

KINDS, PROVIDERS = "reconciler.kinds", "reconciler.providers"


@cache
def folders(package: str) -> tuple[str, ...] | None:
    """Names of the sub-packages, sorted; None where the package is in no directory, such as in a zip file."""
    try:
        with os.scandir(import_module(package).__path__[0]) as entries:  # noqa: TID251
            return tuple(sorted(entry.name for entry in entries if _is_package(entry.path)))
    except OSError:
        return None


def _is_package(directory: str) -> bool:
    # A folder that is only a leftover `__pycache__` is none.
    try:
        with os.scandir(directory) as entries:  # noqa: TID251
            return any(entry.name == "__init__.py" for entry in entries)
    except NotADirectoryError:
        return False


class CallerEnvironment:
    """The environment this program was started with."""

    def __init__(self) -> None:
        self._values = environment()

    def get(self, name: str) -> str | None:
        """One variable, or None."""
        return self._values.get(name)

    @property
    def root(self) -> bool:
        """True when this program runs as uid 0."""
        return is_root()


class RequestLogs:
    """The logs of requests, loaded with the first one that is opened."""

    def log(self, session_root: str, *, create: bool = True) -> "RequestLog | None":
        """The log in a session root."""
        from reconciler.adapters.requests_sqlite import SqliteRequests

        return SqliteRequests().log(session_root, create=create)


class LazyLending:
    """Turns at the desk of who leads, loaded where somebody else holds the lock."""

    def desk(self, lock: str) -> "Desk | None":
        """As the port says."""
        from reconciler.adapters.lending_socket import SocketLending

        return SocketLending().desk(lock)

    def ask(self, lock: str, verb: str) -> "Loan | None":
        """As the port says."""
        from reconciler.adapters.lending_socket import SocketLending

        return SocketLending().ask(lock, verb)


def places(settings: Settings) -> Places:
    """Absolute paths of one overlay."""
    root = settings.overlay.root
    return Places(
        project=settings.overlay.project,
        overlay=root,
        catalog=f"{root}/{names.CATALOG_FILE}",
        content=f"{root}/content",
        agents=settings.agents,
        runtime=settings.runtime,
        memory=settings.memory,
        lock=f"{root}/{names.LOCK_FILE}",
        registry=settings.registry,
    )


class World(Protocol):
    """Where ports come from: the system, or a test's twin of it."""

    def reader(self, settings: Settings) -> Reader:
        """Ports that only look; nothing is created. `overlay_id` is empty where there is no overlay yet."""
        ...

    def ports(self, settings: Settings) -> Ports:
        """Ports for writing. The catalog is made where it is missing; raises OverlayError when it has no overlay id."""
        ...

    def bare(self, settings: Settings) -> Ports:
        """The same for an overlay that is being created: it may have no id yet."""
        ...


class System:
    """The real world."""

    def reader(self, settings: Settings) -> Reader:
        """Open for looking."""
        return reader(settings)

    def ports(self, settings: Settings) -> Ports:
        """Open for writing."""
        return ports(settings)

    def bare(self, settings: Settings) -> Ports:
        """Open what is being created."""
        from reconciler.adapters.catalog_sqlite.store import SqliteCatalog

        catalog = SqliteCatalog(places(settings).catalog)
        return _ports(settings, catalog, catalog.meta("overlay_id") or "")


class LazyGateways:
    """The gateways of this host; what looks at them is loaded for the first agent that has one."""

    program = (sys.executable, "-m", "reconciler.servers.gateway")

    def __init__(self) -> None:
        self._made: Gateways | None = None

    def _real(self) -> "Gateways":
        if self._made is None:
            from reconciler.adapters.gateway_local import LocalGateways

            self._made = LocalGateways(self.program)
        return self._made

    def seen(self, roots: Sequence[str]) -> "Mapping[str, GatewaySeen]":
        """As the port says; nothing is loaded where nobody is asked about."""
        return self._real().seen(roots) if roots else {}

    def call(
        self,
        at: tuple[str, int],
        method: str,
        path: str,
        body: JsonMap | None = None,
        *,
        token: str = "",
        headers: Mapping[str, str] = {},
        timeout_s: float = 30.0,
    ) -> "Reply | NoReply":
        """As the port says."""
        return self._real().call(at, method, path, body, token=token, headers=headers, timeout_s=timeout_s)

    def start(self, argv: Sequence[str], root: str) -> int:
        """As the port says."""
        return self._real().start(argv, root)


class GatewayPorts(NamedTuple):
    """What a gateway process works with."""

    tmux: "Tmux"
    process: "Process"
    clock: "Clock"
    providers: "Mapping[str, Provider]"
    queue: "GatewayQueue"
    events: "Log"
    files: "Files"
    environ: "CallerEnvironment"
    requests: "RequestLogs"


def gateway_ports(socket: str, folder: str) -> GatewayPorts:
    """Ports of one gateway: the tmux server at `socket`, its queue and its log in `folder`."""
    from reconciler.adapters.clock_system import SystemClock
    from reconciler.adapters.gateway_log import AppendLog
    from reconciler.adapters.gateway_queue import SqliteGatewayQueue
    from reconciler.adapters.process_local import LocalProcess
    from reconciler.adapters.tmux_client import TmuxClient
    from reconciler.ports.gateway import QUEUE_FILE
    from reconciler.providers import discover

    return GatewayPorts(
        tmux=TmuxClient(socket_path=socket),
        process=LocalProcess(),
        clock=SystemClock(),
        providers=discover(folders(PROVIDERS)),
        queue=SqliteGatewayQueue(f"{folder}/{QUEUE_FILE}"),
        events=AppendLog(f"{folder}/events.jsonl"),
        files=local_files(),
        environ=CallerEnvironment(),
        requests=RequestLogs(),
    )


def providers() -> "Mapping[str, Provider]":
    """The providers there are."""
    from reconciler.providers import discover

    return discover(folders(PROVIDERS))


class Closing(Protocol):
    """Something that is open until it is closed."""

    address: str

    def close(self) -> None:
        """Let go of it."""
        ...


def log_file(path: str) -> "LogFile":
    """Where a run logs to. Raises UsageFault for what cannot be written."""
    from reconciler.adapters.log_file import LogFile

    return LogFile(path)


def metrics_socket(where: str, text: "Callable[[], str]") -> Closing:
    """A socket that answers with text; raises UsageFault where it cannot listen."""
    from reconciler.adapters.metrics_socket import MetricsSocket

    return MetricsSocket(where, text)


def local_process() -> "Process":
    """The process table alone."""
    from reconciler.adapters.process_local import LocalProcess

    return LocalProcess()


def local_files() -> "Files":
    """Files alone, for what needs no overlay."""
    from reconciler.adapters.files_local import LocalFiles

    return LocalFiles()


def migration_of(path: str) -> "MigrationPlan":
    """What has to happen to a catalog; raises OverlayError where the file is none."""
    from reconciler.adapters.catalog_sqlite import migrate

    return migrate.plan(path)


def migrate_catalog(path: str) -> "Migrated":
    """Bring a catalog to this release's schema; raises OverlayError where that cannot be."""
    from reconciler.adapters.catalog_sqlite import migrate

    return migrate.migrate(path)


def catalog_reader(settings: Settings) -> "CatalogReader":
    """The catalog alone, for looking at what is recorded."""
    from reconciler.adapters.catalog_sqlite.store import SqliteReader

    return SqliteReader(places(settings).catalog)


def clock() -> "Clock":
    """The time alone."""
    from reconciler.adapters.clock_system import SystemClock

    return SystemClock()


def sparing() -> None:
    """Make this process a small one; the first thing a program that runs for days does."""
    from reconciler.adapters import memory

    memory.without_openssl()
    memory.little_garbage()


def wakers(ports: Ports) -> "Wakers":
    """What wakes a watch of these ports."""
    from reconciler.adapters.wakers_linux import LinuxWakers

    return LinuxWakers()


def supervisor() -> "Supervisor | None":
    """The service manager that started this program and wants to hear of it."""
    from reconciler.adapters.sd_notify import from_environment

    return from_environment()


def reader(settings: Settings) -> Reader:
    """Ports that only look; nothing is created. `overlay_id` is empty where there is no overlay yet."""
    catalog = catalog_reader(settings)
    return _ports(settings, catalog, catalog.meta("overlay_id") or "").reader()


def ports(settings: Settings) -> Ports:
    """Ports of an existing overlay, for writing."""
    from reconciler.adapters.catalog_sqlite.store import SqliteCatalog

    catalog = SqliteCatalog(places(settings).catalog)
    overlay_id = catalog.meta("overlay_id")
    if not overlay_id:
        catalog.close()
        raise OverlayError(
            f"{places(settings).catalog} belongs to no overlay",
            hint="`houmao project init` completes one whose making was ended; one that holds rows is to be moved away",
            code="overlay.no_id",
        )
    return _ports(settings, catalog, overlay_id)


def _ports(settings: Settings, catalog: "Catalog | CatalogReader", overlay_id: str) -> Ports:
    from reconciler.adapters.process_local import LocalProcess
    from reconciler.adapters.registry_files import FileRegistry
    from reconciler.adapters.tmux_client import TmuxClient
    from reconciler.providers import discover

    where = places(settings)
    files, time = local_files(), clock()
    socket = settings.tmux_socket
    is_path = socket is not None and "/" in socket
    registry: Registry = FileRegistry(where.registry, files, time)
    return Ports(
        catalog=catalog,  # type: ignore[arg-type]
        registry=registry,
        tmux=TmuxClient(socket_name=None if is_path else socket, socket_path=socket if is_path else None),
        process=LocalProcess(),
        files=files,
        clock=time,
        providers=discover(folders(PROVIDERS)),
        places=where,
        environ=CallerEnvironment(),
        overlay_id=overlay_id,
        gateways=LazyGateways(),
        requests=RequestLogs(),
        lending=LazyLending(),
    )
