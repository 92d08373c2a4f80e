"""`plan --refresh-only`: what is seen as another thing than was recorded, whatever is declared; nothing is planned."""

import json
import os

import pytest

from reconciler.app.refresh import RefreshResult, refresh
from reconciler.app.request import PlanFlags, Source
from reconciler.cli.commands.plan import COMMANDS
from reconciler.cli.grammar import parse
from reconciler.cli.render_refresh import show
from reconciler.model.ref import Ref
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.plugin import fake_world

__all__ = ["fake_world"]
FLEET = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, prompt: You write code., model: first}
---
kind: Instance
metadata: {name: alice}
spec: {specialistRef: coder, gateway: {enabled: true}}
---
kind: Instance
metadata: {name: bob}
spec: {specialistRef: coder}
"""


def looked(world: FakeWorld) -> RefreshResult:
    return refresh(world.flags, Source((str(world.source),)), PlanFlags())


def parts(world: FakeWorld) -> dict[tuple[str, str], tuple[object, object]]:
    return {(str(each.ref), each.part): (each.recorded, each.seen) for each in looked(world).found.changed}


def running(world: FakeWorld) -> FakeWorld:
    world.given(FLEET)
    assert world.when_applied().settled
    return world


def test_what_stands_as_recorded_is_not_spoken_of_whatever_is_declared(fake_world: FakeWorld) -> None:
    world = running(fake_world)
    assert looked(world).to_json() | {"overlayId": ""} == {
        "refreshOnly": True,
        "overlayId": "",
        "applySet": "default",
        "sourceRevision": "",
        "recorded": 5,  # with the role and the recipe that come of the specialist
        "changed": [],
        "unknown": [],
        "actions": [],
    }
    world.given(FLEET.replace("You write code.", "You write better code.").replace("name: bob", "name: robert"))
    assert not world.when_planned().in_sync
    assert parts(world) == {}


def test_each_part_that_changed_is_named_with_both_sides(fake_world: FakeWorld) -> None:
    world = running(fake_world)
    rows = world.rows
    alice, bob = rows["Instance/alice"].live, rows["Instance/bob"].live
    world.kill_process_of("alice")
    world.kill_gateway_of("alice")
    world.kill_session_of("bob")
    world.edit_record_of("alice")
    os.rename(world.home_of("bob"), world.root / "moved")
    found = parts(world)
    assert set(found) == {
        ("Instance/alice", "process"),
        ("Instance/alice", "gateway"),
        ("Instance/alice", "record"),
        ("Instance/bob", "session"),
        ("Instance/bob", "process"),
        ("Instance/bob", "home"),
    }
    assert found["Instance/alice", "process"] == (f"{alice['pid']} started at {alice['ticks']}", None)
    assert found["Instance/alice", "record"][0] == alice["record"]
    assert found["Instance/alice", "record"][1] not in (None, alice["record"])
    assert found["Instance/bob", "session"] == (bob["session"], None)
    assert found["Instance/bob", "home"] == (bob["home"], None)


def test_a_definition_that_was_changed_or_removed_is_seen_by_its_path(fake_world: FakeWorld) -> None:
    world = running(fake_world)
    catalog = world.look().catalog
    with world.ports(world.settings).catalog.transaction(token(world)) as tx:
        definition = catalog.definitions("Specialist")["coder"]
        tx.put_definition(definition._replace(facts={**definition.facts, "model": "another"}))
    assert parts(world) == {
        ("Specialist/coder", "spec.model"): ("first", "another"),
        ("Recipe/coder-echo-default", "spec.launch.model"): ("first", "another"),  # of the same row
    }
    with world.ports(world.settings).catalog.transaction(token(world)) as tx:
        tx.drop_definition(Ref("Specialist", "coder"))
    assert parts(world)["Specialist/coder", "resource"] == ("there", None)


def token(world: FakeWorld) -> int:
    found = world.look().catalog.lease()
    assert found is not None
    return found.token


def test_what_cannot_be_seen_is_unknown_and_not_changed(fake_world: FakeWorld) -> None:
    world = running(fake_world)
    world.tmux.unanswered = "it does not answer"
    result = looked(world)
    assert result.found.changed == ()
    assert [str(ref) for ref, _ in result.found.unknown] == ["Instance/alice", "Instance/bob"]


def test_a_stopped_agent_that_runs_again_is_seen(fake_world: FakeWorld) -> None:
    world = running(fake_world)
    world.given(
        FLEET.replace(
            "name: bob}\nspec: {specialistRef: coder}", "name: bob}\nspec: {specialistRef: coder, state: Stopped}"
        )
    )
    assert world.when_applied().settled
    assert parts(world) == {}
    world.foreign_session("by hand", world.rows["Instance/bob"].uid)
    assert ("Instance/bob", "session") in parts(world)
    assert parts(world)["Instance/bob", "session"][0] is None


def test_it_writes_nothing(fake_world: FakeWorld) -> None:
    world = running(fake_world)
    world.kill_process_of("alice")
    before = world.bytes()
    looked(world)
    assert world.bytes() == before


def test_it_is_said_in_words_and_by_the_exit_code(fake_world: FakeWorld, capsys: pytest.CaptureFixture[str]) -> None:
    world = running(fake_world)
    words = ["-f", str(world.source), "--refresh-only", "--detailed-exitcode"]
    assert show(parse(COMMANDS[0], words), looked(world)) == 0
    assert capsys.readouterr().out == "All 5 recorded resources are seen as they were recorded.\n"
    world.kill_session_of("bob")
    assert show(parse(COMMANDS[0], words), looked(world)) == 2
    said = capsys.readouterr().out
    assert "1 of 5 recorded resources are seen as something else:" in said
    assert "session: recorded $" in said
    assert "Nothing is planned" in said
    assert show(parse(COMMANDS[0], [*words[:-1], "-o", "json"]), looked(world)) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(each["part"], each["seen"]) for each in found["changed"]] == [("session", None), ("process", None)]
    assert found["actions"] == []
