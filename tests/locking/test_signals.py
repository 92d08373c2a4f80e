"""Ctrl-C and SIGTERM: once, what is under way is finished and nothing new begins; twice, it ends at once (R-EXE-8)."""

import signal

import pytest

from reconciler.testing.real_world import until
from tests.locking.conftest import Overlay

pytestmark = pytest.mark.tmux


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_told_once_it_finishes_what_it_began_and_starts_nothing_more(overlay: Overlay, number: int, code: int) -> None:
    program = overlay.start_pausing("create/Instance:write-home", "before", "hold", "--parallelism", "1")
    program.is_held()
    program.tell(number)
    program.let_go()

    ended, out, err = program.end()

    assert ended == code, (out, err)
    assert overlay.world.running == {"alice"}
    catalog = overlay.world.look().catalog
    assert catalog.intents() == ()
    assert {ref for ref in overlay.world.rows if ref.startswith("Instance/")} == {"Instance/alice"}
    assert "Interrupted" in out + err
    assert catalog.runs(1)[0].outcome == "failed"
    pid = overlay.world.session_of("alice").pid
    overlay.converges()
    assert overlay.world.session_of("alice").pid == pid


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    ("point", "phase"),
    [
        ("create/Instance:write-home", "after"),
        ("create/Instance:start-session", "before"),
        ("create/Instance:start-session", "after"),
        ("create/Instance:settled", "before"),
    ],
)
def test_told_twice_it_ends_at_once_and_the_next_apply_converges(
    overlay: Overlay, number: int, code: int, point: str, phase: str
) -> None:
    program = overlay.start_pausing(point, phase, "hold", "--parallelism", "1")
    program.is_held()
    program.tell(number)
    program.was_told()
    program.tell(number)

    assert program.end()[0] == code
    overlay.held.unlink()
    assert overlay.world.look().catalog.intents() != ()
    overlay.converges()


def test_told_before_it_began_it_begins_nothing(overlay: Overlay) -> None:
    program = overlay.start_pausing("create/Specialist:intent", "before", "hold", "--parallelism", "1")
    program.is_held()
    program.tell(signal.SIGTERM)
    program.let_go()

    code, _, _ = program.end()

    assert code == 143
    assert overlay.world.panes == ()
    overlay.converges()


def test_a_waiting_writer_goes_when_it_is_told(overlay: Overlay) -> None:
    first = overlay.start_pausing("create/Instance:write-home", "before", "hold")
    first.is_held()
    events = overlay.world.root / "events"
    second = overlay.start_apply("--lock-timeout", "60s", "--events", str(events))
    until(lambda: events.exists() and "waiting_for" in events.read_text(), "the second never said that it waits")
    before = overlay.state()

    second.tell(signal.SIGINT)

    until(lambda: second.ended, "it waits on although it was told to go")
    assert second.end()[0] == 130
    overlay.unchanged_since(before)
    first.let_go()
    assert first.end()[0] == 0
