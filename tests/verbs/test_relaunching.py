"""`relaunch` is asked for once: the same request never relaunches twice, however it was interrupted (R-IMP-5)."""

from contextlib import suppress

import pytest

from reconciler.app import verbs
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Crashed, Fault, Kind
from reconciler.testing.world import World
from tests.stories.fleets import ALICE, ALICE_BOB_CAROL, PROMPT, TEXT

ALICE_REF = Ref("Instance", "alice")
STEPS = ("intent", "ask-quit", "wait-quit", "kill-session", "end-process", "write-home", "write-manifest",
         "start-session", "publish-record", "settled")  # fmt: skip


def fleet(world: World, yaml: str = ALICE) -> None:
    world.given_file(PROMPT, TEXT)
    world.given(yaml)
    world.when_applied()


def test_a_relaunch_starts_another_process_on_the_same_identity_and_home(world: World) -> None:
    fleet(world)
    world.until_ready()
    uids, home, before = world.uids, world.home_of("alice"), world.session_of("alice").pid

    asked = world.when_asked(verbs.relaunch([ALICE_REF], "q-1"))

    assert asked.said.kind == "action"
    assert asked.told == ["relaunch Instance/alice Requested"]
    assert asked.settled
    assert world.session_of("alice").pid != before
    assert (world.uids, world.home_of("alice")) == (uids, home)
    assert world.when_planned().in_sync


def test_the_same_request_does_nothing_the_second_time_and_another_one_does(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    fake_world.when_asked(verbs.relaunch([ALICE_REF], "q-1"))
    pid = fake_world.session_of("alice").pid
    again = fake_world.when_asked(verbs.relaunch([ALICE_REF], "q-1"))
    assert (again.told, again.said.lines) == ([], ("Instance/alice: request q-1 was done already",))
    assert fake_world.session_of("alice").pid == pid
    assert fake_world.when_asked(verbs.relaunch([ALICE_REF], "q-2")).told == ["relaunch Instance/alice Requested"]
    assert fake_world.session_of("alice").pid != pid


@pytest.mark.parametrize("between", ["nothing", "an apply"])
@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_request_that_crashed_anywhere_relaunches_once_when_it_is_run_again(
    fake_world: FakeWorld, step: str, phase: str, between: str
) -> None:
    fleet(fake_world)
    first = fake_world.session_of("alice").pid
    started = fake_world.process.spawned
    with suppress(Crashed):
        fake_world.when_asked(
            verbs.relaunch([ALICE_REF], "q-1"), fault=Fault(f"relaunch/Instance:{step}", phase, Kind.CRASH)
        )
        raise AssertionError(f"{step} was not passed")
    if between == "an apply":
        fake_world.when_applied()
    fake_world.when_asked(verbs.relaunch([ALICE_REF], "q-1"))
    second = fake_world.session_of("alice").pid
    assert second != first
    assert fake_world.process.spawned == started + 1
    assert fake_world.when_planned().in_sync
    assert fake_world.when_asked(verbs.relaunch([ALICE_REF], "q-1")).told == []
    assert fake_world.session_of("alice").pid == second


def test_many_agents_are_relaunched_in_one_run(fake_world: FakeWorld) -> None:
    fleet(fake_world, ALICE_BOB_CAROL)
    refs = [Ref("Instance", name) for name in ("alice", "bob", "carol")]
    asked = fake_world.when_asked(verbs.relaunch(refs, "q-1"))
    assert asked.told == [f"relaunch {ref} Requested" for ref in refs]
    assert asked.settled


def test_a_new_conversation_costs_one_and_the_plan_says_so(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    asked = fake_world.when_asked(verbs.relaunch([ALICE_REF], "q-1", {"mode": "new"}))
    (action,) = asked.applied.report.plan.actions
    assert action.disruption.value == "loses-conversation"
    assert fake_world.when_planned().in_sync


def test_an_agent_that_is_held_stopped_is_not_relaunched(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    fake_world.when_asked(verbs.stop([ALICE_REF]))
    asked = fake_world.when_asked(verbs.relaunch([ALICE_REF], "q-1"))
    (action,) = asked.applied.report.plan.actions
    assert (action.verb.value, "houmao release" in action.reasons[0].text) == ("blocked", True)
    assert asked.applied.exit_code == 1
    assert fake_world.running == set()


def test_a_conversation_goes_on_or_begins_anew_as_asked(real_world: World) -> None:
    fleet(real_world)
    real_world.until_ready()
    real_world.when_asked(verbs.relaunch([ALICE_REF], "q-1", {"mode": "new"}))
    real_world.until_ready()
    text = real_world.look().tmux.capture(real_world.session_of("alice").pane_id)
    assert "conversation" in getattr(text, "text", "")
    assert "resumed" not in getattr(text, "text", "")
    real_world.when_asked(verbs.relaunch([ALICE_REF], "q-2"))
    real_world.until_ready()
    text = real_world.look().tmux.capture(real_world.session_of("alice").pane_id)
    assert "resumed" in getattr(text, "text", "")
