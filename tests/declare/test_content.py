"""Files that specs name: read once, kept as digests, confined to the source root, and remembered for the gate."""

import pytest

from reconciler.model.errors import ReconcilerError
from reconciler.model.json import digest_bytes
from reconciler.model.resource import ContentSource
from tests.declare.sources import Directory, doc, docs, spec_of, the, told

FROM_FILE = doc("Specialist", "coder", "{provider: echo, promptFile: prompts/coder.md}")


def test_a_prompt_file_becomes_its_digest_and_size(directory: Directory) -> None:
    directory.put({"a.yaml": FROM_FILE, "prompts/coder.md": "You write code.\n"})
    compiled = directory.compiled()
    digest = digest_bytes(b"You write code.\n")
    assert spec_of(compiled, "Specialist/coder")["promptFile"] == {"digest": digest, "size": 16}
    path = str(directory.path / "prompts/coder.md")
    expected = (ContentSource(digest, path, None, tree=False),)
    assert the(compiled, "Specialist/coder").contents == expected
    assert the(compiled, "Role/coder").contents == expected
    assert path in dict(compiled.inputs)


def test_inline_text_is_kept_beside_the_spec_in_one_normal_form(directory: Directory) -> None:
    decomposed, composed = "cafe\u0301", "caf\u00e9"
    directory.put(
        {"a.yaml": docs(doc("Role", "a", f"{{prompt: '{decomposed}'}}"), doc("Role", "b", f"{{prompt: '{composed}'}}"))}
    )
    compiled = directory.compiled()
    assert spec_of(compiled, "Role/a") == spec_of(compiled, "Role/b")
    assert the(compiled, "Role/a").contents[0].text == composed


def test_an_empty_prompt_is_one(directory: Directory) -> None:
    compiled = directory.put({"a.yaml": doc("Role", "a", "{prompt: ''}")}).compiled()
    assert spec_of(compiled, "Role/a")["prompt"] == {"digest": digest_bytes(b""), "size": 0}


def test_one_byte_of_a_prompt_changes_one_digest(directory: Directory) -> None:
    directory.put({"a.yaml": docs(FROM_FILE, doc("Instance", "a", "{specialistRef: coder}")), "prompts/coder.md": "x"})
    before = directory.compiled()
    directory.put({"prompts/coder.md": "y"})
    after = directory.compiled()
    changed = {str(ref) for ref, resource in after.resources.items() if resource.digest != before.resources[ref].digest}
    assert changed == {"Specialist/coder", "Role/coder"}


def test_a_file_that_many_name_is_read_once(directory: Directory) -> None:
    many = [doc("Specialist", f"s{n}", "{provider: echo, promptFile: p.md}") for n in range(50)]
    directory.put({"a.yaml": docs(*many), "p.md": "x"})
    compiled = directory.compiled()
    assert told(compiled.problems) == []
    assert directory.files.reads == 2


def test_a_tree_remembers_every_file_and_directory_it_was_made_of(directory: Directory) -> None:
    skill = doc("Skill", "review", "{path: skills/review}")
    directory.put({"a.yaml": skill, "skills/review/SKILL.md": "x", "skills/review/deep/more/b.txt": "y"})
    (directory.path / "skills/review/empty").mkdir()
    compiled = directory.compiled()
    below = str(directory.path / "skills/review")
    assert {path.removeprefix(below) for path in dict(compiled.inputs)} > {"/SKILL.md", "/deep/more/b.txt"}
    assert {path.removeprefix(below) for path in dict(compiled.directories)} >= {"", "/deep", "/deep/more", "/empty"}
    assert the(compiled, "Skill/review").contents[0].tree


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("{promptFile: ../outside.md}", "declare.path.escape"),
        ("{promptFile: /etc/hostname}", "declare.path.escape"),
        ("{promptFile: ~/x.md}", "declare.path.escape"),
        ("{promptFile: link-out.md}", "declare.path.escape"),
        ("{promptFile: dir-out/x.md}", "declare.path.escape"),
        ("{promptFile: inside/../../outside.md}", "declare.path.escape"),
        ("{promptFile: nothing.md}", "declare.content.missing"),
        ("{promptFile: inside}", "declare.content.wrong_sort"),
    ],
)
def test_a_path_stays_inside_the_source_root(directory: Directory, spec: str, code: str) -> None:
    directory.put(
        {"a.yaml": doc("Role", "r", spec), "inside/x.md": "", "../outside.md": "secret", "../out/x.md": "secret"}
    )
    (directory.path / "link-out.md").symlink_to(directory.path.parent / "outside.md")
    (directory.path / "dir-out").symlink_to(directory.path.parent / "out")
    compiled = directory.compiled()
    assert told(compiled.problems) == [f"a.yaml:4:20 {code}"]
    assert "secret" not in str(compiled.problems)
    assert not any("outside" in path or "/out/" in path for path in dict(compiled.inputs))


def test_a_link_inside_the_root_is_followed(directory: Directory) -> None:
    directory.put({"a.yaml": doc("Role", "r", "{promptFile: link.md}"), "real.md": "x"})
    (directory.path / "link.md").symlink_to("real.md")
    assert spec_of(directory.compiled(), "Role/r")["promptFile"] == {"digest": digest_bytes(b"x"), "size": 1}


def test_a_root_named_through_a_link_is_the_directory_behind_it(directory: Directory) -> None:
    directory.put({"a.yaml": doc("Role", "r", "{promptFile: p.md}"), "p.md": "x"})
    (directory.path.parent / "alias").symlink_to(directory.path)
    compiled = directory.compiled("../alias")
    assert spec_of(compiled, "Role/r")
    assert compiled.roots == (str(directory.path),)


def test_a_skill_has_its_file(directory: Directory) -> None:
    directory.put({"a.yaml": doc("Skill", "s", "{path: s}"), "s/README.md": ""})
    assert told(directory.compiled().problems) == ["a.yaml:4:14 declare.content.incomplete"]


def test_private_skills_are_content_too(directory: Directory) -> None:
    spec = "{specialistRef: coder, skills: {private: [{name: b, path: b}, {name: a, path: a, mode: symlink}]}}"
    files = {"a/SKILL.md": "a", "b/SKILL.md": "b", "prompts/coder.md": "x"}
    compiled = directory.put({"a.yaml": docs(FROM_FILE, doc("LaunchProfile", "p", spec)), **files}).compiled()
    skills = spec_of(compiled, "LaunchProfile/p")["skills"]
    assert isinstance(skills, dict)
    private = skills["private"]
    assert isinstance(private, list)
    assert [(skill["name"], skill["mode"]) for skill in private if isinstance(skill, dict)] == [
        ("a", "symlink"),
        ("b", "copy"),
    ]
    assert len(the(compiled, "LaunchProfile/p").contents) == 2


def test_two_private_skills_of_one_name_are_refused(directory: Directory) -> None:
    spec = "{specialistRef: coder, skills: {private: [{name: a, path: a}, {name: a, path: a}]}}"
    directory.put(
        {"a.yaml": docs(FROM_FILE, doc("LaunchProfile", "p", spec)), "a/SKILL.md": "a", "prompts/coder.md": "x"}
    )
    assert told(directory.compiled().problems) == ["a.yaml:9:69 declare.list.duplicate"]


def test_an_unreadable_file_is_told(directory: Directory) -> None:
    class Denied:
        def __getattr__(self, name: str) -> object:
            return getattr(inner, name)

        def digest(self, path: str) -> object:
            raise ReconcilerError("permission denied", code="files.denied", hint="make it readable")

    inner = directory.files
    directory.put({"a.yaml": FROM_FILE, "prompts/coder.md": "x"})
    directory.files = Denied()  # type: ignore[assignment]
    compiled = directory.compiled()
    assert told(compiled.problems) == ["a.yaml:4:36 declare.content.unreadable"]
    assert compiled.problems[0].hint == "make it readable"


def test_content_is_stamped_before_it_is_read(directory: Directory) -> None:
    """An edit between the two must not be taken for what was read."""
    directory.put({"a.yaml": FROM_FILE, "prompts/coder.md": "old"})
    prompt = directory.path / "prompts/coder.md"
    read = directory.files.digest

    class EditedMeanwhile:
        def __getattr__(self, name: str) -> object:
            return getattr(inner, name)

        def digest(self, path: str) -> object:
            prompt.write_text("new and longer")
            return read(path)

    inner = directory.files
    directory.files = EditedMeanwhile()  # type: ignore[assignment]
    compiled = directory.compiled()
    assert dict(compiled.inputs)[str(prompt)].size == 3
