"""What runs unmanaged is taken over as it runs; never by its name alone, and never from another owner (R-ADO)."""

import pytest

from reconciler.app import adopt, verbs
from reconciler.declare.dump import to_yaml
from reconciler.model.errors import GuardRefused
from reconciler.model.ref import Ref
from reconciler.ports.process import Gone, ProcessFacts
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.process import Behaviour
from reconciler.testing.real_world import RealWorld
from reconciler.testing.world import World
from tests.stories.fleets import CODER, PROMPT, TEXT

ALICE = Ref("Instance", "alice")
ADOPTING = (
    CODER + "---\nkind: Instance\nmetadata: {name: alice, annotations: {houmao/adopt: IfUnowned}}\n"
    "spec: {specialistRef: coder, sessionName: work}\n"
)


def given(world: World, yaml: str = ADOPTING) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(yaml)


def test_a_session_is_adopted_as_it_runs(world: World) -> None:
    world.foreign_session("work")
    before = {pane.pane_id: pane.pid for pane in world.panes}
    given(world)

    report = world.when_applied()

    assert report.told == ["create Specialist/coder New", "adopt Instance/alice Adopted LaunchDigestUnknown"]
    assert report.settled
    assert {pane.pane_id: pane.pid for pane in world.panes} == before
    assert world.session_of("alice").session_name == "work"
    assert world.record_of("alice").is_file()
    assert world.running == {"alice"}
    assert world.when_planned().in_sync


def test_the_next_intended_change_relaunches_it_and_builds_its_home(world: World) -> None:
    world.foreign_session("work")
    given(world)
    world.when_applied()
    first, uids = world.session_of("alice").pid, world.uids
    world.given_file(PROMPT, "You write good code.\n")
    report = world.when_applied()
    assert report.told == ["update Specialist/coder SpecChanged", "relaunch Instance/alice LaunchDigestChanged"]
    assert report.settled
    assert world.session_of("alice").pid != first
    assert (world.home_of("alice").is_dir(), world.uids) == (True, uids)
    assert world.when_planned().in_sync


def test_without_opting_in_nothing_is_adopted(fake_world: FakeWorld) -> None:
    fake_world.foreign_session("work")
    given(fake_world, ADOPTING.replace(", annotations: {houmao/adopt: IfUnowned}", ""))
    assert "blocked Instance/alice Unmanaged New" in fake_world.when_applied().told


def test_a_session_of_another_owner_is_left_alone(fake_world: FakeWorld) -> None:
    fake_world.foreign_session("work", "f" * 32)
    given(fake_world)
    report = fake_world.when_applied()
    assert "blocked Instance/alice OwnershipConflict" in report.told
    assert report.exit_code == 1
    assert fake_world.running == set()


def test_where_there_is_no_such_session_one_is_started(fake_world: FakeWorld) -> None:
    given(fake_world)
    assert fake_world.when_applied().told == ["create Specialist/coder New", "create Instance/alice New"]


def test_an_adopted_one_is_stopped_and_started_like_any_other(fake_world: FakeWorld) -> None:
    fake_world.foreign_session("work")
    given(fake_world)
    fake_world.when_applied()
    assert fake_world.when_asked(verbs.stop([ALICE])).settled
    assert fake_world.running == set()
    assert fake_world.when_asked(verbs.release([ALICE])).settled
    assert fake_world.running == {"alice"}
    assert fake_world.when_planned().in_sync


@pytest.mark.tmux
def test_what_else_a_person_has_in_an_adopted_session_outlives_the_agent(real_world: RealWorld) -> None:
    """Stopping ends our pane; relaunching under the session's name is refused before anything ends."""
    world = real_world
    world.foreign_session("work")
    given(world)
    world.when_applied()
    agent = world.session_of("alice")
    (own,) = world.tmux(
        "new-window", "-d", "-P", "-F", "#{pane_id}", "-t", f"{agent.session_id}:", "sleep 1000"
    ).split()

    asked = ("HOUMAO_AGENT_ID", "HOUMAO_MANIFEST_PATH", "HOUMAO_TOOL")
    told = [world.look().tmux.environment(agent.session_id, name) for name in asked]
    live = world.rows["Instance/alice"].live
    assert told == [live["agent_id"], live["manifest"], "echo"]

    world.given_file(PROMPT, "You write good code.\n")
    refused = world.when_applied()
    assert refused.exit_code == 1
    assert "holds more than the agent's pane" in str(refused.outcomes["Instance/alice"].fault)
    assert world.session_of("alice").pid == agent.pid

    stopped = world.when_asked(verbs.stop([ALICE]))
    assert stopped.settled
    assert [outcome.attempt for outcome in stopped.applied.report.outcomes] == [1]
    assert [(pane.pane_id, pane.session_name, pane.uid, pane.mark) for pane in world.panes] == [(own, "work", "", "")]
    assert world.running == set()
    assert [world.look().tmux.environment(agent.session_id, name) for name in asked] == [None, None, None]
    # tmux may leave the program that ended as a zombie: that has exited, and nothing of it runs.
    seen = world.look().process.facts([agent.pid])[agent.pid]
    assert isinstance(seen, Gone) or (isinstance(seen, ProcessFacts) and seen.exited), "it outlives its pane"


def test_a_program_that_hears_no_hang_up_is_ended_without_its_session(fake_world: FakeWorld) -> None:
    """By its pid and start ticks; a stop is not over before it is gone."""
    fake_world.foreign_session("work")
    given(fake_world)
    fake_world.when_applied()
    session = fake_world.tmux.named("work")
    assert session is not None
    own, pid = fake_world.tmux.foreign_window(session), fake_world.session_of("alice").pid
    fake_world.process.started(pid).behaviour = Behaviour(ignore_hup=True, ignore_term=True)
    child = fake_world.process.spawn(("tool",), parent=pid, behaviour=Behaviour(ignore_hup=True, ignore_term=True))

    assert fake_world.when_asked(verbs.stop([ALICE])).settled

    assert not fake_world.process.alive(pid)
    assert not fake_world.process.alive(child)
    assert fake_world.process.alive(own.pid)
    assert [(pane.pane_id, pane.uid) for pane in fake_world.panes] == [(own.pane_id, "")]
    assert {victim for victim, _ in fake_world.process.signals} == {pid, child}


def test_the_command_line_names_the_object(fake_world: FakeWorld) -> None:
    given(fake_world, CODER)
    fake_world.when_applied()
    fake_world.foreign_session("work")
    asked = adopt.one(fake_world.flags, ALICE, "work", Ref("Specialist", "coder"))
    assert fake_world.when_asked(asked).told == ["adopt Instance/alice Adopted LaunchDigestUnknown"]
    assert fake_world.rows["Instance/alice"].apply_set == "imperative"
    assert fake_world.when_asked(verbs.notes("label", [ALICE], "labels", {"a": "b"})).settled


def test_what_is_not_there_or_is_somebodys_is_not_adopted_by_name(fake_world: FakeWorld) -> None:
    given(fake_world, CODER)
    fake_world.when_applied()
    fake_world.foreign_session("theirs", "f" * 32)
    with pytest.raises(GuardRefused, match="is owned by another"):
        adopt.one(fake_world.flags, ALICE, "theirs", Ref("Specialist", "coder"))
    with pytest.raises(adopt.NoSuchSession, match="nowhere"):
        adopt.one(fake_world.flags, ALICE, "nowhere", Ref("Specialist", "coder"))


def test_generated_manifests_plan_only_adoptions(fake_world: FakeWorld) -> None:
    given(fake_world, CODER)
    fake_world.when_applied()
    fake_world.foreign_session("Work-1")
    fake_world.foreign_session("other")
    fake_world.foreign_session("theirs", "f" * 32)
    generated = adopt.generate(fake_world.flags, (), Ref("Specialist", "coder"))
    assert [document["metadata"]["name"] for document in generated.documents] == ["work-1", "other"]  # type: ignore[index,call-overload]
    fake_world.given_file("adopted.yaml", to_yaml(generated.documents))
    report = fake_world.when_applied()
    assert report.told == [
        "adopt Instance/other Adopted LaunchDigestUnknown",
        "adopt Instance/work-1 Adopted LaunchDigestUnknown",
    ]
    assert report.settled
    assert fake_world.running == {"other", "work-1"}
    assert fake_world.when_planned().in_sync
