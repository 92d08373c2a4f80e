"""The `agents/` view of a catalog, for other programs that read definition trees. Nothing here reads it back.

Payloads are links into the content store or copies by reference; recipes and profiles are YAML made from their facts.
Credentials are links: the bundle under `content/auth/` stays the only copy (R-SEC-1).
"""

import posixpath
from collections.abc import Iterable, Mapping

from reconciler.build import adapter as adapter_file
from reconciler.build import yaml_text
from reconciler.build.merge import at
from reconciler.model.json import Json, JsonMap
from reconciler.model.tree import Entry, Tree
from reconciler.ports.catalog import ContentRef, Definition
from reconciler.ports.provider import Provider

Definitions = Mapping[str, Mapping[str, Definition]]
"""By kind, by name."""


def agents_view(
    definitions: Definitions,
    providers: Iterable[Provider],
    *,
    agents_root: str,
    content_root: str,
    texts: Mapping[str, str],
) -> Tree:
    """The whole view as a Tree. `texts` are prompt overlays and appendixes by digest; both roots are absolute."""
    here = _Here(agents_root, content_root)
    entries: dict[str, Entry] = {}
    for name, skill in definitions.get("Skill", {}).items():
        for ref in _of_kind(skill, "skill_tree"):
            entries[f"skills/{name}"] = here.link(f"skills/{name}", ref.relative_path)
    for name, role in definitions.get("Role", {}).items():
        for ref in _of_kind(role, "prompt_blob"):
            entries[f"roles/{name}/system-prompt.md"] = here.file(ref)
    for name, recipe in definitions.get("Recipe", {}).items():
        entries[f"presets/{name}.yaml"] = _yaml(recipe_yaml(recipe.facts))
    for name, profile in definitions.get("LaunchProfile", {}).items():
        entries[f"launch-profiles/{name}.yaml"] = _yaml(profile_yaml(profile, texts))
    for provider in providers:
        entries[f"tools/{provider.name}/adapter.yaml"] = _yaml(adapter_file.to_json(provider.adapter))
        for name in provider.setups:
            entries |= here.setup(provider.name, name)
    for name, setup in definitions.get("Setup", {}).items():
        entries |= here.setup(str(setup.facts.get("provider")), name)
    for auth in definitions.get("AuthProfile", {}).values():
        for ref in _of_kind(auth, "auth_tree"):
            place = f"tools/{auth.facts.get('provider')}/auth/{posixpath.basename(ref.relative_path)}"
            entries[place] = here.link(place, ref.relative_path)
    return Tree(entries)


def recipe_yaml(facts: Mapping[str, Json]) -> JsonMap:
    """A Recipe in the words of a preset file; optional keys only where there is something to say."""
    out: JsonMap = {
        "role": facts.get("roleRef"),
        "tool": facts.get("provider"),
        "setup": facts.get("setupRef") or "default",
        "skills": facts.get("skillRefs") or [],
    }
    optional: JsonMap = {
        "auth": facts.get("authRef"),
        "launch": _launch(facts.get("launch")),
        "mailbox": facts.get("mailbox"),
        "extra": facts.get("extra"),
    }
    return out | _said(optional)


def profile_yaml(profile: Definition, texts: Mapping[str, str]) -> JsonMap:
    """A LaunchProfile in the words of its file."""
    facts = profile.facts
    easy = facts.get("specialistRef") is not None
    defaults: JsonMap = {
        "agent_name": facts.get("agentName"),
        "agent_id": facts.get("agentId"),
        "workdir": facts.get("workdir"),
        "auth": facts.get("authRef"),
        "model": _model(facts),
        "prompt_mode": facts.get("promptMode"),
        "env": facts.get("env"),
        "mailbox": facts.get("mailbox"),
        "posture": facts.get("posture"),
        "system_skills": _policy(facts.get("systemSkills"), "inherit"),
        "managed_header": facts.get("managedHeader") or "inherit",
        "managed_header_sections": facts.get("managedHeaderSections"),
        "skills": _profile_skills(facts.get("skills")),
        "prompt_overlay": _overlay(facts.get("promptOverlay"), texts),
        "memo_seed": _memo_seed(profile),
    }
    out: JsonMap = {
        "profile_lane": "easy_profile" if easy else "launch_profile",
        "source": {
            "kind": "specialist" if easy else "recipe",
            "name": facts.get("specialistRef") if easy else facts.get("recipeRef"),
        },
        "defaults": _said(defaults),
    }
    resume = facts.get("resume")
    if isinstance(resume, dict) and resume:
        out["relaunch"] = {"chat_session": _said(resume)}
    return out


class _Here:
    """Where the view and the content store lie, so that links can be relative."""

    __slots__ = ("agents", "content")

    def __init__(self, agents: str, content: str) -> None:
        self.agents = agents
        self.content = content

    def link(self, place: str, content: str) -> Entry:
        start = posixpath.dirname(f"{self.agents}/{place}")
        return Entry(link=posixpath.relpath(f"{self.content}/{content}", start))

    def setup(self, tool: str, name: str) -> dict[str, Entry]:
        """A starter setup lies where a declared one of its name would, so one link is right for both."""
        place = f"tools/{tool}/setups/{name}"
        return {place: self.link(place, f"setups/{tool}/{name}")}

    def file(self, ref: ContentRef) -> Entry:
        return Entry(source=f"{self.content}/{ref.relative_path}", digest=ref.digest)


def _of_kind(definition: Definition, kind: str) -> list[ContentRef]:
    return [ref for ref in definition.contents.values() if ref.kind == kind][:1]


def _yaml(value: JsonMap) -> Entry:
    return Entry(data=yaml_text.dumps(value).encode())


def _launch(launch: Json) -> JsonMap:
    facts = launch if isinstance(launch, dict) else {}
    overrides = facts.get("overrides")
    mode = facts.get("promptMode")
    return _said({
        "prompt_mode": mode,
        "model": _model(facts),
        "overrides": _said({"args": at(overrides, "args"), "tool_params": at(overrides, "toolParams")}),
        "env_records": facts.get("env"),
        "system_skills": _policy(facts.get("systemSkills"), "default"),
    })  # fmt: skip


def _model(facts: Mapping[str, Json]) -> JsonMap:
    level = facts.get("reasoning")
    return _said({"name": facts.get("model"), "reasoning": None if level is None else {"level": level}})


def _policy(policy: Json, silence: str) -> JsonMap:
    """A system skill policy, unless it says nothing but its default."""
    facts = policy if isinstance(policy, dict) else {}
    said = _said(facts)
    return {} if said == {"mode": silence} else said


def _profile_skills(skills: Json) -> JsonMap:
    private = at(skills, "private")
    listed = (
        [_said({"name": at(it, "name"), "mode": at(it, "mode")}) for it in private] if isinstance(private, list) else []
    )
    return _said({"registered": at(skills, "registered"), "private": [*listed]})


def _overlay(overlay: Json, texts: Mapping[str, str]) -> JsonMap:
    for name in ("text", "file"):
        digest = at(overlay, name, "digest")
        if isinstance(digest, str):
            return {"mode": at(overlay, "mode"), "text": texts.get(digest, "")}
    return {}


def _memo_seed(profile: Definition) -> JsonMap:
    for ref in _of_kind(profile, "memo_seed"):
        return {
            "source_kind": "tree" if ref.tree else "memo",
            "content_ref": {
                "content_kind": ref.kind,
                "storage_kind": "tree" if ref.tree else "file",
                "relative_path": ref.relative_path,
            },
        }
    return {}


def _said(value: Mapping[str, Json]) -> JsonMap:
    """Without what is absent or empty."""
    return {key: item for key, item in value.items() if item is not None and item not in ({}, [], "")}
