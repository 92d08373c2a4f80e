"""A bare remote, somebody who pushes to it, and the real git program."""

import os
import subprocess
from pathlib import Path

import pytest

from reconciler.adapters.clock_system import SystemClock
from reconciler.adapters.files_local import LocalFiles
from reconciler.adapters.process_local import LocalProcess
from reconciler.app import source_git
from reconciler.declare.git_address import GitAddress
from reconciler.ports.bundle import Places
from reconciler.testing.plugin import real_world

SPECIALIST = (
    "apiVersion: houmao/v1alpha1\nkind: Specialist\nmetadata: {{name: {0}}}\nspec: {{provider: echo, prompt: {1}}}\n"
)


def specialist(name: str, prompt: str = "Hi.") -> str:
    return SPECIALIST.format(name, prompt)


class Author:
    """A clone of the remote, and its hands."""

    def __init__(self, clone: Path, remote: Path) -> None:
        self.clone, self.remote = clone, remote
        self.url = f"file://{remote}"
        who = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "A"), ("EMAIL", "a@example.org"))
        }
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(clone.parent),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            **who,
        }

    def git(self, *words: str) -> str:
        ran = subprocess.run(["git", *words], cwd=self.clone, env=self.env, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, f"git {words}\n{ran.stderr}"
        return ran.stdout.strip()

    def pushes(self, files: dict[str, str | None], *more: str, branch: str = "main") -> str:
        """Commit these files (None takes one away) and push; the commit."""
        for name, text in files.items():
            path = self.clone / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "--allow-empty", "-m", "change", *more)
        self.git("push", "--force", "--quiet", "origin", f"HEAD:{branch}")
        return self.git("rev-parse", "HEAD")

    def address(self, ref: str = "main", path: str = ".") -> GitAddress:
        return GitAddress(self.url, ref, path)


@pytest.fixture
def author(tmp_path: Path) -> Author:
    remote, clone = tmp_path / "remote.git", tmp_path / "author"
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    for words in (["init", "--bare", "-q", "-b", "main", str(remote)], ["clone", "-q", str(remote), str(clone)]):
        subprocess.run(["git", *words], env=env, check=True, capture_output=True, timeout=60)
    found = Author(clone, remote)
    found.git("checkout", "-q", "-b", "main")
    return found


class Environment:
    def __init__(self, **values: str) -> None:
        self.values = {"PATH": os.environ["PATH"], **values}
        self.root = False

    def get(self, name: str) -> str | None:
        return self.values.get(name)


class Counting(LocalProcess):
    """The real processes, and which commands of git were run."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: list[tuple[str, ...]] = []
        self.envs: list[dict[str, str]] = []

    def run(self, argv, *, timeout_s, cwd=None, env=None):  # type: ignore[no-untyped-def]
        self.ran.append(argv)
        self.envs.append(dict(env or {}))
        return super().run(argv, timeout_s=timeout_s, cwd=cwd, env=env)

    @property
    def remote(self) -> list[str]:
        """Commands that spoke to the remote."""
        return [argv[1] for argv in self.ran if argv[1] in ("fetch", "ls-remote")]


@pytest.fixture
def here(tmp_path: Path) -> source_git.World:
    overlay = str(tmp_path / "project" / ".houmao")
    places = Places("", overlay, "", "", "", "", "", "", "")
    return source_git.World(places, Counting(), LocalFiles(), SystemClock(), Environment(HOME=str(tmp_path)))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project to stand in; nothing in it needs tmux."""
    path = tmp_path / "project"
    path.mkdir()
    monkeypatch.chdir(path)
    monkeypatch.setenv("HOUMAO_GLOBAL_REGISTRY_DIR", str(tmp_path / "registry"))
    monkeypatch.setenv("HOUMAO_TMUX_SOCKET", str(tmp_path / "tmux"))
    return path


__all__ = ["Author", "author", "here", "project", "real_world", "specialist"]
