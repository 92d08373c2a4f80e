"""A fleet, everything that may happen to it in any order, and what must come of it: drawn by a seed, step by step.

After each run that a fault ended the invariants hold; after each clean one the fleet is as declared and the next plan
is empty. A failure names the seed, the step, and the words of every step before it.
"""

from collections import Counter
from collections.abc import Callable
from random import Random

from reconciler.model.errors import ReconcilerError
from reconciler.model.ref import Uid
from reconciler.ports.catalog import InventoryRow, Lease, Override
from reconciler.testing.faults import Crashed, Fault, Kind
from reconciler.testing.invariants import check_invariants
from tests.machine.twin import Twin

NAMES = ("alice", "bob", "carol")
FOREIGN = "HOUMAO-alice-1"
ALWAYS = ("coder", "tester", "crew")
"""Declared from the first step to the last."""
PRUNE: dict[str, object] = {
    "prune": True,
    "prune_limit": 20,
    "allow_kind_removal": ("Instance", "InstanceSet", "Specialist"),
}
HEADER = "apiVersion: houmao/v1alpha1\n"
VERBS = {
    "create/Instance": ("end-survivor", "write-home", "write-manifest", "start-session", "publish-record"),
    "relaunch/Instance": ("ask-quit", "wait-quit", "kill-session", "end-process", "write-home", "write-manifest",
                          "start-session", "publish-record"),
    "stop/Instance": ("ask-quit", "wait-quit", "kill-session", "end-process", "see-gone", "record-stopped"),
    "remove/Instance": ("ask-quit", "wait-quit", "kill-session", "end-process", "see-gone", "drop-record"),
    "update/Instance": ("publish-record",),
    "update/Specialist": ("write-content", "write-projection"),
}  # fmt: skip
POINTS = tuple(f"{verb}:{step}" for verb, steps in VERBS.items() for step in ("intent", *steps, "settled"))


class Broken(AssertionError):
    """Something does not hold, and how to come there again."""


class Machine:
    """One life of a fleet. `run` takes so many steps of it."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self.draw = Random(seed)
        self.twin = Twin()
        self.twin.stubborn = {"bob"}
        self.twin.tmux.foreign(FOREIGN)
        self.agents: dict[str, str] = {}
        self.members = 0
        self.prompts = {"coder": 0, "tester": 0}
        self.held: dict[str, str] = {}
        """Names that are held stopped, with the uid this was said of: who comes anew under the name is not."""
        self.uids: dict[str, str] = {}
        self.said: list[str] = []
        self.counts: Counter[str] = Counter()
        deeds = (
            self.declare, self.declare, self.declare, self.take_back, self.scale, self.edit_a_prompt,
            self.end_a_session, self.end_a_session, self.end_a_process, self.end_a_process, self.damage_a_record,
            self.damage_a_record, self.rename_a_session, self.remove_a_home, self.set_the_clock, self.pass_time,
            self.kill_the_server, self.start_the_host_again, self.write_beside, self.hold_stopped, self.let_go,
        )  # fmt: skip
        self._deeds: tuple[Callable[[], object], ...] = deeds

    def run(self, steps: int) -> None:
        """So many steps, and a clean apply."""
        for _ in range(steps):
            chance = self.draw.random()
            step = self.apply if chance < 0.02 else self.disturb if chance < 0.06 else self.draw.choice(self._deeds)
            self.take(step)
        self.take(self.apply)

    def take(self, step: Callable[[], object]) -> None:
        """One step, by its name."""
        self.counts[step.__name__] += 1
        self.said.append(step.__name__)
        try:
            step()
        except Exception as error:
            told = ", ".join(self.said[-60:])
            raise Broken(
                f"MACHINE_SEED={self.seed} step {len(self.said)}: {error!r}; the steps before: {told}"
            ) from error

    def close(self) -> None:
        self.twin.close()

    # What is declared

    @property
    def text(self) -> str:
        """The fleet as it is declared now."""
        documents = [
            f"kind: Specialist\nmetadata: {{name: {who}}}\nspec: {{provider: echo, prompt: You are {who} {count}.}}"
            for who, count in self.prompts.items()
        ]
        documents += [
            f"kind: Instance\nmetadata: {{name: {name}}}\nspec: {{{spec}}}"
            for name, spec in sorted(self.agents.items())
        ]
        template = "template: {specialistRef: tester}"
        documents.append(f"kind: InstanceSet\nmetadata: {{name: crew}}\nspec: {{replicas: {self.members}, {template}}}")
        return "\n---\n".join(HEADER + document for document in documents) + "\n"

    @property
    def wanted(self) -> set[str]:
        """Who must run."""
        uids = {row.ref.name: row.uid for row in self._rows()}
        held = {name for name, uid in self.held.items() if uids.get(name) == uid}
        running = {name for name, spec in self.agents.items() if "Stopped" not in spec and name not in held}
        return running | {f"crew-{number}" for number in range(self.members)}

    def declare(self) -> None:
        who, stopped = self.draw.choice(("coder", "tester")), self.draw.random() < 0.25
        self.agents[self.draw.choice(NAMES)] = f"specialistRef: {who}" + (", state: Stopped" if stopped else "")

    def take_back(self) -> None:
        self.agents.pop(self.draw.choice(NAMES), None)

    def scale(self) -> None:
        self.members = self.draw.randint(0, 2)

    def edit_a_prompt(self) -> None:
        self.prompts[self.draw.choice(("coder", "tester"))] = self.draw.randint(0, 3)

    # What happens

    def _ours(self) -> str:
        """The name of a session of ours, or of none."""
        names = [one.name for one in self.twin.tmux.sessions.values() if one.options.get("@houmao_uid")]
        return self.draw.choice(names) if names else ""

    def end_a_session(self) -> None:
        if name := self._ours():
            self.twin.tmux.kill_session(name)

    def end_a_process(self) -> None:
        session = self.twin.tmux.named(self._ours())
        if session is not None and not session.panes[0].dead:
            self.twin.process.exit(session.panes[0].pid)
            self.twin.tmux.exit(session.panes[0].pane_id, "signal 9")

    def rename_a_session(self) -> None:
        session = self.twin.tmux.named(self._ours())
        if session is not None:
            session.name = f"by-hand-{len(self.said)}"

    def damage_a_record(self) -> None:
        agents = sorted(self.twin.memory.scan().records)
        if not agents:
            return
        agent, how = self.draw.choice(agents), self.draw.randrange(3)
        if how == 0:
            self.twin.memory.drop(agent)
        elif how == 1:
            self.twin.memory.put(agent, (self.twin.memory.text(agent) or "")[:40])
        else:
            self.twin.memory.put(agent, (self.twin.memory.text(agent) or "").replace('"tmux"', '"xmut"'))

    def remove_a_home(self) -> None:
        homes = sorted(row.live["home"] for row in self.twin.rows.values() if row.live.get("home"))
        if homes:
            self.twin.files.remove(self.draw.choice(homes))

    def set_the_clock(self) -> None:
        self.twin.clock.step(self.draw.randint(-100_000, 100_000))

    def pass_time(self) -> None:
        self.twin.clock.advance(self.draw.uniform(0, 100))

    def kill_the_server(self) -> None:
        if self.draw.random() < 0.3:
            self.twin.kill_server()
            self.twin.tmux.foreign(FOREIGN)

    def start_the_host_again(self) -> None:
        if self.draw.random() < 0.3:
            self.twin.reboot()
            self.twin.tmux.foreign(FOREIGN)

    def write_beside(self) -> None:
        """Another writer took the token and did nothing with it."""
        now = self.twin.clock.now_utc().isoformat()
        self.twin.held.catalog.acquire(Lease(0, "somebody", 7, 7, "boot", "apply", now))

    # What is held by hand

    def hold_stopped(self) -> None:
        """`houmao stop NAME --override`, recorded and not yet carried out."""
        rows = {row.ref.name: row for row in self._rows() if row.owner is None}
        names = [name for name in sorted(self.agents) if name in rows]
        if names and self.draw.random() < 0.3:
            name = self.draw.choice(names)
            lease = self.twin.held.catalog.lease()
            with self.twin.held.catalog.transaction(lease.token if lease else 0) as tx:
                tx.put_override(
                    Override(rows[name].uid, "spec.state", "Stopped", "ann", "9999-01-01T00:00:00+00:00", "Running")
                )
            self.held[name] = rows[name].uid

    def let_go(self) -> None:
        """`houmao release`, the same."""
        if self.held:
            uid = self.held.pop(self.draw.choice(sorted(self.held)))
            lease = self.twin.held.catalog.lease()
            with self.twin.held.catalog.transaction(lease.token if lease else 0) as tx:
                tx.drop_override(Uid(uid), "spec.state")

    def _rows(self) -> list[InventoryRow]:
        return [row for row in self.twin.held.catalog.inventory() if row.ref.kind == "Instance"]

    # What is done about it

    def disturb(self) -> None:
        """An apply that a fault ends, or that tmux does not answer, or whose disk is full."""
        way = self.draw.randrange(5)
        fault: Fault | None = None
        write: tuple[int, str, Kind] | None = None
        before = set(self.twin.tmux.sessions)
        if way == 0:
            self.twin.tmux.unanswered = "no answer within 5 s"
        elif way == 1:
            self.twin.files.full_at = self.draw.randint(1, 12)
        elif way == 2:
            write = (self.draw.randint(1, 25), self.draw.choice(("before", "after")), Kind.CRASH)
        else:
            point, phase = self.draw.choice(POINTS), self.draw.choice(("before", "after"))
            ends = phase == "after" and point.endswith((":settled", ":intent"))
            fault = Fault(point, phase, Kind.CRASH if ends else self.draw.choice(list(Kind)))
        self.said[-1] += f" {fault or write or ('tmux', 'disk')[way]}"
        try:
            self.twin.apply(self.text, fault, write, **(PRUNE if self.draw.random() < 0.5 else {}))
        except (Crashed, ReconcilerError):
            pass
        finally:
            self.twin.tmux.unanswered = ""
            self.twin.files.full_at = 0
        if way == 0:
            assert set(self.twin.tmux.sessions) == before, "something was done to a tmux that does not answer"
        self._invariants()

    def apply(self) -> None:
        """Nothing is in the way: it is as declared then."""
        report = self.twin.apply(self.text, **PRUNE)
        bad = [str(one.fault or one.reason) for one in report.outcomes if one.result.value != "settled"]
        assert not bad, f"it did not settle: {bad}"
        plan = self.twin.plan(self.text, **PRUNE).plan
        assert not plan.running, f"the plan after it is not empty: {[str(action) for action in plan.running]}"
        assert self.twin.running == self.wanted, f"{self.twin.running} run, {self.wanted} are declared"
        assert len(self.twin.panes) == len(self.wanted) + 1, "a session too many"
        for name in self.wanted:
            assert len(self.twin.processes_of(name)) == 1, f"{name} has not one process"
        self._invariants()
        uids = {str(row.ref): row.uid for row in self.twin.held.catalog.inventory() if row.ref.name in ALWAYS}
        assert not self.uids or self.uids == uids, "what was declared all the time has another uid"
        self.uids = uids

    def _invariants(self) -> None:
        broken = check_invariants(self.twin, foreign=frozenset({FOREIGN}))
        assert not broken, broken
