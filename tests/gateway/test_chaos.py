"""Many senders, and gateways that are killed under them: every prompt has one end, and none is typed twice.

`make chaos-gateway` plays it whole: a thousand prompts from eight processes to twenty agents. CHAOS_SEED chooses
another course of events.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from reconciler.ports.gateway import Running
from reconciler.testing.real_world import RealWorld, until

pytestmark = pytest.mark.tmux
SEED = int(os.environ.get("CHAOS_SEED", "7"))
FLEET = """
kind: Specialist
metadata: {name: coder}
spec: {provider: echo, prompt: You write code.}
---
kind: InstanceSet
metadata: {name: crew}
spec:
  replicas: COUNT
  template:
    specialistRef: coder
    gateway:
      enabled: true
      background: true
      tui: {stabilityThreshold: 100ms, completionStability: 100ms, watchPollInterval: 100ms}
"""


class Course:
    """One course of events, and what came of it."""

    def __init__(self, world: RealWorld, agents: int, senders: int, prompts: int, kills: int) -> None:
        self.world, self.random = world, random.Random(SEED)
        self.kills_left, self.kills = kills, 0
        world.given(FLEET.replace("COUNT", str(agents)))
        world.until_ready()
        rows = [row for ref, row in world.rows.items() if ref.startswith("Instance/")]
        self.homes = {row.live["session_manifest"].rpartition("/")[0]: Path(row.live["home"]) for row in rows}
        assert len(self.homes) == agents
        self.where = Path(tempfile.mkdtemp(prefix="senders-", dir=world.root))
        self.senders = [self._sender(number, prompts // senders) for number in range(senders)]

    def _sender(self, number: int, count: int) -> "subprocess.Popen[bytes]":
        order = self.where / f"{number}.json"
        body = {"name": f"s{number}", "seed": SEED * 1000 + number, "count": count, "roots": sorted(self.homes)}
        order.write_text(json.dumps(body))
        with (self.where / f"{number}.out").open("wb") as out, (self.where / f"{number}.err").open("wb") as err:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.gateway.sender", str(order)],
                stdout=out,
                stderr=err,
                cwd=Path(__file__).resolve().parents[2],
            )

    def play(self, within_s: float) -> None:
        """Kill now and then while the senders send, and have the engine make it good."""
        end = time.monotonic() + within_s
        while any(sender.poll() is None for sender in self.senders):
            assert time.monotonic() < end, f"the senders are not done: {self.told()}"
            if self.kills_left and self.random.random() < 0.5:
                self._kill()
            self.world.when_applied()
        self.world.when_applied()

    def _kill(self) -> None:
        seen = self.world.look().gateways.seen(sorted(self.homes))
        alive = [found for root, found in sorted(seen.items()) if isinstance(found, Running)]
        # Not at the moment of the look: anywhere in the middle of what it is doing.
        time.sleep(self.random.random() * 0.2)
        for found in self.random.sample(alive, min(len(alive), self.random.randint(1, 3), self.kills_left)):
            os.kill(found.pid, signal.SIGKILL)
            self.kills += 1
            self.kills_left -= 1

    def told(self) -> Counter[str]:
        return Counter(each["became"] for each in self.ends())

    def ends(self) -> list[dict[str, str]]:
        lines = [line for out in sorted(self.where.glob("*.out")) for line in out.read_text().splitlines()]
        return [json.loads(line) for line in lines]

    def typed(self) -> Counter[str]:
        """What the agents themselves recorded."""
        found: Counter[str] = Counter()
        for home in self.homes.values():
            path = home / "history.jsonl"
            found.update(json.loads(line)["prompt"] for line in path.read_text().splitlines() if path.exists())
        return found


def judged(course: Course, prompts: int) -> None:
    assert [sender.returncode for sender in course.senders] == [0] * len(course.senders), _errors(course)
    ends = course.ends()
    assert len(ends) == prompts, "every prompt has an end"
    told = course.told()
    assert set(told) <= {"delivered", "undelivered", "unknown"}, told
    delivered = {each["text"] for each in ends if each["became"] == "delivered"}
    until(lambda: delivered <= course.typed().keys(), "something delivered never arrived", 60)
    typed = course.typed()
    assert [text for text, count in typed.items() if count > 1] == [], "typed twice"
    assert set(typed) <= {each["text"] for each in ends}, "something nobody sent, such as two prompts in one"
    lost = [each for each in ends if each["became"] == "undelivered" and each["text"] in typed]
    assert lost == [], "said to be undelivered, and typed"
    assert told["unknown"] <= course.kills, (told, course.kills)
    print(f"\n{prompts} prompts, {course.kills} kills: {dict(told)}")


def _errors(course: Course) -> str:
    return "\n".join(err.read_text()[-500:] for err in sorted(course.where.glob("*.err")))


@pytest.mark.slow
def test_a_few_senders_and_gateways_that_are_killed(real_world: RealWorld) -> None:
    course = Course(real_world, agents=3, senders=2, prompts=40, kills=6)
    course.play(110)
    judged(course, 40)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_a_thousand_prompts_from_eight_processes_to_twenty_agents(real_world: RealWorld) -> None:
    course = Course(real_world, agents=20, senders=8, prompts=1000, kills=100)
    course.play(1500)
    judged(course, 1000)
    assert course.kills >= 50
