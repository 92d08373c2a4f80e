"""A second writer waits, or is refused with all it needs to know; readers do neither (R-LCK-1, R-LCK-3, R-LCK-4)."""

import json
import signal
import sqlite3
from pathlib import Path

import pytest

from reconciler.adapters import files_lock
from reconciler.testing.real_world import until
from tests.locking.conftest import Overlay

pytestmark = pytest.mark.tmux

POINT = "create/Instance:write-home"


def test_a_second_writer_is_refused_and_told_who_holds_the_lock(overlay: Overlay) -> None:
    first = overlay.start_pausing(POINT, "before", "hold")
    first.is_held()
    before = overlay.state()

    code, _, err = overlay.start_apply("--lock-timeout", "0s").end()

    assert code == 5
    assert f"process {first.pid} " in err
    assert "'apply'" in err
    assert " since 20" in err
    assert "(state " in err
    assert "--lock-timeout" in err
    overlay.unchanged_since(before)
    first.let_go()
    assert first.end()[0] == 0
    overlay.converges()


def test_a_stopped_holder_is_named_with_its_remedy_and_never_taken_over(overlay: Overlay) -> None:
    first = overlay.start_pausing(POINT, "before", "stop")
    first.is_stopped()
    before = overlay.state()

    code, _, err = overlay.start_apply("--lock-timeout", "0.5s").end()

    assert code == 5
    assert f"stopped (T): kill -CONT {first.pid} or kill it" in err
    overlay.unchanged_since(before)
    first.tell(signal.SIGCONT)
    assert first.end()[0] == 0
    overlay.converges()


def test_a_second_writer_waits_as_long_as_it_may_and_then_goes_on(overlay: Overlay, tmp_path: Path) -> None:
    first = overlay.start_pausing(POINT, "before", "hold")
    first.is_held()
    events = tmp_path / "events"
    second = overlay.start_apply("--lock-timeout", "60s", "--events", str(events))
    until(lambda: events.exists() and "waiting_for" in events.read_text(), "the second never said that it waits")
    waiting = next(json.loads(line) for line in events.read_text().splitlines() if "waiting_for" in line)
    assert first.pid in (waiting.get("waiting_for"), waiting.get("fields", {}).get("waiting_for"))

    first.let_go()

    assert first.end()[0] == 0
    assert second.end()[0] == 0
    assert overlay.world.running == {"alice", "bob"}
    assert overlay.world.when_planned().in_sync


def test_the_holder_killed_the_next_writer_has_the_next_token_and_converges(overlay: Overlay) -> None:
    first = overlay.start_pausing("create/Instance:start-session", "after", "hold")
    first.is_held()
    token = overlay.token
    assert token > 0
    first.tell(signal.SIGKILL)
    assert first.end()[0] == -signal.SIGKILL
    overlay.held.unlink()

    code, _, err = overlay.start_apply("--lock-timeout", "0s").end()

    assert (code, err) == (0, "")
    assert overlay.token == token + 1
    overlay.converges()


def test_an_empty_plan_takes_no_lock_and_no_token(overlay: Overlay) -> None:
    overlay.world.when_applied()
    overlay.world.given_file("prompts/other.md", "nothing\n")
    token = overlay.token
    held = files_lock.acquire(str(overlay.lock))
    assert isinstance(held, files_lock.LocalLock)
    try:
        code, _, err = overlay.start_apply("--lock-timeout", "0s").end()
    finally:
        held.release()

    assert (code, err) == (0, "")
    assert overlay.token == token


@pytest.mark.parametrize("words", [("get", "instances"), ("plan",), ("diff",)], ids=" ".join)
@pytest.mark.parametrize("mode", ["IMMEDIATE", "EXCLUSIVE"])
def test_readers_do_not_wait_for_a_transaction_that_is_never_finished(
    overlay: Overlay, words: tuple[str, ...], mode: str
) -> None:
    overlay.world.when_applied()
    writer = sqlite3.connect(overlay.world.overlay / "catalog.sqlite", isolation_level=None)
    try:
        writer.execute(f"BEGIN {mode}")
        writer.execute("UPDATE specialists SET name = 'torn' WHERE name = 'coder'")
        code, out, err = overlay.start(*words).end()
    finally:
        writer.execute("ROLLBACK")
        writer.close()

    assert (code, err) == (0, "")
    assert "torn" not in out


def test_readers_work_beside_a_stopped_writer(overlay: Overlay) -> None:
    overlay.world.when_applied()
    overlay.world.given_file("prompts/coder.md", "You write more code.\n")
    first = overlay.start_pausing("update/Specialist:settled", "before", "stop")
    first.is_stopped()

    code, out, err = overlay.start("get", "instances").end()
    assert (code, err) == (0, "")
    assert "alice" in out
    code, out, _ = overlay.start("plan", "--detailed-exitcode").end()
    assert code == 2
    assert "relaunch" in out


def test_the_tmux_server_that_an_apply_started_does_not_keep_its_lock(overlay: Overlay) -> None:
    code, _, _ = overlay.start_apply().end()
    assert code == 0
    listing = overlay.world.look().tmux.listing()
    server = getattr(listing, "server", None)
    assert server is not None

    assert files_lock.holder(str(overlay.lock)) is None
    held = files_lock.acquire(str(overlay.lock))
    assert isinstance(held, files_lock.LocalLock)
    held.release()
    for pid in (server.pid, *(pane.pid for pane in overlay.world.panes)):
        links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
        assert [link for link in links if str(overlay.world.overlay) in link] == []


def test_two_applies_of_different_sets_serialize_and_lose_nothing(overlay: Overlay) -> None:
    other = overlay.world.root / "other"
    other.mkdir()
    (other / "more.yaml").write_text(
        "apiVersion: houmao/v1alpha1\nkind: Specialist\nmetadata: {name: tester}\n"
        "spec: {provider: echo, prompt: You test.}\n"
        "---\napiVersion: houmao/v1alpha1\nkind: Instance\nmetadata: {name: carol}\nspec: {specialistRef: tester}\n"
    )
    both = [
        overlay.start_apply("--lock-timeout", "60s", "--applyset", "one"),
        overlay.start_apply("--lock-timeout", "60s", "--applyset", "two", source=other),
    ]

    ends = [program.end() for program in both]

    assert [code for code, _, _ in ends] == [0, 0], ends
    sets = {ref: row.apply_set for ref, row in overlay.world.rows.items()}
    assert {ref for ref, name in sets.items() if name == "one"} >= {
        "Specialist/coder",
        "Instance/alice",
        "Instance/bob",
    }
    assert {ref for ref, name in sets.items() if name == "two"} >= {"Specialist/tester", "Instance/carol"}
    assert overlay.world.running == {"alice", "bob", "carol"}
    assert overlay.world.when_planned(applyset="one").in_sync
    assert overlay.world.when_planned(applyset="two", source=other).in_sync
    assert len(overlay.world.look().catalog.runs(10)) == 2
