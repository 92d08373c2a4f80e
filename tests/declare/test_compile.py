"""Compiling a source: what is declared becomes canonical resources, and all that is wrong is told at once."""

import itertools

import pytest

from reconciler.declare.compile import Source, Validate, fill_defaults, sparse
from reconciler.model.ref import Ref
from tests.declare.sources import KINDS, Directory, doc, docs, spec_of, the, told

CODER = doc("Specialist", "coder", "{provider: echo, prompt: You write code.}")
ELSEWHERE = "{provider: echo, source: {env: {KEY: {env: X}}}}"
LITERAL = "{provider: echo, source: {env: {ECHO_API_KEY: plain}}}"
ALICE = doc("Instance", "alice", "{specialistRef: coder}")


def test_a_specialist_and_an_instance(directory: Directory) -> None:
    compiled = directory.put({"a.yaml": docs(CODER, ALICE)}).compiled()

    assert told(compiled.problems) == []
    assert [str(ref) for ref in compiled.resources] == [
        "Instance/alice", "Recipe/coder-echo-default", "Role/coder", "Specialist/coder",
    ]  # fmt: skip
    assert compiled.documents == 2
    alice = the(compiled, "Instance/alice")
    assert [str(edge.to) for edge in alice.edges] == ["Specialist/coder"]
    assert str(alice.position) == "a.yaml:8:18"
    assert str(alice.at("spec.specialistRef")) == "a.yaml:9:8"
    assert str(alice.at("spec.model")) == "a.yaml:9:1"


def test_a_specialist_derives_a_role_and_a_recipe_that_have_no_action_of_their_own(directory: Directory) -> None:
    spec = "{provider: echo, prompt: Hi, setupRef: strict, env: {LEVEL: debug}, model: m}"
    setup = doc("Setup", "strict", "{provider: echo, path: setup}")
    directory.put({"a.yaml": docs(doc("Specialist", "coder", spec), setup), "setup/config": "x"})

    compiled = directory.compiled()

    role, recipe = the(compiled, "Role/coder"), the(compiled, "Recipe/coder-echo-strict")
    assert (role.owner, role.derived) == (Ref("Specialist", "coder"), True)
    assert role.spec["prompt"] == spec_of(compiled, "Specialist/coder")["prompt"]
    assert role.contents[0].text == "Hi"
    assert recipe.spec["launch"] == {
        "env": {"LEVEL": "debug"}, "model": "m", "overrides": None, "promptMode": "unattended", "reasoning": None,
        "systemSkills": {"mode": "default", "sets": [], "skills": []},
    }  # fmt: skip
    assert [str(edge.to) for edge in recipe.edges] == ["Role/coder", "Setup/strict"]
    # What the recipe says was written in the specialist's document.
    assert recipe.at("spec.launch.env.LEVEL") == the(compiled, "Specialist/coder").at("spec.env.LEVEL")


def test_a_role_declared_beside_the_one_a_specialist_derives_is_a_duplicate(directory: Directory) -> None:
    compiled = directory.put({"a.yaml": docs(CODER, doc("Role", "coder", "{prompt: mine}"))}).compiled()

    assert told(compiled.problems) == ["a.yaml:8:18 declare.duplicate"]
    assert "made by Specialist/coder" in compiled.problems[0].message
    assert "a.yaml:3:18" in compiled.problems[0].message


def test_a_set_becomes_its_members(directory: Directory) -> None:
    team = doc("InstanceSet", "w", "{replicas: 3, template: {specialistRef: coder, model: m}}", ", labels: {team: red}")
    compiled = directory.put({"a.yaml": docs(CODER, team)}).compiled()

    members = [resource for resource in compiled.resources.values() if resource.owner == Ref("InstanceSet", "w")]
    assert [member.ref.name for member in members] == ["w-0", "w-1", "w-2"]
    assert not any(member.derived for member in members)
    assert {member.labels["team"] for member in members} == {"red"}
    assert str(members[1].at("spec.model")) == "a.yaml:9:54"
    assert len({member.digest for member in members}) == 1
    # Members are values of their own.
    members[0].spec["model"] = "other"
    assert members[1].spec["model"] == "m"


def test_a_name_that_has_no_room_for_its_members_is_refused(directory: Directory) -> None:
    team = doc("InstanceSet", "w" * 62, "{replicas: 1, template: {specialistRef: coder}}")
    compiled = directory.put({"a.yaml": docs(CODER, team)}).compiled()
    assert told(compiled.problems) == ["a.yaml:8:18 declare.name"]


def test_everything_wrong_is_told_in_one_run(directory: Directory) -> None:
    """R-LOAD-11: each with its position, its path, a rule and a way out."""
    directory.put(
        {
            "a.yaml": docs(
                doc("Specialst", "x", "{}"),
                doc("Specialist", "Coder", "{provider: ecko, promptFile: ../up.md, modl: m}"),
                doc("Instance", "a", "{specialistRef: nobody, dependsOn: [{ref: Instance/b}]}"),
                doc("Instance", "b", "{specialistRef: coder, dependsOn: [{ref: Instance/a}], sessionName: a.b}"),
                doc("Instance", "a", "{profileRef: day, headless: 'yes'}"),
            ),
            "b.yaml": "kind: Role\n\tmetadata: {}\n",
            "c.yaml": "- not\n- a mapping\n",
        }
    )
    compiled = directory.compiled()

    codes = {problem.code for problem in compiled.problems}
    assert codes == {
        "declare.kind.unknown", "declare.name", "declare.provider.unknown", "declare.schema.unknown_field",
        "declare.path.escape", "declare.reference.dangling", "declare.duplicate", "declare.schema.type",
        "declare.yaml.tab", "declare.yaml.not_a_mapping",
    }  # fmt: skip
    for problem in compiled.problems:
        assert problem.position is not None
        assert problem.position.line >= 1
        assert problem.rule.startswith("R-"), problem
        assert problem.hint, problem
    hints = {problem.code: problem.hint for problem in compiled.problems}
    assert hints["declare.kind.unknown"] == "did you mean Specialist?"
    assert hints["declare.provider.unknown"] == "did you mean 'echo'?"
    assert hints["declare.schema.unknown_field"] == "did you mean 'model'?"
    assert [problem.position for problem in compiled.problems] == sorted(
        p.position for p in compiled.problems if p.position
    )


def test_the_order_of_files_and_documents_does_not_matter(directory: Directory) -> None:
    """R-LOAD-2."""
    texts = [CODER, ALICE, doc("Instance", "bob", "{specialistRef: coder}"), doc("Role", "r", "{prompt: x}")]
    digests = set()
    for number, order in enumerate(itertools.permutations(texts)):
        name = f"order-{number}"
        directory.put({f"{name}/a.yaml": docs(*order[:2]), f"{name}/b.yaml": docs(*order[2:])})
        compiled = directory.compiled(name)
        assert told(compiled.problems) == []
        digests.add(compiled.inputs_digest)
    assert len(digests) == 1


def test_comments_layout_and_spelling_do_not_matter(directory: Directory) -> None:
    directory.put(
        {
            "plain/a.yaml": docs(
                CODER, doc("Instance", "a", "{specialistRef: coder, retry: {base: 90s}, readiness: [process, prompt]}")
            ),
            "other/a.yaml": docs(
                CODER.replace("prompt: You write code.", "prompt: 'You write code.'"),
                "# hello\nkind: Instance\nspec:\n  readiness: [prompt, process]\n  retry:\n    base: 1m30s # here\n"
                "  specialistRef: {name: coder}\napiVersion: houmao/v1alpha1\nmetadata: {name: a}\n",
            ),
        }
    )
    assert directory.compiled("plain").inputs_digest == directory.compiled("other").inputs_digest


def test_labels_do_not_change_the_digest_of_a_resource(directory: Directory) -> None:
    directory.put({"a/a.yaml": CODER, "b/a.yaml": CODER.replace("name: coder", "name: coder, labels: {team: red}")})
    plain, labelled = directory.compiled("a"), directory.compiled("b")
    assert the(plain, "Specialist/coder").digest == the(labelled, "Specialist/coder").digest
    assert plain.inputs_digest != labelled.inputs_digest


def test_one_identity_twice_is_never_last_wins(directory: Directory) -> None:
    directory.put({"a.yaml": CODER, "b.yaml": CODER.replace("write code", "write text")})
    compiled = directory.compiled()
    assert told(compiled.problems) == ["b.yaml:3:18 declare.duplicate"]
    assert "a.yaml:3:18" in compiled.problems[0].message
    assert told(directory.compiled("b.yaml", "a.yaml").problems) == told(compiled.problems)


def test_a_reference_to_the_catalog_is_no_fault(directory: Directory) -> None:
    directory.put({"a.yaml": ALICE})
    assert told(directory.compiled().problems) == ["a.yaml:4:23 declare.reference.dangling"]
    directory.catalog.add(Ref("Specialist", "coder"))
    compiled = directory.compiled()
    assert told(compiled.problems) == []
    assert compiled.from_catalog == ((Ref("Instance", "alice"), Ref("Specialist", "coder")),)


def test_a_dangling_reference_comes_with_the_nearest_name(directory: Directory) -> None:
    directory.put({"a.yaml": docs(CODER, doc("Instance", "a", "{specialistRef: codr}"))})
    assert directory.compiled().problems[0].hint == "did you mean 'coder'?"


def test_the_former_name_of_a_derived_recipe_leads_to_the_new_one(directory: Directory) -> None:
    """R-MOD-14a: another setup renames the recipe."""
    spec = "{provider: echo, setupRef: strict}"
    setup = doc("Setup", "strict", "{provider: echo, path: setup}")
    user = doc("Instance", "a", "{recipeRef: coder-echo-default}")
    directory.put({"a.yaml": docs(doc("Specialist", "coder", spec), setup, user), "setup/x": ""})
    problem = directory.compiled().problems[0]
    assert problem.code == "declare.reference.dangling"
    assert problem.hint == "the recipe of that specialist is now called 'coder-echo-strict'"


def test_the_setup_default_is_the_providers_own_until_one_is_declared(directory: Directory) -> None:
    directory.put({"a/a.yaml": CODER})
    assert the(directory.compiled("a"), "Specialist/coder").edges == ()
    setup = doc("Setup", "default", "{provider: echo, path: setup}")
    directory.put({"b/a.yaml": docs(CODER, setup), "b/setup/x": ""})
    assert [str(edge.to) for edge in the(directory.compiled("b"), "Specialist/coder").edges] == ["Setup/default"]
    directory.put({"c/a.yaml": docs(CODER, setup.replace("echo", "codex")), "c/setup/x": ""})
    assert the(directory.compiled("c"), "Specialist/coder").edges == ()


def test_dependencies_wait_for_readiness_of_what_lives(directory: Directory) -> None:
    team = doc("InstanceSet", "w", "{replicas: 2, template: {specialistRef: coder}}")
    listed = "{ref: InstanceSet/w}, {ref: Role/coder}, {ref: Instance/a, condition: Applied}"
    waits = f"{{specialistRef: coder, dependsOn: [{listed}]}}"
    directory.put(
        {"a.yaml": docs(CODER, team, doc("Instance", "a", "{specialistRef: coder}"), doc("Instance", "b", waits))}
    )
    edges = {str(edge.to): edge.condition for edge in the(directory.compiled(), "Instance/b").edges}
    assert edges == {
        "Instance/a": "Applied", "Instance/w-0": "Ready", "Instance/w-1": "Ready", "InstanceSet/w": "Applied",
        "Role/coder": "Applied", "Specialist/coder": "Applied",
    }  # fmt: skip


def test_a_cycle_is_told_as_the_shortest_with_positions(directory: Directory) -> None:
    def waits(name: str, *others: str) -> str:
        listed = ", ".join(f"{{ref: Instance/{other}}}" for other in others)
        return doc("Instance", name, f"{{specialistRef: coder, dependsOn: [{listed}]}}")

    directory.put({"a.yaml": docs(CODER, waits("a", "b"), waits("b", "c"), waits("c", "a", "b"))})
    compiled = directory.compiled()
    assert told(compiled.problems) == ["a.yaml:14:48 declare.reference.cycle"]
    assert compiled.problems[0].message.endswith("Instance/b (a.yaml:14:48) → Instance/c (a.yaml:19:67) → Instance/b")


def test_a_chain_of_a_thousand_compiles_and_a_ring_of_a_thousand_is_told(directory: Directory) -> None:
    def link(number: int, to: int | None) -> str:
        waits = f", dependsOn: [{{ref: Instance/a{to}}}]" if to is not None else ""
        return doc("Instance", f"a{number}", f"{{specialistRef: coder{waits}}}")

    chain = [link(number, number + 1 if number < 999 else None) for number in range(1_000)]
    directory.put({"chain/a.yaml": docs(CODER, *chain), "ring/a.yaml": docs(CODER, *chain[:-1], link(999, 0))})
    assert told(directory.compiled("chain").problems) == []
    assert [problem.code for problem in directory.compiled("ring").problems] == ["declare.reference.cycle"]


def test_unknown_fields_are_faults_warnings_or_nothing(directory: Directory) -> None:
    """R-VAL-2; what a later release brings is refused all the same."""
    directory.put({"a.yaml": doc("Specialist", "coder", "{provider: echo, modl: m}")})
    directory.strict = Validate.WARN
    compiled = directory.compiled()
    assert (told(compiled.problems), told(compiled.warnings)) == ([], ["a.yaml:4:24 declare.schema.unknown_field"])
    directory.strict = Validate.IGNORE
    assert directory.compiled().warnings == ()
    directory.put({"a.yaml": doc("Specialist", "coder", "{provider: echo, mailbox: {}}")})
    assert told(directory.compiled().problems) == ["a.yaml:4:24 declare.not_implemented"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (doc("Role", "r", "{prompt: x}") + "status: {}\n", "a.yaml:5:1 declare.status_in_input"),
        (doc("Role", "r", "{prompt: x}").replace("v1alpha1", "v1"), "a.yaml:1:13 declare.api_version"),
        (doc("Role", "r", "{prompt: x}", ", annotations: {houmao/wave: '1'}"), "a.yaml:3:36 declare.not_implemented"),
        (doc("Role", "r", "{prompt: x}", ", annotations: {houmao/wav: '1'}"), "a.yaml:3:36 declare.metadata.reserved"),
        (doc("Role", "r", "{prompt: x}", ", annotations: {houmao/adopt: x}"), "a.yaml:3:50 declare.schema.value"),
        (doc("Role", "r", "{prompt: x}", ", labels: {'a b': c}"), "a.yaml:3:31 declare.metadata.key"),
        (doc("Role", "r", "{prompt: x}", ", labels: {a: 'c d'}"), "a.yaml:3:34 declare.metadata.value"),
        (doc("Role", "houmao-r", "{prompt: x}"), "a.yaml:3:18 declare.name"),
        (doc("Mailbox", "m", "{}"), "a.yaml:2:7 declare.not_implemented"),
        (doc("Moved", "m", "{from: Role/a}"), "a.yaml:4:1 declare.schema.missing"),
        (doc("Role", "r", "{}"), "a.yaml:4:1 declare.schema.fields"),
        (doc("Role", "r", "{prompt: x, promptFile: a.yaml}"), "a.yaml:4:1 declare.schema.fields"),
        (doc("Specialist", "s", "{provider: echo, env: {A: yes}}"), "a.yaml:4:31 declare.yaml.ambiguous_word"),
        (doc("Specialist", "s", "{provider: echo, env: {A: 1}}"), "a.yaml:4:34 declare.schema.type"),
        (doc("Specialist", "s", "{provider: echo, env: {ECHO_API_KEY: x}}"), "a.yaml:4:24 declare.env.credential"),
        (doc("AuthProfile", "s", ELSEWHERE), "a.yaml:4:33 declare.auth.not_allowed"),
        (doc("AuthProfile", "s", LITERAL), "a.yaml:4:47 declare.secret.literal"),
    ],
)  # fmt: skip
def test_one_fault_at_its_place(directory: Directory, text: str, expected: str) -> None:
    compiled = directory.put({"a.yaml": text}).compiled()
    found = told(compiled.problems)
    assert len(found) == 1
    assert found[0].split()[1] == expected.split()[1]
    assert found[0].split(":")[1] == expected.split(":")[1]


def test_two_session_names_that_tmux_makes_one_are_a_collision(directory: Directory) -> None:
    """R-MOD-4a: both positions, and each refused one with the escaped form."""
    names = ("a.b", "a:b", "a_b")
    directory.put(
        {
            "a.yaml": docs(
                CODER,
                *(
                    doc("Instance", f"i{n}", f"{{specialistRef: coder, sessionName: '{name}'}}")
                    for n, name in enumerate(names)
                ),
            )
        }
    )
    compiled = directory.compiled()
    collisions = [problem for problem in compiled.problems if problem.code == "declare.session_name.collision"]
    assert [str(problem.position) for problem in collisions] == ["a.yaml:14:43", "a.yaml:19:43"]
    assert all("a.yaml:9:43" in problem.message for problem in collisions)
    escaped = [problem.hint for problem in compiled.problems if problem.code == "declare.name"]
    assert escaped == ["write 'a_b'", "write 'a_b'"]


def test_a_session_name_or_agent_id_in_a_template_of_two_is_a_collision(directory: Directory) -> None:
    template = "{replicas: 2, template: {specialistRef: coder, sessionName: s, agentId: one}}"
    compiled = directory.put({"a.yaml": docs(CODER, doc("InstanceSet", "w", template))}).compiled()
    assert [problem.code for problem in compiled.problems] == [
        "declare.session_name.collision",
        "declare.agent_id.collision",
    ]


def test_a_setup_or_credential_of_another_provider_is_refused(directory: Directory) -> None:
    auth = doc("AuthProfile", "work", "{provider: codex, source: {env: {OPENAI_API_KEY: {env: KEY}}}}")
    profile = doc("LaunchProfile", "day", "{specialistRef: coder, authRef: work, env: {ECHO_API_KEY: x}}")
    user = doc("Instance", "a", "{profileRef: day, authRef: work}")
    compiled = directory.put({"a.yaml": docs(CODER, auth, profile, user)}).compiled()
    assert [problem.code for problem in compiled.problems] == [
        "declare.reference.provider", "declare.env.credential", "declare.reference.provider",
    ]  # fmt: skip


def test_limits_deny_or_warn(directory: Directory) -> None:
    team = doc("InstanceSet", "w", "{replicas: 3, template: {specialistRef: coder}}")
    project = doc("Project", "p", "{limits: {instances: 2, replicas: 2}}")
    directory.put({"a.yaml": docs(CODER, team, project)})
    assert [problem.code for problem in directory.compiled().problems] == ["declare.limit", "declare.limit"]
    directory.put({"a.yaml": docs(CODER, team, project.replace("{instances", "{enforcement: warn, instances"))})
    compiled = directory.compiled()
    assert (compiled.problems, len(compiled.warnings)) == ((), 2)


def test_defaults_of_the_project_fill_what_documents_leave_out(directory: Directory) -> None:
    project = doc("Project", "p", "{defaults: {promptMode: as_is, readiness: [session], retry: {limit: 2}}}")
    own = doc("Instance", "b", "{specialistRef: coder, readiness: [process]}")
    compiled = directory.put({"a.yaml": docs(project, CODER, ALICE, own)}).compiled()
    assert spec_of(compiled, "Specialist/coder")["promptMode"] == "as_is"
    assert spec_of(compiled, "Instance/alice")["readiness"] == ["session"]
    assert spec_of(compiled, "Instance/b")["readiness"] == ["process"]
    assert spec_of(compiled, "Instance/b")["retry"] == {"base": 1_000, "limit": 2, "max": 300_000, "timeout": None}
    assert compiled.project is compiled.resources[Ref("Project", "p")]


def test_a_second_project_is_refused(directory: Directory) -> None:
    compiled = directory.put({"a.yaml": docs(doc("Project", "p", "{}"), doc("Project", "q", "{}"))}).compiled()
    assert told(compiled.problems) == ["a.yaml:8:18 declare.project.second"]


def test_an_overlay_document_is_composed_and_not_applied(directory: Directory) -> None:
    compiled = directory.put({"a.yaml": "apiVersion: houmao/v1alpha1\nkind: Overlay\nspec: {}\n"}).compiled()
    assert told(compiled.problems) == ["a.yaml:2:7 declare.overlay.not_here"]


def test_what_is_recorded_is_sparse_and_comes_back_whole(directory: Directory) -> None:
    compiled = directory.put({"a.yaml": docs(CODER, ALICE)}).compiled()
    for ref, resource in compiled.resources.items():
        recorded = sparse(KINDS, ref.kind, resource.spec)
        assert fill_defaults(KINDS, ref.kind, recorded) == resource.spec
    assert sparse(KINDS, "Instance", spec_of(compiled, "Instance/alice")) == {"specialistRef": "coder"}
    assert fill_defaults(KINDS, "Instance", {"specialistRef": "a", "later": 1})["later"] == 1


def test_standard_input_is_a_source(directory: Directory) -> None:
    directory.put({"p.md": "hello"})
    text = doc("Specialist", "coder", "{provider: echo, promptFile: p.md}")
    compiled = directory.source(Source(("-",), stdin=text.encode()))
    assert str(the(compiled, "Specialist/coder").position) == "<stdin>:3:18"
