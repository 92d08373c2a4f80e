"""One look at the fleet: one trip to tmux, and what each agent is found to be at."""

import pytest

from reconciler.app import messages, top
from reconciler.app.agents import Selector, resolve
from reconciler.model.errors import UsageFault
from reconciler.testing.fake_world import FakeWorld
from tests.top.conftest import ASKING, BUSY, READY, row, shows


def test_the_whole_fleet_costs_one_trip(fleet: FakeWorld) -> None:
    before = fleet.tmux.round_trips

    board = top.look(fleet.flags)

    assert fleet.tmux.round_trips == before + 1
    assert [found.name for found in board.rows] == ["alice", "bob", "carol"]
    assert [found.screen for found in board.rows] == ["echo> ", "echo> ", None]


def test_each_agent_says_where_its_turn_stands(fleet: FakeWorld) -> None:
    shows(fleet, "alice", BUSY)
    shows(fleet, "bob", ASKING)

    board = top.look(fleet.flags)

    said = [(each.name, each.state, each.synced, each.ready, each.phase) for each in board.rows]
    assert said == [
        ("alice", "Running", "True", "True", "active"),
        ("bob", "Running", "True", "False", "blocked"),
        ("carol", "Stopped", "True", "False", ""),
    ]
    assert row(board, "bob").why == "it asks: Do you trust this folder? (y/N)"


def test_a_screen_nobody_knows_is_unknown(fleet: FakeWorld) -> None:
    shows(fleet, "alice", ("something else", ""))
    assert row(top.look(fleet.flags), "alice").phase == "unknown"


def test_an_agent_whose_program_ended_has_no_turn_and_says_why(fleet: FakeWorld) -> None:
    fleet.kill_process_of("alice")

    found = row(top.look(fleet.flags), "alice")

    assert (found.state, found.synced, found.phase) == ("Exited", "False", "")
    assert found.health == "degraded (ProviderExited)"
    assert "Synced is False" in found.why
    assert found.lower(5) == ["echo>"]


def test_a_silent_tmux_is_ignorance(fleet: FakeWorld) -> None:
    fleet.tmux.unanswered = "it is stopped"

    found = row(top.look(fleet.flags), "alice")

    assert (found.state, found.synced, found.ready, found.phase) == ("Unknown", "Unknown", "Unknown", "")
    assert "it is stopped" in found.why


def test_a_request_is_an_event(fleet: FakeWorld) -> None:
    messages.prompt(resolve(fleet.flags, Selector(agent_name="alice")), "hello")

    event = row(top.look(fleet.flags), "alice").event

    assert event is not None
    assert event.text == "prompt delivered"
    assert event.at is not None


def test_what_changes_between_two_looks_is_an_event(fleet: FakeWorld) -> None:
    first = top.look(fleet.flags)
    shows(fleet, "alice", BUSY)
    fleet.pass_time(2)
    began = top.look(fleet.flags).since(first)
    fleet.pass_time(2)
    same = top.look(fleet.flags).since(began)
    shows(fleet, "alice", READY)
    fleet.kill_process_of("bob")
    ended = top.look(fleet.flags).since(same)

    assert row(first.since(None), "alice").event is None
    assert row(began, "alice").event == top.Event("turn began", began.at)
    assert row(same, "alice").event == top.Event("turn began", began.at)
    assert row(ended, "alice").event == top.Event("turn ended", ended.at)
    assert row(ended, "bob").event == top.Event("Running → Exited", ended.at)
    assert row(ended, "carol").event is None


def test_the_newer_of_what_was_told_and_what_was_seen_counts(fleet: FakeWorld) -> None:
    first = top.look(fleet.flags)
    found = row(first, "alice")
    earlier, later = first.at, first.at.replace(year=first.at.year + 1)

    assert found._replace(told=top.Event("a", earlier), noted=top.Event("b", later)).event == top.Event("b", later)
    assert found._replace(told=top.Event("a", later), noted=top.Event("b", earlier)).event == top.Event("a", later)
    lasting = top.Event("relaunch under way")
    assert found._replace(told=lasting, noted=top.Event("b", later)).event == lasting


def test_a_selector_chooses(fleet: FakeWorld) -> None:
    assert [found.name for found in top.look(fleet.flags, selector="team=core").rows] == ["alice", "bob"]
    with pytest.raises(UsageFault):
        top.look(fleet.flags, selector="a b c")


def test_what_looks_like_a_key_is_not_shown(fleet: FakeWorld) -> None:
    key = "sk-ant-api03-" + "abcDEF0123456789" * 6
    shows(fleet, "alice", (f"the key is {key}\necho> ", "echo: ready"))

    assert row(top.look(fleet.flags), "alice").lower(5) == ["the key is (redacted)", "echo>"]


def test_of_a_large_fleet_only_those_on_the_page_are_asked(fake_world: FakeWorld) -> None:
    fake_world.given(
        "kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, prompt: You write code.}\n---\n"
        "kind: InstanceSet\nmetadata: {name: crew}\nspec: {replicas: 101, template: {specialistRef: coder}}\n"
    )
    fake_world.when_applied()
    all_of_them = top.look(fake_world.flags)
    page = [found.uid for found in all_of_them.rows[50:60]]
    before = fake_world.tmux.round_trips

    board = top.look(fake_world.flags, near=page)

    assert fake_world.tmux.round_trips == before + 1
    assert len(all_of_them.rows) == 101
    assert sum(found.phase != "" for found in all_of_them.rows) == 100
    assert [found.uid for found in board.rows if found.phase] == page
