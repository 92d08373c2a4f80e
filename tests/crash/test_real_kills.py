"""`kill -9` of a whole apply on real tmux: at chosen fault points, and at random moments of a launch of thirty.

The thirty: `pytest -m "tmux and slow" tests/crash/test_real_kills.py`.
"""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from reconciler.testing.end_state import difference, end_state
from reconciler.testing.invariants import check_invariants
from reconciler.testing.real_world import RealWorld, until
from tests.crash.scenarios import EVERYTHING, ONE, files

pytestmark = [pytest.mark.tmux, pytest.mark.crash]

SEED = 20
# Fingerprints of credentials have a key of their own in each overlay, so two overlays have no common launch digest.
WITHOUT_KEYS = "---".join(
    text.replace(", authRef: work", "") for text in EVERYTHING.split("---") if "AuthProfile" not in text
)
CREATED = (
    ("create/Setup:write-content", "before", 1),
    ("create/Specialist:write-projection", "after", 1),
    ("create/Specialist:settled", "before", 1),
    ("create/Instance:intent", "after", 1),
    ("create/Instance:write-home", "after", 2),
    ("create/Instance:write-manifest", "after", 1),
    ("create/Instance:start-session", "before", 1),
    ("create/Instance:start-session", "after", 1),
    ("create/Instance:start-session", "after", 3),
    ("create/Instance:publish-record", "after", 2),
    ("create/Instance:settled", "before", 1),
    ("create/Instance:settled", "after", 2),
)
RELAUNCHED = tuple(
    (f"relaunch/Instance:{step}", phase, 1)
    for step, phase in (
        ("intent", "after"),
        ("ask-quit", "after"),
        ("wait-quit", "before"),
        ("kill-session", "before"),
        ("kill-session", "after"),
        ("end-process", "after"),
        ("write-home", "after"),
        ("start-session", "before"),
        ("start-session", "after"),
        ("publish-record", "after"),
        ("settled", "after"),
    )
)


def apply_in_a_program(world: RealWorld, *words: str) -> "subprocess.Popen[bytes]":
    """An apply of its own, started in a session of its own."""
    argv = [sys.executable, "-m", "reconciler.testing.crash_apply", str(world.root), *words]
    return subprocess.Popen(argv, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def killed_at(world: RealWorld, point: str, phase: str, nth: int) -> None:
    program = apply_in_a_program(world, "--at", point, "--phase", phase, "--nth", str(nth))
    _, said = program.communicate(timeout=60)
    assert program.returncode == -signal.SIGKILL, (program.returncode, said.decode())


def converges(world: RealWorld) -> None:
    """One more apply, and then nothing is left to do."""
    assert check_invariants(world) == []
    again = world.when_applied()
    assert again.settled, (again.report.outcomes, again.report.remaining)
    after = world.when_planned()
    assert (after.lines, after.notices) == ([], [])
    assert check_invariants(world) == []


@pytest.fixture(scope="module")
def undisturbed_end() -> dict[str, object]:
    with RealWorld() as world:
        files(world)
        world.given(WITHOUT_KEYS)
        assert world.when_applied().settled
        assert isinstance(world, RealWorld)
        return end_state(world)


@pytest.mark.parametrize(("point", "phase", "nth"), CREATED)
def test_a_killed_first_apply_is_finished_by_the_next(
    real_world: RealWorld, undisturbed_end: dict[str, object], point: str, phase: str, nth: int
) -> None:
    files(real_world)
    real_world.given(WITHOUT_KEYS)

    killed_at(real_world, point, phase, nth)
    converges(real_world)

    assert real_world.running == {"alice", "bob", "crew-0", "crew-1"}
    assert difference(undisturbed_end, end_state(real_world)) == []


@pytest.mark.parametrize(("point", "phase", "nth"), RELAUNCHED)
def test_a_killed_relaunch_is_finished_by_the_next_apply(
    real_world: RealWorld, point: str, phase: str, nth: int
) -> None:
    files(real_world)
    real_world.given(ONE)
    real_world.when_applied(wait=True)
    uids, home = real_world.uids, real_world.home_of("alice")
    real_world.given_file("prompts/coder.md", "You write better code.\n")

    killed_at(real_world, point, phase, nth)
    converges(real_world)

    assert real_world.running == {"alice"}
    assert real_world.uids == uids
    assert real_world.home_of("alice") == home
    assert len(real_world.processes_of("alice")) >= 1
    assert "You write better code." in (home / "ROLE.md").read_text()


THIRTY = """
kind: Setup
metadata: {name: deaf}
spec: {provider: echo, path: setups/deaf}
---
kind: Specialist
metadata: {name: plain}
spec: {provider: echo, prompt: You listen.}
---
kind: Specialist
metadata: {name: deaf}
spec: {provider: echo, prompt: You do not listen., setupRef: deaf}
---
kind: InstanceSet
metadata: {name: plain}
spec: {replicas: 25, template: {specialistRef: plain}}
---
kind: InstanceSet
metadata: {name: deaf}
spec: {replicas: 5, template: {specialistRef: deaf}}
"""


def thirty(world: RealWorld) -> None:
    world.given_file("setups/deaf/behaviour.json", '{"ignore_signals": ["HUP", "TERM"]}\n')
    world.given(THIRTY)


@pytest.fixture(scope="module")
def usual_duration_s() -> float:
    """How long an apply of the thirty takes here, in a program of its own, when nobody kills it."""
    with RealWorld() as world:
        assert isinstance(world, RealWorld)
        thirty(world)
        began = time.monotonic()
        program = apply_in_a_program(world)
        program.communicate(timeout=110)
        assert program.returncode == 0
        return time.monotonic() - began


@pytest.mark.slow
@pytest.mark.parametrize("round_", range(20))
def test_thirty_agents_come_up_whenever_the_first_apply_was_killed(
    real_world: RealWorld, usual_duration_s: float, round_: int
) -> None:
    moment_s = random.Random(f"{SEED}-{round_}").uniform(0.05, usual_duration_s)
    thirty(real_world)
    program = apply_in_a_program(real_world)
    try:
        program.wait(timeout=moment_s)
    except subprocess.TimeoutExpired:
        os.kill(program.pid, signal.SIGKILL)
    program.communicate(timeout=20)
    # Some of those that came up lose their session too; the deaf ones among them live on.
    if round_ % 2:
        for pane in [pane for pane in real_world.panes if pane.uid][:6]:
            real_world.end_session(pane.session_id)

    converges(real_world)

    names = {f"plain-{number}" for number in range(25)} | {f"deaf-{number}" for number in range(5)}
    assert real_world.running == names
    assert len(real_world.panes) == 30
    until(lambda: all(len(real_world.processes_of(name)) == 1 for name in names), "a process too many, or too few")
    assert len({pane.uid for pane in real_world.panes}) == 30
