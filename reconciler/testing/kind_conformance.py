"""What every kind must hold, for tests to subclass: give a handler and a fleet that declares the kind, get the tests.

class TestKite(KindConformance):
    kind = "Kite"

    def arrange(self, world: FakeWorld) -> None:
        world.given("kind: Kite\nmetadata: {name: red}\nspec: {}")
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.app.desired import load, options
from reconciler.app.request import PlanFlags, Source
from reconciler.app.session import open_session
from reconciler.engine import plan as planning
from reconciler.engine.flight import fault_points
from reconciler.engine.handler import Absent, Handlers, KindHandler, Present, Target, Unknown
from reconciler.engine.observe import observe
from reconciler.model.field import Change, ListKind
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld


class KindConformance(ABC):
    """The published suite for one kind."""

    kind: str

    @abstractmethod
    def arrange(self, world: FakeWorld) -> None:
        """Declare at least one resource of the kind, with all it needs."""

    @contextmanager
    def world(self) -> Iterator[FakeWorld]:
        """A world in which it is declared."""
        with FakeWorld() as found:
            self.arrange(found)
            yield found

    def handlers(self, world: FakeWorld) -> Handlers:
        """Every kind there is."""
        return open_session(world.flags).handlers

    def handler(self, world: FakeWorld) -> KindHandler:
        """The kind under test."""
        return self.handlers(world)[self.kind]

    def planned(self, world: FakeWorld) -> planning.Planned:
        """A plan of what is declared, with its cases."""
        wanted = PlanFlags()
        desired = load(open_session(world.flags), Source((str(world.source),)), wanted)
        reader = desired.session.reader
        snapshot = observe(desired.declared, desired.apply_set, desired.session.handlers, reader)
        return planning.make(desired.declared, snapshot, desired.session.handlers, options(desired, wanted, reader))

    def test_it_has_the_four_members_and_knows_its_name(self) -> None:
        """`schema`, `observe`, `plan`, `steps`, and nothing has to be inherited."""
        with self.world() as world:
            handler = self.handler(world)
            assert handler.kind == self.kind == handler.schema.kind
            assert all(callable(getattr(handler, name)) for name in ("observe", "plan", "steps"))

    def test_each_field_has_its_facts(self) -> None:
        """Change class, sensitive bit, and how a list is compared (R-MOD-10)."""
        with self.world() as world:
            for path, field in self.handler(world).schema.shape.items():
                assert field.path == path
                assert isinstance(field.change, Change)
                assert isinstance(field.sensitive, bool)
                assert (field.merge_key is not None) == (field.list_kind is ListKind.KEYED), path

    def test_it_answers_for_every_target_and_makes_nothing_up(self) -> None:
        """One answer each, also for names that nobody declared or recorded: absent, never present (R-OBS-2)."""
        with self.world() as world:
            stranger = Target(Ref(self.kind, "nobody-declared-this"), None, None, None, None)
            (seen,) = self.handler(world).observe([stranger], world.look()).values()
            assert isinstance(seen, Absent | Unknown)
            assert self.handler(world).observe([], world.look()) == {}

    def test_planning_is_pure(self) -> None:
        """The same case gives the same actions, each with a reason: a code and a sentence (R-ACT-1, R-ACT-3)."""
        with self.world() as world:
            before = world.bytes() if world.overlay.exists() else {}
            made = self.planned(world)
            cases = [case for case in made.cases.values() if case.ref.kind == self.kind]
            assert cases, f"the fleet declares no {self.kind}"
            for case in cases:
                actions = self.handler(world).plan(case, made.view)
                assert tuple(actions) == tuple(self.handler(world).plan(case, made.view))
                assert actions, f"{case.ref} is not there, and nothing is planned"
                for action in actions:
                    assert action.reasons
                    assert all(reason.code and reason.text for reason in action.reasons)
            assert (world.bytes() if world.overlay.exists() else {}) == before

    def test_each_step_is_a_fault_point_of_its_own(self) -> None:
        """Names are unique in an action; a step either runs or asks."""
        with self.world() as world:
            made = self.planned(world)
            for action in made.plan.running:
                if action.ref.kind != self.kind:
                    continue
                steps = self.handler(world).steps(action, made.cases[action.ref], made.view)
                points = fault_points(action, steps)
                assert len(set(points)) == len(points)
                for step in steps:
                    assert (step.run is None) == (step.batch is not None and step.ask is not None), step.name

    def test_once_applied_it_is_seen_and_in_sync(self) -> None:
        """Every write is inside a step, facts have the shape of the spec, and a second plan is empty (I4, R-TST-2)."""
        with self.world() as world:
            applied = world.when_applied()
            assert applied.settled, [str(outcome.fault) for outcome in applied.report.outcomes]
            after = self.planned(world)
            assert (list(after.plan.actions), list(after.plan.notices)) == ([], [])
            mine = [case for case in after.cases.values() if case.ref.kind == self.kind]
            for case in mine:
                assert isinstance(case.seen, Present), case.seen
                assert case.row is not None
                if case.seen.complete and case.want is not None:
                    assert case.seen.facts == case.want.spec
