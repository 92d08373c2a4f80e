"""Composition with `-k`: bases, resources, patches, prefixes, labels and variables (R-LOAD-6, R-LOAD-7)."""

import pytest

from tests.declare.sources import HEAD, Directory, doc, docs, spec_of, the, told

CODER = doc(
    "Specialist", "coder", "{provider: echo, promptFile: p.md, model: small, env: {A: '1'}, skillRefs: [review]}"
)
SKILL = doc("Skill", "review", "{path: review}")
ALICE = doc("Instance", "alice", "{specialistRef: coder, dependsOn: [{ref: Instance/bob, timeout: 5s}]}")
BOB = doc("Instance", "bob", "{recipeRef: coder-echo-default, readiness: [process]}")

BASE = {
    "base/fleet.yaml": docs(CODER, SKILL, ALICE, BOB),
    "base/p.md": "base prompt",
    "base/review/SKILL.md": "look",
    "base/overlay.yaml": f"{HEAD}kind: Overlay\nspec: {{resources: [fleet.yaml]}}\n",
}


def overlay(spec: str) -> str:
    return f"{HEAD}kind: Overlay\nspec:\n" + "".join(f"  {line}\n" for line in spec.strip().splitlines())


def prod(directory: Directory, spec: str, **files: str) -> Directory:
    return directory.put(
        {**BASE, "prod/overlay.yaml": overlay(spec), **{f"prod/{name}": text for name, text in files.items()}}
    )


def test_a_base_alone_is_its_resources(directory: Directory) -> None:
    compiled = directory.put(BASE).composed("base")
    assert told(compiled.problems) == []
    assert compiled.inputs_digest == directory.compiled("base/fleet.yaml").inputs_digest
    assert str(the(compiled, "Instance/alice").position) == "base/fleet.yaml:13:18"


def test_a_prefix_goes_before_names_and_references_to_them(directory: Directory) -> None:
    compiled = prod(directory, "bases: [../base]\nnamePrefix: prod-").composed("prod")
    assert [str(ref) for ref in compiled.resources] == [
        "Instance/prod-alice", "Instance/prod-bob", "Recipe/prod-coder-echo-default", "Role/prod-coder",
        "Skill/prod-review", "Specialist/prod-coder",
    ]  # fmt: skip
    assert [str(edge.to) for edge in the(compiled, "Instance/prod-alice").edges] == [
        "Instance/prod-bob",
        "Specialist/prod-coder",
    ]
    assert spec_of(compiled, "Instance/prod-bob")["recipeRef"] == "prod-coder-echo-default"


def test_references_out_of_the_composition_keep_their_names(directory: Directory) -> None:
    directory.put(
        {
            "a/a.yaml": doc("Instance", "a", "{specialistRef: Specialist/elsewhere}"),
            "a/overlay.yaml": overlay("resources: [a.yaml]\nnamePrefix: x-"),
        }
    )
    problem = directory.composed("a").problems[0]
    assert (
        problem.message == "Instance/x-a refers to Specialist/elsewhere, which is neither declared nor in the catalog"
    )


def test_a_patch_merges_and_keeps_the_place_that_wrote_each_value(directory: Directory) -> None:
    patch = (
        "kind: Specialist\nmetadata: {name: coder, labels: {tier: gold}}\nspec:\n"
        "  model: large\n  env: {B: '2'}\n  skillRefs: [test]\n"
    )
    files = {"patch.yaml": patch, "test.yaml": doc("Skill", "test", "{path: test}"), "test/SKILL.md": "x"}
    compiled = prod(
        directory, "bases: [../base]\nresources: [test.yaml]\npatches: [{path: patch.yaml}]", **files
    ).composed("prod")

    coder = the(compiled, "Specialist/coder")
    assert (coder.spec["model"], coder.spec["env"]) == ("large", {"A": "1", "B": "2"})
    assert coder.spec["skillRefs"] == ["review", "test"]
    assert coder.labels == {"tier": "gold"}
    assert str(coder.at("spec.model")) == "prod/patch.yaml:4:3"
    assert str(coder.at("spec.env.B")) == "prod/patch.yaml:5:9"
    assert str(coder.at("spec.env.A")) == "base/fleet.yaml:4:62"


def test_a_file_that_a_patch_names_begins_beside_the_patch(directory: Directory) -> None:
    patch = "kind: Specialist\nmetadata: {name: coder}\nspec: {promptFile: p.md}\n"
    files = {"patch.yaml": patch, "p.md": "prod prompt"}
    compiled = prod(directory, "bases: [../base]\npatches: [{path: patch.yaml}]", **files).composed("prod")
    assert the(compiled, "Specialist/coder").contents[0].path == str(directory.path / "prod/p.md")


def test_of_two_fields_that_exclude_one_another_the_patch_wins(directory: Directory) -> None:
    merge = "patches:\n- merge: {kind: Specialist, metadata: {name: coder}, spec: {prompt: inline}}"
    compiled = prod(directory, f"bases: [../base]\n{merge}").composed("prod")
    coder = the(compiled, "Specialist/coder")
    assert coder.spec["promptFile"] is None
    assert coder.contents[0].text == "inline"


def test_lists_merge_as_the_schema_compares_them(directory: Directory) -> None:
    merge = (
        "patches:\n"
        "- merge: {kind: Instance, metadata: {name: alice}, spec: {dependsOn: "
        "[{ref: Instance/bob, condition: Applied}, {ref: Role/coder}]}}\n"
        "- merge: {kind: Instance, metadata: {name: bob}, spec: {readiness: [prompt]}}"
    )
    compiled = prod(directory, f"bases: [../base]\n{merge}").composed("prod")
    assert spec_of(compiled, "Instance/alice")["dependsOn"] == [
        {"condition": "Applied", "ref": "Instance/bob", "timeout": 5_000},
        {"condition": None, "ref": "Role/coder", "timeout": None},
    ]
    assert spec_of(compiled, "Instance/bob")["readiness"] == ["process", "prompt"]


def test_null_in_a_patch_removes(directory: Directory) -> None:
    merge = "patches:\n- merge: {kind: Specialist, metadata: {name: coder}, spec: {model: null, env: {A: null}}}"
    spec = spec_of(prod(directory, f"bases: [../base]\n{merge}").composed("prod"), "Specialist/coder")
    assert spec["model"] is None
    assert "env" not in spec


def test_common_labels_reach_everything(directory: Directory) -> None:
    compiled = prod(directory, "bases: [../base]\ncommonLabels: {stage: prod}").composed("prod")
    assert {resource.labels.get("stage") for resource in compiled.resources.values() if not resource.derived} == {
        "prod"
    }


def test_variables_are_put_in_and_an_undeclared_one_is_an_error(directory: Directory) -> None:
    text = doc("Specialist", "s", "{provider: echo, prompt: 'Work on ${branch}, pay $${price}', model: '${size}'}")
    directory.put({"a/a.yaml": text, "a/overlay.yaml": overlay("resources: [a.yaml]\nvars: {branch: main}")})
    compiled = directory.composed("a")
    assert told(compiled.problems) == ["a/a.yaml:4:75 declare.variable.undefined"]
    directory.put({"a/overlay.yaml": overlay("resources: [a.yaml]\nvars: {branch: main, size: '${x}'}")})
    specialist = the(directory.composed("a"), "Specialist/s")
    assert specialist.contents[0].text == "Work on main, pay ${price}"
    assert specialist.spec["model"] == "${x}"


def test_an_outer_overlay_gives_the_variables_of_its_bases(directory: Directory) -> None:
    text = doc("Specialist", "s", "{provider: echo, model: '${size}', env: {A: '${stage}'}}")
    directory.put(
        {
            "base/a.yaml": text,
            "base/overlay.yaml": overlay("resources: [a.yaml]\nvars: {size: small, stage: none}"),
            "prod/overlay.yaml": overlay("bases: [../base]\nvars: {stage: prod}"),
        }
    )
    spec = spec_of(directory.composed("prod"), "Specialist/s")
    assert (spec["model"], spec["env"]) == ("small", {"A": "prod"})


def test_without_composition_a_dollar_is_a_dollar(directory: Directory) -> None:
    directory.put({"a.yaml": doc("Specialist", "s", "{provider: echo, prompt: 'echo ${HOME} $${X}'}")})
    assert the(directory.compiled(), "Specialist/s").contents[0].text == "echo ${HOME} $${X}"


def test_bases_that_name_one_another_are_told(directory: Directory) -> None:
    directory.put({"a/overlay.yaml": overlay("bases: [../b]"), "b/overlay.yaml": overlay("bases: [../a]")})
    compiled = directory.composed("a")
    assert told(compiled.problems) == ["b/overlay.yaml:4:11 declare.overlay.cycle"]


def test_two_bases_with_one_base_are_a_duplicate_unless_prefixed(directory: Directory) -> None:
    directory.put(BASE)
    directory.put(
        {
            "x/overlay.yaml": overlay("bases: [../base]\nnamePrefix: x-"),
            "y/overlay.yaml": overlay("bases: [../base]\nnamePrefix: y-"),
        }
    )
    directory.put(
        {
            "both/overlay.yaml": overlay("bases: [../x, ../y]"),
            "twice/overlay.yaml": overlay("bases: [../base, ../base]"),
        }
    )
    compiled = directory.composed("both")
    assert told(compiled.problems) == []
    assert len(compiled.resources) == 12
    assert {problem.code for problem in directory.composed("twice").problems} == {"declare.duplicate"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("nameSuffix: -a", "4:3 declare.not_implemented"),
        ("patches: [{op: replace, path: /spec/model}]", "4:14 declare.not_implemented"),
        ("patchesJson6902: []", "4:3 declare.not_implemented"),
        ("resources: [../base/fleet.yaml]", "4:15 declare.path.escape"),
        ("resources: [nothing.yaml]", "4:15 declare.content.missing"),
        ("bases: [../../..]", "4:11 declare.path.escape"),
        ("bases: [nothing]", "4:11 declare.content.missing"),
        ("bases: [sub]", "4:11 declare.overlay.missing"),
        ("baes: []", "4:3 declare.schema.unknown_field"),
        ("namePrefix: Prod", "4:15 declare.schema.value"),
        ("vars: {1a: x}", "4:10 declare.schema.value"),
        ("patches: [{merge: {kind: Role, metadata: {name: nobody}}}]", "4:21 declare.overlay.patch"),
    ],
)
def test_what_is_wrong_with_an_overlay(directory: Directory, spec: str, expected: str) -> None:
    directory.put({**BASE, "prod/overlay.yaml": overlay(spec), "prod/sub/x.yaml": ""})
    found = [each for each in told(directory.composed("prod").problems) if "no_documents" not in each]
    assert found == [f"prod/overlay.yaml:{expected}"]


@pytest.mark.parametrize("path", ["nowhere", "base/fleet.yaml"])
def test_a_composition_that_is_no_directory(directory: Directory, path: str) -> None:
    assert [problem.code for problem in directory.put(BASE).composed(path).problems] == ["declare.root.missing"]


def test_in_a_work_tree_bases_may_be_anywhere_in_it(directory: Directory) -> None:
    directory.put({**BASE, ".git/HEAD": "", "deep/er/prod/overlay.yaml": overlay("bases: [../../../base]")})
    assert told(directory.composed("deep/er/prod").problems) == []
