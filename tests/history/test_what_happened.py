"""`houmao events`: what happened to a resource, counted, filtered, followed; and its last ten in `describe`."""

import json
import signal
import subprocess
import sys
from datetime import timedelta

from reconciler.app import events as use_case
from reconciler.app.events import Wanted
from reconciler.model.ref import Ref, Uid
from reconciler.ports.wakers import Waker, Woken
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Fault, Kind
from reconciler.testing.wakers import Script
from tests.history.conftest import Houmao
from tests.history.test_bringing_back import fleet
from tests.stories.fleets import ALICE, PROMPT, instance
from tests.watch.conftest import Story


def told(houmao: Houmao, *words: str) -> list[tuple[str, str, int]]:
    found = houmao("events", *words, "-o", "json").data["items"]
    return [(each["ref"], each["reason"], each["count"]) for each in found]


def test_each_action_is_an_event_and_the_same_one_again_is_counted(fake_world: FakeWorld, houmao: Houmao) -> None:
    fleet(fake_world)
    for _ in range(3):
        fake_world.pass_time(60)
        fake_world.kill_session_of("alice")
        fake_world.when_applied()

    assert told(houmao) == [
        ("Specialist/coder", "New", 1),
        ("Instance/alice", "New", 1),
        ("Instance/alice", "SessionMissing", 3),
    ]
    last = houmao("events", "-o", "json").data["items"][-1]
    assert last["first"] < last["last"]
    assert last["message"].startswith("create: recorded as running, but")
    assert "SessionMissing" in houmao("events").out.splitlines()[-1]


def test_they_are_filtered_by_resource_reason_and_time(fake_world: FakeWorld, houmao: Houmao) -> None:
    fleet(fake_world, ALICE + instance("bob"))
    fake_world.pass_time(7200)
    fake_world.kill_session_of("bob")
    fake_world.when_applied()

    assert told(houmao, "instance/bob") == [("Instance/bob", "New", 1), ("Instance/bob", "SessionMissing", 1)]
    assert told(houmao, "--reason", "SessionMissing") == [("Instance/bob", "SessionMissing", 1)]
    assert told(houmao, "--since", "1h") == [("Instance/bob", "SessionMissing", 1)]
    assert told(houmao, "--limit", "1") == [("Instance/bob", "SessionMissing", 1)]
    assert houmao("events", "instances").code == 64
    assert houmao("events", "--reason", "Nothing").out == ""


def test_a_failure_is_told_with_its_code(fake_world: FakeWorld, houmao: Houmao) -> None:
    fleet(fake_world)
    fake_world.given_file(PROMPT, "Other.\n")
    fake_world.when_applied(fault=Fault("update/Specialist:write-content", "before", Kind.ERROR))

    (failed,) = [each for each in houmao("events", "-o", "json").data["items"] if "failed" in each["message"]]

    assert failed["ref"] == "Specialist/coder"
    assert "." in failed["reason"]


def test_what_a_watch_reports_is_told_once(fake_world: FakeWorld, houmao: Houmao) -> None:
    story = Story(fake_world)
    story.script.at(10, lambda: fake_world.kill_process_of("alice"), Woken(Waker.PROCESS))
    story.script.at(100, lambda: fake_world.forget_file("fleet.yaml"))
    story.script.at(
        100,
        lambda: fake_world.given(
            "kind: Specialist\nmetadata: {name: coder}\nspec: {provider: echo, promptFile: prompts/coder.md}"
        ),
        story.saved("fleet.yaml"),
    )
    story.told(400)

    found = told(houmao)

    assert ("Instance/alice", "ProviderExited", 1) in found
    assert ("Instance/alice", "Orphaned", 1) in found
    assert ("Instance/bob", "Orphaned", 1) in found


def test_what_is_followed_comes_as_it_happens(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    looks = 0

    def stopping() -> bool:
        nonlocal looks
        looks += 1
        if looks == 2:
            fake_world.kill_session_of("alice")
            fake_world.when_applied()
        return looks > 3

    found = list(use_case.follow(fake_world.flags, Wanted(ref=Ref("Instance", "alice")), stopping))

    assert [(event.reason, event.times) for event in found] == [("New", 1), ("SessionMissing", 1)]


def test_the_oldest_go_first_and_none_is_of_what_was_never_made(fake_world: FakeWorld) -> None:
    from reconciler.ports.catalog import NewEvent

    fleet(fake_world)
    uid = fake_world.rows["Instance/alice"].uid
    ports = fake_world.ports(fake_world.settings)
    now = fake_world.clock.now_utc()
    lease = ports.catalog.lease()
    assert lease is not None
    with ports.catalog.transaction(lease.token) as tx:
        many = [NewEvent(uid, "Drifted", f"number {n}", (now + timedelta(seconds=n)).isoformat()) for n in range(60)]
        use_case.write(tx, many, now)
    assert len(ports.catalog.events(1000, uid)) == 50
    assert ports.catalog.events(1000, uid)[0].message == "number 59"
    with ports.catalog.transaction(lease.token) as tx:
        late = now + timedelta(days=91)
        nobody = NewEvent(Uid("never-made"), "Late", "x", late.isoformat())
        use_case.write(tx, [NewEvent(uid, "Late", "x", late.isoformat()), nobody], late)

    assert [event.reason for event in ports.catalog.events(1000, uid)] == ["Late"]
    assert "never-made" not in {event.uid for event in ports.catalog.events(1000)}
    ports.catalog.close()


def test_describe_shows_the_last_ten(fake_world: FakeWorld, houmao: Houmao) -> None:
    fleet(fake_world)
    fake_world.kill_session_of("alice")
    fake_world.when_applied()

    found = houmao("describe", "instance/alice", "-o", "json").data["diagnosis"]["events"]
    text = houmao("describe", "instance/alice", "--full").out

    assert [each["reason"] for each in found] == ["New", "SessionMissing"]
    assert "Last events" in text
    assert "SessionMissing  create: recorded as running" in text


def test_nothing_is_written_where_nothing_is_new(fake_world: FakeWorld) -> None:
    story = Story(fake_world)
    story.told(5)
    catalog = fake_world.look().catalog
    before, revision = catalog.events(1000), catalog.revision()
    story.script = Script(fake_world.clock)
    story.told(3600)
    assert fake_world.look().catalog.events(1000) == before
    assert fake_world.look().catalog.revision() == revision + 1  # the lease of the second watch


def test_following_ends_with_the_signal_and_prints_a_line_of_json_for_each(fake_world: FakeWorld) -> None:
    fleet(fake_world)
    words = ("events", "--follow", "-o", "json", "--project-dir", str(fake_world.root))
    with subprocess.Popen((sys.executable, "-m", "reconciler", *words), stdout=subprocess.PIPE, text=True) as ran:
        assert ran.stdout is not None
        lines = [json.loads(ran.stdout.readline()) for _ in range(2)]
        ran.send_signal(signal.SIGINT)
        assert ran.wait(30) == 130
    assert [each["ref"] for each in lines] == ["Specialist/coder", "Instance/alice"]
