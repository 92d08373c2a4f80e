"""Create an overlay: idempotent, and only where `project init` would (project-and-build §1.2)."""

from reconciler.app import wiring
from reconciler.app.lock import take
from reconciler.app.settings import Settings, configured_agents
from reconciler.app.wiring import System, World
from reconciler.kinds.credential import KEY_FILE
from reconciler.model import names
from reconciler.model.errors import GuardRefused, OverlayError, ReconcilerError
from reconciler.model.json import JsonMap, digest_bytes
from reconciler.model.ref import Ref
from reconciler.model.tuples import NamedTuple
from reconciler.ports.bundle import Ports
from reconciler.ports.catalog import ContentRef, Definition
from reconciler.ports.files import Files, FilesReader

INIT_WAIT_S = 30.0
"""How long to wait for somebody else who is creating the same overlay."""


class Created(NamedTuple):
    """What was made and what was there already, absolute paths, in order."""

    settings: Settings
    created_directories: tuple[str, ...]
    written_files: tuple[str, ...]
    preserved_files: tuple[str, ...]

    def to_json(self) -> JsonMap:
        """The keys of `project init`, both spellings."""
        settings, root = self.settings, self.settings.overlay.root
        return {
            "project_root": settings.overlay.project,
            "overlay_root": root,
            "config_path": f"{root}/{names.CONFIG_FILE}",
            "catalog_path": f"{root}/{names.CATALOG_FILE}",
            "content_root": f"{root}/content",
            "agent_def_dir": settings.agents,
            "runtime_root": settings.runtime,
            "memory_root": settings.memory,
            "mailbox_root": settings.mailbox,
            "easy_root": f"{root}/easy",
            "created_directories": list(self.created_directories),
            "written_files": list(self.written_files),
            "preserved_files": list(self.preserved_files),
        }


def create(settings: Settings, world: World | None = None, *, rebuilding: bool = False) -> Created:
    """Make the overlay at `settings.overlay.root`, or complete one that is partly there.

    Raises OverlayError for a path of the wrong kind, a foreign `.gitignore`, a broken configuration or catalog, and
    where the directory cannot be written; GuardRefused where agents were started from it and its catalog is gone: a new
    one would know none of them, unless somebody is `rebuilding` it.
    """
    root = settings.overlay.root
    if not rebuilding and lost(settings, wiring.local_files()):
        raise GuardRefused(
            f"agents were started from {root}, and its catalog is gone: a new one would know none of them",
            hint="`houmao doctor --rebuild` makes it again from what lives; to begin anew, move "
            f"{settings.runtime} aside first",
            code="guard.catalog_lost",
        )
    directories = [root, f"{root}/content", *(f"{root}/content/{name}" for name in names.CONTENT_DIRS)]
    files = wiring.local_files()
    for path in directories:
        _must_be(files, path, directory=True)
    made = tuple(path for path in directories if files.stamp(path) is None)
    try:
        for path in made:
            files.make_dir(path)
    except ReconcilerError as error:
        raise OverlayError(
            f"the overlay cannot be created: {error.message}",
            hint=f"choose another place with {names.ENV_OVERLAY}, or make the directory writable",
            code="overlay.unwritable",
        ) from error
    written: list[str] = []
    preserved: list[str] = []
    for path, text, check in (
        (f"{root}/.gitignore", "*\n", lambda path: _check_ignore(files, path)),
        (f"{root}/{names.CONFIG_FILE}", names.CONFIG_TEXT, lambda _: configured_agents(settings.overlay)),
    ):
        _must_be(files, path, directory=False)
        if files.stamp(path) is not None:
            check(path)
            preserved.append(path)
        else:
            files.write(path, text.encode(), durable=True)
            written.append(path)
    catalog = f"{root}/{names.CATALOG_FILE}"
    _must_be(files, catalog, directory=False)
    (preserved if files.stamp(catalog) is not None else written).append(catalog)
    _first_rows(settings, world or System())
    return Created(settings, made, tuple(written), tuple(preserved))


def _first_rows(settings: Settings, world: World) -> None:
    """Overlay id, fingerprint key and starter setups; each only where it is missing."""
    ports = world.bare(settings)
    try:
        key = f"{ports.places.overlay}/{KEY_FILE}"
        if ports.files.stamp(key) is None:
            ports.files.write(key, ports.clock.token_hex(32).encode(), durable=True)
        if ports.overlay_id and _seeded(ports):
            return
        writer = take(ports, purpose="project init", wait_s=INIT_WAIT_S, emit=lambda kind, fields: None)
        try:
            # Somebody else may have finished it while we waited for the lock.
            if ports.catalog.meta("overlay_id") and _seeded(ports):
                return
            token = writer.token(ports)
            seed_setups(ports, token)
            # Last, for it says that the overlay is complete: whoever was killed before begins again.
            if not ports.catalog.meta("overlay_id"):
                with ports.catalog.transaction(token) as tx:
                    tx.put_meta("overlay_id", ports.clock.token_hex(8))
        finally:
            writer.release()
    finally:
        ports.catalog.close()


def _seeded(ports: Ports) -> bool:
    return bool(ports.catalog.definitions("Setup"))


def seed_setups(ports: Ports, token: int) -> None:
    """Starter setups of every built-in provider into the content store, with their rows."""
    for name in ports.providers:
        for setup, tree in sorted(ports.providers[name].setups.items()):
            relative = f"setups/{name}/{setup}"
            target = f"{ports.places.content}/{relative}"
            if ports.files.stamp(target) is None:
                if len(tree):
                    ports.files.write_tree(target, tree)
                else:
                    ports.files.make_dir(target)
            size = sum(len(entry.data or b"") for _, entry in tree)
            found = ContentRef("setup_tree", relative, True, tree.digest() if len(tree) else digest_bytes(b""), size)
            facts: JsonMap = {"provider": name, "path": {"digest": found.digest, "size": size}}
            with ports.catalog.transaction(token) as tx:
                tx.put_definition(Definition(Ref("Setup", setup), facts, {"path": found}))


def lost(settings: Settings, files: FilesReader) -> bool:
    """Whether the catalog is gone of an overlay from which agents were started."""
    root = settings.overlay.root
    if not settings.runtime.startswith(f"{root}/") or files.stamp(f"{root}/{names.CATALOG_FILE}") is not None:
        return False  # a runtime directory elsewhere has agents of other overlays, too
    sessions = f"{settings.runtime}/sessions"
    if files.stamp(sessions) is None:
        return False
    return any(files.names(f"{sessions}/{name.rstrip('/')}") for name in files.names(sessions) if name.endswith("/"))


def _must_be(files: Files, path: str, *, directory: bool) -> None:
    stamp = files.stamp(path)
    if stamp is not None and stamp.is_dir != directory:
        wanted = "directory" if directory else "file"
        raise OverlayError(f"Expected {path} to be a {wanted}", hint="move it away", code="overlay.wrong_kind")


def _check_ignore(files: Files, path: str) -> None:
    text = files.read(path).decode("utf-8", errors="replace")
    if any(line.strip() == "*" for line in text.splitlines()):
        return
    raise OverlayError(
        f"{path} does not ignore everything",
        hint="the overlay is local state: let the file hold one line, *",
        code="overlay.gitignore",
    )
