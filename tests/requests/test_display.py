"""The turns of a headless agent in its own pane."""

import io
import json
import os
from pathlib import Path

import pytest

from reconciler.app import turns, wiring
from reconciler.app.display import Begun, Happened, Over, Turns
from reconciler.cli import display
from reconciler.cli.screen import Screen
from reconciler.testing.clock import FakeClock
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.real_world import RealWorld, until
from tests.requests.conftest import FLEET, named

EVENTS = (
    {"type": "session", "session_id": "abc"},
    {"type": "assistant", "text": "one\ntwo \x1b[2J\u202e"},
    {"type": "result", "subtype": "success"},
)
HEADLESS = FLEET.replace("name: alice", "name: bob").replace(
    "Ref: coder", "Ref: coder, headless: true, headlessDisplay: {detail: detail}"
)


SINCE = 1_700_000_000


class Folder:
    """A session root in which turns come and go, as the runner of a turn writes them."""

    def __init__(self, root: Path) -> None:
        self._root = root / "manifest.turn-artifacts"
        self.told = ""

    def turns(self) -> Turns:
        return Turns(wiring.local_files(), FakeClock(), wiring.providers()["echo"], str(self._root.parent), SINCE)

    def says(self, turn: str, *events: object) -> None:
        (self._root / turn).mkdir(parents=True, exist_ok=True)
        with (self._root / turn / "stdout.jsonl").open("a") as stream:
            stream.writelines(json.dumps(event) + "\n" for event in events)

    def ends(self, turn: str, code: int = 0, at: int = 0) -> None:
        (self._root / turn / "exitcode").write_text(f"{code}\n")
        os.utime(self._root / turn / "exitcode", (SINCE + at, SINCE + at))


def test_a_turn_is_told_as_it_happens_and_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.says("turn-0001", *EVENTS)
    folder.ends("turn-0001", at=-1)
    assert list(folder.turns().look()) == []  # it was over before the pane was there
    folder.ends("turn-0001")
    found = folder.turns()
    assert list(found.look())[-1] == Over("turn-0001", 0)  # over before anybody looked, and not before the pane

    folder.says("turn-0002", EVENTS[0])
    first = list(found.look())
    assert first[0] == Begun("turn-0002")
    assert list(found.look()) == []
    folder.says("turn-0002", *EVENTS[1:])
    folder.ends("turn-0002", 3)
    then = list(found.look())

    assert [type(each) for each in then[:-1]] == [Happened] * (len(then) - 1)
    assert then[-1] == Over("turn-0002", 3)
    assert list(found.look()) == []


EVENT = {
    "kind": "assistant", "message": "one\ntwo \x1b[2J", "provider": "echo", "provider_event_type": "assistant",
    "session_id": None, "timestamp_utc": "t", "turn_index": 1, "data": {}, "raw_payload": {"a": "\u202e"},
}  # fmt: skip
PROGRESS = {**EVENT, "kind": "progress", "message": "", "provider_event_type": "tool"}
ALL = [Begun("t-1"), Happened("t-1", EVENT), Happened("t-1", PROGRESS), Over("t-1", 0), Over("t-2", 9)]  # type: ignore[arg-type]


@pytest.mark.parametrize("detail", display.DETAILS)
@pytest.mark.parametrize("style", display.STYLES)
def test_each_style_says_it_in_its_way_and_nothing_that_a_terminal_obeys(style: str, detail: str) -> None:
    screen = Screen(io.StringIO(), colour=style == "fancy", style=style)
    said = [line for told in ALL for line in display.lines(told, style, detail, screen)]

    if style == "json":
        found = [json.loads(line) for line in said]
        kinds = ["begun", "assistant", *(["progress"] if detail == "detail" else []), "over", "over"]
        assert [one["kind"] for one in found] == kinds
        assert found[1]["message"] == EVENT["message"]
        assert ("raw_payload" in found[1]) == (detail == "detail")
        assert found[-1]["returncode"] == 9
    else:
        plain = [line.replace("\x1b[0m", "").partition("m")[2] if line.startswith("\x1b[") else line for line in said]
        more = ["progress: tool"] if detail == "detail" else []
        assert plain == ["-- t-1", "one", r"two \x1b[2J", *more, "-- t-1 completed", "-- t-2 ended with status 9"]
        assert (said != plain) == (style == "fancy")
    assert style == "fancy" or all(line.isprintable() for line in said)


@pytest.mark.parametrize(
    "words",
    [[], ["--root", "/x"], ["--root", "/x", "--tool", "no"], ["--root", "/x", "--tool", "echo", "--style", "x"]],
)
def test_other_words_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert display.main(words) == 64
    assert "shows the turns" in capsys.readouterr().err


def test_without_being_asked_for_no_viewer_runs_and_the_digest_is_as_it_was(fake_world: FakeWorld) -> None:
    digests = []
    for display_ in ("", ", headlessDisplay: {style: json}", ", headlessDisplay: {style: json, detail: concise}"):
        fake_world.given(FLEET.replace("Ref: coder", f"Ref: coder, headless: true{display_}"))
        assert fake_world.when_applied().settled
        digests.append(fake_world.rows["Instance/alice"].launch_digest)
        helper = (fake_world.home_of("alice") / "launch.sh").read_text()
        assert ("reconciler.cli.display" in helper) == bool(display_)
        assert ("tail -f /dev/null" in helper) != bool(display_)
    assert digests[0] != digests[1] == digests[2]
    fake_world.given(FLEET.replace("Ref: coder", "Ref: coder, headlessDisplay: {style: json}"))
    fake_world.when_applied()
    assert "display" not in (fake_world.home_of("alice") / "launch.sh").read_text()


@pytest.mark.tmux
def test_the_pane_of_a_headless_agent_shows_its_turns(real_world: RealWorld) -> None:
    world = real_world
    world.given(HEADLESS)
    world.until_ready()
    agent = named(world, "bob")

    def shows(text: str) -> bool:
        return text in world.tmux("capture-pane", "-p", "-t", agent.pane)

    turn = turns.submit(agent, "look at\nthis")
    until(lambda: shows("turn-0001 completed"), "the turn is not shown")

    assert turn.status == "completed"
    shown = world.tmux("capture-pane", "-p", "-t", agent.pane).split("\n")
    at = shown.index("-- turn-0001")
    assert "look at" in shown[at:]
    assert "this" in shown[at:]
    assert any(line.startswith("session: ") for line in shown[at:])
    assert world.when_planned().in_sync
