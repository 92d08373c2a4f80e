"""`--source git+URL@REF` through plan, diff and apply; the same process, a fleet that needs no tmux."""

import json
from pathlib import Path

import pytest

from reconciler.app.session import Flags, open_session
from reconciler.cli.main import main
from tests.gitsource.conftest import Author, specialist

FLEET = {f"fleet/{name}.yaml": specialist(name) for name in ("one", "two")}
Capture = pytest.CaptureFixture[str]


def names() -> set[str]:
    """What is recorded."""
    return {row.ref.name for row in open_session(Flags()).reader.catalog.inventory() if row.ref.kind == "Specialist"}


def source(author: Author, ref: str = "main", path: str = "fleet") -> list[str]:
    return ["--source", f"git+{author.url}@{ref}:{path}"]


def test_a_commit_is_applied_and_recorded_everywhere(author: Author, project: Path, capsys: Capture) -> None:
    commit = author.pushes(dict(FLEET))
    assert main(["plan", *source(author), "-o", "json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["sourceRevision"] == commit
    assert plan["actions"][0]["reasons"][0]["positions"][0]["file"] == "fleet/one.yaml"
    assert main(["apply", *source(author)]) == 0
    assert "2 settled" in capsys.readouterr().out

    assert main(["project", "status", "-o", "json"]) == 0
    (applied,) = json.loads(capsys.readouterr().out)["sources"]
    assert (applied["apply_set"], applied["source_revision"], applied["outcome"]) == ("default", commit, "settled")
    assert main(["project", "status", "--print-plain"]) == 0
    assert f"source_revision={commit}" in capsys.readouterr().out
    catalog = open_session(Flags()).reader.catalog
    assert catalog.runs(1)[0].source_revision == commit
    rows = [row for row in catalog.inventory() if row.ref.kind == "Specialist"]
    assert {row.source_root for row in rows} == {f"{author.url}//fleet"}
    assert {row.position.file for row in rows if row.position} == {
        f"git+{author.url}@{commit}:/fleet/{name}.yaml" for name in ("one", "two")
    }
    assert main(["get", "specialist/one", "-o", "json"]) == 0
    assert commit in json.loads(capsys.readouterr().out)["metadata"]["position"]
    revision = catalog.revision()
    assert main(["apply", *source(author)]) == 0
    assert "No changes." in capsys.readouterr().out
    assert open_session(Flags()).reader.catalog.revision() == revision


def test_a_work_tree_of_the_same_repository_is_the_same_source(author: Author, project: Path, capsys: Capture) -> None:
    author.git("remote", "set-url", "origin", author.url)
    author.pushes(dict(FLEET))
    assert main(["apply", *source(author)]) == 0
    assert main(["apply", "-f", str(author.clone / "fleet"), "--prune"]) == 0
    capsys.readouterr()
    author.pushes({"fleet/two.yaml": None})
    assert main(["plan", "-f", str(author.clone / "fleet"), "--prune", "-o", "name"]) == 0
    assert capsys.readouterr().out == "Specialist/two remove\n"


def test_what_left_the_branch_is_pruned_and_rewritten_history_is_not(
    author: Author, project: Path, capsys: Capture
) -> None:
    first = author.pushes(dict(FLEET))
    author.pushes({"fleet/three.yaml": specialist("three")})
    assert main(["apply", *source(author)]) == 0
    author.git("reset", "-q", "--hard", first)
    author.pushes({"fleet/four.yaml": specialist("four")})
    capsys.readouterr()

    assert main(["plan", *source(author)]) == 0
    assert "suspended: the history of the source was rewritten" in capsys.readouterr().out
    assert main(["apply", *source(author), "--prune"]) == 6
    assert (
        "error[guard.source_rewritten]: 1 removal waits: the history of the source was rewritten"
        in capsys.readouterr().err
    )
    assert names() == {"one", "two", "three"}
    assert main(["apply", *source(author), "--prune", "--allow-source-change"]) == 0
    assert names() == {"one", "two", "four"}
    author.pushes({"fleet/four.yaml": None})
    assert main(["apply", *source(author), "--prune"]) == 0
    assert names() == {"one", "two"}


@pytest.mark.parametrize("what", ["remote", "branch", "path"])
def test_a_source_that_vanished_prunes_nothing(author: Author, project: Path, capsys: Capture, what: str) -> None:
    author.pushes(dict(FLEET))
    assert main(["apply", *source(author)]) == 0
    if what == "remote":
        author.remote.rename(author.remote.with_name("gone.git"))
    elif what == "branch":
        author.git("push", "-q", "origin", "HEAD:other")
        author.git("--git-dir", str(author.remote), "branch", "-D", "main")
    else:
        author.pushes(dict.fromkeys(FLEET))
    before = open_session(Flags()).reader.catalog.inventory()
    capsys.readouterr()
    assert main(["apply", *source(author), "--prune", "--prune-limit=9", "--allow-empty"]) == 1
    assert "error[source." in capsys.readouterr().err
    assert open_session(Flags()).reader.catalog.inventory() == before


def test_a_plan_file_holds_to_its_commit(author: Author, project: Path, capsys: Capture) -> None:
    commit = author.pushes(dict(FLEET))
    assert main(["plan", *source(author), "-o", "p.json"]) == 0
    body = json.loads((project / "p.json").read_text())
    assert body["source"]["git"] == f"git+{author.url}@{commit}:fleet"
    author.pushes({"fleet/one.yaml": specialist("one", "Other.")})
    assert main(["apply", "p.json"]) == 0
    assert open_session(Flags()).reader.catalog.runs(1)[0].source_revision == commit
    capsys.readouterr()
    assert main(["apply", "p.json"]) == 0
    assert capsys.readouterr().out.startswith("AlreadyApplied")
    assert main(["plan", *source(author), "-o", "name"]) == 0
    assert capsys.readouterr().out == "Specialist/one update\n"


def test_faults_are_where_they_are_in_the_repository(author: Author, project: Path, capsys: Capture) -> None:
    author.pushes({"fleet/bad.yaml": specialist("bad").replace("provider", "provder")})
    assert main(["plan", *source(author)]) == 1
    assert "fleet/bad.yaml:4:" in capsys.readouterr().err


def test_what_a_repository_declares_is_not_deleted_by_hand_unasked(
    author: Author, project: Path, capsys: Capture
) -> None:
    author.pushes(dict(FLEET))
    assert main(["apply", *source(author)]) == 0
    assert main(["delete", "specialist/one", "--yes"]) == 6
    assert "guard.declared" in capsys.readouterr().err
    assert main(["set", "specialist/one", "model=x", "--write-back"]) == 6
    assert "which is not there" in capsys.readouterr().err


def test_a_credential_is_in_no_output_no_plan_and_no_row(author: Author, project: Path, capsys: Capture) -> None:
    where = "git+https://me:hunter2@localhost:1/a.git@main"
    for command in (["plan"], ["apply"], ["plan", "-o", "p.json"], ["diff"], ["plan", "-o", "json"]):
        main([*command, "--source", where])
        ran = capsys.readouterr()
        assert "hunter2" not in ran.out + ran.err
        assert "https://localhost:1/a.git cannot be fetched" in ran.err
    for path in project.rglob("*"):
        assert not path.is_file() or b"hunter2" not in path.read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ["--source", "git+https://example.org/a@main", "-f", "x"],
        ["--source", "git+https://example.org/a@main", "-k", "x"],
        ["--source", "git+http://example.org/a@main"],
        ["--source", "-uhttps://example.org/a@main"],
        ["-f", "x", "--verify-signatures", "signers"],
    ],
)
def test_what_does_not_fit_is_a_usage_error(project: Path, capsys: Capture, words: list[str]) -> None:
    assert main(["plan", *words]) == 64
    assert "error[usage." in capsys.readouterr().err
