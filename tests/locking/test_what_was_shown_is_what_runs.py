"""A plan that was confirmed runs as it was shown, or in part, or not at all (R-EXE-10, R-EXE-12, R-EXE-13)."""

from collections.abc import Callable

import pytest

from reconciler.app import apply as use_cases
from reconciler.app.request import PlanFlags, RunFlags, Source
from reconciler.model.action import Plan
from reconciler.model.errors import ConflictError, GuardRefused
from reconciler.model.outcome import Report
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.told import told
from tests.fleets import FLEET, declared

FORGETFUL = FLEET.replace("spec: {specialistRef: coder}", "spec: {specialistRef: coder, resume: {mode: new}}")


@pytest.fixture
def edited(fake_world: FakeWorld) -> FakeWorld:
    """alice and bob run, keep no conversation, and their prompt was edited: this is asked about."""
    fake_world.given_file("prompts/coder.md", "You write code.\n")
    fake_world.given(FORGETFUL)
    fake_world.when_applied()
    fake_world.given_file("prompts/coder.md", "You write more code.\n")
    return fake_world


def applied(world: FakeWorld, confirm: Callable[[Plan], bool]) -> Report:
    """`houmao apply` on a terminal, with somebody who answers."""
    return use_cases.apply(
        world.flags,
        Source((str(world.source),)),
        PlanFlags(),
        RunFlags(yes=False),
        confirm=confirm,
        shown=lambda plan: None,
        emit=lambda kind, fields: None,
    )


def files(world: FakeWorld) -> dict[str, object]:
    """Every file but the lock's, which says who had it last."""
    return {name: found for name, found in world.bytes().items() if name != ".houmao/lock"}


def meanwhile(do: Callable[[], object]) -> Callable[[Plan], bool]:
    """Say yes, but only after something happened."""

    def confirm(plan: Plan) -> bool:
        do()
        return True

    return confirm


PLAN = [
    "update Specialist/coder Changed",
    "relaunch Instance/alice LaunchDigestChanged",
    "relaunch Instance/bob LaunchDigestChanged",
]


def test_the_confirmed_plan_is_the_one_that_runs(edited: FakeWorld) -> None:
    shown: list[Plan] = []
    report = applied(edited, lambda plan: not shown.append(plan))

    assert [action.key() for action in report.plan.actions] == [action.key() for action in shown[0].actions]
    assert [line.split()[:2] for line in told(report.plan.actions)] == [line.split()[:2] for line in PLAN]
    assert report.exit_code == 0


def test_no_means_that_nothing_happens(edited: FakeWorld) -> None:
    before, revision = edited.bytes(), edited.look().catalog.revision()

    with pytest.raises(GuardRefused) as refused:
        applied(edited, lambda plan: False)

    assert refused.value.exit_code == 6
    assert (edited.bytes(), edited.look().catalog.revision()) == (before, revision)


MOVES: dict[str, Callable[[FakeWorld], object]] = {
    "a session was killed": lambda world: world.kill_session_of("bob"),
    "a process ended": lambda world: world.kill_process_of("bob"),
    "the host was started again": lambda world: world.reboot(),
}


@pytest.mark.parametrize("what", MOVES)
def test_the_world_moved_and_nothing_is_executed(edited: FakeWorld, what: str) -> None:
    token = edited.look().catalog.lease()
    done: dict[str, object] = {}

    def move() -> None:
        MOVES[what](edited)
        done.update(bytes=files(edited), revision=edited.look().catalog.revision(), panes=edited.panes)

    with pytest.raises(ConflictError) as moved:
        applied(edited, meanwhile(move))

    assert moved.value.exit_code == 4
    assert "moved" in moved.value.message
    assert files(edited) == done["bytes"]
    assert edited.look().catalog.revision() == done["revision"]
    assert edited.panes == done["panes"]
    assert edited.look().catalog.lease() == token
    assert edited.when_applied().settled
    assert edited.running == {"alice", "bob"}


def test_the_refusal_has_the_code_that_scripts_look_for(edited: FakeWorld) -> None:
    with pytest.raises(ConflictError) as moved:
        applied(edited, meanwhile(lambda: edited.kill_session_of("bob")))

    assert moved.value.code == "plan.moved"


def test_less_to_do_than_was_shown_is_done(edited: FakeWorld) -> None:
    """Somebody else applied it meanwhile: a subset, here an empty one, is success (R-EXE-10)."""
    report = applied(edited, meanwhile(edited.when_applied))

    assert report.outcomes == ()
    assert report.exit_code == 0
    assert edited.when_planned().in_sync


def test_an_edit_of_the_source_after_it_was_shown_is_not_applied(edited: FakeWorld) -> None:
    """What was loaded is what was shown; the edit waits for the next apply."""
    edit = lambda: edited.given_file("prompts/coder.md", "You write no code at all.\n")  # noqa: E731
    try:
        report = applied(edited, meanwhile(edit))
    except ConflictError:
        report = None

    assert not edited.when_planned().in_sync
    assert edited.when_applied().settled
    assert edited.when_planned().in_sync
    del report


def test_the_lock_is_free_after_a_refusal(edited: FakeWorld) -> None:
    with pytest.raises(ConflictError):
        applied(edited, meanwhile(lambda: edited.kill_session_of("bob")))

    assert edited.when_applied(lock_timeout_s=0.0).settled


def test_a_plan_that_needs_no_confirmation_is_made_anew_under_the_lock(fake_world: FakeWorld) -> None:
    """With --yes what is printed and run is the second plan, whatever the first was."""
    declared(fake_world)
    fake_world.when_applied()
    fake_world.given_file("prompts/coder.md", "You write more code.\n")
    moved: list[str] = []
    shown: list[Plan] = []

    def emit(kind: str, fields: object) -> None:
        if kind == "plan" and not moved:
            moved.append(kind)
            fake_world.kill_session_of("bob")

    report = use_cases.apply(
        fake_world.flags,
        Source((str(fake_world.source),)),
        PlanFlags(),
        RunFlags(yes=True),
        confirm=lambda plan: False,
        shown=shown.append,
        emit=emit,
    )

    assert report.exit_code == 0
    assert [action.key() for action in shown[-1].actions] == [action.key() for action in report.plan.actions]
    assert "create" in [action.verb.value for action in report.plan.actions]
    assert fake_world.when_planned().in_sync


def test_an_action_that_would_become_another_during_the_run_is_left_to_the_next_apply(edited: FakeWorld) -> None:
    """No action absent from the plan starts (R-EXE-13): bob's session goes while alice is relaunched."""
    killed: list[str] = []

    def on_point(point: str, phase: str, ref: object) -> None:
        if (
            str(ref) == "Instance/alice"
            and (point, phase) == ("relaunch/Instance:kill-session", "before")
            and not killed
        ):
            killed.append("bob")
            edited.kill_session_of("bob")

    report = edited.when_applied(on_point=on_point, parallelism=1)

    assert killed
    planned = {action.ref for action in report.report.plan.actions}
    assert {outcome.action.ref for outcome in report.report.outcomes} == planned
    assert report.exit_code in (0, 1, 4)
    assert edited.when_applied().exit_code == 0
    assert edited.running == {"alice", "bob"}
    assert edited.when_planned().in_sync
