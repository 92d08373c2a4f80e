"""A watch and other shells, as real processes: killed, stopped and replaced in the middle of what they do."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.testing.real_world import RealWorld, until
from tests.locking.conftest import Overlay, Program

pytestmark = pytest.mark.tmux
POINT = "create/Instance:start-session"
OTHERS = """
kind: Specialist
metadata: {name: writer}
spec: {provider: echo, prompt: You write.}
---
kind: Instance
metadata: {name: dora}
spec: {specialistRef: writer}
"""


class Led(Overlay):
    """An overlay with a watch on it."""

    def __init__(self, world: RealWorld) -> None:
        super().__init__(world)
        self.log = world.root / "events.jsonl"
        self.others = world.root / "others.yaml"
        self.others.write_text(
            "".join(f"apiVersion: houmao/v1alpha1\n{part.strip()}\n---\n" for part in OTHERS.split("---"))
        )

    def watched(self) -> Program:
        self.log.unlink(missing_ok=True)
        watch = self.start("watch", "--interval", "1h", "--events", str(self.log))
        until(lambda: watch.ended or (self.told("observe") and self.calm), "the watch never came to rest", 60)
        assert not watch.ended, watch.end()
        return watch

    def told(self, kind: str, field: str = "type") -> list[dict[str, object]]:
        lines = self.log.read_text().splitlines(keepends=True) if self.log.exists() else []
        events = [json.loads(line) for line in lines if line.endswith("\n")]
        return [each for each in events if each["type"] == kind and field in each]

    @property
    def calm(self) -> bool:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return bool(lines) and '"observe"' in lines[-1] and self.world.running >= {"alice", "bob"}

    def ask(self, *words: str) -> Program:
        """A command without declarations."""
        return self._start(["-m", "reconciler", *words], None, source_needed=False)

    def watch_until(self, point: str) -> Program:
        made = self._start(["-m", "tests.watch.watch_at", point, "before", "--", "watch", "--parallelism", "1"], None)
        made.is_stopped()
        return made

    def apply_others(self, *words: str) -> Program:
        return self.start("apply", "--yes", "--applyset", "others", *words, source=self.others)

    def apply_others_until(self, point: str) -> Program:
        words = [
            "-m",
            "tests.locking.houmao_at",
            point,
            "after",
            "hold",
            "--",
            "apply",
            "--yes",
            "--applyset",
            "others",
        ]
        made = self._start(words, self.others)
        made.is_held()
        return made


@pytest.fixture
def led(real_world: RealWorld) -> Iterator[Led]:
    made = Led(real_world)
    try:
        yield made
    finally:
        for program in made.programs:
            program.close()


def test_whoever_is_killed_in_the_middle_of_a_turn_nothing_is_lost_or_half_done(led: Led) -> None:
    watch = led.watched()
    token = led.token

    # The verb is killed: the watch has its lock back, and the next turn goes on from the journal.
    first = led.apply_others_until(POINT)
    first.tell(signal.SIGKILL)
    first.end()
    led.held.unlink()
    until(lambda: led.told("lock", "returned_by"), "the watch never had its lock back")
    again = led.apply_others_until("create/Instance:publish-record")
    assert led.token == token, "one number all the time"

    # The watch is killed: the verb holds the lock on, is named as its holder, and finishes.
    watch.tell(signal.SIGKILL)
    watch.end()
    code, _, err = led.apply_others("--lock-timeout", "0s").end()
    assert code == 5
    assert f"process {again.pid} " in err
    again.let_go()
    code, out, _ = again.end()
    assert code == 0
    assert f"the watch that lent its lock (process {watch.pid}) ended meanwhile" in out
    assert led.world.running == {"alice", "bob", "dora"}
    assert len(led.world.panes) == 3
    assert all(len(led.world.processes_of(name)) == 1 for name in ("alice", "bob", "dora"))
    assert led.world.look().catalog.intents() == ()
    assert led.world.when_planned().in_sync


def test_verbs_print_and_end_under_a_watch_as_they_do_without_one(led: Led, tmp_path: Path) -> None:
    watch = led.watched()
    code, out, err = led.apply_others().end()
    assert (code, err) == (0, "")
    assert "Apply done: 2 settled." in out
    assert "waiting" not in out
    code, out, _ = led.ask("reconcile", "-o", "json").end()
    assert code == 0
    assert json.loads(out)["leader"] == watch.pid
    led.world.kill_process_of("dora")  # of a set that this watch does not follow
    assert led.ask("drift", "dora").end()[0] == 2
    assert led.ask("suspend", "alice").end()[0] == 0
    assert json.loads(led.ask("suspend", "-o", "json").end()[1])["resources"][0]["ref"] == "Instance/alice"
    assert led.ask("retry").end()[:2] == (0, "Nothing waits for another try.\n")

    watch.tell(signal.SIGSTOP)
    for words in (("reconcile",), ("resume", "alice", "--lock-timeout", "0s")):
        code, _, err = led.ask(*words).end()
        assert code == 5
        assert f"kill -CONT {watch.pid}" in err
    watch.tell(signal.SIGCONT)
    assert led.ask("resume", "alice").end()[0] == 0


@pytest.mark.parametrize(
    "point", ["relaunch/Instance:kill-session", "relaunch/Instance:publish-record", "relaunch/Instance:settled"]
)
def test_stopped_in_the_middle_and_replaced_it_changes_nothing_when_it_is_continued(led: Led, point: str) -> None:
    assert led.world.when_applied().settled
    led.world.given_file("prompts/coder.md", "You write better code.\n")
    old = led.watch_until(point)
    token = led.token
    led.lock.rename(led.lock.with_name("lock.old"))
    assert led.world.when_applied().settled
    assert led.token == token + 1
    led.lock.with_name("lock.old").unlink()
    before = led.state()
    assert before.pop(".houmao/lock.ask"), "its own desk, which it takes away with it"

    old.tell(signal.SIGCONT)
    code, _, err = old.end()

    assert code == 4, err
    assert "took over" in err
    led.unchanged_since(before)
    led.converges()
