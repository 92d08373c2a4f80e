"""What `houmao watch` says to the person who started it."""

import io
import time
from pathlib import Path
from typing import cast

import pytest

from reconciler.cli.main import main
from reconciler.cli.run import Teller
from reconciler.cli.screen import Screen
from reconciler.cli.watching import Watching
from reconciler.model.json import JsonMap
from reconciler.ports.bundle import Ports
from reconciler.testing.clock import FakeClock
from reconciler.testing.wakers import Script

SPECIALIST = "apiVersion: houmao/v1alpha1\nkind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo}\n"


def test_each_line_is_about_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet.yaml").write_text(SPECIALIST)
    where = ("--project-dir", str(tmp_path), "--tmux-socket", str(tmp_path / "s"))
    assert main(["watch", "-f", "fleet.yaml", "--once", *where]) == 0
    said = capsys.readouterr().out
    assert [line.partition(";")[0] for line in said.splitlines()[:3]] == [
        f"created the overlay {tmp_path}/.houmao",
        "watching",
        "the source reads well: 1 resource",
    ]
    assert "None" not in said


def test_what_is_said_after_a_sleep_stands_below_the_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are for people: none is in the events, and none is told where nothing else is."""
    monkeypatch.setenv("TZ", "XYZ-2")
    time.tzset()
    try:
        clock, out = FakeClock(), io.StringIO()
        talk = Talk(Screen(out))
        told = Watching(cast(Teller, talk), clock)
        script = Script(clock)
        script.over_at = 1e6
        script.started_at = 0.0
        wakers = told.wakers(lambda ports: script)(cast(Ports, None))
        told.emit("lock", {"held": True, "token": 7})
        told.emit("source", {"event": "Compiled", "declared": 2})
        wakers.wait(60)
        told.emit("observe", {"resources": 2})
        wakers.wait(30)
        wakers.wait(0)
        told.emit("wait", {"verb": "relaunch", "ref": "Instance/a", "code": "AgentBusy", "text": "busy"})
        wakers.wait(0)
        told.emit("drift", {"ref": "Instance/b", "code": "Drifted", "text": "gone"})
    finally:
        monkeypatch.undo()
        time.tzset()
    assert out.getvalue().splitlines() == [
        "2026-01-01 02:00:00",
        "watching; this process writes with token 7",
        "the source reads well: 2 resources",
        "2026-01-01 02:01:30",
        "relaunch Instance/a waits (AgentBusy): busy",
        "Instance/b Drifted: gone",
    ]
    assert talk.events[0] == {"kind": "lock", "held": True, "token": 7}
    assert len(talk.events) == 5


class Talk:
    """What a Teller is to it: a screen, and events that go elsewhere."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.events: list[JsonMap] = []

    def emit(self, kind: str, fields: JsonMap) -> None:
        self.events.append({"kind": kind, **fields})
