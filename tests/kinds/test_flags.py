"""Whatever a command line can say that lasts, a document can say too: each flag has its field, and back.

The tables are those that the commands themselves are made of (R-MOD-12). A flag leads to `Kind.path`, or
`Kind.path=value` where it stands for one value; what steers a single run, and is no state, is listed apart.
"""

import pytest

from reconciler.app.authoring import flags
from reconciler.app.authoring.flags import Flag, How
from reconciler.declare.catalogue import Catalogue
from reconciler.declare.node import Entries, Items, Node, Struct
from reconciler.declare.schema import Schema

KINDS = Catalogue()

FAMILIES = flags.FAMILIES
TARGETS = [
    pytest.param(flag, id=f"{name} {flag.name} {' '.join(flag.verbs)}")
    for name, family in FAMILIES.items()
    for flag in family
]

NO_FLAG = {
    "AuthProfile": (
        "provider", "source", "source.env", "source.env.*.env", "source.env.*.file", "source.env.*.exec",
        "source.files",
        "rotation",
    ),
    "Instance": (
        "recipeRef", "agentName", "agentId", "state", "resume", "resume.mode", "resume.id", "readiness", "dependsOn",
        "dependsOn.*.ref", "dependsOn.*.condition", "dependsOn.*.timeout", "gateway", "gateway.host", "gateway.tui",
        "disruption", "disruption.when", "disruption.maxWait", "disruption.onTimeout",
        "hooks", "hooks.preStop", "hooks.preStop.*.command", "hooks.preStop.*.timeout", "hooks.preStop.*.onError",
        "hooks.postReady", "hooks.postReady.*.command", "hooks.postReady.*.timeout", "hooks.postReady.*.onError",
        "drift", "drift.policy", "drift.ignore", "drift.resync", "drift.interval", "drift.window", "drift.baseline",
        "retry", "retry.limit", "retry.base", "retry.max", "retry.timeout",
        "lifecycle", "lifecycle.preventDestroy", "lifecycle.ignoreChanges", "lifecycle.retain",
        "headlessDisplay", "headlessDisplay.style", "headlessDisplay.detail",  # of `agents launch` alone
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


@pytest.mark.parametrize("flag", TARGETS)
def test_every_flag_has_its_field(flag: Flag) -> None:
    if flag.path != "metadata.name":
        path = flag.path.removesuffix(".*")
        assert path in fields(schema(flag.resource).root) | refused(schema(flag.resource).root)


@pytest.mark.parametrize("kind", sorted({flag.resource for family in FAMILIES.values() for flag in family}))
def test_every_field_has_its_flag_or_is_known_to_have_none(kind: str) -> None:
    found = {flag.path for family in FAMILIES.values() for flag in family if flag.resource == kind}
    made = {flag.path for family in FAMILIES.values() for flag in family if flag.how is not How.CLEAR}
    named = {path for path in found if path in made}
    alone = set(NO_FLAG.get(kind, ()))
    assert fields(schema(kind).root) - named == alone
    assert named & alone == set()


@pytest.mark.parametrize("name", FAMILIES)
def test_no_flag_is_said_twice(name: str) -> None:
    """Within one command; `--skill` of `create` and of no other is one flag."""
    for verb in ("create", "set", "launch"):
        said = [flag.name for flag in FAMILIES[name] if verb in flag.verbs]
        assert len(said) == len(set(said))


@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in ("instance", "setups")])
def test_what_may_be_set_may_be_taken_back(name: str) -> None:
    """Every optional field of `set` has a flag that empties it; one of two posts, or a list, has another way."""
    required = {"recipes": {"roleRef", "provider", "setupRef"}, "skills": {"path", "mode"}}.get(
        name, {"setupRef", "authRef"}
    )
    family = flags.of_verb(FAMILIES[name], "set")
    cleared = [flag.path for flag in family if flag.how in (How.CLEAR, How.DROP)]
    for flag in family:
        if flag.how in (How.NAME, How.ELSE) or flag.path in required:
            continue
        places = (flag.path, *flag.instead)
        whole = any(path == place or place.startswith(f"{path}.") for path in cleared for place in places)
        assert whole or flag.path in ("gateway.enabled", "gateway.port"), flag.name


def test_what_steers_a_single_run_is_no_state() -> None:
    lasting = {flag.name for family in FAMILIES.values() for flag in family}
    assert flags.RUN_ONLY.keys() & lasting == set()


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
