"""One source of an observation is an hour old, the others are true, and an apply believes them all.

Whatever it then does, it ends nothing that the true state does not justify ending: kills compare what they kill with
what they were told, and doubt is Unknown. One honest apply later all is right again.
"""

from collections.abc import Iterator

import pytest

from reconciler.model.errors import ReconcilerError
from reconciler.testing.invariants import check_invariants
from reconciler.testing.moment import Moment
from tests.stale.conftest import LOOKS, StaleWorld

FLEET = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, promptFile: prompts/coder.md}
---
kind: Specialist
metadata: {name: tester}
spec: {provider: echo, prompt: You test.}
---
kind: Instance
metadata: {name: alice}
spec: {specialistRef: coder}
---
kind: Instance
metadata: {name: bob}
spec: {specialistRef: tester}
---
kind: Instance
metadata: {name: carol}
spec: {specialistRef: tester, state: Stopped}
"""

EXPECTED = {"alice", "bob"}


def story(world: StaleWorld) -> None:
    """A fleet's life; each of its moments is kept, and the last is the present."""
    world.given_file("prompts/coder.md", "You write code.\n")
    world.given(FLEET)
    world.initialised()
    world.remember("nothing applied")
    world.when_applied()
    world.remember("first apply")
    world.given_file("prompts/coder.md", "You write more code.\n")
    world.when_applied()
    world.remember("alice relaunched")
    world.kill_session_of("bob")
    world.remember("bob's session killed")
    world.when_applied()
    world.remember("bob came back")
    world.kill_process_of("alice")
    world.remember("alice's process ended")
    world.when_applied()
    world.given(FLEET.replace(", state: Stopped", ""))
    world.when_applied()
    world.remember("carol started")
    world.edit_record_of("bob")
    world.remember("bob's record edited")
    world.given(FLEET)
    world.when_applied()
    world.remember("now")


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[StaleWorld, Moment]]:
    """The story, told once."""
    world = StaleWorld()
    try:
        story(world)
        yield world, Moment(world)
    finally:
        world.close()


@pytest.fixture
def stale_world(told: tuple[StaleWorld, Moment]) -> StaleWorld:
    """The world after the story."""
    world, moment = told
    moment.back()
    world.serving, world.served = None, 0
    return world


MOMENTS = [
    "nothing applied",
    "first apply",
    "alice relaunched",
    "bob's session killed",
    "bob came back",
    "alice's process ended",
    "carol started",
    "bob's record edited",
]


def served(world: StaleWorld, port: str, moment: str) -> None:
    """From now on the port answers from that moment."""
    world.serving = (port, next(news for news in world.moments if news.name == moment))


def alive(world: StaleWorld) -> dict[str, int]:
    """Pid of each agent that runs in a session."""
    return {name: world.session_of(name).pid for name in world.running}


def honest(world: StaleWorld) -> None:
    """The truth again: one apply puts right what old news spoilt, and then nothing is left to do."""
    world.serving = None
    uids = world.uids
    report = world.when_applied()
    assert report.exit_code == 0, [str(outcome) for outcome in report.report.outcomes]
    assert world.running == EXPECTED
    assert world.uids == uids
    assert check_invariants(world) == []
    assert {name: len(world.processes_of(name)) for name in ("alice", "bob", "carol")} == {
        "alice": 1,
        "bob": 1,
        "carol": 0,
    }
    assert world.when_planned().in_sync


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("port", LOOKS)
def test_a_fleet_in_sync_loses_nobody_to_old_news(stale_world: StaleWorld, port: str, moment: str) -> None:
    world = stale_world
    before, uids = alive(world), world.uids
    served(world, port, moment)

    try:
        world.when_applied(tries=2)
    except ReconcilerError:
        pass  # a refusal is a good answer

    assert world.served > 0
    world.serving = None
    assert alive(world) == before, "an agent was ended because of old news"
    assert world.uids == uids or port == "catalog"
    honest(world)
    assert alive(world) == before


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("port", LOOKS)
def test_an_edit_applied_on_old_news_disturbs_only_whom_it_concerns(
    stale_world: StaleWorld, port: str, moment: str
) -> None:
    """alice's prompt is edited: she may be relaunched, or left alone; bob has no part in it."""
    world = stale_world
    bob = alive(world)["bob"]
    world.given_file("prompts/coder.md", "You write the best code.\n")
    served(world, port, moment)

    try:
        world.when_applied(tries=2)
    except ReconcilerError:
        pass

    world.serving = None
    assert world.session_of("bob").pid == bob
    assert check_invariants(world) == []
    honest(world)
    assert world.session_of("bob").pid == bob


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("port", LOOKS)
def test_a_deletion_on_old_news_ends_only_what_was_named(stale_world: StaleWorld, port: str, moment: str) -> None:
    """bob is to be deleted: alice stays whatever is believed, and what has bob's name but is not his stays too."""
    world = stale_world
    alice = alive(world)["alice"]
    world.tmux.foreign("bob-of-others")
    served(world, port, moment)

    try:
        world.when_deleted("instance/bob", override_s=0.0, tries=2)
    except ReconcilerError:
        pass

    world.serving = None
    assert world.session_of("alice").pid == alice
    assert world.tmux.named("bob-of-others") is not None
    assert check_invariants(world, foreign=frozenset({"bob-of-others"})) == []
    world.when_applied()
    assert world.running == EXPECTED
    assert world.when_planned().in_sync


@pytest.mark.parametrize("port", LOOKS)
def test_a_pid_that_another_program_has_now_is_never_signalled(stale_world: StaleWorld, port: str) -> None:
    """The recorded process is gone, its number given out again: no old news makes that one ours."""
    world = stale_world
    pid = world.session_of("alice").pid
    world.kill_session_of("alice")
    world.process.exit(pid)
    stranger = world.process.spawn(("vim",), {"USER": "somebody"}, "/", pid=pid)
    world.process.signals.clear()
    served(world, port, "now" if port != "process" else "carol started")

    try:
        world.when_applied(tries=2)
    except ReconcilerError:
        pass

    assert world.process.alive(stranger)
    assert [number for number, _ in world.process.signals if number == stranger] == []
    honest(world)
    assert world.process.alive(stranger)


@pytest.mark.parametrize("port", LOOKS)
def test_a_session_id_that_another_session_has_now_is_not_killed(stale_world: StaleWorld, port: str) -> None:
    """The server began anew and counts from $0 again: the old id is a person's session now."""
    world = stale_world
    world.kill_server()
    for number in range(4):
        world.tmux.foreign(f"mine-{number}")
    foreign = frozenset(world.tmux.sessions[one].name for one in world.tmux.sessions)
    world.given_file("prompts/coder.md", "You write the best code.\n")
    served(world, port, "now")

    try:
        world.when_applied(tries=2)
    except ReconcilerError:
        pass

    assert foreign <= {session.name for session in world.tmux.sessions.values()}
    honest(world)
    assert foreign <= {session.name for session in world.tmux.sessions.values()}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("port", LOOKS)
def test_a_plan_on_old_news_changes_nothing(stale_world: StaleWorld, port: str, moment: str) -> None:
    world = stale_world
    before = (world.bytes(), world.panes, world.look().catalog.revision())
    served(world, port, moment)

    try:
        world.when_planned()
    except ReconcilerError:
        pass

    world.serving = None
    assert (world.bytes(), world.panes, world.look().catalog.revision()) == before
