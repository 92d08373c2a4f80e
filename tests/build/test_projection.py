"""The `agents/` view is made from the catalog alone, and reads back as what it was made from."""

from pathlib import Path

import pytest

from reconciler.adapters.files_local import LocalFiles
from reconciler.build import definitions
from reconciler.build.projection import agents_view
from reconciler.declare import reader
from reconciler.model.json import Json, JsonMap
from reconciler.model.ref import Ref
from reconciler.model.tree import Tree
from reconciler.ports.catalog import ContentRef, Definition
from reconciler.providers import discover

REF = "0123456789abcdef0123456789abcdef"
RECIPE: JsonMap = {
    "roleRef": "reviewer",
    "provider": "codex",
    "setupRef": "strict",
    "skillRefs": ["lint"],
    "authRef": "reviewer-creds",
    "launch": {"env": {"FOO": "bar"}, "model": "gpt-5", "reasoning": 2, "promptMode": "unattended"},
    "extra": {},
}
PROFILE: JsonMap = {
    "specialistRef": "reviewer",
    "agentName": "rev-a",
    "workdir": "/repo",
    "env": {"BAZ": "1"},
    "posture": {"headless": True},
    "skills": {"registered": [], "private": []},
    "systemSkills": {"mode": "inherit", "sets": [], "skills": []},
    "managedHeader": "inherit",
    "managedHeaderSections": {"mail-ack": "enabled"},
    "promptOverlay": {"mode": "append", "text": {"digest": "sha256:o", "size": 9}},
    "resume": {"mode": "exact", "id": "c1"},
}


def definition(kind: str, name: str, facts: JsonMap, *contents: ContentRef) -> Definition:
    return Definition(Ref(kind, name), facts, {str(index): ref for index, ref in enumerate(contents)})


@pytest.fixture
def view(tmp_path: Path) -> Tree:
    found = [
        definition("Skill", "lint", {}, ContentRef("skill_tree", "skills/lint", True, "sha256:l", 4)),
        definition("Role", "reviewer", {}, ContentRef("prompt_blob", "prompts/reviewer.md", False, "sha256:p", 4)),
        definition("Recipe", "reviewer-codex-strict", RECIPE),
        definition(
            "LaunchProfile", "night", PROFILE, ContentRef("memo_seed", "memo-seeds/night/seed", False, "sha256:m", 1)
        ),
        definition(
            "Setup",
            "strict",
            {"provider": "codex"},
            ContentRef("setup_tree", "setups/codex/strict", True, "sha256:s", 4),
        ),
        definition(
            "AuthProfile",
            "reviewer-creds",
            {"provider": "codex"},
            ContentRef("auth_tree", f"auth/codex/{REF}", True, "", 0),
        ),
    ]
    by_kind = {it.ref.kind: {it.ref.name: it} for it in found}
    providers = [discover()[name] for name in discover()]
    return agents_view(
        by_kind,
        providers,
        agents_root="/o/agents",
        content_root="/o/content",
        texts={"sha256:o": "Be brief."},
    )


def parsed(view: Tree, path: str) -> Json:
    documents, problems = reader.read((view.entries[path].data or b"").decode(), path)
    assert problems == []
    return documents[0].value


def test_payloads_are_links_into_the_content_store(view: Tree) -> None:
    assert view.entries["skills/lint"].link == "../../content/skills/lint"
    assert view.entries["tools/echo/setups/default"].link == "../../../../content/setups/echo/default"
    assert view.entries["tools/codex/setups/strict"].link == "../../../../content/setups/codex/strict"
    assert view.entries[f"tools/codex/auth/{REF}"].link == f"../../../../content/auth/codex/{REF}"
    assert view.entries["roles/reviewer/system-prompt.md"].source == "/o/content/prompts/reviewer.md"


def test_a_recipe_has_its_keys_in_order_and_no_empty_ones(view: Tree) -> None:
    text = (view.entries["presets/reviewer-codex-strict.yaml"].data or b"").decode()
    assert text == (
        'role: reviewer\ntool: codex\nsetup: strict\nskills: ["lint"]\nauth: reviewer-creds\n'
        "launch:\n  prompt_mode: unattended\n"
        '  model: {"name": "gpt-5", "reasoning": {"level": 2}}\n  env_records: {"FOO": "bar"}\n'
    )


def test_a_recipe_of_the_view_is_read_as_the_one_of_the_catalog(view: Tree) -> None:
    facts = definitions.recipe(parsed(view, "presets/reviewer-codex-strict.yaml"), "presets/x.yaml")
    assert facts == {name: value for name, value in RECIPE.items() if value != {}}


def test_a_launch_profile(view: Tree) -> None:
    assert parsed(view, "launch-profiles/night.yaml") == {
        "profile_lane": "easy_profile",
        "source": {"kind": "specialist", "name": "reviewer"},
        "defaults": {
            "agent_name": "rev-a",
            "workdir": "/repo",
            "env": {"BAZ": "1"},
            "posture": {"headless": True},
            "managed_header": "inherit",
            "managed_header_sections": {"mail-ack": "enabled"},
            "prompt_overlay": {"mode": "append", "text": "Be brief."},
            "memo_seed": {
                "source_kind": "memo",
                "content_ref": {
                    "content_kind": "memo_seed",
                    "storage_kind": "file",
                    "relative_path": "memo-seeds/night/seed",
                },
            },
        },
        "relaunch": {"chat_session": {"mode": "exact", "id": "c1"}},
    }


def test_what_providers_ship_is_there_and_reads_back(view: Tree, tmp_path: Path) -> None:
    files = LocalFiles()
    starters = {path: entry for path, entry in view if path.startswith("tools/") and entry.data is not None}
    files.write_tree(str(tmp_path / "agents"), Tree(starters))
    for name in discover():
        provider = discover()[name]
        found, path = definitions.adapter(
            files, str(tmp_path / "agents"), provider, lambda text: reader.read(text, "a")[0][0].value
        )
        assert found == provider.adapter
        assert path.endswith(f"tools/{name}/adapter.yaml")


def test_nothing_in_gives_what_providers_ship_and_no_more() -> None:
    view = agents_view({}, [], agents_root="/o/agents", content_root="/o/content", texts={})
    assert len(view) == 0
