"""The number of a turn is given out once, and its end is told by its files, whoever looks and whenever."""

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.app import turns
from reconciler.app.agents import Agent
from reconciler.app.turns import TurnRuns
from reconciler.build import turn as build
from reconciler.ports.process import Process, ProcessSeen
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.real_world import RealWorld
from tests.requests.conftest import named
from tests.requests.test_turns import HEADLESS


@pytest.mark.tmux
def test_no_two_writers_share_a_number(real_world: RealWorld) -> None:
    """Each of them gets a turn of its own, and the answer in its files is to what it asked."""
    real_world.given(HEADLESS)
    real_world.until_ready()

    def submitted(text: str) -> str:
        while True:  # one at a time: whoever comes while one runs is refused, and comes again
            try:
                return turns.submit(named(real_world, "bob"), text).row.id
            except TurnRuns:
                continue

    texts = ["first", "second", "third", "fourth"]
    with ThreadPoolExecutor(len(texts)) as pool:
        ids = list(pool.map(submitted, texts))

    assert sorted(ids) == [f"turn-{number:04}" for number in range(1, 5)]
    agent = named(real_world, "bob")
    for text, turn_id in zip(texts, ids, strict=True):
        said = [event["message"] for event in turns.events(agent, turn_id) if event["kind"] == "assistant"]
        assert said == [text]
    conversations = {json.dumps(turns.events(agent, turn_id)[0]["session_id"]) for turn_id in ids}
    assert len(conversations) == 1


class EndsBetween:
    """A process table in which a turn's program ends, exit code and all, while it is being asked for."""

    def __init__(self, real: Process, exit_code: Path) -> None:
        self._real, self._exit_code = real, exit_code

    def facts(self, pids: Iterable[int]) -> Mapping[int, ProcessSeen]:
        self._exit_code.write_text("0\n")
        return self._real.facts(pids)


def test_a_turn_that_ends_between_two_looks_has_ended_well(fake_world: FakeWorld) -> None:
    fake_world.given(HEADLESS)
    fake_world.when_applied()
    agent = named(fake_world, "bob")
    log = fake_world.look().requests.log(agent.session_root)
    assert log is not None
    row = log.begin_turn("", "2026-01-01T00:00:00+00:00")
    log.note_turn(row._replace(pid=4242, ticks=1))
    directory = Path(agent.session_root) / build.ARTIFACTS / row.id
    directory.mkdir(parents=True)
    assert turns.status(agent, row.id).status == "failed"

    seen = turns.status(looking_with(agent, EndsBetween(fake_world.process, directory / build.EXITCODE)), row.id)

    assert (seen.status, seen.code, seen.error) == ("completed", 0, "")


def looking_with(agent: Agent, process: object) -> Agent:
    reader = agent.session.reader._replace(process=process)  # type: ignore[arg-type]
    return agent._replace(session=agent.session._replace(reader=reader))


@pytest.mark.parametrize(
    ("said", "status"),
    [('{"type": "token", "text": "a"}', "interrupted"), ('{"type": "result"}', "completed")],
    ids=["in the middle of its answer", "that was done already"],
)
def test_a_program_that_leaves_with_0_was_interrupted_unless_it_said_that_it_is_done(
    fake_world: FakeWorld, said: str, status: str
) -> None:
    fake_world.given(HEADLESS)
    fake_world.when_applied()
    agent = named(fake_world, "bob")
    log = fake_world.look().requests.log(agent.session_root)
    assert log is not None
    row = log.begin_turn("", "2026-01-01T00:00:00+00:00")
    log.note_turn(row._replace(pid=4242, ticks=1, interrupted=True))
    directory = Path(agent.session_root) / build.ARTIFACTS / row.id
    directory.mkdir(parents=True)
    (directory / build.EXITCODE).write_text("0\n")
    (directory / build.STDOUT).write_text(f"{said}\n")
    assert turns.status(agent, row.id).status == status
