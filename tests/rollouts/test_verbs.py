"""`houmao rollout`: pause, resume, restart, undo, history and status, on a set that runs."""

import pytest

from reconciler.app import rollout
from reconciler.app.request import RunFlags
from reconciler.app.rollout_history import revisions
from reconciler.app.session import opened
from reconciler.model.errors import GuardRefused
from reconciler.model.json import JsonMap
from reconciler.model.outcome import Report
from reconciler.model.ref import Ref
from reconciler.ports.process import Finished
from reconciler.testing.fake_world import FakeWorld
from tests.rollouts.conftest import PROMPT, Crew, crew, names
from tests.watch.conftest import Story

CREW = Ref("InstanceSet", "crew")
ROLLING = "type: Rolling, maxUnavailable: 2"
ALL = {f"crew-{ordinal}" for ordinal in range(8)}


def quiet(kind: str, fields: JsonMap) -> None:
    del kind, fields


def resumed(world: FakeWorld) -> Report:
    return rollout.resume(
        world.flags,
        "crew",
        RunFlags(yes=True),
        tell=lambda said: None,
        confirm=lambda plan: True,
        shown=lambda plan: None,
        emit=quiet,
    )


def undone(world: FakeWorld, revision: int | None = None) -> Report:
    with opened(world.flags) as session:
        ask = rollout.asked_undo(session, "instanceset/crew", revision)
    return world.when_asked(ask).applied.report


def model(name: str, strategy: str = ROLLING) -> str:
    return crew(strategy, member=f", model: {name}")


def models(world: FakeWorld) -> set[object]:
    """Which models the members are recorded with."""
    rows = [row for row in world.rows.values() if row.ref.kind == "Instance"]
    bodies = world.look().catalog.bundles({row.digest for row in rows})
    return {spec.get("model") for body in bodies.values() if isinstance(spec := body["spec"], dict)}


def watched(world: FakeWorld, seconds: float, declared: str) -> list[str]:
    story = Story(world)
    world.given_file(PROMPT, "You write code.\n")
    world.given(declared)
    return story.told(seconds).done


def test_status_counts_who_is_changed_and_who_is_ready(fake_world: FakeWorld) -> None:
    made = Crew(fake_world, "type: Canary, partition: 3, pauseAfter: 1m")
    fake_world.given(model("opus", "type: Canary, partition: 3, pauseAfter: 1m"))
    assert fake_world.when_applied(on_point=made.on_point, timeout_s=20.0).report.exit_code == 3
    found = rollout.status(fake_world.flags, "crew")
    assert (found.word, found.updated, found.ready, len(found.members)) == ("Progressing", 3, 8, 8)
    assert [str(each.ref) for each in found.members if each.updated] == [f"Instance/{name}" for name in names(0, 1, 2)]
    assert found.message == "3 of 8 are changed, 8 are Ready"
    assert fake_world.when_applied(timeout_s=1000.0).settled
    fake_world.pass_time(10)
    assert rollout.status(fake_world.flags, "instanceset/crew").word == "Complete"


def test_what_is_paused_disturbs_nobody_and_resume_carries_it_to_its_end(fake_world: FakeWorld) -> None:
    made = Crew(fake_world, ROLLING)
    assert rollout.pause(fake_world.flags, "crew", RunFlags(), quiet).word == "Paused"
    fake_world.given(model("opus"))
    applied = fake_world.when_applied()
    assert made.changed == set()
    waits = {str(action.ref) for action in applied.report.plan.actions if action.verb.value == "wait"}
    assert waits == {f"Instance/{name}" for name in ALL}
    assert watched(fake_world, 200, model("opus")) == []
    with pytest.raises(GuardRefused, match="is paused"):
        undone(fake_world)

    report = resumed(fake_world)
    assert report.exit_code == 0
    assert made.changed == ALL
    fake_world.pass_time(10)
    assert rollout.status(fake_world.flags, "crew").word == "Complete"
    assert fake_world.when_planned().in_sync


def test_restart_starts_each_anew_once_as_the_strategy_says(fake_world: FakeWorld) -> None:
    made = Crew(fake_world, ROLLING)
    with opened(fake_world.flags) as session:
        ask = rollout.asked_restart(session, "crew", "deploy-7")
    fake_world.watch = None
    asked = fake_world.when_asked(ask)
    assert asked.applied.settled
    assert made.changed == ALL
    order = [each.split()[1] for each in asked.applied.told]
    assert sorted(order) == [f"Instance/{name}" for name in sorted(ALL)]
    before = made.pids()
    assert fake_world.when_asked(ask).applied.report.outcomes == ()
    assert made.pids() == before


def test_restart_has_no_more_down_than_may_be(fake_world: FakeWorld) -> None:
    made = Crew(fake_world, ROLLING)
    with opened(fake_world.flags) as session:
        ask = rollout.asked_restart(session, "crew", "deploy-8")
    made.trace(ask)
    assert max(made.down) == 2
    assert made.order == names(*range(8))


def test_undo_brings_back_what_was_and_a_watch_leaves_it_so(fake_world: FakeWorld) -> None:
    made = Crew(fake_world, ROLLING)
    fake_world.given(model("opus"))
    fake_world.when_applied()
    assert models(fake_world) == {"opus"}

    assert undone(fake_world).exit_code == 0
    assert models(fake_world) == {None}
    assert len(made.changed) == 8
    assert watched(fake_world, 900, model("opus")) == []
    found = rollout.status(fake_world.flags, "crew")
    assert found.pin is not None
    assert (found.revision, found.pin.revision) == (3, 1)

    # The source says something else: that counts.
    done = watched(fake_world, 900, model("haiku"))
    assert models(fake_world) == {"haiku"}
    assert len([each for each in done if each.startswith("relaunch")]) == 8
    assert fake_world.when_planned().in_sync


def test_whoever_applies_the_source_by_hand_means_it(fake_world: FakeWorld) -> None:
    Crew(fake_world, ROLLING)
    fake_world.given(model("opus"))
    fake_world.when_applied()
    undone(fake_world)
    assert not fake_world.when_planned().in_sync
    assert fake_world.when_applied().settled
    assert models(fake_world) == {"opus"}
    assert rollout.status(fake_world.flags, "crew").pin is None
    assert watched(fake_world, 300, model("opus")) == []


def test_undo_of_an_undo_is_what_the_source_says(fake_world: FakeWorld) -> None:
    Crew(fake_world, ROLLING)
    fake_world.given(model("opus"))
    fake_world.when_applied()
    undone(fake_world)
    undone(fake_world)
    assert models(fake_world) == {"opus"}
    assert rollout.status(fake_world.flags, "crew").pin is None
    assert fake_world.when_planned().in_sync


def test_any_revision_can_be_brought_back_by_its_number(fake_world: FakeWorld) -> None:
    Crew(fake_world, ROLLING, replicas=2)
    for name in ("one", "two", "three"):
        fake_world.given(crew(ROLLING, 2, f", model: {name}"))
        fake_world.when_applied()
    found = rollout.history(fake_world.flags, "crew")
    assert [each.number for each in found.revisions] == [1, 2, 3, 4]
    assert found.current == 4
    assert [list(map(str, each.changed)) for each in found.revisions[1:]] == [["InstanceSet/crew"]] * 3
    undone(fake_world, 2)
    assert models(fake_world) == {"one"}
    assert rollout.history(fake_world.flags, "crew").current == 5
    with pytest.raises(rollout.NoRevision, match="has no revision 9"):
        undone(fake_world, 9)


def test_a_prompt_is_brought_back_where_its_bytes_are_kept_and_refused_where_they_are_gone(
    fake_world: FakeWorld,
) -> None:
    made = Crew(fake_world, ROLLING)
    made.edited("You write better code.\n")
    fake_world.when_applied()
    first, second = revisions(fake_world.look().catalog, CREW)
    assert [str(ref) for ref in second.changed] == ["Specialist/coder"]
    kept = fake_world.overlay / "content" / "kept"
    text = b"You write code.\n"
    digest = fake_world.look().files.digest(str(fake_world.given_file("before.md", text))).digest
    aside = kept / digest.replace(":", "-")
    if aside.exists():
        aside.unlink()
    with pytest.raises(GuardRefused, match="made of what is gone: the bytes of promptFile of Role/coder"):
        undone(fake_world)
    kept.mkdir(exist_ok=True)
    aside.write_bytes(text)
    assert undone(fake_world).exit_code == 0
    prompts = list((fake_world.overlay / "content" / "prompts").rglob("*.md"))
    assert [path.read_bytes() for path in prompts] == [text]
    assert rollout.history(fake_world.flags, "crew").revisions[-1].digests == first.digests


def test_a_rollout_that_fails_goes_back_by_itself_where_it_says_so(fake_world: FakeWorld) -> None:
    strategy = "type: Canary, partition: 1, analysis: {exec: [check]}, onFailure: Rollback"
    made = Crew(fake_world, strategy)
    fake_world.process.answers["check"] = Finished(1, b"", b"")
    fake_world.given(model("opus", strategy))
    applied = fake_world.when_applied(on_point=made.on_point)
    assert applied.report.exit_code == 1
    assert models(fake_world) == {None}
    told = [fields["reason"] for kind, fields in applied.events if kind == "condition"]
    assert told == ["RolloutFailed", "RolledBack"]
    assert made.order == ["crew-0", "crew-0"], "the first alone changed, and changed back"


def test_under_a_watch_it_goes_back_and_stays_there(fake_world: FakeWorld) -> None:
    strategy = "type: Canary, partition: 1, analysis: {exec: [check]}, onFailure: Rollback"
    made = Crew(fake_world, strategy)
    fake_world.process.answers["check"] = Finished(1, b"", b"")
    done = watched(fake_world, 1200, model("opus", strategy))
    assert [each for each in done if each.startswith("relaunch")] == ["relaunch Instance/crew-0"] * 2
    assert models(fake_world) == {None}
    assert made.changed == {"crew-0"}
    assert watched(fake_world, 600, model("opus", strategy)) == []


def test_another_set_of_the_same_name_begins_anew(fake_world: FakeWorld) -> None:
    Crew(fake_world, ROLLING, replicas=2)
    rollout.pause(fake_world.flags, "crew", RunFlags(), quiet)
    fake_world.when_deleted("instanceset/crew", cascade="yes", override_s=60)
    fake_world.pass_time(61)
    fake_world.when_applied()
    assert rollout.status(fake_world.flags, "crew").state.paused == ""
