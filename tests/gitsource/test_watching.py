"""`houmao watch --source`: what is pushed is followed; what cannot be had or read changes nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.app.session import Flags, open_session
from reconciler.cli.main import main
from reconciler.testing.real_world import RealWorld, until
from tests.gitsource.conftest import Author, specialist

ROOT = Path(__file__).parents[2]
Capture = pytest.CaptureFixture[str]
ALICE = "apiVersion: houmao/v1alpha1\nkind: Instance\nmetadata: {name: alice}\nspec: {specialistRef: coder}\n"


def source(author: Author, ref: str = "main", path: str = "fleet") -> list[str]:
    return ["--source", f"git+{author.url}@{ref}:{path}"]


def applied() -> set[str]:
    """What is recorded, and from which commit."""
    return {
        row.position.file.partition("@")[2].partition(":")[0]
        for row in open_session(Flags()).reader.catalog.inventory()
        if row.position is not None and row.ref.kind == "Specialist"
    }


def once(author: Author, *words: str) -> int:
    return main(["watch", *source(author), "--once", *words])


def test_one_look_fetches_and_applies(author: Author, project: Path, capsys: Capture) -> None:
    commit = author.pushes({"fleet/one.yaml": specialist("one")})
    assert once(author) == 0
    assert applied() == {commit}
    second = author.pushes({"fleet/one.yaml": specialist("one", "Hello.")})
    assert once(author) == 0
    assert applied() == {second}


def test_without_the_remote_what_was_fetched_last_is_in_force(author: Author, project: Path, capsys: Capture) -> None:
    commit = author.pushes({"fleet/one.yaml": specialist("one")})
    assert main(["plan", *source(author)]) == 0
    author.remote.rename(author.remote.with_name("away"))
    capsys.readouterr()
    assert once(author) == 1
    assert applied() == {commit}
    assert "cannot be fetched" in capsys.readouterr().out


def test_without_the_remote_and_anything_fetched_nothing_is_done(
    author: Author, project: Path, capsys: Capture
) -> None:
    assert once(author) == 1
    assert "has no branch and no tag 'main'" in capsys.readouterr().out
    assert applied() == set()


def test_a_commit_that_cannot_be_read_changes_nothing(author: Author, project: Path, capsys: Capture) -> None:
    commit = author.pushes({"fleet/one.yaml": specialist("one")})
    assert once(author) == 0
    capsys.readouterr()
    author.pushes({"fleet/one.yaml": specialist("one").replace("prompt", "promt")})
    assert once(author) == 1
    assert "fleet/one.yaml:4: there is no field 'promt' here" in capsys.readouterr().out
    assert applied() == {commit}


def test_rewritten_history_suspends_prune(author: Author, project: Path, capsys: Capture) -> None:
    project_file = "apiVersion: houmao/v1alpha1\nkind: Project\nmetadata: {name: team}\nspec: {prunePolicy: auto}\n"
    first = author.pushes({"fleet/project.yaml": project_file, "fleet/one.yaml": specialist("one")})
    author.pushes({"fleet/two.yaml": specialist("two")})
    assert once(author) == 0
    author.git("reset", "-q", "--hard", first)
    author.pushes({"fleet/three.yaml": specialist("three")})
    capsys.readouterr()
    assert once(author) == 0
    rows = {row.ref.name for row in open_session(Flags()).reader.catalog.inventory() if row.ref.kind == "Specialist"}
    assert rows == {"one", "two", "three"}
    author.pushes({"fleet/one.yaml": None})  # builds on what was applied last
    assert once(author) == 0
    rows = {row.ref.name for row in open_session(Flags()).reader.catalog.inventory() if row.ref.kind == "Specialist"}
    assert "one" not in rows


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["watch", "-f", ".", "--poll", "5s"], "--poll is about the repository of --source"),
        (["watch", "--source", "git+file:///r@main", "--poll", "0s"], "--poll must be at least 1s"),
        (["watch", "--source", "git+ftp://h/r@main"], "its URL must begin with"),
        (["watch", "--source", "git+file:///r@main", "-f", "."], "--source excludes -f and -k"),
        (
            ["watch", "install", "--dry-run", "--source", "git+https://me:secret-word@example.org/r@main"],
            "the address of --source holds a credential",
        ),
    ],
)
def test_what_cannot_be_meant(words: list[str], said: str, project: Path, capsys: Capture) -> None:
    assert main(words) == 64
    told = capsys.readouterr()
    assert said in told.err
    assert "secret-word" not in told.err + told.out


class Watching:
    """A watch of a repository, and what it told."""

    def __init__(self, world: RealWorld, author: Author) -> None:
        self.world = world
        self.author = author
        self.log = world.root / "events.jsonl"
        self.process: subprocess.Popen[str] | None = None

    def houmao(self, verb: str, *words: str) -> "subprocess.Popen[str]":
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.world.root / "home"),
            "HOUMAO_GLOBAL_REGISTRY_DIR": str(self.world.registry),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
        }
        where = ["--project-dir", str(self.world.root), "--tmux-socket", str(self.world.tmux_socket)]
        return subprocess.Popen(
            [sys.executable, "-m", "reconciler", verb, *where, *words],
            cwd=self.world.root,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def start(self, poll: str) -> None:
        self.log.unlink(missing_ok=True)
        words = ("--interval", "1h", "--poll", poll, "--events", str(self.log))
        self.process = self.houmao("watch", *source(self.author), *words)

    @property
    def events(self) -> list[dict[str, object]]:
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def told(self, event: str) -> int:
        return sum(1 for each in self.events if each["type"] == "source" and each["event"] == event)

    def done(self, verb: str, ref: str = "Instance/alice") -> int:
        return sum(
            1
            for each in self.events
            if each["type"] == "action_end" and (each["verb"], each["ref"], each["outcome"]) == (verb, ref, "settled")
        )

    def end(self) -> tuple[int, str]:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err


@pytest.fixture
def watching(real_world: RealWorld, author: Author) -> Iterator[Watching]:
    made = Watching(real_world, author)
    try:
        yield made
    finally:
        if made.process is not None and made.process.poll() is None:
            made.process.kill()
            made.process.communicate()


@pytest.mark.tmux
def test_it_follows_what_is_pushed_and_heals_while_the_remote_is_away(watching: Watching) -> None:
    author, world = watching.author, watching.world
    author.pushes({"fleet/coder.yaml": specialist("coder"), "fleet/alice.yaml": ALICE})
    watching.start(poll="1s")
    until(lambda: watching.done("create") == 1, "what was pushed was not started", 120)

    author.pushes({"fleet/coder.yaml": specialist("coder", "Hello.")})
    until(lambda: watching.done("relaunch") == 1, "a commit that came later was not followed")

    author.pushes({"fleet/coder.yaml": "kind: ["})
    until(lambda: watching.told("SourceInvalid") == 1, "nothing was said of a commit that cannot be read")
    shutil.move(author.remote, author.remote.with_name("away"))
    until(lambda: watching.told("SourceUnavailable") == 1, "nothing was said of a remote that went away")
    world.kill_process_of("alice")
    until(lambda: watching.done("relaunch") == 2, "nothing is healed without the remote")
    assert watching.end() == (143, "")
    assert watching.done("remove") == 0

    # Nobody answers, and what is newest here cannot be read: it begins with nothing, and goes on when it can.
    shutil.move(author.remote.with_name("away"), author.remote)
    author.pushes({"fleet/coder.yaml": specialist("coder", "Hello again.")})
    watching.start(poll="1h")
    until(lambda: watching.done("relaunch") == 1, "what was pushed meanwhile was not applied", 120)
    commit = author.pushes({"fleet/coder.yaml": specialist("coder", "And again.")})
    asked = watching.houmao("reconcile")
    _, err = asked.communicate(timeout=120)
    assert asked.returncode == 0, err
    assert watching.done("relaunch") == 2
    assert [each["revision"] for each in watching.events if each.get("event") == "Fetched"][-1] == commit
    assert watching.end() == (143, "")
