"""The schemas of the kinds: complete by R-MOD-10, published as they are, and refusing what is not there yet."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.declare.catalogue import LATER, Catalogue, Extension
from reconciler.declare.node import Entries, Items, Meta, Node, Struct
from reconciler.declare.schema import Schema, Spec, field
from reconciler.declare.vocabulary import Line
from reconciler.model.field import Change, ListKind, field_at
from reconciler.model.json import JsonMap

ROOT = Path(__file__).parents[2]
KINDS = Catalogue()
NAMES = (
    "AuthProfile", "Instance", "InstanceSet", "LaunchProfile", "Project",
    "Recipe", "Role", "Setup", "Skill", "Specialist",
)  # fmt: skip


def schema(kind: str) -> Schema:
    found = KINDS.schema(kind)
    assert found is not None
    return found


def models(model: type[Spec]) -> set[type[Spec]]:
    """A model and all below it."""
    found = {model}
    for info in model.model_fields.values():
        for each in nested(info.annotation):
            found |= models(each)
    return found


def nested(annotation: object) -> list[type[Spec]]:
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return [annotation]
    return [each for part in getattr(annotation, "__args__", ()) for each in nested(part)]


def test_the_kinds_are_those_of_the_first_landing() -> None:
    assert KINDS.built_in() == NAMES


@pytest.mark.parametrize("kind", NAMES)
def test_every_field_says_all_four_things(kind: str) -> None:
    """Change class, sensitive bit, default, and how a list is compared (R-MOD-10)."""
    for model in models(schema(kind).model):
        for name, info in model.model_fields.items():
            extra = info.json_schema_extra
            meta = extra.get("meta") if isinstance(extra, dict) else None
            assert isinstance(meta, Meta), f"{model.__name__}.{name}"
            assert isinstance(meta.change, Change)
            assert isinstance(meta.sensitive, bool)
            assert meta.doc.endswith("."), f"{model.__name__}.{name} has no sentence"
            listed = getattr(info.annotation, "__origin__", None) is list
            assert (meta.list_kind is not None) == listed, f"{model.__name__}.{name}"
            assert (meta.merge_key is not None) == (meta.list_kind is ListKind.KEYED)


def test_a_field_without_metadata_makes_no_schema() -> None:
    class Bare(Spec):
        plain: Line

    with pytest.raises(TypeError, match=r"Bare\.plain has no metadata"):
        Schema("Bare", Bare, doc="")


def test_a_list_that_does_not_say_how_it_is_compared_makes_no_schema() -> None:
    class Listed(Spec):
        items: list[Line] = field([], change=Change.RECORD, doc="Items.")

    class Keyed(Spec):
        items: list[Line] = field([], change=Change.RECORD, list_kind=ListKind.KEYED, doc="Items.")

    for model in (Listed, Keyed):
        with pytest.raises(TypeError, match="list_kind"):
            Schema("Listed", model, doc="")


@pytest.mark.parametrize("kind", NAMES)
def test_the_shape_has_every_field(kind: str) -> None:
    shape = schema(kind).shape
    assert set(shape) == paths(schema(kind).root, "")
    for path, facts in shape.items():
        assert facts.path == path
        assert field_at(shape, f"{path}.below") == facts


def paths(struct: Struct, prefix: str) -> set[str]:
    found: set[str] = set()
    for name, member in struct.members.items():
        found.add(prefix + name)
        if isinstance(member.node, Struct):
            found |= paths(member.node, f"{prefix}{name}.")
    return found


@pytest.mark.parametrize("kind", NAMES)
def test_defaults_are_canonical(kind: str) -> None:
    root = schema(kind).root
    template = root.template()
    assert root.canonical(template) == template


def test_what_a_change_costs() -> None:
    instance, specialist, profile = (schema(kind).shape for kind in ("Instance", "Specialist", "LaunchProfile"))
    relaunched = ("specialistRef", "model", "workdir", "headless", "sessionName", "managedHeader")
    assert {instance[path].change for path in relaunched} == {Change.RELAUNCH}
    recorded = ("resume", "readiness", "lifecycle.preventDestroy", "drift.policy", "retry.limit", "dependsOn")
    assert {instance[path].change for path in recorded} == {Change.RECORD}
    assert instance["agentId"].change is Change.REPLACE
    assert instance["gateway.enabled"].change is Change.LIVE
    assert specialist["provider"].change is Change.REPLACE
    assert {specialist[path].change for path in ("prompt", "promptFile", "skillRefs", "env")} == {Change.RELAUNCH}
    assert profile["memoSeed.text"].change is Change.RECORD


LEFT_OUT: list[tuple[str, JsonMap, str]] = [
    ("Instance", {"specialistRef": "a", "mailbox": {}}, "mailbox"),
    ("Instance", {"specialistRef": "a", "placement": {}}, "placement"),
    ("Instance", {"specialistRef": "a", "gateway": {"mailNotifierAppendix": "x"}}, "gateway.mailNotifierAppendix"),
    ("LaunchProfile", {"specialistRef": "a", "gateway": {"mailNotifierAppendix": "x"}}, "gateway.mailNotifierAppendix"),
    ("Instance", {"specialistRef": "a", "readiness": ["mailbox"]}, "readiness[0]"),
    ("Instance", {"specialistRef": "a", "readiness": ["exec"]}, "readiness[0]"),
    (
        "Instance",
        {"specialistRef": "a", "dependsOn": [{"ref": "Role/a", "condition": "Healthy"}]},
        "dependsOn[0].condition",
    ),
    ("Instance", {"specialistRef": "a", "hooks": {"preApply": []}}, "hooks.preApply"),
    ("InstanceSet", {"template": {"specialistRef": "a"}, "strategy": {"type": "BlueGreen"}}, "strategy.type"),
    ("InstanceSet", {"template": {"specialistRef": "a"}, "strategy": {"maxSurge": 1}}, "strategy.maxSurge"),
    ("Instance", {"specialistRef": "a", "strategy": {}}, "strategy"),
    ("Project", {"predicates": []}, "predicates"),
    ("Recipe", {"roleRef": "a", "provider": "echo", "mailbox": {}}, "mailbox"),
    ("LaunchProfile", {"specialistRef": "a", "mailbox": {}}, "mailbox"),
    ("Skill", {"path": "a", "source": "/x"}, "source"),
]


@pytest.mark.parametrize(("kind", "spec", "path"), LEFT_OUT)
def test_what_a_later_release_brings_is_refused_with_a_hint(kind: str, spec: JsonMap, path: str) -> None:
    from reconciler.model.resource import dotted

    faults = schema(kind).validate(spec)
    assert [(fault.code, dotted(fault.path)) for fault in faults] == [("declare.not_implemented", path)]
    assert faults[0].hint


@pytest.mark.parametrize(
    ("drift", "code"),
    [
        ({"resync": "500ms"}, "declare.schema.range"),
        ({"resync": 999}, "declare.schema.range"),
        ({"window": "25h"}, "declare.schema.range"),
        ({"interval": "0s"}, "declare.schema.range"),
        ({"interval": "soon"}, "declare.schema.value"),
        ({"baseline": ["known.json"]}, "declare.schema.value"),
        ({"baseline": "known.json"}, "declare.schema.type"),
    ],
)
def test_a_pace_that_cannot_be_kept_and_a_key_that_is_none_are_refused(drift: JsonMap, code: str) -> None:
    faults = schema("Instance").validate({"specialistRef": "a", "drift": drift})
    assert [fault.code for fault in faults] == [code]
    kept: JsonMap = {"resync": "1s", "window": "1d", "interval": "1h30m", "baseline": ["0123456789abcdef"]}
    assert schema("Instance").validate({"specialistRef": "a", "drift": kept}) == []


def test_kinds_of_later_releases_are_known_by_name() -> None:
    assert {"ExternalImport", "Fleet", "Machine", "Mailbox", "RemotePermission"} == LATER
    assert [KINDS.schema(kind) for kind in sorted(LATER)] == [None] * len(LATER)


def test_a_kind_of_another_distribution_is_found_by_its_entry_point() -> None:
    found = Catalogue(extensions=(Extension("Robot", "reconciler.kinds.role"),))
    robot = found.schema("Robot")
    assert robot is not None
    assert robot.kind == "Role"
    assert "Robot" in found.names()
    assert "Robot" not in found.built_in()


def test_the_provider_has_longer_names_too() -> None:
    specialist = schema("Specialist")
    for written, canonical in (("claude_code", "claude"), ("gemini_cli", "gemini"), ("codex", "codex")):
        assert specialist.validate({"provider": written}) == []
        assert specialist.canonical({"provider": written})["provider"] == canonical


def test_references_have_three_spellings_and_one_form() -> None:
    instance = schema("Instance")
    for spelled in ("coder", "Specialist/coder", {"name": "coder"}):
        assert instance.validate({"specialistRef": spelled}) == []
        assert instance.canonical({"specialistRef": spelled})["specialistRef"] == "coder"
    fault = instance.validate({"specialistRef": "Recipe/coder"})[0]
    assert (fault.code, fault.hint) == ("declare.reference.kind", "write 'coder' or Specialist/coder")


def test_equal_durations_are_equal() -> None:
    instance = schema("Instance")
    written = ("90s", "1m30s", 90_000, "90000ms", "1m30s0ms", 90_000.0)
    forms = {str(instance.canonical({"specialistRef": "a", "retry": {"base": each}})["retry"]) for each in written}
    assert len(forms) == 1


def test_no_message_repeats_a_secret() -> None:
    marker = "sk-" + "canary" * 4
    faults = schema("AuthProfile").validate(
        {"provider": marker + "!", "source": {"env": {"KEY": marker, "B": {"env": marker}}}}
    )
    assert len(faults) == 3
    assert not any("canary" in fault.message + fault.hint for fault in faults if "env" in fault.path)


def nodes(node: Node) -> list[Node]:
    inner: list[Node] = []
    if isinstance(node, Struct):
        inner = [member.node for member in node.members.values()]
    elif isinstance(node, Items):
        inner = [node.item]
    elif isinstance(node, Entries):
        inner = [node.value]
    return [node, *(each for part in inner for each in nodes(part))]


@pytest.mark.parametrize("kind", NAMES)
def test_rules_and_refusals_name_what_there_is(kind: str) -> None:
    for node in nodes(schema(kind).root):
        if isinstance(node, Struct):
            assert node.members.keys() & node.refused.keys() == set()
            for rule in node.rules:
                names = getattr(rule, "names", None) or (rule.name, rule.field)  # type: ignore[union-attr]
                assert set(names) <= node.members.keys()


def test_the_published_schemas_are_those_of_the_models() -> None:
    checked = subprocess.run([sys.executable, "tools/schemas.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_published_schema_says_what_a_change_costs_and_what_is_not_there_yet() -> None:
    published = json.loads((ROOT / "schemas" / "v1alpha1" / "Instance.json").read_text())
    spec = published["properties"]["spec"]["properties"]
    assert spec["model"]["x-houmao-change"] == "relaunch"
    assert spec["dependsOn"]["x-houmao-merge-key"] == "ref"
    assert spec["mailbox"] == {
        "not": {},
        "description": "Not in this release: mailboxes come in a later release; leave it out.",
    }
