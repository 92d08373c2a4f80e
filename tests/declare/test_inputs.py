"""Which files `-f` means, which source they are, and what is told of roots that are not there."""

from pathlib import Path

import pytest

from reconciler.declare.compile import Source
from tests.declare.sources import HEAD, Directory, doc, docs, told

ROLE = doc("Role", "r", "{prompt: x}")


def names(directory: Directory, *paths: str, recursive: bool = False) -> list[str]:
    compiled = directory.compiled(*paths, recursive=recursive)
    assert told(compiled.problems) == []
    return [ref.name for ref in compiled.resources]


def test_a_directory_is_its_yaml_and_json_files(directory: Directory) -> None:
    role = {name: doc("Role", name, "{prompt: x}") for name in "abcdefgh"}
    directory.put(
        {
            "a.yaml": role["a"], "b.yml": role["b"], "d.txt": role["d"], ".e.yaml": role["e"], "f.yaml~": role["f"],
            "#g.yaml#": role["g"], "sub/h.yaml": role["h"], ".hidden/x.yaml": role["e"],
            "c.json": '{"apiVersion":"houmao/v1alpha1","kind":"Role",\n\t"metadata":{"name":"c"},'
            '"spec":{"prompt":"x"}}',
        }
    )  # fmt: skip
    assert names(directory) == ["a", "b", "c"]
    assert names(directory, recursive=True) == ["a", "b", "c", "h"]
    assert names(directory, "d.txt", "sub") == ["d", "h"]


def test_a_file_named_twice_is_read_once(directory: Directory) -> None:
    directory.put({"a.yaml": ROLE})
    assert names(directory, ".", "a.yaml", "./a.yaml") == ["r"]
    assert directory.files.reads == 1


def test_a_directory_that_links_to_itself_ends(directory: Directory) -> None:
    directory.put({"sub/a.yaml": ROLE})
    (directory.path / "sub/again").symlink_to("..")
    assert names(directory, recursive=True) == ["r"]


def test_nothing_declared_nothing_there_and_nothing_readable_are_three_things(directory: Directory) -> None:
    """R-LOAD-10: none of them is an empty desired state."""
    (directory.path / "empty").mkdir()
    empty = directory.compiled("empty")
    assert [problem.code for problem in empty.problems] == ["declare.no_documents"]
    assert (empty.documents, empty.resources) == (0, {})
    assert [problem.code for problem in directory.compiled("missing").problems] == ["declare.root.missing"]
    directory.put({"only-comments/a.yaml": "# nothing\n---\n"})
    assert [problem.code for problem in directory.compiled("only-comments").problems] == ["declare.no_documents"]


class Unreadable:
    """A file system in which one path cannot be read."""

    def __init__(self, directory: Directory, path: str) -> None:
        self._files = directory.files
        self._path = str(directory.path / path)

    def __getattr__(self, name: str) -> object:
        return getattr(self._files, name)

    def names(self, path: str) -> tuple[str, ...]:
        return self._refused(path) or self._files.names(path)

    def read(self, path: str) -> bytes:
        self._refused(path)
        return self._files.read(path)

    def _refused(self, path: str) -> tuple[str, ...]:
        from reconciler.model.errors import ReconcilerError

        if path == self._path:
            raise ReconcilerError("permission denied", code="files.denied")
        return ()


@pytest.mark.parametrize("path", ["a.yaml", "."])
def test_an_unreadable_file_or_directory_is_told_and_the_rest_goes_on(directory: Directory, path: str) -> None:
    directory.put({"a.yaml": ROLE, "b.yaml": "kind: Nonsense\n"})
    directory.files = Unreadable(directory, path)  # type: ignore[assignment]
    codes = [problem.code for problem in directory.compiled(".", "b.yaml").problems]
    assert "declare.root.unreadable" in codes
    assert "declare.kind.unknown" in codes


def test_all_roots_that_are_missing_are_told(directory: Directory) -> None:
    directory.put({"a.yaml": ROLE})
    compiled = directory.compiled("no", "a.yaml", "nope")
    assert told(compiled.problems) == ["no:1:1 declare.root.missing", "nope:1:1 declare.root.missing"]


def test_a_root_is_known_by_its_real_path(directory: Directory) -> None:
    directory.put({"a/x.yaml": ROLE, "b/y.yaml": doc("Role", "s", "{prompt: x}")})
    compiled = directory.compiled("b", "a")
    assert compiled.roots == (str(directory.path / "a"), str(directory.path / "b"))
    assert compiled.source_root == "\n".join(compiled.roots)
    assert {ref.name: Path(root).name for ref, root in compiled.root_of.items()} == {"r": "a", "s": "b"}
    assert directory.compiled("a/x.yaml").roots == (str(directory.path / "a/x.yaml"),)


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_in_a_work_tree_a_root_is_known_by_the_remote(directory: Directory) -> None:
    """R-PRU-10: credentials stripped, and the path in the work tree."""
    directory.put(
        {
            ".git/config": '[core]\n\tbare = false\n[remote "origin"]\n\turl = https://me:hunter2@example.org/fleet.git\n',
            ".git/HEAD": "ref: refs/heads/main\n",
            ".git/refs/heads/main": f"{COMMIT}\n",
            "fleet/a.yaml": ROLE,
        }
    )
    compiled = directory.compiled("fleet")
    assert compiled.roots == ("https://example.org/fleet.git//fleet",)
    assert compiled.source_revision == COMMIT


def test_a_packed_branch_and_a_linked_work_tree_have_a_revision_too(directory: Directory) -> None:
    directory.put(
        {
            "main/.git/config": '[remote "up"]\n\turl = git@example.org:fleet.git\n',
            "main/.git/packed-refs": f"# pack-refs\n{COMMIT} refs/heads/side\n",
            "main/.git/worktrees/side/HEAD": "ref: refs/heads/side\n",
            "main/.git/worktrees/side/commondir": "../..\n",
            "side/.git": "gitdir: ../main/.git/worktrees/side\n",
            "side/a.yaml": ROLE,
        }
    )
    compiled = directory.compiled("side")
    assert (compiled.roots, compiled.source_revision) == (("git@example.org:fleet.git",), COMMIT)


@pytest.mark.parametrize("head", ["nonsense", "ref: ../../../etc/passwd", "ref: refs/heads/unborn", ""])
def test_a_head_that_names_no_commit_is_no_revision(directory: Directory, head: str) -> None:
    directory.put({".git/HEAD": head, "a.yaml": ROLE})
    compiled = directory.compiled()
    assert (compiled.source_revision, compiled.roots) == ("", (str(directory.path),))


def test_the_project_may_name_its_source(directory: Directory) -> None:
    project = doc("Project", "p", "{}", ", annotations: {houmao/source-id: fleet}")
    compiled = directory.put({"a/x.yaml": docs(project, ROLE), "b/y.yaml": doc("Role", "s", "{prompt: x}")}).compiled(
        "a", "b"
    )
    assert (compiled.roots, set(compiled.root_of.values())) == (("fleet",), {"fleet"})


def test_hostile_text_is_a_problem_and_never_a_hang(directory: Directory) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)
    )
    directory.put(
        {
            "bomb.yaml": bomb,
            "deep.yaml": HEAD + "spec: " + "[" * 25_000,
            "binary.yaml": b"\x00\xff\xfe",
            "tab.yaml": "a:\n\tb: c\n",
        }
    )
    compiled = directory.compiled()
    assert {problem.position.file for problem in compiled.problems if problem.position} == {
        "bomb.yaml", "deep.yaml", "binary.yaml", "tab.yaml",
    }  # fmt: skip


def test_standard_input_has_a_root_of_its_own(directory: Directory) -> None:
    compiled = directory.source(Source(("-",), stdin=ROLE.encode()))
    assert compiled.roots == (f"{directory.path}/-",)
