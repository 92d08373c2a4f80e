"""What a person sees of an agent that is broken, in a real terminal of two sizes, as somebody approved it."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Program, program
from tests.conftest import WaitUntil
from tests.top.conftest import Approved
from tests.top.terminal import window

pytestmark = [pytest.mark.tmux, pytest.mark.slow]


@pytest.fixture(scope="module")
def broken(wait_until: WaitUntil) -> Iterator[Program]:
    """alice's program was killed. Paths on a screen are as long on every machine: below /tmp."""
    with (
        tempfile.TemporaryDirectory(prefix="top-", dir="/tmp") as directory,
        program(Path(directory), wait_until) as found,
    ):
        found.given()
        os.kill(int(found.tmux("list-panes", "-a", "-F", "#{pane_pid}")), signal.SIGKILL)
        wait_until(lambda: found.tmux("list-panes", "-a", "-F", "#{pane_dead}").strip() == "1", what="its end")
        yield found


@pytest.mark.parametrize("size", ["80x24", "200x50"])
def test_a_broken_agent_is_on_one_screen(broken: Program, approved: Approved, size: str) -> None:
    with window(broken, size, "describe", "instance", "alice") as shown:
        approved(shown, "broken", size, "left with 0")
        assert shown.screen.startswith("Instance/alice"), "its beginning is still to be seen"
