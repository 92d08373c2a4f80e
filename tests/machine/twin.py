"""A world of which all but the catalog's file is in memory, opened once: steps of it take a millisecond or less.

The engine, the kinds and the catalog are the product's; files, registry, tmux, processes and time are the twins that
share their contract suites with the real ones. Sources are compiled once per text.
"""

from reconciler.app import apply as use_cases
from reconciler.app.desired import Desired, load
from reconciler.app.lock import take
from reconciler.app.request import PlanFlags, RunFlags, Source
from reconciler.app.session import Session, open_session
from reconciler.engine.plan import Planned
from reconciler.model.outcome import Report
from reconciler.ports.bundle import Ports, Reader
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Fault, Kind, Watch
from reconciler.testing.files import FakeFiles
from reconciler.testing.registry import FakeRegistry
from reconciler.testing.tmux import FakeSession
from reconciler.testing.world import OnPoint

RUN = RunFlags(yes=True, parallelism=2)


class Twin(FakeWorld):
    """`apply` and `plan` are what `houmao apply` and `plan` do between loading and telling.

    `on_disk` has its files and records on disk like any fake world: gateways look there.
    """

    def __init__(self, *, on_disk: bool = False) -> None:
        super().__init__()
        self._on_disk = on_disk
        self.files = FakeFiles()
        self.memory = FakeRegistry(str(self.registry), self.clock)
        self.initialised()
        self.held = self.ports(self.settings)
        self.session: Session = open_session(self.flags)
        self._compiled: dict[str, Desired] = {}
        self.file = f"{self.root}/source/fleet.yaml"

    def look(self) -> Reader:
        return self.held.reader()

    def desired(self, text: str) -> Desired:
        """What a text declares."""
        found = self._compiled.get(text)
        if found is None:
            self.put("fleet.yaml", text)
            found = self._compiled[text] = load(self.session, Source((self.file,)), PlanFlags())
        return found

    def put(self, name: str, text: str) -> None:
        """A file of the source."""
        if self._on_disk:
            self.given_file(name, text)
        else:
            self.files.put(f"{self.source}/{name}", text)

    def plan(self, text: str, **flags: object) -> Planned:
        """What an apply would do."""
        return use_cases.plan_of(self.desired(text), PlanFlags(**flags), self.held.reader())  # type: ignore[arg-type]

    def apply(
        self,
        text: str,
        fault: Fault | None = None,
        write_fault: tuple[int, str, Kind] | None = None,
        on_point: OnPoint | None = None,
        **flags: object,
    ) -> Report:
        """Plan, and run what there is to run under a lock and a token of its own; a fault may end it anywhere."""
        desired = self.desired(text)
        watch = Watch(fault, write_fault=write_fault, on_hang=self.clock.advance, on_point=on_point)
        ports = watch.over(self.held)
        writer = take(ports, purpose="apply", wait_s=0.0, emit=lambda kind, fields: None)
        try:
            planned = use_cases.plan_of(desired, PlanFlags(**flags), ports.reader())  # type: ignore[arg-type]
            how = RUN._replace(probe=watch.probe)
            return use_cases.run_plan(planned, self.session, desired, ports, writer, how, lambda kind, fields: None)
        finally:
            writer.release()

    def agent(self, name: str) -> FakeSession | None:
        """The session of an instance, if it has one."""
        uid = next((row.uid for ref, row in self.rows.items() if ref == f"Instance/{name}"), None)
        found = (each for each in self.tmux.sessions.values() if each.options.get("@houmao_uid") == uid)
        return next(found, None) if uid else None

    def _twin(self, ports: Ports) -> Ports:
        ports = super()._twin(ports)
        return ports if self._on_disk else ports._replace(files=self.files, registry=self.memory)

    def close(self) -> None:
        self.held.catalog.close()
        super().close()
