"""When a running agent may be disturbed, by what it declares: under a watch and by a one-off apply (R-WAT-8)."""

from datetime import timedelta

import pytest

from reconciler.app import waiting
from reconciler.model.errors import DeclarationError
from reconciler.model.names import META_WAITING
from reconciler.model.outcome import Result
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.told import Applied
from tests.fleets import FLEET
from tests.watch.conftest import Story
from tests.watch.test_unasked import busy, idle

ALICE = Ref("Instance", "alice")


def fleet(disruption: str) -> str:
    """Alice says when she may be disturbed, bob says nothing."""
    return FLEET.replace("{specialistRef: coder}", f"{{specialistRef: coder, disruption: {{{disruption}}}}}", 1)


def project(world: FakeWorld, hours: float, length: float = 1) -> str:
    """A Project with one window, that opens in so many hours."""
    opens = world.clock.now_utc() + timedelta(hours=hours)
    closes = opens + timedelta(hours=length)
    return (
        "\n---\nkind: Project\nmetadata: {name: team}\n"
        f'spec: {{windows: [{{name: w, begin: "{opens:%H:%M}", end: "{closes:%H:%M}"}}]}}'
    )


def started(world: FakeWorld, text: str, *, doing: bool = True) -> Story:
    """A fleet that runs, and whose prompt was edited since; alice is in the middle of a turn."""
    story = Story(world)
    world.given(text)
    assert world.when_applied().settled
    world.given_file("prompts/coder.md", "You write better code.\n")
    (busy if doing else idle)(world, "alice")
    idle(world, "bob")
    return story


def pids(world: FakeWorld) -> dict[str, int]:
    return {name: world.session_of(name).pid for name in ("alice", "bob")}


def ended(applied: Applied, name: str) -> tuple[Result, str, str]:
    (found,) = [each for each in applied.report.outcomes if each.action.ref == Ref("Instance", name)]
    return found.result, found.reason, found.note


def waits(applied: Applied) -> list[tuple[object, object]]:
    return [(fields["ref"], fields["code"]) for kind, fields in applied.events if kind == "wait"]


# --- a watch ----------------------------------------------------------------------------------------------------------


def test_a_watch_disturbs_who_says_force_after_the_longest_wait_and_not_before(fake_world: FakeWorld) -> None:
    story = started(fake_world, fleet("when: Idle, maxWait: 3m, onTimeout: Force"))
    before = pids(fake_world)

    told = story.told(170)
    assert told.done == ["update Specialist/coder", "relaunch Instance/bob"]
    assert "at the latest" in str(told.of("wait")[0]["text"])
    assert pids(fake_world)["alice"] == before["alice"]

    # Another watch goes on with the wait of the one that ended.
    told = story.told(200)
    assert told.done == ["relaunch Instance/alice"]
    assert waiting.read(fake_world.look().catalog) == {}


def test_another_change_is_another_wait(fake_world: FakeWorld) -> None:
    story = started(fake_world, fleet("maxWait: 3m, onTimeout: Force"))
    story.told(170)
    fake_world.given_file("prompts/coder.md", "You write the best code.\n")
    assert "relaunch Instance/alice" not in story.told(300).done
    assert "relaunch Instance/alice" in story.told(360).done


def test_a_watch_disturbs_in_its_windows_who_waits_for_them_busy_or_not(fake_world: FakeWorld) -> None:
    text = fleet("when: Window") + project(fake_world, 2)
    story = started(fake_world, text)
    told = story.told(3600)
    assert told.done == ["update Specialist/coder"]
    assert sorted((each["ref"], each["code"]) for each in told.of("wait")) == [
        ("Instance/alice", "WindowClosed"),
        ("Instance/bob", "WindowClosed"),
    ]
    told = story.told(2 * 3600 + 120)
    assert sorted(told.done) == ["relaunch Instance/alice", "relaunch Instance/bob"]


def test_who_says_force_is_disturbed_outside_of_the_windows_and_nobody_else(fake_world: FakeWorld) -> None:
    text = fleet("when: Window, maxWait: 30m, onTimeout: Force") + project(fake_world, 5)
    story = started(fake_world, text)
    assert story.told(1750).done == ["update Specialist/coder"]
    assert story.told(1900).done == ["relaunch Instance/alice"]


# --- an apply ---------------------------------------------------------------------------------------------------------


def test_an_apply_waits_for_who_says_idle_and_for_nobody_else(fake_world: FakeWorld) -> None:
    started(fake_world, fleet("when: Idle"))
    busy(fake_world, "bob")
    at: dict[str, float] = {}
    begun = fake_world.clock.monotonic()

    def on_point(point: str, phase: str, ref: Ref) -> None:
        if point == "relaunch/Instance:intent" and phase == "before":
            at[ref.name] = fake_world.clock.monotonic() - begun

    def meanwhile() -> None:
        if fake_world.clock.monotonic() - begun >= 40:
            idle(fake_world, "alice")

    applied = fake_world.when_applied(on_point=on_point, stopping=meanwhile)
    assert applied.settled
    assert applied.report.exit_code == 0
    assert at["bob"] < 5
    assert 40 <= at["alice"] < 45
    assert waits(applied) == [("Instance/alice", "AgentBusy")]
    assert waiting.read(fake_world.look().catalog) == {}


def test_one_that_does_not_become_idle_is_left_to_a_later_apply(fake_world: FakeWorld) -> None:
    started(fake_world, fleet("maxWait: 2m"))
    before = pids(fake_world)
    begun = fake_world.clock.monotonic()
    applied = fake_world.when_applied()
    assert 120 <= fake_world.clock.monotonic() - begun < 130
    assert applied.report.exit_code == 3, "not converged in time"
    result, reason, note = ended(applied, "alice")
    assert (result, reason) == (Result.SKIPPED, "Deferred")
    assert "in the middle of a turn" in note
    assert ended(applied, "bob")[0] is Result.SETTLED
    assert pids(fake_world)["alice"] == before["alice"]
    assert waiting.read(fake_world.look().catalog)[ALICE].code == "AgentBusy"

    idle(fake_world, "alice")
    assert fake_world.when_applied().report.exit_code == 0
    assert fake_world.when_planned().in_sync


def test_or_is_disturbed_all_the_same_counted_from_when_it_was_first_waited_for(fake_world: FakeWorld) -> None:
    started(fake_world, fleet("maxWait: 2m, onTimeout: Force"))
    applied = fake_world.when_applied(wait=False)
    assert ended(applied, "alice")[1] == "Deferred"
    assert applied.report.exit_code == 0, "nobody asked to wait"
    fake_world.pass_time(90)
    begun = fake_world.clock.monotonic()
    assert fake_world.when_applied().settled
    assert 20 <= fake_world.clock.monotonic() - begun < 40


def test_an_apply_is_over_when_its_time_is(fake_world: FakeWorld) -> None:
    started(fake_world, fleet("maxWait: 1h, onTimeout: Force"))
    begun = fake_world.clock.monotonic()
    applied = fake_world.when_applied(timeout_s=30.0)
    assert fake_world.clock.monotonic() - begun < 35
    assert applied.report.exit_code == 3
    assert ended(applied, "alice")[0] is Result.SKIPPED


def test_immediate_waits_for_nothing_also_where_everybody_is_respected(fake_world: FakeWorld) -> None:
    started(fake_world, fleet("when: Immediate"))
    busy(fake_world, "bob")
    before = pids(fake_world)
    applied = fake_world.when_applied(respect_busy=True, wait=False)
    now = pids(fake_world)
    assert (now["alice"] != before["alice"], now["bob"] == before["bob"]) == (True, True)
    assert ended(applied, "bob")[1] == "Deferred"


def test_without_a_word_an_apply_acts_at_once(fake_world: FakeWorld) -> None:
    started(fake_world, FLEET)
    applied = fake_world.when_applied()
    assert applied.settled
    assert waits(applied) == []
    assert fake_world.look().catalog.meta(META_WAITING) is None


def test_an_apply_leaves_who_waits_for_a_window_that_opens_too_late(fake_world: FakeWorld) -> None:
    started(fake_world, fleet("when: Window") + project(fake_world, 5), doing=False)
    begun = fake_world.clock.monotonic()
    applied = fake_world.when_applied()
    assert fake_world.clock.monotonic() - begun < 10, "it is certain that it does not open in time"
    assert applied.report.exit_code == 3
    assert ended(applied, "bob")[0] is Result.SETTLED, "it declares nothing, and an apply acts at any hour"
    kept = waiting.read(fake_world.look().catalog)[ALICE]
    assert kept.code == "WindowClosed"
    assert kept.until is not None
    assert f"{kept.until:%H:%M}" in kept.text

    before = pids(fake_world)["alice"]
    assert fake_world.when_applied(ignore_window=True).settled
    assert pids(fake_world)["alice"] != before


def test_and_waits_for_one_that_opens_in_time(fake_world: FakeWorld) -> None:
    text = fleet("when: Window, maxWait: 1h") + project(fake_world, 0.1)
    started(fake_world, text)
    begun = fake_world.clock.monotonic()
    applied = fake_world.when_applied(timeout_s=1800.0)
    assert applied.settled
    assert 200 <= fake_world.clock.monotonic() - begun <= 400


def test_what_ended_by_itself_is_started_whatever_gate_it_has(fake_world: FakeWorld) -> None:
    started(fake_world, fleet("when: Window") + project(fake_world, 5))
    fake_world.kill_process_of("alice")
    assert fake_world.when_applied().settled


def test_who_ends_by_itself_meanwhile_is_not_waited_for(fake_world: FakeWorld) -> None:
    started(fake_world, fleet("maxWait: 5m"))
    begun = fake_world.clock.monotonic()

    def meanwhile() -> None:
        if fake_world.clock.monotonic() - begun >= 20 and "alice" in fake_world.running:
            fake_world.kill_session_of("alice")

    fake_world.when_applied(stopping=meanwhile, timeout_s=120.0)
    assert fake_world.clock.monotonic() - begun < 60
    fake_world.when_applied()
    assert fake_world.running == {"alice", "bob"}
    assert fake_world.when_planned().in_sync


def test_removal_waits_for_the_end_of_a_turn_where_everybody_is_respected(fake_world: FakeWorld) -> None:
    started(fake_world, FLEET)
    alice, bob = (f"metadata: {{name: {name}}}" for name in ("alice", "bob"))
    assert alice in FLEET
    fake_world.given(FLEET.replace(f"---\nkind: Instance\n{alice}\nspec: {{specialistRef: coder}}\n", ""))
    assert bob in FLEET
    applied = fake_world.when_applied(prune=True, respect_busy=True, timeout_s=30.0)
    assert ended(applied, "alice")[:2] == (Result.SKIPPED, "Deferred")
    assert fake_world.running == {"alice", "bob"}
    idle(fake_world, "alice")
    assert fake_world.when_applied(prune=True, respect_busy=True).settled
    assert fake_world.running == {"bob"}


def test_a_wait_for_what_is_not_wanted_any_more_is_forgotten(fake_world: FakeWorld) -> None:
    text = fleet("when: Window") + project(fake_world, 5)
    story = Story(fake_world)
    fake_world.given(text)
    assert fake_world.when_applied().settled
    del story
    fake_world.given(text.replace("{specialistRef: coder, disr", "{specialistRef: coder, model: opus, disr"))
    assert fake_world.when_applied(wait=False).report.exit_code == 0
    assert ALICE in waiting.read(fake_world.look().catalog)
    fake_world.given(text)
    assert fake_world.when_applied().report.outcomes == ()
    assert waiting.read(fake_world.look().catalog) == {}
    before = fake_world.bytes()
    fake_world.when_applied()
    assert fake_world.bytes() == before


# --- loading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("disruption", "said"),
    [
        ("when: Immediate, maxWait: 1m", "'maxWait'"),
        ("when: Immediate, onTimeout: Force", "'onTimeout'"),
        ("when: Window", "windows of the Project"),
    ],
)
def test_what_could_mean_nothing_is_refused(fake_world: FakeWorld, disruption: str, said: str) -> None:
    fake_world.given_file("prompts/coder.md", "You write code.\n")
    fake_world.given(fleet(disruption))
    with pytest.raises(DeclarationError, match=said):
        fake_world.when_planned()
