"""A writer stopped at any of its steps, its lock file exchanged, a newer writer done: continued, it changes nothing.

R-LCK-2: token and fence were raised behind its back, so nothing is committed, killed or published any more.
"""

import signal

import pytest

from tests.locking.conftest import Overlay

pytestmark = pytest.mark.tmux

CREATE = [
    "create/Specialist:write-content",
    "create/Specialist:settled",
    "create/Instance:intent",
    "create/Instance:write-home",
    "create/Instance:start-session",
    "create/Instance:publish-record",
    "create/Instance:settled",
]
RELAUNCH = [
    "relaunch/Instance:kill-session",
    "relaunch/Instance:end-process",
    "relaunch/Instance:write-home",
    "relaunch/Instance:start-session",
    "relaunch/Instance:publish-record",
    "relaunch/Instance:settled",
]


def _replaced(overlay: Overlay, point: str, phase: str) -> None:
    old = overlay.start_pausing(point, phase, "stop", "--parallelism", "1")
    old.is_stopped()
    token = overlay.token
    overlay.lock.rename(overlay.lock.with_name("lock.old"))  # only so can there be a second writer beside it
    newer = overlay.world.when_applied()
    assert newer.settled
    assert overlay.token == token + 1
    overlay.lock.with_name("lock.old").unlink()
    before = overlay.state()

    old.tell(signal.SIGCONT)
    code, _, err = old.end()

    assert code not in (0, None)
    assert "took over" in err or "token" in err, err
    overlay.unchanged_since(before)
    overlay.converges()


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("point", CREATE)
def test_while_it_creates(overlay: Overlay, point: str, phase: str) -> None:
    _replaced(overlay, point, phase)


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("point", RELAUNCH)
def test_while_it_relaunches(overlay: Overlay, point: str, phase: str) -> None:
    overlay.world.when_applied()
    overlay.world.given_file("prompts/coder.md", "You write better code.\n")
    _replaced(overlay, point, phase)
