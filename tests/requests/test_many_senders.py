"""A thousand prompts of eight senders to twenty agents, while senders are killed: each arrives once or not at all, and
of each it is known which, but for one per kill at most."""

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from reconciler.adapters.requests_sqlite import SqliteRequests
from reconciler.app.agents import Selector, resolve
from reconciler.model.json import digest_bytes
from reconciler.ports.requests import Outcome
from reconciler.testing.real_world import RealWorld

SENDERS, AGENTS, PROMPTS, KILLS = 8, 20, 1000, 25
DEADLINE_S = 900.0

FLEET = "kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, prompt: You write code.}\n" + "".join(
    f"---\nkind: Instance\nmetadata: {{name: agent-{number}}}\nspec: {{specialistRef: coder}}\n"
    for number in range(AGENTS)
)


class Sender:
    """A sender that is started again when it was killed."""

    def __init__(self, world: RealWorld, number: int) -> None:
        self.first = number * (PROMPTS // SENDERS)
        self.book = world.root / f"sender-{number}.txt"
        program = str(Path(__file__).with_name("sender.py"))
        words = (world.root, world.tmux_socket, self.book, self.first, PROMPTS // SENDERS, AGENTS)
        self.argv = [sys.executable, program, *map(str, words)]
        self.start()

    def start(self) -> None:
        root = str(Path(__file__).parents[2])
        self.process = subprocess.Popen(self.argv, env={"PYTHONPATH": root, "PATH": "/usr/bin:/bin"}, cwd=root)

    def done(self) -> bool:
        code = self.process.poll()
        assert code in (None, 0), code
        return code == 0


@pytest.mark.tmux
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_each_prompt_is_delivered_once_undelivered_or_unknown(real_world: RealWorld) -> None:
    real_world.given(FLEET)
    real_world.until_ready()
    senders = [Sender(real_world, number) for number in range(SENDERS)]
    chance = random.Random(5)
    deadline, kills, told = time.monotonic() + DEADLINE_S, 0, 0
    while not all(sender.done() for sender in senders):
        assert time.monotonic() < deadline, "the senders do not come to an end"
        # A kill for each share of the prompts that ended, so that they fall all over the run.
        ended = sum(sender.book.read_text().count("end ") for sender in senders if sender.book.exists())
        if kills < KILLS and ended >= told:
            victim = chance.choice(senders)
            told = ended + PROMPTS // (KILLS + 1)
            if victim.process.poll() is None:
                victim.process.send_signal(signal.SIGKILL)
                victim.process.wait()
                kills += 1
                victim.start()
        time.sleep(chance.uniform(0.001, 0.05))

    outcomes = final_outcomes(real_world, senders)
    arrived = Counter(text for number in range(AGENTS) for text in history(real_world, f"agent-{number}"))
    assert kills >= KILLS // 2
    assert len(outcomes) == PROMPTS
    for text, outcome in outcomes.items():
        assert arrived[text] in {"delivered": (1,), "undelivered": (0,), "unknown": (0, 1)}[outcome], (text, outcome)
    assert arrived.keys() <= outcomes.keys()
    assert Counter(outcomes.values())["unknown"] <= kills
    assert Counter(outcomes.values())["delivered"] >= PROMPTS - 2 * kills - 5


def final_outcomes(world: RealWorld, senders: list[Sender]) -> dict[str, str]:
    """What each sender knows, and of what it was killed over what the agents' logs know."""
    logged: dict[str, str] = {}
    for number in range(AGENTS):
        rows = SqliteRequests().log(resolve(world.flags, Selector(agent_name=f"agent-{number}")).session_root)
        assert rows is not None
        rows.sweep("at the end")
        logged |= {entry.digest: entry.outcome.value for entry in rows.latest(PROMPTS)}
    found: dict[str, str] = {}
    for sender in senders:
        for line in sender.book.read_text().splitlines():
            word, number, *rest = line.split(" ", 2)
            text = f"text {number}"
            if word == "end":
                found[text] = rest[0].split()[0]
            else:
                # Without a row nothing was ever handed over.
                found[text] = logged.get(digest_bytes(text.encode()), Outcome.UNDELIVERED.value)
    return found


def history(world: RealWorld, name: str) -> list[str]:
    path = world.home_of(name) / "history.jsonl"
    return [json.loads(line)["prompt"] for line in path.read_text().splitlines()] if path.exists() else []
