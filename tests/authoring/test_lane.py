"""Which agents get a gateway without being asked: those that are launched by hand in the easy lane, and no others."""

import pytest

from reconciler.app import launching
from reconciler.app.authoring import instances
from reconciler.app.authoring.change import Talk
from reconciler.app.authoring.edits import Given
from reconciler.app.authoring.lane import decide_gateway
from reconciler.app.lifecycle import Telling
from reconciler.app.request import RunFlags
from reconciler.model.json import Json, JsonMap
from reconciler.testing.end_state import difference
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.plugin import fake_world
from tests.authoring.test_equivalence import state
from tests.requests.conftest import FLEET

__all__ = ["fake_world"]

PROFILES = """---
kind: LaunchProfile
metadata: {name: easy}
spec: {specialistRef: coder}
---
kind: LaunchProfile
metadata: {name: quiet}
spec: {specialistRef: coder, gateway: {enabled: false}}
---
kind: LaunchProfile
metadata: {name: low}
spec: {recipeRef: coder-echo-default}
"""
ON: Json = {"enabled": True}
OFF: Json = {"enabled": False}


@pytest.mark.parametrize(
    ("said", "profile", "easy", "decided"),
    [
        (None, None, True, ON),
        (None, {}, True, ON),
        (None, {"gateway": {"port": 9}}, True, ON),
        (None, {"gateway": OFF}, True, None),
        (None, {"gateway": ON}, True, None),
        (OFF, None, True, OFF),
        (OFF, {"gateway": ON}, True, OFF),
        ({"port": 9}, {"gateway": OFF}, True, {"port": 9, "enabled": True}),
        (None, None, False, None),
        ({"background": True}, None, False, {"background": True, "enabled": True}),
        (OFF, None, False, OFF),
    ],
)
def test_a_flag_goes_over_the_profile_and_that_over_the_lane(
    said: Json, profile: JsonMap | None, easy: bool, decided: Json
) -> None:
    spec: JsonMap = {"gateway": said} if said else {}

    decide_gateway(spec, profile, easy=easy)

    assert spec.get("gateway") == decided


@pytest.fixture
def declared(fake_world: FakeWorld) -> FakeWorld:
    fake_world.given(FLEET + PROFILES)
    assert fake_world.when_applied().settled
    return fake_world


def has_one(world: FakeWorld, name: str) -> bool:
    return bool(world.rows[f"Instance/{name}"].live.get("gateway"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"specialist": ("coder",)}, True),
        ({"profile": ("easy",)}, True),
        ({"profile": ("quiet",)}, False),
        ({"profile": ("low",)}, False),
        ({"specialist": ("coder",), "no_gateway": True}, False),
        ({"specialist": ("coder",), "headless": True}, True),
    ],
)
def test_an_agent_of_the_easy_lane_has_a_gateway(declared: FakeWorld, given: Given, expected: bool) -> None:
    talk = Talk(RunFlags(yes=True), lambda plan: True, lambda plan: None, lambda kind, fields: None)

    answer = instances.launch(declared.flags, "bob", given, (), talk).body

    assert (has_one(declared, "bob"), "gateway_port" in answer) == (expected, expected)
    assert not has_one(declared, "alice"), "a declared agent of the same specialist has none"


def test_the_lane_leaves_what_the_document_leaves_that_says_so(
    declared: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(declared.root)  # what a launch says of no work directory is where it is typed
    talk = Talk(RunFlags(yes=True), lambda plan: True, lambda plan: None, lambda kind, fields: None)

    instances.launch(declared.flags, "bob", {"specialist": ("coder",), "headless": True}, (), talk)

    with FakeWorld() as other:
        other.given(FLEET + PROFILES)
        assert other.when_applied().settled
        other.given(
            "kind: Instance\nmetadata: {name: bob}\n"
            "spec: {specialistRef: coder, headless: true, gateway: {enabled: true}}\n",
            "bob.yaml",
        )
        assert other.when_applied().settled
        assert difference(state(declared), state(other)) == []


@pytest.mark.parametrize(("given", "expected"), [({}, False), ({"gateway_background": True}, True)])
def test_one_of_the_low_level_lane_has_one_where_it_is_asked_for(
    declared: FakeWorld, given: Given, expected: bool
) -> None:
    telling = Telling(RunFlags(yes=True), lambda plan: True, lambda plan: None, lambda kind, fields: None, [])

    launching.launch(declared.flags, launching.Launch("coder", "echo", name="bob", given=given), telling)

    assert has_one(declared, "bob") is expected
