"""Whatever a command line can say that lasts, a document can say too: each flag has its field, and back.

The tables are the flags of `specialist create`, `profile create`, `instance launch` and the low-level `agents` commands
(R-MOD-12). A flag leads to `Kind.path`, or `Kind.path=value` where it stands for one value; what steers a single run,
and is no state, is listed apart.
"""

import pytest

from reconciler.declare.catalogue import Catalogue
from reconciler.declare.node import Entries, Items, Node, Struct
from reconciler.declare.schema import Schema

KINDS = Catalogue()

SPECIALIST = {
    "--name": "Specialist.metadata.name",
    "--tool": "Specialist.provider",
    "--system-prompt": "Specialist.prompt",
    "--system-prompt-file": "Specialist.promptFile",
    "--setup": "Specialist.setupRef",
    "--credential": "Specialist.authRef",
    "--api-key": "AuthProfile.source.env",
    "--api-key-file": "AuthProfile.source.env.*.file",
    "--api-key-env": "AuthProfile.source.env.*.env",
    "--base-url": "AuthProfile.source.env",
    "--claude-auth-token": "AuthProfile.source.env",
    "--claude-oauth-token": "AuthProfile.source.env",
    "--claude-config-dir": "AuthProfile.source.files",
    "--claude-state-template-file": "AuthProfile.source.files",
    "--codex-org-id": "AuthProfile.source.env",
    "--codex-auth-json": "AuthProfile.source.files",
    "--google-api-key": "AuthProfile.source.env",
    "--use-vertex-ai": "AuthProfile.source.env",
    "--gemini-oauth-creds": "AuthProfile.source.files",
    "--model": "Specialist.model",
    "--claude-model": "Specialist.model",
    "--reasoning-level": "Specialist.reasoning",
    "--skill": "Specialist.skillRefs",
    "--with-skill": "Skill.path",
    "--env-set": "Specialist.env",
    "--system-skill-set": "Specialist.systemSkills.sets",
    "--system-skill-pack": "Specialist.systemSkills.sets",
    "--system-skill": "Specialist.systemSkills.skills",
    "--system-skills-mode": "Specialist.systemSkills.mode",
    "--no-system-skills": "Specialist.systemSkills.mode=none",
    "--no-unattended": "Specialist.promptMode=as_is",
}

PROFILE = {
    "--name": "LaunchProfile.metadata.name",
    "--specialist": "LaunchProfile.specialistRef",
    "--recipe": "LaunchProfile.recipeRef",
    "--agent-name": "LaunchProfile.agentName",
    "--agent-id": "LaunchProfile.agentId",
    "--workdir": "LaunchProfile.workdir",
    "--auth": "LaunchProfile.authRef",
    "--model": "LaunchProfile.model",
    "--reasoning-level": "LaunchProfile.reasoning",
    "--prompt-mode": "LaunchProfile.promptMode",
    "--headless": "LaunchProfile.posture.headless",
    "--no-gateway": "LaunchProfile.gateway.enabled=false",
    "--gateway-port": "LaunchProfile.gateway.port",
    "--env-set": "LaunchProfile.env",
    "--add-registered-skill": "LaunchProfile.skills.registered",
    "--remove-registered-skill": "LaunchProfile.skills.registered",
    "--add-private-skill": "LaunchProfile.skills.private.*.path",
    "--add-private-skill-symlink": "LaunchProfile.skills.private.*.mode=symlink",
    "--remove-private-skill": "LaunchProfile.skills.private",
    "--system-skills-mode": "LaunchProfile.systemSkills.mode",
    "--system-skill-set": "LaunchProfile.systemSkills.sets",
    "--system-skill-pack": "LaunchProfile.systemSkills.sets",
    "--system-skill": "LaunchProfile.systemSkills.skills",
    "--no-system-skills": "LaunchProfile.systemSkills.mode=none",
    "--mail-transport": "LaunchProfile.mailbox",
    "--mail-principal-id": "LaunchProfile.mailbox",
    "--mail-address": "LaunchProfile.mailbox",
    "--mail-root": "LaunchProfile.mailbox",
    "--mail-base-url": "LaunchProfile.mailbox",
    "--mail-jmap-url": "LaunchProfile.mailbox",
    "--mail-management-url": "LaunchProfile.mailbox",
    "--managed-header": "LaunchProfile.managedHeader=enabled",
    "--no-managed-header": "LaunchProfile.managedHeader=disabled",
    "--managed-header-section": "LaunchProfile.managedHeaderSections",
    "--prompt-overlay-mode": "LaunchProfile.promptOverlay.mode",
    "--prompt-overlay-text": "LaunchProfile.promptOverlay.text",
    "--prompt-overlay-file": "LaunchProfile.promptOverlay.file",
    "--gateway-mail-notifier-appendix-text": "LaunchProfile.gateway.mailNotifierAppendix",
    "--memo-seed-text": "LaunchProfile.memoSeed.text",
    "--memo-seed-file": "LaunchProfile.memoSeed.file",
    "--memo-seed-dir": "LaunchProfile.memoSeed.dir",
    "--relaunch-chat-session-mode": "LaunchProfile.resume.mode",
    "--relaunch-chat-session-id": "LaunchProfile.resume.id",
}

INSTANCE = {
    "--name": "Instance.metadata.name",
    "--specialist": "Instance.specialistRef",
    "--profile": "Instance.profileRef",
    "--auth": "Instance.authRef",
    "--model": "Instance.model",
    "--reasoning-level": "Instance.reasoning",
    "--workdir": "Instance.workdir",
    "--headless": "Instance.headless=true",
    "--no-headless": "Instance.headless=false",
    "--session-name": "Instance.sessionName",
    "--no-gateway": "Instance.gateway.enabled=false",
    "--gateway-port": "Instance.gateway.port",
    "--gateway-background": "Instance.gateway.background",
    "--gateway-tui-watch-poll-interval-seconds": "Instance.gateway.tui.watchPollInterval",
    "--gateway-tui-stability-threshold-seconds": "Instance.gateway.tui.stabilityThreshold",
    "--gateway-tui-completion-stability-seconds": "Instance.gateway.tui.completionStability",
    "--gateway-tui-unknown-to-stalled-timeout-seconds": "Instance.gateway.tui.unknownToStalledTimeout",
    "--gateway-tui-stale-active-recovery-seconds": "Instance.gateway.tui.staleActiveRecovery",
    "--gateway-tui-final-stable-active-recovery-seconds": "Instance.gateway.tui.finalStableActiveRecovery",
    "--mail-transport": "Instance.mailbox",
    "--mail-root": "Instance.mailbox",
    "--mail-account-dir": "Instance.mailbox",
    "--managed-header": "Instance.managedHeader=enabled",
    "--no-managed-header": "Instance.managedHeader=disabled",
    "--managed-header-section": "Instance.managedHeaderSections",
}

LOW_LEVEL = {
    "roles --name": "Role.metadata.name",
    "roles --system-prompt": "Role.prompt",
    "roles --system-prompt-file": "Role.promptFile",
    "roles --clear-system-prompt": "Role.prompt",
    "recipes --name": "Recipe.metadata.name",
    "recipes --role": "Recipe.roleRef",
    "recipes --tool": "Recipe.provider",
    "recipes --setup": "Recipe.setupRef",
    "recipes --skill": "Recipe.skillRefs",
    "recipes --add-skill": "Recipe.skillRefs",
    "recipes --remove-skill": "Recipe.skillRefs",
    "recipes --clear-skills": "Recipe.skillRefs",
    "recipes --auth": "Recipe.authRef",
    "recipes --clear-auth": "Recipe.authRef",
    "recipes --prompt-mode": "Recipe.launch.promptMode",
    "recipes --clear-prompt-mode": "Recipe.launch.promptMode",
    "recipes --model": "Recipe.launch.model",
    "recipes --clear-model": "Recipe.launch.model",
    "recipes --reasoning-level": "Recipe.launch.reasoning",
    "recipes --clear-reasoning-level": "Recipe.launch.reasoning",
    "recipes --env-set": "Recipe.launch.env",
    "recipes --launch-arg": "Recipe.launch.overrides.args.values",
    "recipes --tool-param": "Recipe.launch.overrides.toolParams",
    "setups --name": "Setup.metadata.name",
    "skills --name": "Skill.metadata.name",
    "skills --source": "Skill.path",
    "skills --mode": "Skill.mode",
}

RUN_ONLY = {
    "--yes": "answers the question before an existing one is replaced",
    "--force": "what to do with a home that is there",
    "--reuse-home": "what to do with a home that is there",
    "instance launch --env-set": "for one launch, gone with it",
    "setups --from": "copies once; the copy is then a path of its own",
    "recipes list --role": "filters what is shown",
    "recipes list --tool": "filters what is shown",
}

NO_FLAG = {
    "AuthProfile": ("provider", "source", "source.env.*.exec", "source.existing", "rotation"),
    "Instance": (
        "recipeRef", "agentName", "agentId", "state", "resume", "resume.mode", "resume.id", "readiness", "dependsOn",
        "dependsOn.*.ref", "dependsOn.*.condition", "dependsOn.*.timeout", "gateway", "gateway.host", "gateway.tui",
        "disruption", "disruption.when",
        "drift", "drift.policy", "drift.ignore", "retry", "retry.limit", "retry.base", "retry.max", "retry.timeout",
        "lifecycle", "lifecycle.preventDestroy", "lifecycle.ignoreChanges",
    ),
    "LaunchProfile": (
        "skills", "skills.private.*.name", "systemSkills", "promptOverlay", "memoSeed", "gateway", "gateway.host",
        "gateway.background", "gateway.tui", "gateway.tui.watchPollInterval", "gateway.tui.stabilityThreshold",
        "gateway.tui.completionStability", "gateway.tui.unknownToStalledTimeout",
        "gateway.tui.staleActiveRecovery", "gateway.tui.finalStableActiveRecovery", "posture", "resume",
    ),
    "Recipe": (
        "launch", "launch.overrides", "launch.overrides.args", "launch.overrides.args.mode", "launch.systemSkills",
        "launch.systemSkills.mode", "launch.systemSkills.sets", "launch.systemSkills.skills", "extra",
    ),
    "Setup": ("provider", "path"),
    "Specialist": ("systemSkills",),
}  # fmt: skip
"""Fields that are only ever declared, or that hold others together."""


def fields(node: Node, prefix: str = "") -> set[str]:
    """Every path of a kind: `*` stands for an item or a key."""
    found: set[str] = set()
    if isinstance(node, Struct):
        for name, member in node.members.items():
            found |= {prefix + name} | fields(member.node, f"{prefix}{name}.")
    elif isinstance(node, Items):
        found |= fields(node.item, f"{prefix}*.")
    elif isinstance(node, Entries):
        found |= fields(node.value, f"{prefix}*.")
    return found


def refused(node: Node, prefix: str = "") -> set[str]:
    """Every path that a later release brings."""
    if not isinstance(node, Struct):
        return set()
    own = {prefix + name for name in node.refused}
    return own.union(*(refused(member.node, f"{prefix}{name}.") for name, member in node.members.items()))


def schema(kind: str) -> Schema:
    found = KINDS.schema(kind)
    assert found is not None
    return found


def targets() -> list[tuple[str, str]]:
    tables = (SPECIALIST, PROFILE, INSTANCE, LOW_LEVEL)
    return [(flag, target) for table in tables for flag, target in table.items()]


@pytest.mark.parametrize(("flag", "target"), targets())
def test_every_flag_has_its_field(flag: str, target: str) -> None:
    kind, _, path = target.partition("=")[0].partition(".")
    if path != "metadata.name":
        assert path in fields(schema(kind).root) | refused(schema(kind).root), flag


@pytest.mark.parametrize("kind", sorted({target.split(".")[0] for _, target in targets()}))
def test_every_field_has_its_flag_or_is_known_to_have_none(kind: str) -> None:
    named = {
        target.partition("=")[0].removeprefix(f"{kind}.") for _, target in targets() if target.startswith(f"{kind}.")
    }
    alone = set(NO_FLAG.get(kind, ()))
    assert fields(schema(kind).root) - named == alone
    assert named & alone == set()


def test_what_steers_a_single_run_is_no_state() -> None:
    lasting = {flag for table in (SPECIALIST, PROFILE, INSTANCE) for flag in table} | LOW_LEVEL.keys()
    assert RUN_ONLY.keys() & lasting == set()


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Specialist", {"provider": "echo", "promptMode": "as_is", "systemSkills": {"mode": "none"}}),
        ("LaunchProfile", {"specialistRef": "a", "gateway": {"enabled": False}, "managedHeader": "enabled"}),
        ("LaunchProfile", {"recipeRef": "a", "managedHeader": "disabled", "systemSkills": {"mode": "none"}}),
        ("LaunchProfile", {"recipeRef": "a", "skills": {"private": [{"name": "s", "path": "x", "mode": "symlink"}]}}),
        ("Instance", {"profileRef": "a", "gateway": {"enabled": False}, "headless": True}),
        ("Instance", {"profileRef": "a", "headless": False, "managedHeader": "disabled"}),
    ],
)
def test_the_values_flags_stand_for_are_accepted(kind: str, spec: dict[str, object]) -> None:
    assert schema(kind).validate(spec) == []  # type: ignore[arg-type]
