"""From an address to a commit and its files, with the real git on a bare remote."""

import subprocess
from base64 import b64encode
from pathlib import Path

import pytest

from reconciler.adapters.process_local import LocalProcess
from reconciler.app import source_git
from reconciler.app.git import Git, SourceUnavailable
from reconciler.app.source_git import World, fetch, rewritten
from reconciler.declare.git_address import GitAddress
from reconciler.model.errors import GuardRefused, ReconcilerError
from tests.gitsource.conftest import Author, Counting, Environment


def files_of(tree: str) -> dict[str, str]:
    top = Path(tree)
    return {str(path.relative_to(top)): path.read_text() for path in sorted(top.rglob("*")) if path.is_file()}


def times(here: World) -> dict[Path, int]:
    """When everything below the overlay was last written, but for the lock."""
    every = Path(here.places.overlay).rglob("*")
    return {path: path.stat().st_mtime_ns for path in every if path.name != "lock"}


def counting(here: World) -> Counting:
    assert isinstance(here.process, Counting)
    return here.process


def test_a_branch_a_tag_and_a_commit(author: Author, here: World) -> None:
    first = author.pushes({"a.yaml": "one\n", "fleet/b.yaml": "two\n"})
    author.git("tag", "-a", "-m", "x", "v1")
    author.git("push", "-q", "origin", "v1")
    second = author.pushes({"a.yaml": "other\n"})
    for ref, commit in (("main", second), ("v1", first), (first, first), (second, second), ("refs/heads/main", second)):
        found = fetch(author.address(ref), here)
        assert found.revision == commit
        assert files_of(found.tree) == {"a.yaml": "one\n" if commit == first else "other\n", "fleet/b.yaml": "two\n"}
        assert found.base == f"git+{author.url}@{commit}:"


def test_what_did_not_move_is_asked_for_once_and_fetched_never(author: Author, here: World) -> None:
    commit = author.pushes({"a.yaml": "one\n"})
    first = fetch(author.address(), here)
    before = times(here)
    counting(here).ran.clear()
    assert fetch(author.address(), here).tree == first.tree
    assert counting(here).remote == ["ls-remote"]
    counting(here).ran.clear()
    fetch(author.address(commit), here)
    assert counting(here).remote == []
    assert times(here) == before


def test_what_was_touched_is_laid_out_again(author: Author, here: World) -> None:
    author.pushes({"a.yaml": "one\n"})
    tree = Path(fetch(author.address(), here).tree)
    (tree / "a.yaml").write_text("two\n")
    assert files_of(fetch(author.address(), here).tree) == {"a.yaml": "one\n"}
    (tree / "more.yaml").write_text("more\n")
    assert files_of(fetch(author.address(), here).tree) == {"a.yaml": "one\n"}
    (tree / "a.yaml").unlink()
    assert files_of(fetch(author.address(), here).tree) == {"a.yaml": "one\n"}


def test_a_half_made_mirror_or_tree_is_made_again(author: Author, here: World) -> None:
    author.pushes({"a.yaml": "one\n"})
    found = fetch(author.address(), here)
    home = Path(found.tree).parents[1]
    (home / "repository.git" / "HEAD").unlink()
    Path(f"{found.tree}.index").unlink()
    (home / "trees" / ".new").mkdir()
    assert files_of(fetch(author.address(), here).tree) == {"a.yaml": "one\n"}


def test_older_commits_go_and_the_newest_stay(author: Author, here: World) -> None:
    for number in range(7):
        author.pushes({"a.yaml": f"{number}\n"})
        found = fetch(author.address(), here)
    trees = [path for path in Path(found.tree).parent.iterdir() if path.is_dir()]
    assert len(trees) == source_git.KEPT + 1
    assert files_of(found.tree) == {"a.yaml": "6\n"}


@pytest.mark.parametrize(
    ("ref", "code"),
    [("nowhere", "source.ref_missing"), ("0" * 40, "source.ref_missing"), ("refs/heads/nowhere", "source.ref_missing")],
)
def test_a_ref_that_is_not_there(author: Author, here: World, ref: str, code: str) -> None:
    author.pushes({"a.yaml": "one\n"})
    with pytest.raises(SourceUnavailable) as refused:
        fetch(author.address(ref), here)
    assert refused.value.code == code
    assert refused.value.hint


def test_a_name_of_two_things_must_be_told(author: Author, here: World) -> None:
    commit = author.pushes({"a.yaml": "one\n"})
    author.git("tag", "main")
    author.git("push", "-q", "origin", "refs/tags/main")
    with pytest.raises(SourceUnavailable) as refused:
        fetch(author.address(), here)
    assert refused.value.code == "source.ref_twice"
    assert fetch(author.address("refs/heads/main"), here).revision == commit


def test_a_remote_that_vanished_is_no_empty_source(author: Author, here: World) -> None:
    author.pushes({"a.yaml": "one\n"})
    fetch(author.address(), here)
    author.remote.rename(author.remote.with_name("gone.git"))
    with pytest.raises(SourceUnavailable) as refused:
        fetch(author.address(), here)
    assert (refused.value.code, refused.value.error_class.value) == ("source.unavailable", "Transient")


def test_a_path_that_is_not_there(author: Author, here: World) -> None:
    author.pushes({"a.yaml": "one\n"})
    with pytest.raises(SourceUnavailable) as refused:
        fetch(author.address(path="fleet"), here)
    assert refused.value.code == "source.path_missing"


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../secret.yaml", "/etc", "loop/../../../.."])
def test_a_link_that_leads_out_is_refused(author: Author, here: World, tmp_path: Path, target: str) -> None:
    author.clone.joinpath("a.yaml").symlink_to(target)
    author.pushes({"b.yaml": "one\n"})
    with pytest.raises(ReconcilerError) as refused:
        fetch(author.address(), here)
    assert refused.value.code == "source.escape"


def test_a_link_that_stays_inside_is_a_link(author: Author, here: World) -> None:
    author.clone.joinpath("a.yaml").symlink_to("b.yaml")
    author.pushes({"b.yaml": "one\n"})
    assert files_of(fetch(author.address(), here).tree) == {"a.yaml": "one\n", "b.yaml": "one\n"}


def test_nothing_of_the_users_configuration_and_no_hook_runs(author: Author, here: World, tmp_path: Path) -> None:
    """A filter that the configuration defines, hooks in a template and a helper would each leave a file."""
    mark = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\necho $0 $@ >> {mark}\ncat\n")
    script.chmod(0o755)
    hooks = tmp_path / "template" / "hooks"
    hooks.mkdir(parents=True)
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc"):
        (hooks / hook).symlink_to(script)
    (tmp_path / ".gitconfig").write_text(
        f"[init]\n templateDir={hooks.parent}\n[core]\n hooksPath={hooks}\n fsmonitor={script}\n"
        f'[filter "evil"]\n smudge={script}\n clean={script}\n[credential]\n helper={script}\n'
        f'[url "file:///nowhere"]\n insteadOf={author.url}\n'
    )
    author.env["HOME"] = "/nonexistent"
    author.pushes({"a.yaml": "one\n", ".gitattributes": "* filter=evil\n"})
    variables = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.hooksPath", "GIT_CONFIG_VALUE_0": str(hooks)}
    more = {
        "GIT_EXEC_PATH": str(tmp_path),
        "GIT_SSH_COMMAND": str(script),
        "GIT_DIR": "/nowhere",
        "GIT_TEMPLATE_DIR": str(hooks.parent),
    }
    world = here._replace(environ=Environment(HOME=str(tmp_path), **variables, **more))
    assert files_of(fetch(author.address(), world).tree)["a.yaml"] == "one\n"
    assert not mark.exists()


def test_git_gets_a_list_of_variables_and_no_credential_in_an_argument(author: Author, here: World) -> None:
    author.pushes({"a.yaml": "one\n"})
    environ = Environment(HOME="/x", SECRET="s", GIT_TRACE="1", HTTPS_PROXY="http://p")
    process = counting(here)
    git = Git(f"{author.remote}", GitAddress("https://example.org/a", "main", ".", "me:p%40ss"), process, environ)
    git.run("rev-parse", "HEAD")
    git.run("rev-parse", "HEAD", remote=True)
    local, remote = process.envs
    header = f"Authorization: Basic {b64encode(b'me:p@ss').decode()}"
    assert header in remote.values()
    assert header not in local.values()
    for env in (local, remote):
        assert "SECRET" not in env
        assert "GIT_TRACE" not in env
        assert (env["GIT_TERMINAL_PROMPT"], env["GIT_ALLOW_PROTOCOL"]) == ("0", "https:ssh:file")
    assert not any("ss" in word and "me:" in word for argv in process.ran for word in argv)


def test_a_credential_is_not_kept(author: Author, here: World) -> None:
    """What is written to disk is looked through, byte for byte."""
    author.pushes({"a.yaml": "one\n"})
    fetch(author.address()._replace(secret="me:hunter2"), here)
    marks = (b"hunter2", b64encode(b"me:hunter2"))
    for path in Path(here.places.overlay).rglob("*"):
        if path.is_file():
            assert not any(mark in path.read_bytes() for mark in marks), path
    assert not any("hunter2" in word for argv in counting(here).ran for word in argv)


class WithoutGit(LocalProcess):
    def which(self, executable: str) -> str | None:
        return None if executable == "git" else super().which(executable)


def test_without_git_it_is_said(author: Author, here: World) -> None:
    with pytest.raises(SourceUnavailable) as refused:
        fetch(author.address(), here._replace(process=WithoutGit()))
    assert refused.value.code == "source.no_git"


def test_history_that_was_rewritten_is_noticed(author: Author, here: World) -> None:
    first = author.pushes({"a.yaml": "one\n"})
    second = author.pushes({"a.yaml": "two\n"})
    assert rewritten(fetch(author.address(), here), first) == ""
    assert rewritten(fetch(author.address(), here), second) == ""
    assert rewritten(fetch(author.address(), here), "") == ""
    author.git("reset", "-q", "--hard", first)
    third = author.pushes({"a.yaml": "three\n"})
    found = fetch(author.address(), here)
    assert found.revision == third
    assert second[:12] in rewritten(found, second)
    assert rewritten(found, first) == ""
    assert "f" * 12 in rewritten(found, "f" * 40)


@pytest.fixture
def key(tmp_path: Path, author: Author) -> Path:
    """The author's signing key; the path of an allowed-signers file that has it."""
    for name in ("key", "other"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True, timeout=60
        )
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", str(tmp_path / "key.pub"))):
        author.git("config", name, value)
    signers = tmp_path / "signers"
    signers.write_text(f"a@example.org {(tmp_path / 'key.pub').read_text()}")
    return signers


def test_only_a_commit_of_an_allowed_signer_is_used(author: Author, here: World, key: Path, tmp_path: Path) -> None:
    unsigned = author.pushes({"a.yaml": "one\n"})
    with pytest.raises(GuardRefused) as refused:
        fetch(author.address(), here, signers=str(key))
    assert (refused.value.code, refused.value.exit_code) == ("guard.signature", 6)
    signed = author.pushes({"a.yaml": "two\n"}, "-S")
    assert fetch(author.address(), here, signers=str(key)).revision == signed
    other = tmp_path / "others"
    other.write_text(f"a@example.org {(tmp_path / 'other.pub').read_text()}")
    for signers in (other, tmp_path / "nowhere"):
        with pytest.raises(GuardRefused):
            fetch(author.address(), here, signers=str(signers))
    with pytest.raises(GuardRefused):
        fetch(author.address(unsigned), here, signers=str(key))


def test_two_at_once_wait_for_one_another(author: Author, here: World) -> None:
    from threading import Thread

    author.pushes({"a.yaml": "one\n"})
    found: list[str] = []
    threads = [Thread(target=lambda: found.append(fetch(author.address(), here).tree)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 4
    assert len(set(found)) == 1
