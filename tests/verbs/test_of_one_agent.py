"""`agents …`: what its verbs leave behind is what the edit of the manifest leaves behind (R-IMP-7), and each says
what it is (R-IMP-1).
"""

import pytest

from reconciler.app import launching, lifecycle
from reconciler.app.agents import Agent, Selector, resolve
from reconciler.app.ask import Said
from reconciler.app.gateway import attach
from reconciler.app.lifecycle import Telling
from reconciler.app.request import RunFlags
from reconciler.model.json import Json
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.real_world import until
from tests.authoring.conftest import Hand, hand
from tests.verbs.test_equivalence import FLEET, begun
from tests.verbs.test_equivalence import state as whole

__all__ = ["hand"]
RECIPE = """\
---
apiVersion: houmao/v1alpha1
kind: Recipe
metadata: {name: rec}
spec: {roleRef: role, provider: echo}
---
apiVersion: houmao/v1alpha1
kind: Role
metadata: {name: role}
spec: {prompt: You review.}
"""


def telling(said: list[Said]) -> Telling:
    return Telling(RunFlags(yes=True), lambda plan: True, lambda plan: None, lambda kind, fields: None, said)


def alice(world: FakeWorld) -> Agent:
    return resolve(world.flags, Selector(agent_name="alice"))


def state(world: FakeWorld) -> dict[str, Json]:
    """That of the other table, but for how often something was changed on the way."""
    found = whole(world)
    rows, marks = found["rows"], found["marks"]
    assert isinstance(rows, dict)
    assert isinstance(marks, list)
    found["rows"] = {
        ref: {key: value for key, value in row.items() if key != "generation"}
        for ref, row in rows.items()
        if isinstance(row, dict)
    }
    found["marks"] = [" ".join(mark.split(" ")[::2]) for mark in marks if isinstance(mark, str)]
    return found


def edited(old: str, new: str) -> dict[str, Json]:
    """The other world, where the manifest is edited and applied."""
    with FakeWorld() as world:
        begun(world)
        assert FLEET.count(old) == 1
        world.given_file("fleet.yaml", FLEET.replace(old, new))
        assert world.when_applied().settled
        return state(world)


def test_a_stop_ends_where_the_edit_of_the_manifest_ends(fake_world: FakeWorld) -> None:
    begun(fake_world)
    said: list[Said] = []
    assert lifecycle.stop(alice(fake_world), telling(said)).success
    assert [one.headline for one in said] == ["Patch to desired state"]
    assert state(fake_world) == edited("state: Running", "state: Stopped")
    assert fake_world.when_planned().in_sync


def test_a_relaunch_after_it_ends_where_the_manifest_was_all_the_time(fake_world: FakeWorld) -> None:
    begun(fake_world)
    before = state(fake_world)
    lifecycle.stop(alice(fake_world), telling([]))
    said: list[Said] = []
    assert lifecycle.relaunch(alice(fake_world), telling(said)).success
    assert len(said) == 1
    assert state(fake_world) == before
    assert fake_world.when_planned().in_sync
    assert fake_world.look().catalog.overrides() == ()


def test_a_gateway_is_attached_and_detached_as_it_would_be_declared(fake_world: FakeWorld) -> None:
    begun(fake_world)
    before = state(fake_world)
    said: list[Said] = []
    attach.attach(alice(fake_world), telling(said), {"background": True})
    attached = state(fake_world)
    assert attached == edited("state: Running", "state: Running, gateway: {enabled: true, background: true}")
    assert fake_world.when_planned().in_sync
    attach.detach(alice(fake_world), telling(said))
    assert state(fake_world) == edited("state: Running", "state: Running, gateway: {enabled: false, background: true}")
    assert [one.headline for one in said] == ["Patch to desired state"] * 2
    fake_world.clock.advance(3600)
    assert fake_world.when_applied().settled
    assert {**state(fake_world), "rows": {}} == {**before, "rows": {}}


def test_a_launch_ends_where_its_document_does(fake_world: FakeWorld) -> None:
    fake_world.given_file("recipe.yaml", RECIPE.removeprefix("---\n"))
    begun(fake_world)
    said: list[Said] = []
    wanted = launching.Launch(agents="recipe:rec", provider="echo", spec={"model": "opus"}, name="bob")
    launching.launch(fake_world.flags, wanted, telling(said))
    assert [one.headline for one in said] == ["Patch to desired state"]
    with FakeWorld() as other:
        other.given_file("recipe.yaml", RECIPE.removeprefix("---\n"))
        begun(other)
        other.given(
            "kind: Instance\nmetadata: {name: bob}\nspec: {recipeRef: rec, agentName: bob, model: opus}\n", "bob.yaml"
        )
        assert other.when_applied().settled
        assert state(fake_world) == state(other)


@pytest.mark.tmux
def test_each_says_what_it_is(hand: Hand) -> None:
    """A patch or a request for an action: beside the answer, so that a program reads that and nothing else."""
    hand.does("project easy specialist create --name coder --tool echo --system-prompt x")
    hand.does("project easy instance launch --specialist coder --name alice --no-gateway")
    for line, what in (
        ("agents single --agent-name alice relaunch", "Action request:"),
        ("agents single --agent-name alice stop", "Patch to desired state:"),
        ("relaunch alice", "Action request:"),
        ("label instance/alice a=b", "Patch to desired state:"),
    ):
        assert hand(line).out.startswith(what)
        said = hand(f"{line} -o json")
        assert said.data


@pytest.mark.tmux
def test_what_was_stopped_by_hand_stays_stopped_until_its_time_and_no_longer(hand: Hand) -> None:
    """Nobody fights: an apply says what is held and until when, and the first one after that starts it again."""
    hand.world.given_file("prompts/coder.md", "You write code.\n")
    hand.world.given_file("fleet.yaml", FLEET.replace("replicas: 2", "replicas: 0"))
    assert hand("apply -f source --yes").code == 0
    assert hand("agents single --agent-name alice stop --override=4s").code == 0
    held = hand("apply -f source --yes")
    assert (held.code, hand.world.running) == (0, set())
    assert "Instance/alice Held: spec.state is held at 'Stopped' until " in held.out
    assert "declared 'Running'" in held.out

    until(lambda: hand("plan -f source --detailed-exitcode").code == 2, "its time does not end")

    back = hand("apply -f source --yes")
    assert "OverrideExpired" in back.out
    assert hand.world.running == {"alice"}
    assert hand("plan -f source --detailed-exitcode").code == 0
