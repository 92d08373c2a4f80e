"""What every disturbed run begins with is what was arranged, to the inode."""

import os
import shutil
import stat
from pathlib import Path

from reconciler.testing.end_state import end_state
from reconciler.testing.fake_world import FakeWorld
from reconciler.testing.faults import Fault, Kind
from reconciler.testing.moment import Moment
from tests.crash.scenarios import ONE, SCENARIOS, crashed, one


def on_disk(world: FakeWorld) -> dict[str, tuple[object, ...]]:
    """As `bytes`, without the inodes of directories: one that was removed comes back as another."""
    found = world.bytes()
    return {
        path: (mode, time, 0 if stat.S_ISDIR(mode) else inode, data)
        for path, (mode, time, inode, data) in found.items()
    }


def all_of(world: FakeWorld) -> tuple[object, ...]:
    """Files with inode and time, rows, and every word of the fakes."""
    directories = {str(path): path.stat().st_mtime_ns for path in world.root.rglob("*") if path.is_dir()}
    fakes = (
        world.clock.now_utc(),
        world.clock.monotonic(),
        list(world.clock.slept),
        world.clock._count,
        [
            (name, session.session_id, dict(session.env), dict(session.options), [vars_of(p) for p in session.panes])
            for name, session in world.tmux.sessions.items()
        ],
        dict(world.tmux.server_options),
        {pid: vars_of(found) for pid, found in world.process._table.items()},
        list(world.process.signals),
        world.process.spawned,
        dict(world.environ.values),
        set(world.stubborn),
    )
    return directories, on_disk(world), end_state(world), fakes


def vars_of(found: object) -> dict[str, object]:
    return {name: repr(getattr(found, name)) for name in type(found).__slots__}  # type: ignore[attr-defined]


def test_a_world_comes_back_after_a_crash_and_whatever_followed(fake_world: FakeWorld) -> None:
    played = next(scenario for scenario in SCENARIOS if scenario.name == "update_every_kind")
    played.arrange(fake_world)
    moment = Moment(fake_world)
    before = all_of(fake_world)

    for _ in range(2):
        crashed(fake_world, "relaunch/Instance:start-session")
        assert all_of(fake_world) != before
        fake_world.when_applied()
        fake_world.reboot()
        fake_world.stubborn.add("alice")
        fake_world.environ.values["MORE"] = "1"
        moment.back()
        assert all_of(fake_world) == before

    assert played.run(fake_world).settled


def test_what_was_changed_in_place_replaced_removed_or_added_comes_back(fake_world: FakeWorld) -> None:
    one(fake_world)
    prompt = fake_world.source / "prompts/coder.md"
    kept = fake_world.source / "link"
    kept.symlink_to("prompts")
    moment = Moment(fake_world)
    before = on_disk(fake_world)
    text = prompt.read_bytes()

    def in_place() -> None:
        with prompt.open("r+b") as file:
            file.write(bytes(reversed(text)))

    def replaced() -> None:
        other = fake_world.source / "other"
        other.write_bytes(text)
        os.replace(other, prompt)

    def a_directory_for_it() -> None:
        prompt.unlink()
        (prompt / "deep").mkdir(parents=True)
        (prompt / "deep/file").write_text("x")

    changes = (
        in_place,
        replaced,
        a_directory_for_it,
        lambda: shutil.rmtree(fake_world.overlay),
        lambda: prompt.chmod(0o400),
        lambda: prompt.parent.chmod(0o500),
        lambda: (kept.unlink(), kept.symlink_to("elsewhere")),
        lambda: Path(fake_world.registry, "more").mkdir(),
    )
    for change in changes:
        change()
        assert on_disk(fake_world) != before
        moment.back()
        assert on_disk(fake_world) == before

    assert fake_world.when_planned().in_sync


def test_a_run_from_a_world_put_back_is_the_run_from_the_world_itself(fake_world: FakeWorld) -> None:
    one(fake_world)
    fake_world.given(ONE.replace("{specialistRef: coder}", "{specialistRef: coder, model: opus}"))
    moment = Moment(fake_world)
    first = fake_world.when_applied(parallelism=1)
    end = end_state(fake_world)
    uids = fake_world.uids

    moment.back()
    fake_world.when_applied(fault=Fault(first.watch.points[3][0], "after", Kind.ERROR), parallelism=1)
    moment.back()
    second = fake_world.when_applied(parallelism=1)

    assert (second.told, second.watch.points, second.watch.writes) == (
        first.told,
        first.watch.points,
        first.watch.writes,
    )
    assert (end_state(fake_world), fake_world.uids) == (end, uids)
