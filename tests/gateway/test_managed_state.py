"""The managed state says of an agent's gateway what that says of itself, and of a dead one that it is not there."""

import json

import pytest

from reconciler.app.agent_state import managed_state
from reconciler.app.agents import Selector, resolve
from reconciler.model.json import JsonMap
from reconciler.ports.gateway import Reply
from reconciler.testing.fake_world import FakeWorld
from tests.stories.fleets import CODER, PROMPT, TEXT, instance

ALIVE: JsonMap = {
    "gateway_health": "healthy",
    "managed_agent_connectivity": "connected",
    "managed_agent_recovery": "idle",
    "request_admission": "open",
    "active_execution": "running",
    "queue_depth": 3,
    "gateway_host": "127.0.0.1",
    "gateway_port": 42001,
}


def gateway(world: FakeWorld) -> object:
    return managed_state(resolve(world.flags, Selector(agent_name="alice")))["gateway"]


@pytest.fixture
def fleet(fake_world: FakeWorld) -> FakeWorld:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(CODER + instance("alice", "specialistRef: coder, gateway: {enabled: true}"))
    assert fake_world.when_applied().settled
    return fake_world


def test_it_says_what_the_gateway_says(fleet: FakeWorld) -> None:
    more = {**ALIVE, "execution_mode": "detached_process"}
    fleet.gateways.replies["GET", "/v1/status"] = Reply(200, json.dumps(more).encode())
    assert gateway(fleet) == ALIVE


def test_a_dead_one_is_not_shown_as_there(fleet: FakeWorld) -> None:
    fleet.kill_gateway_of("alice")
    assert gateway(fleet) is None


def test_an_agent_without_one_has_none(fake_world: FakeWorld) -> None:
    fake_world.given_file(PROMPT, TEXT)
    fake_world.given(CODER + instance("alice", "specialistRef: coder"))
    fake_world.when_applied()
    assert gateway(fake_world) is None
    assert fake_world.gateways.calls == []
