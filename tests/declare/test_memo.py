"""A source that is compiled again costs what changed, and comes out as if it were compiled for the first time."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.declare.compile import Compiled, Source, Validate
from reconciler.declare.memo import Memo
from reconciler.model.ref import Ref
from tests.declare.sources import Directory, doc, docs, spec_of, told

WORKER = doc("Specialist", "worker", "{provider: echo, prompt: Work.}")


def worker(reasoning: int, name: str = "alice") -> str:
    """One agent, always as many bytes."""
    return doc("Instance", name, f"{{specialistRef: worker, reasoning: {reasoning}}}")


@pytest.fixture
def kept(directory: Directory) -> Directory:
    """Compiled with what the last compile left."""
    directory.memo = Memo()
    return directory


def parsed(directory: Directory) -> int:
    """Compile, and count the files that had to be parsed."""
    directory.compiled()
    assert directory.memo is not None
    return directory.memo.parsed


def reasoning(directory: Directory) -> object:
    """What alice is declared with."""
    return spec_of(directory.compiled(), "Instance/alice")["reasoning"]


PATHS = ("metadata.name", "spec", "spec.prompt", "spec.reasoning", "spec.specialistRef", "spec.dependsOn[0].ref")


def everything(compiled: Compiled) -> object:
    """All that a compile says, positions included."""
    resources = [
        (
            (ref, each.ref, each.spec, each.digest, each.labels, each.annotations, each.owner, each.derived),
            (each.edges, each.contents, each.position, [each.at(path) for path in PATHS]),
        )
        for ref, each in compiled.resources.items()
    ]
    project = compiled.project.spec if compiled.project else None
    return compiled._replace(resources={}, project=None), resources, project


# What a compile costs


def test_of_a_thousand_files_one_is_parsed_after_a_save_and_none_where_nothing_happened(kept: Directory) -> None:
    agents = {f"agent-{number:04}.yaml": worker(1, f"agent-{number:04}") for number in range(999)}
    kept.put({"worker.yaml": WORKER, **agents})
    assert parsed(kept) == 1000
    assert parsed(kept) == 0
    kept.put({"agent-0500.yaml": worker(2, "agent-0500")})
    assert parsed(kept) == 1
    assert parsed(kept) == 0


def test_an_edited_payload_is_seen_and_no_document_parsed_for_it(kept: Directory) -> None:
    kept.put({"one.yaml": doc("Role", "one", "{promptFile: one.md}"), "one.md": "First.\n"})
    before = spec_of(kept.compiled(), "Role/one")
    kept.put({"one.md": "Other.\n"})
    assert spec_of(kept.compiled(), "Role/one") != before
    assert kept.memo is not None
    assert kept.memo.parsed == 0


def test_defaults_of_the_project_reach_documents_that_did_not_change(kept: Directory) -> None:
    kept.put({"worker.yaml": WORKER, "alice.yaml": worker(1)})
    before = spec_of(kept.compiled(), "Instance/alice")
    kept.put({"project.yaml": doc("Project", "p", "{defaults: {retry: {limit: 9}}}")})
    after = spec_of(kept.compiled(), "Instance/alice")
    assert kept.memo is not None
    assert kept.memo.parsed == 1
    assert before["retry"] != after["retry"]
    assert before != after
    (kept.path / "project.yaml").unlink()
    assert spec_of(kept.compiled(), "Instance/alice") == before


def test_what_is_gone_is_not_kept(kept: Directory) -> None:
    kept.put({"worker.yaml": WORKER})
    for number in range(5):
        kept.put({f"agent-{number}.yaml": worker(1, f"agent-{number}")})
        assert parsed(kept) == (2 if number == 0 else 1)
        assert kept.memo is not None
        assert len(kept.memo) == 2
        (kept.path / f"agent-{number}.yaml").unlink()


def test_other_rules_are_not_answered_from_what_was_judged_by_these(kept: Directory) -> None:
    kept.put({"one.yaml": doc("Role", "one", "{prompt: One., colour: red}")})
    kept.strict = Validate.IGNORE
    assert told(kept.compiled().problems) == []
    kept.strict = Validate.STRICT
    assert told(kept.compiled().problems) == ["one.yaml:4:22 declare.schema.unknown_field"]


def test_a_composition_is_the_same_each_time(kept: Directory) -> None:
    kept.put(
        {
            "base/worker.yaml": WORKER,
            "base/overlay.yaml": "kind: Overlay\nspec: {resources: [worker.yaml], namePrefix: our-}\n",
        }
    )
    first = everything(kept.composed("base"))
    assert everything(kept.composed("base")) == first


# What hides a change


def test_other_content_of_the_same_size_and_time_is_seen(kept: Directory) -> None:
    kept.put({"worker.yaml": WORKER, "alice.yaml": worker(1)})
    path = kept.path / "alice.yaml"
    before = path.stat()
    assert reasoning(kept) == 1
    for number in (2, 3, 4):
        path.write_text(worker(number))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert path.stat().st_size == before.st_size
        assert reasoning(kept) == number


def test_a_link_in_its_place_is_followed(kept: Directory, tmp_path: Path) -> None:
    kept.put({"worker.yaml": WORKER, "alice.yaml": worker(1)})
    assert reasoning(kept) == 1
    (tmp_path / "elsewhere").write_text(worker(2))
    (kept.path / "alice.yaml").unlink()
    (kept.path / "alice.yaml").symlink_to(tmp_path / "elsewhere")
    assert reasoning(kept) == 2
    (tmp_path / "elsewhere").write_text(worker(3))
    assert reasoning(kept) == 3


def test_one_that_cannot_be_read_is_a_problem_until_it_can(kept: Directory) -> None:
    kept.put({"worker.yaml": WORKER, "alice.yaml": worker(1)})
    path = kept.path / "alice.yaml"
    assert reasoning(kept) == 1
    path.rename(kept.path / "aside")
    path.symlink_to(path)
    assert told(kept.compiled().problems) == ["alice.yaml:1:1 declare.root.unreadable"]
    path.unlink()
    (kept.path / "aside").rename(path)
    assert reasoning(kept) == 1


def test_one_that_came_back_is_what_it_is_now(kept: Directory) -> None:
    kept.put({"worker.yaml": WORKER, "alice.yaml": worker(1)})
    assert reasoning(kept) == 1
    (kept.path / "alice.yaml").unlink()
    assert Ref("Instance", "alice") not in kept.compiled().resources
    kept.put({"alice.yaml": worker(2)})
    assert reasoning(kept) == 2


# Any edits

TEXTS = (
    WORKER,
    worker(1),
    worker(2),
    docs(worker(1), worker(1, "bob")),
    doc("Specialist", "worker", "{provider: echo, promptFile: worker.md}"),
    doc("InstanceSet", "many", "{replicas: 2, template: {specialistRef: worker}}", ", labels: {team: a}"),
    doc("InstanceSet", "many", "{replicas: 1, template: {specialistRef: worker, dependsOn: [{ref: Instance/alice}]}}"),
    doc("Instance", "carol", "{specialistRef: worker, dependsOn: [{ref: InstanceSet/many}]}"),
    doc("Instance", "carol", "{specialistRef: nobody}"),
    doc("Instance", "alice", "{specialistRef: worker, colour: red}"),
    doc("Project", "p", "{defaults: {retry: {limit: 9}}}"),
    doc("Project", "p", "{}"),
    "kind: [\n",
    "",
)
NAMES = ("a.yaml", "b.yaml", "c.yaml", "d.json")
EDIT = st.tuples(st.sampled_from((*NAMES, "worker.md")), st.sampled_from((None, *TEXTS)))


@settings(max_examples=60, deadline=None)
@given(st.lists(EDIT, min_size=1, max_size=8))
def test_after_any_edits_it_is_what_a_first_compile_says_and_earlier_ones_stay_as_they_were(
    edits: list[tuple[str, str | None]],
) -> None:
    with TemporaryDirectory() as path:
        kept, fresh = Directory(Path(path)), Directory(Path(path))
        kept.memo = Memo()
        kept.put({"a.yaml": WORKER, "b.yaml": TEXTS[3]})
        was: list[tuple[Compiled, object]] = []
        for name, text in edits:
            if text is None:
                (kept.path / name).unlink(missing_ok=True)
            else:
                kept.put({name: text})
            found = kept.source(Source((".",)))
            was.append((found, everything(found)))
            assert was[-1][1] == everything(fresh.source(Source((".",))))
        for found, said in was:
            assert everything(found)[1:] == said[1:]  # type: ignore[index]
