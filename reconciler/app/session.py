"""One command's view of the world, opened for looking; nothing is created by opening it."""

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.app import settings as settings_
from reconciler.app.settings import Settings
from reconciler.app.wiring import KINDS, System, World, folders
from reconciler.engine.discover import Discovered, built_in
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Reader


class Flags(NamedTuple):
    """Global options that say where to look."""

    project_dir: str | None = None
    tmux_socket: str | None = None
    agent_def_dir: str | None = None
    world: World = System()
    """Where ports come from; tests give a twin."""


class Session(NamedTuple):
    """Settings, the reading ports and the kinds."""

    settings: Settings
    reader: Reader
    handlers: Discovered
    world: World
    plain: bool = True
    """False when a flag said where to look: the no-op gate knows nothing of flags."""

    @property
    def overlay_exists(self) -> bool:
        """True when the overlay has a catalog to read."""
        return self.reader.catalog.present()

    @property
    def overlay_unmade(self) -> bool:
        """True when there is no catalog yet, or one whose making was killed: it has no overlay id and holds nothing."""
        return not self.reader.overlay_id and not self.reader.catalog.inventory()


def open_session(flags: Flags) -> Session:
    """Resolve settings and open the reading half; a socket the Project recorded counts after flag and environment."""
    found = settings_.find(
        project_dir=flags.project_dir, tmux_socket=flags.tmux_socket, agent_def_dir=flags.agent_def_dir
    )
    reader = flags.world.reader(found)
    if found.tmux_socket is None and reader.catalog.present():
        recorded = reader.catalog.meta("tmux_socket")
        if recorded:
            found = found._replace(tmux_socket=recorded, tmux_socket_source="project")
            reader.catalog.close()
            reader = flags.world.reader(found)
    plain = flags._replace(world=Flags().world) == Flags()
    return Session(found, reader, kinds(), flags.world, plain)


def kinds() -> Discovered:
    """The kinds there are; asking for one imports it."""
    return built_in(folders(KINDS))


@contextmanager
def opened(flags: Flags) -> Iterator[Session]:
    """The same for a use case that ends: its catalog is let go of with it."""
    session = open_session(flags)
    try:
        yield session
    finally:
        session.reader.catalog.close()


def ref_of(text: str, handlers: Discovered) -> Ref:
    """`instance/alice`, `Instance/alice` or `inst/alice` to a Ref; raises ValueError for a kind nobody knows."""
    kind, slash, name = text.partition("/")
    if not slash or not name:
        raise ValueError(f"expected kind/name, got {text!r}")
    known = {known.lower(): known for known in handlers}
    folded = kind.lower().replace("-", "").replace("_", "")
    for word in (folded, folded.removesuffix("s")):
        if word in known:
            return Ref(known[word], name)
    raise ValueError(f"no kind is called {kind!r}")
