"""`houmao watch` as people start it: real files, a real tmux server, real processes, real signals."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.testing.real_world import RealWorld, until
from tests.fleets import declared

pytestmark = pytest.mark.tmux
ROOT = Path(__file__).parents[2]


class Running:
    """A watch under way, and what it wrote."""

    def __init__(self, world: RealWorld) -> None:
        self.world = world
        self.log = world.root / "events.jsonl"
        self.process: subprocess.Popen[str] | None = None

    def command(self, verb: str, *words: str) -> "subprocess.Popen[str]":
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.world.root / "home"),
            "HOUMAO_GLOBAL_REGISTRY_DIR": str(self.world.registry),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
        }
        where = ["--project-dir", str(self.world.root), "--tmux-socket", str(self.world.tmux_socket)]
        return subprocess.Popen(
            [sys.executable, "-m", "reconciler", verb, *where, "-f", str(self.world.source), "-R", *words],
            cwd=self.world.root,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # nobody reads it, and a full pipe would stop it
            stderr=subprocess.PIPE,
            text=True,
        )

    def start(self) -> None:
        # The timer is far off: whatever is noticed is noticed by a waker.
        self.process = self.command("watch", "--interval", "1h", "--events", str(self.log))
        until(lambda: self.ended or (self.looks > 1 and self.calm), "it never came to rest", 120)
        assert not self.ended, self.end()

    @property
    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    @property
    def events(self) -> list[dict[str, object]]:
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text().splitlines(keepends=True) if line.endswith("\n")]

    @property
    def calm(self) -> bool:
        """The last thing it did was to look, and to find nothing."""
        return bool(self.events) and self.events[-1]["type"] == "observe"

    @property
    def looks(self) -> int:
        return sum(1 for each in self.events if each["type"] == "observe")

    def done(self, verb: str, ref: str) -> int:
        return sum(
            1
            for each in self.events
            if each["type"] == "action_end" and (each["verb"], each["ref"], each["outcome"]) == (verb, ref, "settled")
        )

    def compiles(self) -> int:
        return sum(1 for each in self.events if each["type"] == "source" and each["event"] == "Compiled")

    def end(self) -> tuple[int, str]:
        assert self.process is not None
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


@pytest.fixture
def running(real_world: RealWorld) -> Iterator[Running]:
    declared(real_world)
    made = Running(real_world)
    try:
        yield made
    finally:
        made.close()


def test_it_follows_files_processes_sessions_and_records_and_ends_when_told(running: Running) -> None:
    world = running.world
    running.start()
    assert world.running == {"alice", "bob"}

    world.kill_process_of("alice")
    until(lambda: running.done("relaunch", "Instance/alice") == 1, "the killed program was not started again")
    until(lambda: running.calm, "it never came to rest")

    world.kill_session_of("bob")
    until(lambda: running.done("create", "Instance/bob") == 2, "the killed session was not made again")
    until(lambda: running.calm, "it never came to rest")

    world.remove_record_of("alice")
    until(lambda: running.done("update", "Instance/alice") == 1, "the record was not published again")
    until(lambda: running.calm, "it never came to rest")

    temporary = world.source / ".carol.yaml.new"
    text = "apiVersion: houmao/v1alpha1\nkind: Instance\nmetadata: {name: carol}\nspec: {specialistRef: coder}\n"
    temporary.write_text(text)
    before = running.compiles()
    temporary.rename(world.source / "carol.yaml")
    until(lambda: running.done("create", "Instance/carol") == 1, "a new file renamed into place was not followed")
    until(lambda: running.calm, "it never came to rest")
    assert running.compiles() == before + 1

    assert running.process is not None
    running.process.send_signal(signal.SIGTERM)
    code, err = running.end()
    assert (code, err) == (143, "")
    last = running.events[-1]
    assert (last["type"], last["exit_code"]) == ("summary", 143)
    assert [each["seq"] for each in running.events] == list(range(1, len(running.events) + 1))
    assert world.running == {"alice", "bob", "carol"}
    assert world.when_planned().in_sync


def test_a_second_writer_is_told_who_holds_the_overlay_and_that_it_is_stopped(running: Running) -> None:
    running.start()
    assert running.process is not None
    running.process.send_signal(signal.SIGSTOP)
    running.world.given_file("prompts/coder.md", "Changed meanwhile.\n")
    rows = running.world.rows
    for words in (("apply", "--yes"), ("watch",)):
        other = running.command(*words, "--lock-timeout", "0s")
        _, err = other.communicate(timeout=60)
        assert other.returncode == 5
        assert f"process {running.process.pid}" in err
        assert "'watch'" in err
        assert "stopped (T)" in err
        assert f"kill -CONT {running.process.pid}" in err
    assert running.world.rows == rows
    running.process.send_signal(signal.SIGCONT)
    until(lambda: running.done("update", "Specialist/coder") == 1, "continued, it does not go on")


def test_stopped_and_replaced_it_changes_nothing_when_it_is_continued(running: Running) -> None:
    running.start()
    world = running.world
    assert running.process is not None
    running.process.send_signal(signal.SIGSTOP)
    lock = world.overlay / "lock"
    lock.rename(lock.with_name("lock.old"))
    world.given_file("prompts/coder.md", "By another writer.\n")
    assert world.when_applied().settled
    world.kill_process_of("alice")
    before = (world.rows, world.look().catalog.runs(9), world.look().catalog.intents(), world.panes)
    running.process.send_signal(signal.SIGCONT)
    code, err = running.end()
    assert code == 4, err
    assert "took over" in err
    assert before == (world.rows, world.look().catalog.runs(9), world.look().catalog.intents(), world.panes)


def test_every_way_to_save_and_a_checkout_of_a_thousand_files_are_one_compile_each(running: Running) -> None:
    world = running.world

    def git(*words: str) -> None:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")
        subprocess.run(("git", *who, *words), cwd=world.source, check=True, capture_output=True, timeout=120)

    def write(prompt: str) -> None:
        for number in range(1000):
            text = f"kind: Role\nmetadata: {{name: role-{number}}}\nspec: {{prompt: {prompt} {number}}}\n"
            (world.source / "roles" / f"{number:03}.yaml").write_text(f"apiVersion: houmao/v1alpha1\n{text}")

    world.given("kind: Role\nmetadata: {name: one}\nspec: {prompt: first}")
    (world.source / "roles").mkdir()
    write("on the main branch")
    git("init")
    git("add", ".")
    git("commit", "-m", "main")
    git("checkout", "-b", "other")
    write("on the other branch")
    git("commit", "-am", "other")
    git("checkout", "main")
    running.start()

    def compiled(save: Callable[[], object], prompt: str, ref: str) -> None:
        before, done = running.compiles(), running.done("update", ref)
        save()
        until(lambda: running.done("update", ref) == done + 1 and running.calm, f"{prompt!r} was not followed", 120)
        assert running.compiles() == before + 1

    path = world.source / "fleet.yaml"
    text = path.read_text()

    def renamed() -> None:
        (world.source / ".fleet.yaml.new").write_text(text.replace("first", "second"))
        (world.source / ".fleet.yaml.new").rename(path)

    def truncated() -> None:
        os.truncate(path, 0)
        path.write_text(text.replace("first", "third"))

    compiled(renamed, "second", "Role/one")
    compiled(truncated, "third", "Role/one")
    git("checkout", "--", "fleet.yaml")
    until(lambda: running.done("update", "Role/one") == 3 and running.calm, "the file was not put back")
    compiled(lambda: git("checkout", "other"), "the other branch", "Role/role-999")
    compiled(lambda: git("checkout", "main"), "the main branch", "Role/role-999")
    assert running.done("update", "Role/role-0") == 2
