"""`houmao describe` in a real terminal of two sizes, as somebody approved it: a healthy agent, and one that exited."""

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
def houmao(wait_until: WaitUntil) -> Iterator[Program]:
    """Paths on a screen are as long on every machine: below /tmp."""
    with (
        tempfile.TemporaryDirectory(prefix="top-", dir="/tmp") as directory,
        program(Path(directory), wait_until) as found,
    ):
        found.given()
        yield found


@pytest.mark.parametrize("size", ["80x24", "200x50"])
def test_one_agent_on_one_screen(houmao: Program, approved: Approved, size: str) -> None:
    with window(houmao, size, "describe", "instance", "alice") as shown:
        approved(shown, "describe", size, "left with 0")
