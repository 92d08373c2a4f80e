"""Whoever asks for a build gets the same one, of what this release brings, and what was not touched is not written."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.app import brains
from reconciler.declare.reader import read
from reconciler.model.json import Json, JsonMap
from reconciler.providers import discover
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.plugin import fake_world
from tests.providers import golden

__all__ = ["fake_world"]
CODER = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, prompt: You write code., model: parrot, reasoning: 2, env: {LEVEL: "3"}}
---
kind: Instance
metadata: {name: alice}
spec: {specialistRef: coder}
"""
OWN = ("owner", "runtime.home_id", "runtime.home_path", "runtime.launch_helper", "runtime.launch_home_selector",
       "runtime.runtime_root", "inputs.preset_path", "inputs.adapter_path")  # fmt: skip
"""Where a home lies, whose it is, and from which file its recipe came: different for each build."""


def manifest_of(world: FakeWorld, name: str = "alice") -> JsonMap:
    text = Path(world.rows[f"Instance/{name}"].live["manifest"]).read_bytes()
    documents, problems = read(text, "manifest.yaml")
    assert problems == []
    found = documents[0].value
    assert isinstance(found, dict)
    return found


def compared(manifest: Any) -> Any:
    """Without what differs from one build to the next, and without the memory that only a live agent has."""
    found = {part: dict(value) if isinstance(value, dict) else value for part, value in manifest.items()}
    for path in OWN:
        part, _, key = path.partition(".")
        found[part].pop(key) if key else found.pop(part)
    for part, key in (("inputs", "role_prompt_text"), ("inputs", "content_refs"), ("runtime", "entries"),
                      ("runtime", "tree_digest")):  # fmt: skip
        found[part].pop(key, None)
    found.pop("source_digest")
    return found


def test_a_build_by_hand_and_a_managed_launch_take_the_same_from_a_recipe(fake_world: FakeWorld) -> None:
    fake_world.given(CODER)
    assert fake_world.when_applied().settled
    managed = manifest_of(fake_world)
    agent_id = fake_world.rows["Instance/alice"].live["agent_id"]
    wanted = brains.Wanted(preset="coder-echo-default", agent_name="alice", agent_id=agent_id)
    by_hand = brains.build(fake_world.flags, wanted._replace(runtime_root=str(fake_world.root / "built")))["manifest"]
    ours, theirs = compared(managed), compared(by_hand)
    assert selection(theirs)["source_launch"] == {"name": "parrot", "reasoning": {"level": 2}}
    theirs, ours = without_paths(theirs, fake_world), without_paths(ours, fake_world)
    assert {key: value for key, value in theirs.items() if ours.get(key) != value} == {}
    assert theirs.keys() == ours.keys()


def selection(manifest: Any) -> Any:
    return manifest["runtime"]["launch_contract"]["model_selection"]["requested_layers"]


def without_paths(value: Json, world: FakeWorld) -> Json:
    """Values with the directories of a home taken out, without the section on a memory and where a value came from."""
    if isinstance(value, dict):
        return {
            key: without_paths(part, world)
            for key, part in value.items()
            if key not in ("memo-cue", "construction_provenance")
        }
    if isinstance(value, list):
        return [without_paths(part, world) for part in value if "memo_cue" not in str(part)]
    return "(path)" if isinstance(value, str) and str(world.root) in value else value


OTHERS = """---
kind: Specialist
metadata: {name: other}
spec: {provider: echo, prompt: You review., authRef: key}
---
kind: AuthProfile
metadata: {name: key}
spec: {provider: echo, source: {env: {ECHO_API_KEY: {env: KEY}}}}
"""


def test_a_change_writes_its_own_part_of_the_view_and_no_other(fake_world: FakeWorld) -> None:
    """Not the whole tree, nor every credential, for each command."""
    fake_world.environ.values["KEY"] = "made-up"
    fake_world.given(CODER + OTHERS)
    assert fake_world.when_applied().settled
    before = view(fake_world)

    fake_world.given(CODER.replace("parrot", "owl") + OTHERS)
    assert fake_world.when_applied().settled

    after = view(fake_world)
    changed = {path.removeprefix(".houmao/") for path in before | after if before.get(path) != after.get(path)}
    assert "agents/presets/coder-echo-default.yaml" in changed
    assert [path for path in changed if "other" in path or "auth" in path or path.startswith("content/setups")] == []
    assert len(changed) < len(after) / 2


def view(world: FakeWorld) -> dict[str, tuple[int, bytes]]:
    """Files and links of the view and of the content store: another inode is another write."""
    return {
        path: (inode, data)
        for path, (_, _, inode, data) in world.bytes().items()
        if path.startswith((".houmao/agents/", ".houmao/content/")) and data
    }


def test_an_agent_is_built_of_what_this_release_brings_and_not_of_an_older_copy(fake_world: FakeWorld) -> None:
    """The copies are for other programs: edited or out of date, no agent gets them, and the next change renews them."""
    fake_world.given(CODER)
    fake_world.when_applied()
    home = {path.name: path.read_bytes() for path in fake_world.home_of("alice").glob("*.json")}
    adapter = fake_world.overlay / "agents/tools/echo/adapter.yaml"
    fresh = adapter.read_bytes()
    adapter.write_text("schema_version: 1\ntool: echo\nlaunch: {executable: from-an-older-release}\n")
    for path in (fake_world.overlay / "content/setups/echo/default").iterdir():
        path.write_text('{"greeting": "of an older release"}')

    fake_world.given(CODER.replace("parrot", "owl"))
    assert fake_world.when_applied().settled

    assert adapter.read_bytes() == fresh
    for path in fake_world.home_of("alice").glob("*.json"):
        assert b"older release" not in path.read_bytes()
    assert home.keys() <= {path.name for path in fake_world.home_of("alice").glob("*.json")}


def test_two_projects_of_one_host_may_have_an_agent_of_the_same_name(fake_world: FakeWorld) -> None:
    with FakeWorld() as elsewhere:
        ids = set()
        for world in (fake_world, elsewhere):
            world.process._next_pid, world.registry = 1000, fake_world.registry
            world.clock.advance(1.0 * len(ids))
            world.given(CODER)
            assert world.when_applied().settled
            ids.add(world.rows["Instance/alice"].live["agent_id"])
        assert len(ids) == 2
        assert {path.name for path in (fake_world.registry / "live_agents").iterdir()} == ids


@pytest.mark.parametrize("case", sorted(golden.CASES))
@pytest.mark.parametrize("name", sorted(discover()))
def test_what_an_agent_is_told_is_in_no_argument(name: str, case: str) -> None:
    """It would be seen by everyone in the list of processes, and a long one would not fit."""
    provider = discover()[name]
    role = golden.materials_of(provider, golden.CASES[case]).role_prompt.splitlines()[0]
    made = golden.assembled(provider, golden.CASES[case])
    words = [*made.argv, *made.plan.args, *(f"{key}={value}" for key, value in made.env)]
    assert [word for word in words if role in word or "Your name is" in word] == []
    texts = [entry.data.decode() for _, entry in made.tree if entry.data is not None]
    assert [
        path for path, entry in made.tree if path == "launch.sh" and entry.data and role.encode() in entry.data
    ] == []
    assert any(role in text or role.replace('"', '\\"') in text for text in texts)
