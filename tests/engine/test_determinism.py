"""Equal inputs, equal bytes: whatever the hash seed, the order of files or the locale (R-ACT-3, R-LOAD-2)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.testing.fake_world import FakeWorld
from tests.crash.scenarios import everything, files

PROGRAM = """
import json, sys
from pathlib import Path
from reconciler.testing.fake_world import FakeWorld
world = FakeWorld(Path(sys.argv[1]))
plan = world.when_planned().plan.to_json()
del plan["createdAt"]
print(json.dumps(plan))
"""


def printed(root: Path, **environ: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(root)],
        env={**os.environ, **environ},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode()


def test_a_plan_has_the_same_bytes_under_any_hash_seed_and_locale(fake_world: FakeWorld) -> None:
    everything(fake_world)

    found = {
        printed(fake_world.root, PYTHONHASHSEED=seed, LC_ALL=locale, TZ=zone)
        for seed, locale, zone in (("0", "C", "UTC"), ("1", "C.UTF-8", "Asia/Tokyo"), ("4711", "C", "America/New_York"))
    }

    (plan,) = found
    assert len(json.loads(plan)["actions"]) == 13


@pytest.mark.parametrize("order", ["abc", "cab"])
def test_a_plan_does_not_depend_on_how_documents_are_spread_over_files(fake_world: FakeWorld, order: str) -> None:
    everything(fake_world)
    whole = fake_world.when_planned()
    documents = (fake_world.source / "fleet.yaml").read_text().split("\n---\n")
    fake_world.forget_file("fleet.yaml")
    for number, text in enumerate(reversed(documents)):
        fake_world.given(text, f"{order[number % 3]}{number}.yaml")

    spread = fake_world.when_planned()

    assert spread.lines == whole.lines
    assert [action.key() for action in spread.plan.actions] == [action.key() for action in whole.plan.actions]
    assert [action.post for action in spread.plan.actions] == [action.post for action in whole.plan.actions]


def test_a_first_create_has_no_uid_and_nothing_of_the_time_in_the_plan(fake_world: FakeWorld) -> None:
    everything(fake_world)
    files(fake_world)
    first = fake_world.when_planned().plan
    fake_world.clock.advance(86_400)
    fake_world.clock.step(-10_000)

    second = fake_world.when_planned().plan

    assert {action.uid for action in first.actions} == {None}
    assert first.digest() == second.digest()
