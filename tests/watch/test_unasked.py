"""What a watch does not do unasked: told on the fake twin."""

from reconciler.adapters.requests_sqlite import SqliteRequests
from reconciler.ports.process import ProcessFacts
from reconciler.ports.wakers import Waker, Woken
from reconciler.testing.fake_world import FakeWorld
from tests.fleets import FLEET
from tests.watch.conftest import Story


def shows(world: FakeWorld, name: str, title: str, row: str) -> None:
    pane = world.pane_of(name)
    pane.title, pane.text = title, row


def busy(world: FakeWorld, name: str) -> None:
    shows(world, name, "echo: busy", "… working (esc to interrupt)")


def idle(world: FakeWorld, name: str) -> None:
    shows(world, name, "echo: ready", "echo>")


def test_an_agent_in_the_middle_of_a_turn_is_not_restarted_because_a_file_changed(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    fake_world.when_applied()
    pids = {name: fake_world.session_of(name).pid for name in ("alice", "bob")}
    busy(fake_world, "alice")
    idle(fake_world, "bob")

    def saved() -> None:
        fake_world.given_file("prompts/coder.md", "You write better code.\n")

    def looked_at() -> None:
        assert fake_world.session_of("alice").pid == pids["alice"], "it was disturbed in its turn"
        assert fake_world.session_of("bob").pid != pids["bob"], "nobody kept bob from it"
        idle(fake_world, "alice")

    story.script.at(10, saved, story.saved("prompts/coder.md"))
    story.script.at(700, looked_at)  # more than ten minutes later: it is deferred, not forced
    told = story.told(710)
    assert told.done.count("relaunch Instance/bob") == 1
    assert told.done.count("relaunch Instance/alice") == 1
    assert [(each["ref"], each["code"]) for each in told.of("wait")] == [("Instance/alice", "AgentBusy")]
    # Its screen is read every other second, and the fleet is planned for it by the timer alone.
    assert len(told.of("plan")) <= 17
    assert story.script.waits > 300


def test_one_that_says_so_is_restarted_at_once(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    fake_world.given(FLEET.replace("{specialistRef: coder}", "{specialistRef: coder, disruption: {when: Immediate}}"))
    fake_world.when_applied()
    busy(fake_world, "alice")
    fake_world.given_file("prompts/coder.md", "You write better code.\n")
    assert "relaunch Instance/alice" in story.told(1).done


def test_an_agent_that_ended_is_healed_although_its_screen_looks_busy(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    fake_world.when_applied()
    busy(fake_world, "alice")
    fake_world.kill_process_of("alice")
    assert story.told(1).done == ["relaunch Instance/alice"]


HEADLESS = FLEET.replace("metadata: {name: alice}\nspec: {", "metadata: {name: alice}\nspec: {headless: true, ")


def in_a_turn(world: FakeWorld, name: str) -> int:
    """A turn of a headless agent begins; the pid of its process."""
    root = world.rows[f"Instance/{name}"].live["session_manifest"].rpartition("/")[0]
    log = SqliteRequests().log(root)
    assert log is not None
    pid = world.process.spawn(("turn",), {"HOUMAO_UID": world.rows[f"Instance/{name}"].uid}, "/")
    facts = world.process.facts([pid])[pid]
    assert isinstance(facts, ProcessFacts)
    row = log.begin_turn("turn-0001", "2026-01-01T00:00:00+00:00")
    log.note_turn(row._replace(pid=pid, ticks=facts.start_ticks))
    log.close()
    return pid


def test_a_headless_agent_in_the_middle_of_a_turn_is_left_to_finish_it(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    fake_world.given(HEADLESS)
    fake_world.when_applied()
    pid = in_a_turn(fake_world, "alice")
    before = fake_world.session_of("alice").pid

    def saved() -> None:
        fake_world.given_file("prompts/coder.md", "You write better code.\n")

    def ended() -> None:
        assert fake_world.process.alive(pid), "its turn was ended"
        assert fake_world.session_of("alice").pid == before
        fake_world.process.exit(pid)

    story.script.at(10, saved, story.saved("prompts/coder.md"))
    story.script.at(700, ended)
    told = story.told(710)
    assert told.done.count("relaunch Instance/bob") == 1
    assert told.done.count("relaunch Instance/alice") == 1
    assert [(each["ref"], each["code"]) for each in told.of("wait")] == [("Instance/alice", "AgentBusy")]


def test_a_lost_session_is_made_again_when_the_turn_that_outlived_it_is_over(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    fake_world.given(HEADLESS)
    fake_world.when_applied()
    pid = in_a_turn(fake_world, "alice")
    story.script.at(10, lambda: fake_world.kill_session_of("alice"), Woken(Waker.TMUX))
    story.script.at(60, lambda: fake_world.process.exit(pid) if fake_world.process.alive(pid) else None)
    story.script.over_at = 50
    told = story.told(50)
    assert fake_world.process.alive(pid), "its turn was ended"
    assert told.done == []
    told = story.told(70)
    assert fake_world.running == {"alice", "bob"}


def test_drift_that_is_only_to_be_reported_is_left_for_the_next_apply(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    fake_world.given(FLEET.replace("{specialistRef: coder}", "{specialistRef: coder, drift: {policy: report}}"))
    fake_world.when_applied()
    fake_world.kill_session_of("alice")
    told = story.told(300)
    assert told.done == []
    assert [(each["ref"], each["code"]) for each in told.of("drift")] == [("Instance/alice", "Drifted")]
    assert fake_world.when_applied().settled
    assert fake_world.running == {"alice", "bob"}


def removed(world: FakeWorld, policy: str) -> list[str]:
    story = Story(world)
    project = f"\n---\nkind: Project\nmetadata: {{name: team}}\nspec: {{prunePolicy: {policy}}}" if policy else ""
    more = "".join(
        f"\n---\nkind: Instance\nmetadata: {{name: extra-{n}}}\nspec: {{specialistRef: coder}}" for n in (1, 2)
    )
    world.given(FLEET + more + project)
    world.when_applied()
    world.given(FLEET + more.replace("extra-2", "extra-1", 0).rpartition("\n---")[0] + project)
    told = story.told(1)
    return [*told.done, *(f"{each['code']} {each['ref']}" for each in told.of("prune_candidate"))]


def test_what_is_no_longer_declared_is_reported(fake_world: FakeWorld) -> None:
    assert removed(fake_world, "") == ["Orphaned Instance/extra-2"]


def test_or_removed_where_the_project_says_so(fake_world: FakeWorld) -> None:
    assert removed(fake_world, "auto") == ["remove Instance/extra-2"]


def test_or_not_spoken_of(fake_world: FakeWorld) -> None:
    assert removed(fake_world, '"off"') == []


def test_a_removal_that_a_guard_refuses_stops_nothing_else(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    project = "\n---\nkind: Project\nmetadata: {name: team}\nspec: {prunePolicy: auto}"
    fake_world.given(FLEET + project)
    fake_world.when_applied()
    fake_world.given(FLEET.partition("\n---")[0] + project)  # every Instance is gone from the text
    told = story.told(1)
    assert told.done == []
    assert [str(each["code"]).partition(".")[0] for each in told.of("diagnostic")] == ["guard"]
    assert fake_world.running == {"alice", "bob"}


def test_what_fails_is_tried_again_after_longer_pauses_and_hinders_nobody(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    fake_world.unkillable.add("alice")
    fake_world.when_applied()

    def saved() -> None:
        fake_world.given_file("prompts/coder.md", "You write better code.\n")

    story.script.at(10, saved, story.saved("prompts/coder.md"))
    story.script.at(2000, lambda: fake_world.kill_session_of("bob"), Woken(Waker.TMUX))
    told = story.told(2100)
    assert told.done.count("relaunch Instance/bob") == 1
    assert told.done[-1] == "create Instance/bob"
    failed = [each for each in told.of("action_end") if each["outcome"] == "failed"]
    assert {each["ref"] for each in failed} == {"Instance/alice"}
    assert 1 <= len(failed) <= 7, "five retries and their pauses, not one with every look"
    attempt = fake_world.look().catalog.attempts()[fake_world.rows["Instance/alice"].uid]
    assert attempt.tries == len(failed)
