"""`houmao events --replay`: a recorded stream leads to the status that its run reported."""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.testing.fake_world import FakeWorld
from tests.history.conftest import Houmao
from tests.stories.fleets import ALICE, PROMPT, TEXT, instance

BAD = "\n---\nkind: Instance\nmetadata: {name: carl}\nspec: {specialistRef: coder, workdir: /no/such/place}\n"


def recorded(world: FakeWorld, houmao: Houmao, tmp_path: Path, more: str = "") -> tuple[Path, list[Any]]:
    world.given_file(PROMPT, TEXT)
    world.given(ALICE + instance("bob") + more)
    file = tmp_path / "run.jsonl"
    ran = houmao("apply", "-f", str(world.source), "--yes", "--no-wait", "--events", str(file), "-o", "json")
    return file, ran.data["outcomes"]


@pytest.mark.parametrize("more", ["", BAD])
def test_it_ends_as_the_run_reported(fake_world: FakeWorld, houmao: Houmao, tmp_path: Path, more: str) -> None:
    file, outcomes = recorded(fake_world, houmao, tmp_path, more)

    found = houmao("events", "--replay", str(file), "-o", "json").data

    replayed = {each["ref"]: {key: value for key, value in each.items() if key != "run"} for each in found["items"]}
    assert replayed == {each["ref"]: each for each in outcomes}
    assert len(replayed) >= 3
    assert ("failed" in {each["outcome"] for each in outcomes}) is bool(more)
    assert {each["run"] for each in found["items"]} == set(found["runs"])
    assert found["complete"]
    assert found["exitCode"] == json.loads(file.read_text().splitlines()[-1])["exit_code"]
    table = houmao("events", "--replay", str(file)).out
    assert "Instance/alice" in table
    assert f"{found['events']} events, 1 run, exit {found['exitCode']}." in table


def test_what_a_killed_program_left_is_told_as_far_as_it_goes(
    fake_world: FakeWorld, houmao: Houmao, tmp_path: Path
) -> None:
    file, _ = recorded(fake_world, houmao, tmp_path)
    lines = file.read_bytes().splitlines(keepends=True)
    last = max(at for at, line in enumerate(lines) if b'"action_end"' in line)
    ref = json.loads(lines[last])["ref"]
    file.write_bytes(b"".join(lines[:last]) + lines[last][:20])

    found = houmao("events", "--replay", str(file), "-o", "json").data

    assert (found["complete"], found["exitCode"], found["events"]) == (False, None, last)
    assert next(each["outcome"] for each in found["items"] if each["ref"] == ref) == "started"
    assert "was killed, or still runs, the last line is cut off." in houmao("events", "--replay", str(file)).out


def test_damage_is_refused_with_its_line(fake_world: FakeWorld, houmao: Houmao, tmp_path: Path) -> None:
    file, _ = recorded(fake_world, houmao, tmp_path)
    lines = file.read_text().splitlines(keepends=True)
    for bad, said in (
        ([*lines[:1], *lines[2:]], ":2 has number 3"),
        ([lines[0], "x\n", *lines[2:]], ":2 is no JSON"),
        ([lines[0].replace('"v":1', '"v":2'), *lines[1:]], ":1 is of version 2"),
        ([*lines, "[]\n"], f":{len(lines) + 1} is no event"),
    ):
        file.write_text("".join(bad))
        ran = houmao("events", "--replay", str(file))
        assert (ran.code, "events.damaged" in ran.err, said in ran.err) == (1, True, True)
    assert houmao("events", "--replay", str(tmp_path / "none")).code == 1
    assert houmao("events", "instance/alice", "--replay", str(file)).code == 64


def test_what_is_not_known_is_passed_over(houmao: Houmao, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    told = [
        {"type": "later", "ref": "Instance/a", "new": 1},
        {"type": "wait", "ref": "Instance/a", "verb": "relaunch", "code": "Busy", "text": "x", "new": 1},
    ]
    file.write_text("".join(json.dumps({"v": 1, "seq": at, **each}) + "\n" for at, each in enumerate(told, 1)))
    found = houmao("events", "--replay", str(file), "-o", "json").data["items"]
    assert [(each["outcome"], each["reason"]) for each in found] == [("waiting", "Busy")]
