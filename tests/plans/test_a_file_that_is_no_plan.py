"""What is no plan file, or not this overlay's, is refused: with a code, a hint, and nothing done."""

import json
import os
from pathlib import Path

import pytest

from reconciler.app import plan_file
from reconciler.model.errors import PlanFileError, ReconcilerError
from reconciler.testing.fake_world import FakeWorld
from tests.plans.conftest import Edit, fleet, forged
from tests.stories.fleets import PROMPT, TEXT

NEW = TEXT.replace("code", "Code")


@pytest.fixture
def saved(fake_world: FakeWorld, plan: Path) -> Path:
    fleet(fake_world)
    fake_world.given_file(PROMPT, NEW)
    fake_world.when_saved(plan)
    return plan


def refused(world: FakeWorld, path: Path) -> ReconcilerError:
    """Apply it; nothing may change."""
    before = world.bytes()
    with pytest.raises(ReconcilerError) as error:
        world.when_applied_from(path)
    assert error.value.hint
    assert world.bytes() == before
    return error.value


def test_any_flipped_byte_is_noticed(fake_world: FakeWorld, saved: Path) -> None:
    whole = saved.read_bytes()
    world_before = fake_world.bytes()
    files = fake_world.look().files
    step = max(1, len(whole) // 400)
    for at in [*range(0, len(whole), step), len(whole) - 1]:
        for bit in (1, 0x20):
            saved.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
            with pytest.raises(PlanFileError):
                plan_file.read(str(saved), files)
    saved.write_bytes(whole)
    assert fake_world.bytes() == world_before
    assert fake_world.when_applied_from(saved).settled


@pytest.mark.parametrize("cut", [0, 1, 100, -1, -2])
def test_a_part_of_a_file_is_no_file(fake_world: FakeWorld, saved: Path, cut: int) -> None:
    saved.write_bytes(saved.read_bytes()[:cut])
    assert refused(fake_world, saved).code in ("plan.not_a_plan", "plan.tampered")


@pytest.mark.parametrize("more", [b" ", b"\n", b"{}", b"\0"])
def test_nor_is_one_with_more_behind_it(fake_world: FakeWorld, saved: Path, more: bytes) -> None:
    saved.write_bytes(saved.read_bytes() + more)
    assert refused(fake_world, saved).code in ("plan.not_a_plan", "plan.tampered")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "plan.not_a_plan"),
        (b"[]", "plan.not_a_plan"),
        (b"kind: Specialist\n", "plan.not_a_plan"),
        (b'{"kind": "Specialist"}', "plan.not_a_plan"),
        (b"\xff\xfe", "plan.not_a_plan"),
        (b"[" * 200_000, "plan.not_a_plan"),
        (b'{"actions":' * 100_000, "plan.not_a_plan"),
        (b'{"actions":[],"planDigest":1e999,"formatVersion":1}', "plan.not_a_plan"),
        (b'{"actions":[],"planDigest":' + b"9" * 10_000 + b"}", "plan.not_a_plan"),
        (b'{"actions":[],"planDigest":"","formatVersion":2,"engineVersion":"9.0"}', "plan.version"),
        (b'{"actions":[],"planDigest":"","formatVersion":true}', "plan.version"),
        (b'{"actions":[],"planDigest":""}', "plan.version"),
    ],
    ids=lambda value: value[:24].decode(errors="replace") if isinstance(value, bytes) else None,
)
def test_hostile_text_has_an_answer(fake_world: FakeWorld, plan: Path, data: bytes, code: str) -> None:
    fleet(fake_world)
    plan.write_bytes(data)
    error = refused(fake_world, plan)
    assert (error.code, error.exit_code) == (code, 1)


def test_a_giant_is_not_even_read(fake_world: FakeWorld, plan: Path) -> None:
    fleet(fake_world)
    with plan.open("wb") as stream:
        stream.truncate(plan_file.SIZE_MAX * 1024)
    assert refused(fake_world, plan).code == "plan.large"


def test_a_pipe_a_directory_and_nothing_at_all(fake_world: FakeWorld, plan: Path) -> None:
    fleet(fake_world)
    assert refused(fake_world, plan).code == "plan.missing"
    os.mkfifo(plan)
    assert refused(fake_world, plan).code == "plan.not_a_plan"
    plan.unlink()
    plan.mkdir()
    assert refused(fake_world, plan).code == "plan.not_a_plan"


def test_the_output_of_json_is_told_from_a_plan_file(fake_world: FakeWorld, plan: Path) -> None:
    fleet(fake_world)
    plan.write_text(json.dumps(fake_world.when_planned().plan.to_json()))
    error = refused(fake_world, plan)
    assert error.code == "plan.not_a_plan"
    assert "-o FILE.json" in error.hint


def other_overlay(body: dict[str, object]) -> None:
    body["overlayId"] = "0" * 32


def other_machine(body: dict[str, object]) -> None:
    body["place"] = "sha256:" + "0" * 64


def other_word(body: dict[str, object]) -> None:
    actions = body["actions"]
    assert isinstance(actions, list)
    actions[0]["verb"] = "explode"


def no_action(body: dict[str, object]) -> None:
    body["actions"] = {"a": 1}


def other_flag(body: dict[str, object]) -> None:
    body["flags"] = {"sudo": True}


def other_summary(body: dict[str, object]) -> None:
    body["summary"] = {"declared": 5, "verbs": {}, "disruption": {}}


def no_zone(body: dict[str, object]) -> None:
    body["expiresAt"] = "2999-01-01T00:00:00"


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (other_overlay, "plan.other_overlay"),
        (other_machine, "plan.other_machine"),
        (other_word, "plan.not_a_plan"),
        (no_action, "plan.not_a_plan"),
        (other_flag, "plan.not_a_plan"),
        (other_summary, "plan.not_a_plan"),
        (no_zone, "plan.not_a_plan"),
    ],
)
def test_a_forged_plan_is_held_to_what_it_may_be(fake_world: FakeWorld, saved: Path, edit: Edit, code: str) -> None:
    forged(saved, edit)
    assert refused(fake_world, saved).code == code


def another_verb(body: dict[str, object]) -> None:
    actions = body["actions"]
    assert isinstance(actions, list)
    actions[1]["verb"] = "replace"
    body["summary"]["verbs"] = {"update": 1, "relaunch": 1, "replace": 1}  # type: ignore[index]


def an_action_less(body: dict[str, object]) -> None:
    """The agents without what they are made of."""
    actions = body["actions"]
    assert isinstance(actions, list)
    del actions[0]
    for action in actions:
        action["needs"] = []
    pre = body["preconditions"]
    assert isinstance(pre, list)
    del pre[0]
    body["summary"] = {"declared": 5, "verbs": {"relaunch": 2}, "disruption": {"restart": 2}}


@pytest.mark.parametrize("edit", [another_verb, an_action_less])
def test_a_forged_plan_does_nothing_that_would_not_be_planned(fake_world: FakeWorld, saved: Path, edit: Edit) -> None:
    forged(saved, edit)
    assert refused(fake_world, saved).code == "plan.stale"


def test_a_plan_of_another_directory_is_not_for_this_one(tmp_path: Path, plan: Path) -> None:
    with FakeWorld() as one, FakeWorld() as other:
        for world in (one, other):
            world.given_file(PROMPT, TEXT)
            world.given(
                "kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, promptFile: prompts/coder.md}\n"
            )
        one.when_saved(plan)
        assert refused(other, plan).code == "plan.other_machine"
        assert one.when_applied_from(plan).settled
        one.given_file(PROMPT, NEW)
        one.when_saved(plan)
        assert refused(other, plan).code == "plan.other_overlay"


def test_a_file_is_whole_private_and_replaces_nothing_but_a_plan(fake_world: FakeWorld, plan: Path) -> None:
    fleet(fake_world)
    plan.write_text('{"kind": "Specialist"}')
    with pytest.raises(PlanFileError) as error:
        fake_world.when_saved(plan)
    assert (error.value.code, plan.read_text()) == ("plan.exists", '{"kind": "Specialist"}')
    plan.unlink()
    fake_world.when_saved(plan)
    first = plan.read_bytes()
    assert plan.stat().st_mode & 0o777 == 0o600
    fake_world.given_file(PROMPT, NEW)
    fake_world.when_saved(plan)
    assert plan.read_bytes() != first
    assert [path.name for path in plan.parent.iterdir()] == ["p.json"]
    for data in (first, plan.read_bytes()):
        assert data.endswith(b"\n")
        assert data.count(b"\n") == 1


def test_no_secret_and_no_content_is_in_a_plan(fake_world: FakeWorld, plan: Path) -> None:
    fake_world.environ.values["MY_TOKEN"] = "canary-4711"
    fake_world.given_file(PROMPT, "The words of the prompt.\n")
    fake_world.given("""
        kind: AuthProfile
        metadata: {name: work}
        spec: {provider: echo, source: {env: {ECHO_API_KEY: {env: MY_TOKEN}}}}
        ---
        kind: Specialist
        metadata: {name: coder}
        spec: {provider: echo, promptFile: prompts/coder.md, authRef: work}
        ---
        kind: Instance
        metadata: {name: alice}
        spec: {specialistRef: coder}
    """)
    fake_world.when_saved(plan)
    text = plan.read_text()
    assert "canary-4711" not in text
    assert "words of the prompt" not in text
    assert fake_world.when_applied_from(plan).settled
