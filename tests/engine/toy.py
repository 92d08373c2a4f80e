"""A kind so small that only the engine is left to test: a thing is there or not, and steps do what a test says."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from reconciler.engine import plan as planning
from reconciler.engine.handler import Absent, Batch, Case, Context, Lookup, Present, Seen, Step, Target
from reconciler.engine.observe import Snapshot, observe
from reconciler.engine.orders import Orders
from reconciler.engine.run import Runner
from reconciler.model.action import Action, Code, Reason, Verb
from reconciler.model.field import Shape
from reconciler.model.json import JsonMap, digest
from reconciler.model.outcome import Outcome
from reconciler.model.ref import Ref
from reconciler.model.resource import Edge, Resource
from reconciler.ports.bundle import Ports, Reader
from reconciler.ports.catalog import Lease
from reconciler.testing.fake_world import FakeWorld

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class ToySchema(NamedTuple):
    kind: str
    shape: Shape


class ToyKind:
    """`made` is its world; `step_of` gives the steps of a ref, by default one that makes it."""

    def __init__(self, kind: str = "Toy") -> None:
        self.kind = kind
        self.made: set[str] = set()
        self.order: list[str] = []
        self.step_of: Callable[[str], Sequence[Step]] = lambda name: (Step("make", run=self.make),)

    @property
    def schema(self) -> ToySchema:
        return ToySchema(self.kind, {})

    def make(self, ports: Ports, context: Context) -> None:
        self.order.append(context.case.ref.name)
        self.made.add(context.case.ref.name)

    def observe(self, targets: Sequence[Target], ports: Reader) -> Mapping[Ref, Seen]:
        return {
            target.ref: Present({}, {}) if target.ref.name in self.made else Absent("nobody made it")
            for target in targets
        }

    def plan(self, case: Case, look: Lookup) -> Sequence[Action]:
        if isinstance(case.seen, Present) and case.row is not None:
            return ()
        return (Action(Verb.CREATE, case.ref, case.uid, (Reason(Code.NEW, "declared, not made yet"),)),)

    def steps(self, action: Action, case: Case, look: Lookup) -> Sequence[Step]:
        return self.step_of(case.ref.name)


def toys(edges: Mapping[str, Sequence[str]], kind: str = "Toy") -> dict[Ref, Resource]:
    """Declared toys, each with the names it refers to."""
    return {
        Ref(kind, name): Resource(
            Ref(kind, name),
            {"name": name},
            digest({"name": name}),
            edges=tuple(Edge("spec.to", Ref(kind, to)) for to in needs),
        )
        for name, needs in edges.items()
    }


def options(**changes: object) -> planning.Options:
    made = planning.Options("default", "/source", NOW, "1", "overlay")
    return made._replace(**changes)  # type: ignore[arg-type]


def planned(
    declared: Mapping[Ref, Resource], handlers: Mapping[str, ToyKind], reader: Reader | None = None
) -> planning.Planned:
    """A plan over an empty catalog, or over that of `reader`."""
    if reader is None:
        return planning.make(declared, Snapshot({}, {}, {}, _seen(declared, handlers), 0), handlers, options())
    return planning.make(declared, observe(declared, "default", handlers, reader), handlers, options())


def _seen(declared: Mapping[Ref, Resource], handlers: Mapping[str, ToyKind]) -> dict[Ref, Seen]:
    return {ref: Absent("nobody made it") for ref in declared if ref.kind in handlers}


class Ran(NamedTuple):
    outcomes: Mapping[str, Outcome]
    runner: Runner
    events: list[tuple[str, JsonMap]]


def run(world: FakeWorld, declared: Mapping[Ref, Resource], kind: ToyKind, **orders: object) -> Ran:
    """Plan and run over the catalog of a fake world."""
    if not world.overlay.exists():
        world.initialised()
    ports = world.ports(world.settings)
    events: list[tuple[str, JsonMap]] = []
    try:
        token = ports.catalog.acquire(Lease(0, "tester", 1, 0, "boot", "test", NOW.isoformat()))
        given: dict[str, object] = {
            "guard": lambda: None,
            "source_root": "/source",
            "apply_set": "default",
            "emit": lambda name, fields: events.append((name, fields)),
            **orders,
        }
        runner = Runner(
            planned(declared, {kind.kind: kind}, ports.reader()),
            {kind.kind: kind},
            ports,
            Orders(f"run-{token}", token, **given),  # type: ignore[arg-type]
        )
        outcomes = runner.run()
        return Ran({outcome.action.ref.name: outcome for outcome in outcomes}, runner, events)
    finally:
        ports.catalog.close()


class Trips:
    """A port that takes requests in batches and keeps them."""

    def __init__(self, answer: Callable[[object], object] = lambda request: request) -> None:
        self.sent: list[list[object]] = []
        self._answer = answer
        self.batch = Batch("trips", self._send)

    def _send(self, ports: Ports, token: int, requests: Sequence[object]) -> Sequence[object]:
        self.sent.append(list(requests))
        return [self._answer(request) for request in requests]

    def step(self, took: Callable[[Ports, Context, object], None] | None = None) -> Step:
        """A step that asks for the name of its ref."""
        return Step("ask", batch=self.batch, ask=lambda ports, context: context.case.ref.name, took=took)
