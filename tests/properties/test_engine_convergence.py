"""Whatever people, crashes and tmux do in between, one clean apply converges and the next plan is empty (I1 to I9)."""

from functools import lru_cache

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reconciler.model.errors import ReconcilerError
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Crashed, Fault, Kind
from reconciler.testing.invariants import check_invariants
from tests.crash.scenarios import SCENARIOS

NAMES = ("alice", "bob", "carol")
PROMPT = "prompts/{}.md"
FOREIGN = "HOUMAO-alice-1"


@lru_cache(maxsize=1)
def fault_points() -> tuple[tuple[str, str], ...]:
    """Every point that some scenario of the crash suite passes, learnt once."""
    found: dict[tuple[str, str], None] = {}
    for scenario in SCENARIOS:
        if scenario.name.startswith(("create_with", "update_every", "remove_every", "heal_beside", "stop_what")):
            with FakeWorld() as world:
                scenario.arrange(world)
                found.update(dict.fromkeys(scenario.run(world).watch.points))
    return tuple(found)


class ConvergenceMachine(RuleBasedStateMachine):
    """Three agents of two specialists and a set, and everything that may happen to them."""

    def __init__(self) -> None:
        super().__init__()
        self.world = FakeWorld()
        self.world.initialised()
        self.world.stubborn = {"bob"}
        self.world.tmux.foreign(FOREIGN)
        self.agents: dict[str, str] = {}
        self.members = 0
        self.prompts = {"coder": 0, "tester": 0}
        self.uids: dict[str, str] = {}
        self.generations: dict[str, int] = {}
        self._write()

    def teardown(self) -> None:
        self.world.close()

    # What is declared.

    @rule(name=st.sampled_from(NAMES), who=st.sampled_from(("coder", "tester")), stopped=st.booleans())
    def declare(self, name: str, who: str, stopped: bool) -> None:
        self.agents[name] = f"specialistRef: {who}" + (", state: Stopped" if stopped else "")
        self._write()

    @rule(name=st.sampled_from(NAMES))
    def take_back(self, name: str) -> None:
        self.agents.pop(name, None)
        self._write()

    @rule(count=st.integers(0, 3))
    def scale(self, count: int) -> None:
        self.members = count
        self._write()

    @rule(who=st.sampled_from(("coder", "tester")))
    def edit_a_prompt(self, who: str) -> None:
        self.prompts[who] += 1
        self._write()

    @rule()
    def turn_the_files_round(self) -> None:
        self._write(backwards=True)

    # What goes wrong.

    @rule(data=st.data())
    def session_dies(self, data: st.DataObject) -> None:
        if names := sorted(self.world.running):
            self.world.kill_session_of(data.draw(st.sampled_from(names)))

    @rule(data=st.data())
    def process_dies(self, data: st.DataObject) -> None:
        if names := sorted(self.world.running):
            self.world.kill_process_of(data.draw(st.sampled_from(names)))

    @rule(data=st.data(), how=st.sampled_from(("edit", "corrupt", "remove")))
    def record_is_damaged(self, data: st.DataObject, how: str) -> None:
        names = sorted(name for name in self.world.running if self.world.record_of(name).exists())
        if names:
            damage = {
                "edit": self.world.edit_record_of,
                "corrupt": self.world.corrupt_record_of,
                "remove": self.world.remove_record_of,
            }
            damage[how](data.draw(st.sampled_from(names)))

    @rule()
    def server_dies(self) -> None:
        self.world.kill_server()
        self.world.tmux.foreign(FOREIGN)

    @rule()
    def host_starts_again(self) -> None:
        self.world.reboot()
        self.world.tmux.foreign(FOREIGN)

    @rule(seconds=st.integers(-100_000, 100_000))
    def clock_is_set(self, seconds: int) -> None:
        self.world.clock.step(seconds)

    @rule(
        point=st.deferred(lambda: st.sampled_from(fault_points())),
        kind=st.sampled_from(list(Kind)),
        prune=st.booleans(),
    )
    def apply_is_disturbed(self, point: tuple[str, str], kind: Kind, prune: bool) -> None:
        if kind is not Kind.CRASH and point[1] == "after" and point[0].endswith((":settled", ":intent")):
            kind = Kind.CRASH
        try:
            self.world.when_applied(fault=Fault(*point, kind), **self._flags(prune))
        except (Crashed, ReconcilerError):
            pass

    @rule(nth=st.integers(1, 40), phase=st.sampled_from(("before", "after")))
    def apply_dies_at_a_write(self, nth: int, phase: str) -> None:
        try:
            self.world.when_applied(write_fault=(nth, phase, Kind.CRASH), **self._flags(True))
        except (Crashed, ReconcilerError):
            pass

    @rule(prune=st.booleans())
    def tmux_is_silent_for_a_run(self, prune: bool) -> None:
        before = dict(self.world.tmux.sessions)
        self.world.tmux.unanswered = "no answer within 5 s"
        self.world.when_applied(**self._flags(prune))
        self.world.tmux.unanswered = ""
        assert self.world.tmux.sessions == before

    # What must come of it.

    @rule()
    def apply_converges(self) -> None:
        report = self.world.when_applied(**self._flags(True))

        assert report.settled, [str(outcome.fault or outcome.reason) for outcome in report.report.outcomes]
        plan = self.world.when_planned(prune=True)
        assert (plan.lines, plan.notices) == ([], [])
        wanted = {name for name, spec in self.agents.items() if "Stopped" not in spec}
        wanted |= {f"crew-{number}" for number in range(self.members)}
        assert self.world.running == wanted
        assert len(self.world.panes) == len(wanted) + 1
        assert all(len(self.world.processes_of(name)) == 1 for name in wanted)
        self._remember()

    @precondition(lambda self: self.agents or self.members)
    @rule()
    def a_second_apply_writes_nothing(self) -> None:
        self.world.when_applied(**self._flags(True))
        before = self.world.bytes()
        assert self.world.when_applied(**self._flags(True)).lines == []
        assert self.world.bytes() == before

    @invariant()
    def invariants_hold(self) -> None:
        assert check_invariants(self.world, foreign=frozenset({FOREIGN})) == []

    def _remember(self) -> None:
        """A uid is kept for as long as its resource is; a generation never falls (I8)."""
        rows = self.world.rows
        for ref, row in rows.items():
            if self.uids.get(ref) == row.uid:
                assert row.generation >= self.generations[ref]
        self.uids = {ref: row.uid for ref, row in rows.items()}
        self.generations = {ref: row.generation for ref, row in rows.items()}

    def _flags(self, prune: bool) -> dict[str, object]:
        return {
            "prune": prune,
            "prune_limit": 20,
            "allow_kind_removal": ("Instance", "InstanceSet", "Specialist"),
            "parallelism": 2,
        }

    def _write(self, *, backwards: bool = False) -> None:
        for who, count in self.prompts.items():
            self.world.given_file(PROMPT.format(who), f"You are {who}, {count}.\n")
        documents = [
            f"kind: Specialist\nmetadata: {{name: {who}}}\nspec: {{provider: echo, promptFile: prompts/{who}.md}}"
            for who in self.prompts
        ]
        documents += [
            f"kind: Instance\nmetadata: {{name: {name}}}\nspec: {{{spec}}}"
            for name, spec in sorted(self.agents.items())
        ]
        template = "template: {specialistRef: tester}"
        documents.append(f"kind: InstanceSet\nmetadata: {{name: crew}}\nspec: {{replicas: {self.members}, {template}}}")
        self.world.given("\n---\n".join(reversed(documents) if backwards else documents))


ConvergenceMachine.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestConvergence = ConvergenceMachine.TestCase
