"""A world to tell stories in: YAML in, plan lines and running agents out.

`World` is one overlay with its source, registry, tmux and processes. Of its two drivers `fake_world` has tmux,
processes and the clock in memory and all else for real (SQLite and files in a directory of its own), and `real_world`
has a private tmux server with real processes of the `echo` provider. Both run the use cases of the product.
"""

import json
import os
import re
import shutil
import signal as signals
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from weakref import WeakSet

from reconciler.app import apply as use_cases
from reconciler.app import apply_file, overlay, wiring
from reconciler.app import change as changes
from reconciler.app import plan as plans
from reconciler.app import settings as settings_
from reconciler.app.ask import Ask, Said
from reconciler.app.request import PlanFlags, RunFlags, Source
from reconciler.app.session import Flags
from reconciler.app.settings import Settings
from reconciler.model.json import JsonMap
from reconciler.model.ref import Ref
from reconciler.ports.bundle import Ports, Reader
from reconciler.ports.catalog import CatalogReader, InventoryRow
from reconciler.ports.process import ProcessFacts
from reconciler.ports.tmux import Listing, Pane
from reconciler.testing.faults import Fault, Kind, Watch
from reconciler.testing.told import Applied, Asked, Foreseen

OnPoint = Callable[[str, str, Ref], None]
HEADER = "apiVersion: houmao/v1alpha1\n"


class Variables:
    """The caller's environment, as a value of the test."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)
        self.root = False

    def get(self, name: str) -> str | None:
        """One variable, or None."""
        return self.values.get(name)


class World(ABC):
    """One overlay and all around it. Also what the use cases take as their world (`app.wiring.World`)."""

    tmux_socket: str | None = None

    def __init__(self, root: Path) -> None:
        self.root = root
        self.source = root / "source"
        self.overlay = root / ".houmao"
        self.registry = root / "registry"
        self.source.mkdir(parents=True, exist_ok=True)
        (root / "home").mkdir(exist_ok=True)
        self.environ = Variables(
            {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(root / "home"), "USER": "tester"}
        )
        self.watch: Watch | None = None
        self._catalogs: WeakSet[CatalogReader] = WeakSet()

    # What is declared

    def given(self, yaml: str, name: str = "fleet.yaml") -> None:
        """Declare: the file's whole text. `apiVersion` is added to documents that leave it out."""
        documents = textwrap.dedent(yaml).strip("\n").split("\n---\n")
        whole = [text if re.search("^apiVersion:", text, re.MULTILINE) else HEADER + text for text in documents]
        self.given_file(name, "\n---\n".join(whole) + "\n")

    def given_file(self, name: str, text: str | bytes) -> Path:
        """A file of the source."""
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def forget_file(self, name: str) -> None:
        """Take a file out of the source."""
        (self.source / name).unlink()

    # What is done

    def when_applied(
        self,
        *,
        fault: Fault | None = None,
        write_fault: tuple[int, str, Kind] | None = None,
        source: Path | None = None,
        on_point: OnPoint | None = None,
        **flags: object,
    ) -> Applied:
        """`houmao apply -f source --yes`, with flags by the names of PlanFlags and RunFlags."""
        watch = self._life(fault, write_fault, on_point)
        events: list[tuple[str, JsonMap]] = []
        wanted, how = _split(flags)
        with self._living(watch):
            report = use_cases.apply(
                self.flags,
                Source((str(source or self.source),)),
                wanted,
                how._replace(probe=watch.probe),
                confirm=lambda plan: True,
                shown=lambda plan: None,
                emit=lambda kind, fields: events.append((kind, fields)),
            )
        return Applied(report, watch, tuple(events))

    def when_planned(self, *, source: Path | None = None, **flags: object) -> Foreseen:
        """`houmao plan -f source`; a write to anything fails the test."""
        with self._living(self._life(None, None, None)):
            return Foreseen(plans.plan(self.flags, Source((str(source or self.source),)), _split(flags)[0]))

    def when_saved(
        self, path: Path, *, valid_s: float | None = None, source: Path | None = None, **flags: object
    ) -> Foreseen:
        """`houmao plan -f source -o path`."""
        with self._living(self._life(None, None, None)):
            where = Source((str(source or self.source),))
            return Foreseen(plans.save(self.flags, where, _split(flags)[0], str(path), valid_s))

    def when_applied_from(
        self, path: Path, *, source: Path | None = None, fault: Fault | None = None, **flags: object
    ) -> Applied:
        """`houmao apply path`, with `-f source` where one is given."""
        watch = self._life(fault, None, None)
        with self._living(watch):
            report = apply_file.apply_file(
                self.flags,
                str(path),
                Source((str(source),)) if source else None,
                _split(flags)[1]._replace(probe=watch.probe),
                confirm=lambda plan: False,
                shown=lambda plan: None,
                emit=lambda kind, fields: None,
            )
        return Applied(report, watch)

    def when_deleted(
        self,
        *refs: str,
        cascade: str = "no",
        force_destroy: tuple[str, ...] = (),
        override_s: float | None = 3600.0,
        fault: Fault | None = None,
        **flags: object,
    ) -> Applied:
        """`houmao delete REF... --yes --override`; without a time what is declared is refused."""
        watch = self._life(fault, None, None)
        with self._living(watch):
            report = use_cases.delete(
                self.flags,
                refs,
                None,
                cascade=cascade,
                force_destroy=force_destroy,
                selector="",
                override_s=override_s,
                how=_split(flags)[1]._replace(probe=watch.probe),
                confirm=lambda plan: True,
                shown=lambda plan: None,
                emit=lambda kind, fields: None,
            )
        return Applied(report, watch)

    def when_asked(
        self,
        ask: Ask,
        *,
        fault: Fault | None = None,
        write_fault: tuple[int, str, Kind] | None = None,
        **flags: object,
    ) -> Asked:
        """An imperative verb, with `--yes`."""
        watch = self._life(fault, write_fault, None)
        said: list[Said] = []
        with self._living(watch):
            report = changes.change(
                self.flags,
                ask,
                _split(flags)[1]._replace(probe=watch.probe),
                tell=said.append,
                confirm=lambda plan: True,
                shown=lambda plan: None,
                emit=lambda kind, fields: None,
            )
        return Asked(Applied(report, watch), said[-1])

    def until_ready(self) -> None:
        """Let every agent come to its prompt: what it writes into its home by then is written."""
        return None

    def initialised(self) -> None:
        """`houmao project init`."""
        overlay.create(self.settings, self)

    # What people and programs do behind its back

    @abstractmethod
    def kill_session_of(self, name: str) -> None:
        """`tmux kill-session` on the agent of an instance."""

    @abstractmethod
    def kill_process_of(self, name: str, signal: int = signals.SIGKILL) -> None:
        """A signal to the provider's process of an instance."""

    @abstractmethod
    def kill_server(self) -> None:
        """The tmux server ends."""

    def record_of(self, name: str) -> Path:
        """Where the registry keeps the record of an instance."""
        return self.registry / "live_agents" / self.rows[f"Instance/{name}"].live["agent_id"] / "record.json"

    @abstractmethod
    def foreign_session(self, name: str, uid: str = "") -> None:
        """A session that somebody else made, perhaps with a uid of ours on it."""

    def edit_record_of(self, name: str, **changes: object) -> None:
        """Somebody edits the registry record of an instance."""
        path = self.record_of(name)
        try:
            body = json.loads(path.read_text())
        except ValueError:
            body = {}
        body.update(changes or {"agent_name": "somebody-else"})
        path.write_text(json.dumps(body))

    def corrupt_record_of(self, name: str) -> None:
        """Half a record."""
        path = self.record_of(name)
        path.write_bytes(path.read_bytes()[:40])

    def remove_record_of(self, name: str) -> None:
        """Somebody deletes the registry record of an instance."""
        shutil.rmtree(self.record_of(name).parent)

    # What is there

    @property
    def rows(self) -> dict[str, InventoryRow]:
        """The inventory, by ref."""
        return {str(row.ref): row for row in self.look().catalog.inventory()}

    @property
    def uids(self) -> dict[str, str]:
        """Uid of each declared resource and member, by ref; derived rows left out."""
        return {ref: row.uid for ref, row in self.rows.items() if not ref.startswith(("Role/", "Recipe/"))}

    @property
    def panes(self) -> tuple[Pane, ...]:
        """Every pane of the tmux server."""
        listing = self.look().tmux.listing()
        assert isinstance(listing, Listing), listing
        return listing.panes

    @property
    def sessions(self) -> dict[str, str]:
        """Session name to instance, or to nothing where it is not ours."""
        by_uid: dict[str, str] = {row.uid: row.ref.name for row in self.rows.values() if row.ref.kind == "Instance"}
        return {pane.session_name: by_uid.get(pane.uid, "") for pane in self.panes}

    def session_of(self, name: str) -> Pane:
        """The agent's pane of an instance."""
        uid = self.rows[f"Instance/{name}"].uid
        found = [pane for pane in self.panes if pane.uid == uid and pane.role == "agent"]
        assert len(found) == 1, f"{name} has {len(found)} agent panes"
        return found[0]

    def processes_of(self, name: str) -> tuple[ProcessFacts, ...]:
        """Every live process that carries the uid of an instance."""
        uid = self.rows[f"Instance/{name}"].uid
        found = self.look().process.bearing([uid])
        assert isinstance(found, Mapping), found
        return found[uid]

    @property
    def running(self) -> set[str]:
        """Instances with a session whose process lives."""
        by_uid: dict[str, str] = {row.uid: row.ref.name for row in self.rows.values() if row.ref.kind == "Instance"}
        panes = [pane for pane in self.panes if pane.role == "agent" and not pane.dead and pane.uid in by_uid]
        facts = self.look().process.facts([pane.pid for pane in panes])
        return {
            by_uid[pane.uid]
            for pane in panes
            if isinstance(found := facts[pane.pid], ProcessFacts) and not found.exited
        }

    def home_of(self, name: str) -> Path:
        """The runtime home of an instance."""
        return Path(self.rows[f"Instance/{name}"].live["home"])

    def bytes(self) -> dict[str, tuple[int, int, int, bytes]]:
        """Every file and directory of overlay, registry and source: mode, mtime, inode and bytes.

        SQLite's `-wal` and `-shm` come and go with whoever looks, and with them the mtime of the directory they are in.
        """
        found: dict[str, tuple[int, int, int, bytes]] = {}
        for top in (self.overlay, self.registry, self.source):
            for path in sorted([top, *top.rglob("*")]):
                if path.name.endswith(("-wal", "-shm")) or not os.path.lexists(path):
                    continue
                stat = path.lstat()
                data = os.readlink(path).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
                changed = 0 if path == self.overlay else stat.st_mtime_ns
                found[str(path.relative_to(self.root))] = (stat.st_mode, changed, stat.st_ino, data)
        return found

    # Ports

    @property
    def flags(self) -> Flags:
        """What each use case is told."""
        return Flags(project_dir=str(self.root), tmux_socket=self.tmux_socket, world=self)

    @property
    def settings(self) -> Settings:
        """Where this world is."""
        return settings_.find(project_dir=str(self.root), tmux_socket=self.tmux_socket)

    def look(self) -> Reader:
        """The reading ports, unwatched."""
        return self._reader(self.settings)

    def reader(self, settings: Settings) -> Reader:
        """For a use case."""
        return self._reader(settings)

    def ports(self, settings: Settings) -> Ports:
        """For a use case; watched while one is under way."""
        found = self._twin(wiring.System().ports(self._here(settings)))
        return self.watch.over(found) if self.watch is not None else found

    def bare(self, settings: Settings) -> Ports:
        """For an overlay that is being created."""
        return self._twin(wiring.System().bare(self._here(settings)))

    def _reader(self, settings: Settings) -> Reader:
        found = wiring.System().reader(self._here(settings))
        return Reader(*self._twin(Ports(*found)))  # type: ignore[arg-type]  # the reading half, for a moment under the other name

    def _here(self, settings: Settings) -> Settings:
        """No directory of the machine: all roots inside this world."""
        return settings._replace(
            registry=str(self.registry),
            runtime=str(self.overlay / "runtime"),
            mailbox=str(self.overlay / "mailbox"),
            agents=str(self.overlay / "agents"),
        )

    def let_go(self) -> None:
        """Close every catalog that somebody looked into: each opens again when it is asked."""
        for catalog in list(self._catalogs):
            catalog.close()

    def _twin(self, ports: Ports) -> Ports:
        """Put the world's own ports in place of the system's."""
        self._catalogs.add(ports.catalog)
        return ports._replace(environ=self.environ)

    def _life(
        self,
        fault: Fault | None,
        write_fault: tuple[int, str, Kind] | None,
        on_point: OnPoint | None,
    ) -> Watch:
        return Watch(fault, write_fault=write_fault, on_hang=self.pass_time, on_point=on_point)

    def pass_time(self, seconds: float) -> None:
        """Time passes, where that can be arranged; elsewhere nobody waits for it."""
        del seconds

    @contextmanager
    def _living(self, watch: Watch) -> Iterator[None]:
        self.watch = watch
        try:
            yield
        finally:
            self.watch = None

    def close(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def _split(flags: Mapping[str, object]) -> tuple[PlanFlags, RunFlags]:
    """Flags by name, for planning and for running."""
    unknown = flags.keys() - {*PlanFlags._fields, *RunFlags._fields}
    if unknown:
        raise TypeError(f"no such flag: {', '.join(sorted(unknown))}")
    plan: dict[str, Any] = {name: value for name, value in flags.items() if name in PlanFlags._fields}
    run: dict[str, Any] = {"yes": True, **{name: value for name, value in flags.items() if name in RunFlags._fields}}
    return PlanFlags(**plan), RunFlags(**run)
