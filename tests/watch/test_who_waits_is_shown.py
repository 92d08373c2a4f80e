"""What `get` and `describe` say of agents that wait to be disturbed, and of what a watch leaves alone (R-WAT-7)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.cli import main as program
from reconciler.cli import places
from reconciler.testing.fake_world import FakeWorld
from tests.fleets import FLEET
from tests.watch.test_gates import fleet, project, started

Houmao = Callable[..., str]


@pytest.fixture
def houmao(fake_world: FakeWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Houmao:
    """The command line in this process, on the fake world."""
    monkeypatch.setattr(places, "flags", lambda args: fake_world.flags)
    monkeypatch.setenv("CI", "1")

    def run(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        ended = program.main(list(words))
        out, err = capsys.readouterr()
        assert ended == code, err
        return out

    return run


def status(houmao: Houmao) -> Any:
    return json.loads(houmao("get", "instance/alice", "-o", "json"))["status"]


def test_the_next_opening_of_the_window_it_waits_for(fake_world: FakeWorld, houmao: Houmao) -> None:
    story = started(fake_world, fleet("when: Window") + project(fake_world, 5))
    story.told(30)
    opens = "05:00"
    lines = {line.split()[0]: line for line in houmao("get", "instances").splitlines()}
    assert f"Running (waits until {opens}Z)" in lines["alice"]
    assert f"Running (waits until {opens}Z)" in lines["bob"], "a watch waits with all of them"
    found = status(houmao)
    assert found["waiting"]["code"] == "WindowClosed"
    assert found["waiting"]["until"] == f"2026-01-01T{opens}:00Z"
    (said,) = [each for each in found["conditions"] if each["type"] == "Progressing"]
    assert (said["status"], said["reason"]) == ("True", "WaitingForWindow")
    told = " ".join(houmao("describe", "instance/alice").split())
    assert f"open at 2026-01-01T{opens}Z" in told
    assert "--ignore-window" in told

    # What is done is waited for no more.
    fake_world.when_applied(ignore_window=True)
    assert "waits" not in houmao("get", "instances")
    assert "waiting" not in status(houmao)


def test_a_wait_of_an_apply_is_shown_while_it_waits_and_after(fake_world: FakeWorld, houmao: Houmao) -> None:
    started(fake_world, fleet("maxWait: 1m"))
    seen: list[str] = []

    def meanwhile() -> None:
        if fake_world.look().catalog.meta("waiting"):
            seen.append(houmao("get", "instances"))

    fake_world.when_applied(stopping=meanwhile)
    assert any("Running (waits for idle)" in each for each in seen)
    assert "Running (waits for idle)" in houmao("get", "instances")
    assert "in the middle of a turn" in houmao("describe", "instance/alice")
    # A process that is another one has not waited for anything.
    fake_world.when_applied(wait=False)
    fake_world.given_file("prompts/coder.md", "You write code.\n")
    fake_world.when_applied()
    assert "waits" not in houmao("get", "instances")


def test_what_a_watch_leaves_alone_is_said(fake_world: FakeWorld, houmao: Houmao) -> None:
    started(fake_world, fleet("when: Idle"), doing=False)
    fake_world.when_applied()
    houmao("suspend", "alice", "--reason", "a demo")
    told = houmao("describe", "instance/alice")
    assert "Suspended" in told
    assert "(a demo)" in told
    assert "houmao resume" in told
    assert "(suspended)" in houmao("get", "instances").splitlines()[1]
    assert "a demo" in status(houmao)["suspended"]
    assert "Suspended" not in houmao("describe", "instance/bob")
    houmao("suspend", "--applyset", "default")
    assert "--applyset default" in houmao("describe", "instance/bob", "--full")
    houmao("resume", "alice", "--applyset", "default")
    assert "uspended" not in houmao("describe", "instance/alice", "--full").partition("events")[0]


def test_an_apply_says_whom_it_waits_for_and_whom_it_leaves(fake_world: FakeWorld, houmao: Houmao) -> None:
    started(fake_world, FLEET)
    source = str(fake_world.source)
    told = " ".join(houmao("apply", "-f", source, "--respect-busy", "--timeout", "5s", "--yes", code=3).split())
    assert "… Instance/alice waits: it is in the middle of a turn" in told
    assert "TimedOut it is in the middle of a turn" in told
    assert "left for the next apply: relaunch Instance/alice" in told
    told = houmao("apply", "-f", source, "--respect-busy", "--no-wait", "--yes")
    assert "Deferred" in told
    assert "Deferred" not in houmao("apply", "-f", source, "--yes")


def test_an_apply_is_told_to_disturb_at_any_hour(fake_world: FakeWorld, houmao: Houmao) -> None:
    started(fake_world, fleet("when: Window") + project(fake_world, 5))
    source = str(fake_world.source)
    told = houmao("apply", "-f", source, "--yes", code=3)
    assert "2026-01-01T05:00Z" in told
    assert "Deferred" not in houmao("apply", "-f", source, "--ignore-window", "--yes")
