"""All ports together, and the half of them that only looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reconciler.model.tuples import NamedTuple

if TYPE_CHECKING:  # whoever makes a port loads its module; most commands make a few
    from collections.abc import Mapping

    from reconciler.ports.catalog import Catalog, CatalogReader
    from reconciler.ports.clock import Clock
    from reconciler.ports.files import Files, FilesReader
    from reconciler.ports.gateway import Gateways, GatewaysReader
    from reconciler.ports.lending import Lending
    from reconciler.ports.process import Process, ProcessReader
    from reconciler.ports.provider import Provider
    from reconciler.ports.registry import Registry, RegistryReader
    from reconciler.ports.requests import Requests
    from reconciler.ports.tmux import Tmux, TmuxReader


class Places(NamedTuple):
    """Absolute paths of one overlay; nothing below reads them from anywhere else."""

    project: str
    """The directory that holds the overlay; relative work directories start here."""
    overlay: str
    catalog: str
    content: str
    agents: str
    runtime: str
    memory: str
    lock: str
    registry: str


class Environment(Protocol):
    """The caller's environment variables, read where credentials and launches need them."""

    def get(self, name: str) -> str | None: ...

    @property
    def root(self) -> bool:
        """True when what is started here runs as uid 0."""
        ...


class Reader(NamedTuple):
    """What an observer receives."""

    catalog: CatalogReader
    registry: RegistryReader
    tmux: TmuxReader
    process: ProcessReader
    files: FilesReader
    clock: Clock
    providers: Mapping[str, Provider]
    places: Places
    environ: Environment
    overlay_id: str
    gateways: GatewaysReader
    requests: Requests
    lending: Lending


class Ports(NamedTuple):
    """What a step receives."""

    catalog: Catalog
    registry: Registry
    tmux: Tmux
    process: Process
    files: Files
    clock: Clock
    providers: Mapping[str, Provider]
    places: Places
    environ: Environment
    overlay_id: str
    gateways: Gateways
    requests: Requests
    lending: Lending

    def reader(self) -> Reader:
        """The half that only looks."""
        return Reader(*self)
