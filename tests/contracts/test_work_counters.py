"""How much work each operation is, exactly (performance-budget §7): processes, trips to tmux, statements, files read.

Nothing here is timed. A number that becomes smaller is good news and is written down here; one that becomes larger, or
begins to grow with the fleet, is the cause of what the benchmarks would show later.
"""

import os
import subprocess
import sys
from ast import literal_eval
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest

from reconciler.app.agent_state import managed_state
from reconciler.app.agents import Agent, Selector, resolve
from reconciler.ports.bundle import Ports
from reconciler.testing.fake_world import FakeWorld
from tests.cli.conftest import Program

T = TypeVar("T")

SIZES = (1, 10, 100)
LOOKING = {"sql": 19, "tmux": 1, "catalogs": 1}
"""A plan, and an apply that finds nothing to do, whatever the size: statements, trips to tmux, connections."""
LEFT_OVER = 2
"""Statements of an apply that finds nothing to do: whether somebody waited, or is owed a hook."""
LOOKS_OF_AN_APPLY = 3
"""Before the lock, under it, and once more at the end."""
STATE_OF_ONE = {"sql": 6, "tmux": 1, "catalogs": 1}
"""The state of one agent by name: where it is recorded, its panes and its screen."""
SQL_PER_AGENT = 13
"""One row of the journal opened and settled, one row of the inventory and its bundle, and what keeps them true."""
TRIPS_TO_START = {1: 1, 10: 3, 12: 3, 100: 5}
"""The first takes one agent, the second eight, each later one 32."""
RECORD_READS_PER_PUBLISHED_RECORD = 2
"""Whose it is before it is written, and whose it is afterwards."""


class Work(NamedTuple):
    """What one use case did. `sources`: reads of each declared file; `records`: registry records read."""

    sql: int
    tmux: int
    catalogs: int
    records: int
    sources: dict[str, int]
    changes: int


class Reads:
    """A port of files that counts the reads of what is declared."""

    def __init__(self, port: object, source: Path, counts: dict[str, int]) -> None:
        self._port, self._source, self._counts = port, f"{os.path.realpath(source)}/", counts

    def __getattr__(self, name: str) -> object:
        found = getattr(self._port, name)
        if name not in ("read", "read_stamped"):
            return found

        def read(path: str, *rest: object, **named: object) -> object:
            if path.startswith(self._source):
                short = path.removeprefix(self._source)
                self._counts[short] = self._counts.get(short, 0) + 1
            return found(path, *rest, **named)

        return read


class Tally:
    """A catalog that still knows its counts when it is closed."""

    def __init__(self, port: object) -> None:
        self._port = port
        self.sql = self.changes = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._port, name)

    def close(self) -> None:
        self.taken()
        self._port.close()  # type: ignore[attr-defined]

    def taken(self) -> "Tally":
        self.sql += self._port.statements  # type: ignore[attr-defined]
        self.changes += self._port.total_changes  # type: ignore[attr-defined]
        return self


class CountingWorld(FakeWorld):
    """A fake world that adds up what its ports did. SQLite, files and registry are real."""

    def __init__(self) -> None:
        self._opened: list[Ports] = []
        self._sources: dict[str, int] = {}
        super().__init__()

    def declare(self, count: int) -> None:
        """`count` instances of one specialist, one file each."""
        self.given("kind: Specialist\nmetadata: {name: worker}\nspec: {provider: echo, prompt: Work.}", "worker.yaml")
        for number in range(count):
            name = f"agent-{number:03}"
            self.given(f"kind: Instance\nmetadata: {{name: {name}}}\nspec: {{specialistRef: worker}}", f"{name}.yaml")

    def counted(self, use_case: Callable[[], T]) -> tuple[T, Work]:
        """Run it and say what it took."""
        self._opened, self._sources, trips = [], {}, self.tmux.round_trips
        answer = use_case()
        catalogs = list({id(ports.catalog): ports.catalog for ports in self._opened}.values())
        tallies = [catalog.taken() for catalog in catalogs if isinstance(catalog, Tally)]
        registries = {id(ports.registry): ports.registry for ports in self._opened}.values()
        return answer, Work(
            sql=sum(tally.sql for tally in tallies),
            tmux=self.tmux.round_trips - trips,
            catalogs=len(catalogs),
            records=sum(registry.reads for registry in registries),  # type: ignore[attr-defined]
            sources=self._sources,
            changes=sum(tally.changes for tally in tallies),
        )

    def _twin(self, ports: Ports) -> Ports:
        found = super()._twin(ports)
        found = found._replace(
            catalog=Tally(found.catalog),  # type: ignore[arg-type]
            files=Reads(found.files, self.source, self._sources),  # type: ignore[arg-type]
        )
        self._opened.append(found)
        return found


@pytest.fixture(params=SIZES)
def world(request: pytest.FixtureRequest) -> Iterator[CountingWorld]:
    """A fleet that is declared and not applied yet."""
    with CountingWorld() as found:
        found.initialised()
        found.declare(request.param)
        yield found


def size(world: CountingWorld) -> int:
    return len(list(world.source.iterdir())) - 1


def looked(work: Work) -> dict[str, int]:
    return {"sql": work.sql, "tmux": work.tmux, "catalogs": work.catalogs}


def once_each(world: CountingWorld) -> dict[str, int]:
    return {path.name: 1 for path in world.source.iterdir()}


def test_a_plan_takes_the_same_trips_and_statements_whatever_its_size(world: CountingWorld) -> None:
    planned, work = world.counted(world.when_planned)

    assert len(planned.lines) == size(world) + 1  # and the specialist
    assert looked(work) == LOOKING
    assert work.sources == once_each(world)
    assert work.changes == 0


def test_so_does_a_plan_of_what_runs_which_reads_each_record_once(world: CountingWorld) -> None:
    world.when_applied()

    planned, work = world.counted(world.when_planned)

    assert planned.in_sync
    assert looked(work) == LOOKING
    assert work.records == size(world)
    assert work.sources == once_each(world)


def test_a_second_apply_is_one_look_and_no_write(world: CountingWorld) -> None:
    world.when_applied()

    applied, work = world.counted(world.when_applied)

    assert applied.lines == []
    assert applied.watch.writes == []
    assert looked(work) == {**LOOKING, "sql": LOOKING["sql"] + LEFT_OVER}
    assert work.changes == 0


def test_agents_that_may_start_together_share_a_few_trips(world: CountingWorld) -> None:
    applied, work = world.counted(lambda: world.when_applied(parallelism=100))

    assert applied.settled
    assert work.tmux == LOOKS_OF_AN_APPLY + TRIPS_TO_START[size(world)]
    assert work.sources == once_each(world)
    assert work.records == RECORD_READS_PER_PUBLISHED_RECORD * size(world)


def test_an_apply_takes_as_many_statements_for_each_agent_whatever_their_number() -> None:
    taken = {}
    for count in (10, 20, 100):
        with CountingWorld() as world:
            world.initialised()
            world.declare(count)
            taken[count] = world.counted(lambda world=world: world.when_applied(parallelism=200))[1].sql  # type: ignore[misc]

    assert (taken[20] - taken[10]) / 10 == (taken[100] - taken[20]) / 80 == SQL_PER_AGENT


LARGE = (100, 200, 700)
"""Sizes of fleets whose work must not grow faster than they do. Nothing is timed: only counts are compared."""


def test_seven_times_the_fleet_is_seven_times_the_work_and_no_more() -> None:
    """Whatever is done for each agent is done once for each: a square would show in one of these counts."""
    begun: dict[int, tuple[int, ...]] = {}
    planned, repaired = {}, {}
    for count in LARGE:
        with CountingWorld() as world:
            world.initialised()
            world.declare(count)
            asked = Calls()
            _, work = world.counted(partial(world.when_applied, parallelism=200, stopping=asked))
            begun[count] = (work.sql, work.tmux, asked.count)
            planned[count] = world.counted(world.when_planned)[1]
            world.kill_session_of("agent-000")
            repaired[count] = world.counted(world.when_applied)[1]
    few, some, many = LARGE
    for at, what in enumerate(("statements", "trips to tmux", "looks at what could start next")):
        first = (begun[some][at] - begun[few][at]) / (some - few)
        later = (begun[many][at] - begun[some][at]) / (many - some)
        assert later <= first * 1.1, what
    assert all(looked(work) == LOOKING for work in planned.values())
    assert all(work.records == count for count, work in planned.items())
    assert len({work.sql for work in repaired.values()}) == 1
    assert {work.tmux for work in repaired.values()} == {LOOKS_OF_AN_APPLY + 1}


def test_a_plan_of_two_thousand_takes_what_a_plan_of_one_takes() -> None:
    with CountingWorld() as world:
        world.initialised()
        world.declare(2000)
        planned, work = world.counted(world.when_planned)
        assert len(planned.lines) == 2001
        assert looked(work) == LOOKING
        assert work.sources == once_each(world)


class Calls:
    """Asked whether to stop before each start, it counts that and says no."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def test_repairing_one_agent_of_many_does_not_touch_the_others(world: CountingWorld) -> None:
    world.when_applied()
    world.kill_session_of("agent-000")

    applied, work = world.counted(world.when_applied)

    assert applied.settled
    assert len(applied.lines) == 1
    assert work.tmux == LOOKS_OF_AN_APPLY + 1
    # A record is read again at the next look only while it is so young that its time stamp may still hide a change.
    assert work.records <= LOOKS_OF_AN_APPLY * size(world) + RECORD_READS_PER_PUBLISHED_RECORD + 1


def test_the_state_of_one_agent_is_one_look_however_many_there_are(world: CountingWorld) -> None:
    world.when_applied()

    def asked() -> Agent:
        agent = resolve(world.flags, Selector(agent_name="agent-000"))
        assert managed_state(agent)["availability"] == "available"
        return agent

    agent, work = world.counted(asked)

    assert agent.ref.name == "agent-000"
    assert looked(work) == STATE_OF_ONE
    assert work.records == size(world)  # each file of the registry once: any of them may claim its uid
    assert work.sources == {}
    assert work.changes == 0


# --- processes, on a real tmux ----------------------------------------------------------------------------------------

PROBE = """\
import sys
found = []
names = ("os.posix_spawn", "subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.system")
sys.addaudithook(lambda event, args: found.append([str(word) for word in args[1]]) if event in names else None)
from reconciler.cli.main import main
code = main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.write("\\n" + repr((code, found)))
"""


def started(program: Program, *words: str) -> list[list[str]]:
    """The arguments of every process that a command starts."""
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, *words],
        cwd=program.work,
        env={**program.env, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    said, _, result = ran.stderr.rpartition("\n")
    code, found = literal_eval(result)
    assert code == 0, said
    assert isinstance(found, list)
    return found


def fleet(count: int) -> str:
    documents = ["kind: Specialist\nmetadata: {name: worker}\nspec: {provider: echo, prompt: Work.}\n"]
    for number in range(count):
        documents.append(f"kind: Instance\nmetadata: {{name: agent-{number}}}\nspec: {{specialistRef: worker}}\n")
    return "---\n".join(f"apiVersion: houmao/v1alpha1\n{document}" for document in documents)


@pytest.mark.tmux
@pytest.mark.parametrize("count", [1, 12])
def test_tmux_is_started_once_to_look_and_a_few_times_to_start_any_number(houmao: Program, count: int) -> None:
    houmao.write("fleet.yaml", fleet(count))
    # The first starts the server; what goes together later goes as a file.
    batch = TRIPS_TO_START[count]

    applying = started(houmao, "apply", "-f", "fleet.yaml", "--yes", "--parallelism=100")
    assert len(applying) == LOOKS_OF_AN_APPLY + batch, applying
    assert sum("list-panes" in argv for argv in applying) == LOOKS_OF_AN_APPLY
    assert sum("source-file" in argv for argv in applying) == batch - 1
    assert {argv[0] for argv in applying} == {"tmux"}

    for words in (["plan"], ["apply", "--yes"]):
        looking = started(houmao, *words, "-f", "fleet.yaml")
        assert len(looking) == 1, looking
        assert looking[0][0] == "tmux"
        assert "list-panes" in looking[0]

    houmao.env["HOUMAO_NO_GATE"] = "1"
    assert len(started(houmao, "plan", "-f", "fleet.yaml")) == 1


@pytest.mark.tmux
def test_a_list_looks_once_and_asks_for_all_the_screens_it_probes_together(houmao: Program) -> None:
    houmao.write("fleet.yaml", fleet(3))
    started(houmao, "apply", "-f", "fleet.yaml", "--yes")

    looking = started(houmao, "get", "instances")

    assert sum("list-panes" in argv for argv in looking) == 1
    assert sum("capture-pane" in argv for argv in looking) == 1
    assert len(looking) == 2


def test_what_needs_no_tmux_starts_none(houmao: Program) -> None:
    houmao.write("fleet.yaml", fleet(2))
    for words in (
        ["--version"],
        ["--help"],
        ["validate", "-f", "fleet.yaml"],
        ["project", "init"],
        ["project", "status"],
    ):
        assert started(houmao, *words) == []
