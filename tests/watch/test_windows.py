"""The calendar of a watch: when agents may be disturbed (R-WAT-7)."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from reconciler.engine.windows import declared, opening
from reconciler.model.json import JsonMap
from reconciler.testing.fake_world import FakeWorld
from tests.fleets import FLEET
from tests.watch.conftest import Story

ZONES: dict[str, tzinfo] = {"UTC": UTC, "Europe/Berlin": ZoneInfo("Europe/Berlin")}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(begin: str, end: str, policy: str = "allow", days: tuple[str, ...] = (), zone: str = "UTC") -> JsonMap:
    return {"policy": policy, "days": list(days), "begin": begin, "end": end, "timezone": zone}


NIGHTS = window("22:00", "06:00")


@pytest.mark.parametrize(
    ("windows", "now", "opens"),
    [
        ([], "2026-03-02T12:00", "2026-03-02T12:00"),
        ([NIGHTS], "2026-03-02T12:00", "2026-03-02T22:00"),
        ([NIGHTS], "2026-03-02T22:00", "2026-03-02T22:00"),
        ([NIGHTS], "2026-03-03T05:59", "2026-03-03T05:59"),
        ([NIGHTS], "2026-03-03T06:00", "2026-03-03T22:00"),
        ([window("09:00", "17:00", "deny")], "2026-03-02T12:00", "2026-03-02T17:00"),
        ([window("09:00", "17:00", "deny")], "2026-03-02T08:59", "2026-03-02T08:59"),
        ([NIGHTS, window("23:00", "01:00", "deny")], "2026-03-02T23:30", "2026-03-03T01:00"),
        ([window("00:00", "00:00", days=("sun",))], "2026-03-02T12:00", "2026-03-08T00:00"),
        ([window("22:00", "06:00", days=("fri",))], "2026-03-07T03:00", "2026-03-07T03:00"),
        ([window("22:00", "06:00", zone="Europe/Berlin")], "2026-07-01T12:00", "2026-07-01T20:00"),
        ([window("22:00", "06:00", zone="Europe/Berlin")], "2026-01-01T12:00", "2026-01-01T21:00"),
    ],
)
def test_the_next_opening(windows: list[JsonMap], now: str, opens: str) -> None:
    assert opening(declared(list(windows), ZONES), at(now)) == at(opens)


def test_what_is_always_denied_never_opens() -> None:
    windows = declared([NIGHTS, window("00:00", "00:00", "deny")], ZONES)
    assert opening(windows, at("2026-03-02T12:00")) is None


def test_it_is_open_at_every_opening_and_closed_until_then() -> None:
    windows = declared([window("08:00", "10:00", days=("mon", "thu")), window("09:00", "09:30", "deny")], ZONES)
    for step in range(14 * 24 * 4):
        now = at("2026-03-02T00:05") + timedelta(minutes=15 * step)
        opens = opening(windows, now)
        assert opens is not None
        assert opening(windows, opens) == opens
        if opens > now:
            assert opening(windows, opens - timedelta(seconds=1)) != opens - timedelta(seconds=1)


def test_outside_of_its_windows_a_watch_heals_and_does_not_disturb(fake_world: FakeWorld) -> None:
    world = fake_world
    story = Story(world)
    now = world.clock.now_utc()
    begin, end = (f"{now + timedelta(hours=hours):%H:%M}" for hours in (2, 3))
    only = f'{{name: w, begin: "{begin}", end: "{end}"}}'
    project = f"\n---\nkind: Project\nmetadata: {{name: team}}\nspec: {{windows: [{only}]}}"
    world.given(FLEET + project)
    assert world.when_applied().settled

    def saved() -> None:
        world.given_file("prompts/coder.md", "You write better code.\n")
        world.kill_process_of("bob")

    story.script.at(10, saved, story.saved("prompts/coder.md"))
    told = story.told(3600)
    assert told.done == ["update Specialist/coder", "relaunch Instance/bob"]
    assert [(each["ref"], each["code"]) for each in told.of("wait")] == [("Instance/alice", "WindowClosed")]
    told = story.told(2 * 3600 + 120)
    assert told.done == ["relaunch Instance/alice"]


def test_a_zone_that_this_host_does_not_know_closes_every_window(fake_world: FakeWorld) -> None:
    world = fake_world
    story = Story(world)
    project = (
        "\n---\nkind: Project\nmetadata: {name: team}\n"
        'spec: {windows: [{name: w, begin: "00:00", end: "00:00", timezone: Europe/Nowhere}]}'
    )
    world.given(FLEET + project)
    assert world.when_applied().settled
    world.given_file("prompts/coder.md", "You write better code.\n")
    told = story.told(100)
    assert told.done == ["update Specialist/coder"]
    assert "Europe/Nowhere" in str(told.of("wait")[0]["text"])
