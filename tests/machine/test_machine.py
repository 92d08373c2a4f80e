"""Random lives of a fleet (R §27, state machine): in memory by the thousand steps, on real tmux a sample.

`make test` lives two short ones; `make faults` long ones, and says how fast (`MACHINE_SEED`, `MACHINE_STEPS`).
"""

import os
import time
from contextlib import suppress
from random import Random

import pytest

from reconciler.model.errors import ReconcilerError
from reconciler.testing.faults import Crashed, Fault, Kind
from reconciler.testing.invariants import check_invariants
from reconciler.testing.real_world import RealWorld
from tests.machine.machine import FOREIGN, POINTS, Broken, Machine

SEED = os.environ.get("MACHINE_SEED", "20260101")
STEPS = int(os.environ.get("MACHINE_STEPS") or 60_000)
LIFE = 3000


def lived(seed: str, steps: int) -> int:
    """One life; how many steps it took."""
    machine = Machine(seed)
    try:
        machine.run(steps)
        return len(machine.said)
    finally:
        machine.close()


@pytest.mark.parametrize("nth", range(2))
def test_a_short_life_ends_as_declared(nth: int) -> None:
    assert lived(f"{SEED}-{nth}", 250) == 251


def test_a_seed_is_a_life() -> None:
    """The same seed takes the same steps, and says them when one goes wrong."""
    lives = []
    for _ in range(2):
        machine = Machine("7")
        machine.run(60)
        machine.close()
        lives.append((machine.said, machine.twin.clock.now_utc(), machine.twin.process.spawned))
    assert lives[0] == lives[1]
    machine = Machine("7")
    machine.agents["nobody"] = "specialistRef: missing"
    with pytest.raises(Broken, match=r"MACHINE_SEED=7 step \d+: .*; the steps before: "):
        machine.run(60)
    machine.close()


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_long_lives_end_as_declared(capsys: pytest.CaptureFixture[str]) -> None:
    busy, began, taken = time.process_time(), time.monotonic(), 0
    while taken < STEPS:
        taken += lived(f"{SEED}-{taken // LIFE}", LIFE)
    busy, took = time.process_time() - busy, time.monotonic() - began
    with capsys.disabled():
        print(
            f"\nstate machine: {taken} steps, {taken / busy:.0f} a second of processor time, {taken / took:.0f} of any"
        )


@pytest.mark.faults
@pytest.mark.tmux
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("nth", range(2))
def test_a_sample_on_real_tmux(real_world: RealWorld, nth: int) -> None:
    """The same kinds of steps, few of them: a real server, real processes, real files."""
    world, draw = real_world, Random(f"{SEED} real {nth}")
    agents: dict[str, int] = {"alice": 0, "bob": 0}
    world.foreign_session(FOREIGN)
    flags = {"prune": True, "prune_limit": 20, "allow_kind_removal": ("Instance",)}
    said: list[str] = []
    for _ in range(30):
        step = draw.choice(("declare", "take back", "session", "process", "record", "disturb", "disturb", "apply"))
        said.append(step)
        names = sorted(world.running) if world.overlay.exists() else []
        match step:
            case "declare":
                agents[draw.choice(("alice", "bob", "carol"))] = draw.randint(0, 2)
            case "take back":
                agents.pop(draw.choice(("alice", "bob", "carol")), None)
            case "session" if names:
                world.kill_session_of(draw.choice(names))
            case "process" if names:
                world.kill_process_of(draw.choice(names))
            case "record" if names:
                with suppress(OSError):  # one that never got so far has none
                    world.remove_record_of(draw.choice(names))
        world.given("\n---\n".join(
            [f"kind: Specialist\nmetadata: {{name: coder-{n}}}\nspec: {{provider: echo, prompt: You are {n}.}}"
             for n in range(3)]
            + [f"kind: Instance\nmetadata: {{name: {name}}}\nspec: {{specialistRef: coder-{n}}}"
               for name, n in agents.items()]))  # fmt: skip
        if step == "disturb":
            with suppress(Crashed, ReconcilerError):
                world.when_applied(fault=Fault(draw.choice(POINTS), "before", draw.choice(list(Kind))), **flags)
            assert check_invariants(world, foreign=frozenset({FOREIGN})) == [], said
        if step == "apply":
            assert world.when_applied(**flags).settled, said
            assert world.running == set(agents), said
            assert world.when_planned(**flags).in_sync, said
            assert check_invariants(world, foreign=frozenset({FOREIGN})) == [], said
